//! The chain of the audit log: what a row's hash covers, and how a broken chain is found.
//!
//! Each row's hash covers the hash before it, so a row cannot be edited, removed, inserted or moved
//! without every later hash changing. The head, kept apart, says where the chain ends, so the end
//! cannot be cut off unseen either. Whoever can rewrite every later row and the head too leaves a
//! chain that holds: against that the head must be known somewhere else.
//! What may stand in a row (no secrets) is decided where the row is made.
//!
//! The hash is SHA-256 of `wgfleet-audit-1\n`, the hash before, the sequence number and the time in
//! microseconds (both 8 bytes, big-endian), and the other columns in the table's order. A text is its
//! length (8 bytes, big-endian) and its bytes; a column that may be null has a byte before it, 0 or 1.

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

mod verify;

pub use verify::{Broken, Fault, Verifier};

const DOMAIN: &[u8] = b"wgfleet-audit-1\n";

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

/// Where a chain ends: its last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub seq: i64,
    pub hash: Hash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    User,
    ApiKey,
    Cli,
    Controller,
    Nobody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    Refused,
    Failed,
}

/// What happened, about to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub at: DateTime<Utc>,
    pub actor: String,
    pub actor_kind: ActorKind,
    pub ip: Option<IpAddr>,
    pub request_id: Option<String>,
    pub action: String,
    pub object: String,
    pub outcome: Outcome,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A row as the database has it, whatever somebody may have made of it: nothing is parsed that an
/// edit could turn into an error instead of a broken row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub actor: String,
    pub actor_kind: String,
    pub ip: Option<IpNet>,
    pub request_id: Option<String>,
    pub action: String,
    pub object: String,
    pub outcome: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub prev_hash: Vec<u8>,
    pub hash: Vec<u8>,
}

impl Head {
    /// The end of the chain without rows.
    pub const START: Self = Self {
        seq: 0,
        hash: Hash([0; 32]),
    };

    /// The head once this entry is appended; its `seq` and `hash` are the new row's.
    pub fn append(&self, entry: &Entry) -> Self {
        let seq = self.seq + 1;
        Self {
            seq,
            hash: chain(seq, self.hash.as_bytes(), &Content::from(entry)),
        }
    }
}

impl Hash {
    /// None if these are not 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl ActorKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ApiKey => "api_key",
            Self::Cli => "cli",
            Self::Controller => "controller",
            Self::Nobody => "nobody",
        }
    }
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What the hash covers beside the place in the chain.
struct Content<'a> {
    at: DateTime<Utc>,
    actor: &'a str,
    actor_kind: &'a str,
    ip: Option<IpNet>,
    request_id: Option<&'a str>,
    action: &'a str,
    object: &'a str,
    outcome: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

impl<'a> From<&'a Entry> for Content<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            at: entry.at,
            actor: &entry.actor,
            actor_kind: entry.actor_kind.as_str(),
            ip: entry.ip.map(IpNet::from),
            request_id: entry.request_id.as_deref(),
            action: &entry.action,
            object: &entry.object,
            outcome: entry.outcome.as_str(),
            before: entry.before.as_deref(),
            after: entry.after.as_deref(),
        }
    }
}

impl<'a> From<&'a StoredRow> for Content<'a> {
    fn from(row: &'a StoredRow) -> Self {
        Self {
            at: row.at,
            actor: &row.actor,
            actor_kind: &row.actor_kind,
            ip: row.ip,
            request_id: row.request_id.as_deref(),
            action: &row.action,
            object: &row.object,
            outcome: &row.outcome,
            before: row.before.as_deref(),
            after: row.after.as_deref(),
        }
    }
}

fn chain(seq: i64, prev: &[u8; 32], content: &Content<'_>) -> Hash {
    let ip = content.ip.map(|ip| ip.to_string());
    let mut hasher = Sha256::new_with_prefix(DOMAIN);
    hasher.update(prev);
    hasher.update(seq.to_be_bytes());
    // Postgres keeps microseconds; what a clock says beyond them is cut off here as it is there.
    hasher.update(content.at.timestamp_micros().to_be_bytes());
    text(&mut hasher, content.actor);
    text(&mut hasher, content.actor_kind);
    nullable(&mut hasher, ip.as_deref());
    nullable(&mut hasher, content.request_id);
    text(&mut hasher, content.action);
    text(&mut hasher, content.object);
    text(&mut hasher, content.outcome);
    nullable(&mut hasher, content.before);
    nullable(&mut hasher, content.after);
    Hash(hasher.finalize().into())
}

fn text(hasher: &mut Sha256, text: &str) {
    hasher.update((text.len() as u64).to_be_bytes());
    hasher.update(text);
}

fn nullable(hasher: &mut Sha256, value: Option<&str>) {
    hasher.update([u8::from(value.is_some())]);
    if let Some(value) = value {
        text(hasher, value);
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
