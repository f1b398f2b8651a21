//! The agent that runs on every node and makes a WireGuard interface what it was told to be.
//!
//! Outermost is [`startup`]: it prepares, confines and starts everything else. [`api`] translates HTTP
//! into jobs for a `writer`, one per interface, which alone touches disk ([`state`]) and device
//! ([`device`]). In between, [`ledger`] and [`plan`] are pure: facts in, decision out.

pub mod api;
mod auth;
pub mod cli;
mod clock;
pub mod config;
mod daemon;
pub mod device;
pub mod ledger;
mod limiter;
mod metrics;
pub mod plan;
mod private_file;
mod replay;
mod sandbox;
pub mod startup;
pub mod state;
mod strangers;
mod system;
mod telemetry;
mod tls;
pub mod wgconf;
mod writer;
