//! The flows: what combines rows, decisions and nodes.
//!
//! A change of intent is one transaction ([`change`]); what nodes are told afterwards follows from the rows. The
//! faces (`api`, `cli`) translate and call these; nobody else writes.

pub mod addresses;
pub mod adopt;
pub mod api_keys;
pub mod audit;
pub mod change;
pub mod factors;
pub mod figures;
pub mod interfaces;
pub mod live;
pub mod master_key;
pub mod networks;
pub mod nodes;
pub mod peers;
pub mod plans;
pub mod poll;
pub mod pools;
pub mod reconcile;
pub mod refusal;
pub mod reservations;
pub mod samples;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod sign_in;
pub mod status;
pub mod upkeep;
pub mod usage;
pub mod users;
pub mod webhooks;

use std::sync::Arc;

use sqlx::PgPool;

use crate::agent::Clients;
use crate::keyring::Keyring;
use crate::metrics::Metrics;

pub use change::{Call, Change};
pub use refusal::{FleetError, Kind, Refusal, Result};
pub use settings::Settings;
use users::Hasher;

/// What every flow works with.
pub struct Fleet {
    pub settings: Settings,
    pub pool: PgPool,
    pub keyring: Arc<Keyring>,
    pub hasher: Hasher,
    pub door: Arc<sign_in::Door>,
    pub agents: Clients,
    pub metrics: Metrics,
    pub live: live::Live,
    /// Names this controller among those that share the database.
    pub instance: String,
}

pub type Shared = Arc<Fleet>;
