//! The controller: keeps what should be in Postgres and makes it true on every node.
//!
//! `domain` decides and knows nothing of the world; `db` holds all SQL; `agent` is the signed client;
//! `fleet` is the only place that combines the three; `api`, `web` and `cli` are thin faces over it.

pub mod agent;
pub mod api;
pub mod auth;
mod authorities;
pub mod cli;
pub mod clock;
pub mod config;
pub mod database;
pub mod db;
pub mod domain;
pub mod fleet;
pub mod keyring;
pub mod metrics;
pub mod qr;
pub mod random;
pub mod startup;
pub mod telemetry;
pub mod tls;
pub mod web;

/// The schema, as the files in `migrations/` build it.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");
