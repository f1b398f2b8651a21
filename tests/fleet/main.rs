//! The controller, seen from outside, on a real Postgres and with real agents.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

mod accounts;
mod agent_client;
mod api_keys;
mod audited;
mod auth;
mod authorities;
mod cli;
mod cli_config;
mod cli_connection;
mod database;
mod door;
mod elsewhere;
mod events;
mod faults;
mod inert;
mod interfaces;
mod keyring;
mod markup;
mod matrix;
mod networks;
mod nodes;
mod peers;
mod polling;
mod pools;
mod races;
mod reach;
mod rights;
mod samples;
mod stage;
mod tampering;
mod users;
mod web;
mod webhooks;
mod whole;
