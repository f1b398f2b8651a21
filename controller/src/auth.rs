//! Who is asking: every request to the machine API is decided here before a handler sees it.
//!
//! In the form of the agent's contract: headers are judged before the body is read, the MAC before the
//! age, the age before the memory of what was seen. That memory is a table, so that a write acts once
//! however many controllers there are; answers to requests that verified are signed as well. A bearer
//! token reads and does nothing else.
//!
//! People come through the [`door`]: cookies, sessions, forms. What either lets in is a [`Principal`].
//!
//! [`guard`] does all of it around a scope of routes; [`once`] within it gives a request that names
//! itself the same answer again. What a route needs is told by one function for all of them, and what
//! that does not name is refused.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

use crate::db::{idempotency as answers, request_signatures};

mod body;
mod client;
mod decision;
mod door;
mod extract;
mod gate;
mod idempotency;
mod limiter;
mod principal;
mod refusal;
mod site;
mod verify;

pub use body::Limits;
pub use client::client_address;
pub use door::{AtDoor, door};
pub use extract::RawBody;
pub use gate::{Gate, Needs, Routes, Takes, guard};
pub use idempotency::once;
pub use principal::{Principal, Who};
pub use refusal::{Reason, Written, problem};
pub use site::{Cookie, Cookies, CrossSite, Origin, Site};

/// Forgets signatures that could not verify any more and answers that nobody will ask for again.
///
/// `keep` is for answers; how long signatures are kept follows from the contract.
pub async fn prune(pool: &PgPool, keep: TimeDelta, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    request_signatures::prune(pool, now).await?;
    answers::prune(pool, now - keep).await?;
    Ok(())
}
