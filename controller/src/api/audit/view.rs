//! Rows of the audit log as the API shows them.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::audit::{Outcome, StoredRow};
use crate::fleet::audit::Verdict;

/// A row for people.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditView {
    seq: i64,
    at: DateTime<Utc>,
    actor: String,
    /// `user`, `api_key`, `cli`, `controller` or `nobody`.
    actor_kind: String,
    ip: Option<String>,
    request_id: Option<String>,
    /// Such as `network.create`; of a refused call, its method and route.
    action: String,
    object: String,
    /// `done`, `refused` or `failed`.
    outcome: String,
    /// Why it was not done, in one word.
    reason: Option<String>,
    /// What it was.
    before: Option<Value>,
    /// What it became.
    after: Option<Value>,
    /// The hash that this row adds to the chain, as hex.
    hash: String,
}

/// A row exactly as it is kept: with this, anybody can walk the chain.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLine {
    seq: i64,
    at: DateTime<Utc>,
    actor: String,
    actor_kind: String,
    ip: Option<String>,
    request_id: Option<String>,
    action: String,
    object: String,
    outcome: String,
    /// The text that the hash covers.
    before: Option<String>,
    after: Option<String>,
    prev_hash: String,
    hash: String,
}

/// Whether the chain holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChainView {
    ok: bool,
    /// How many rows hold, counted from the first.
    rows: i64,
    /// Where the log is recorded to end. Kept elsewhere, it shows whether the log was written anew as a whole.
    head: HeadView,
    /// The first row that does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<BrokenView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HeadView {
    seq: i64,
    hash: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BrokenView {
    seq: i64,
    /// What is wrong with it, for people.
    why: String,
}

impl AuditView {
    pub(super) fn of(row: StoredRow) -> Self {
        let done = row.outcome == Outcome::Done.as_str();
        let (after, reason) = match done {
            true => (row.after, None),
            false => (None, row.after),
        };
        Self {
            seq: row.seq,
            at: row.at,
            actor: row.actor,
            actor_kind: row.actor_kind,
            ip: row.ip.map(address),
            request_id: row.request_id,
            action: row.action,
            object: row.object,
            outcome: row.outcome,
            reason,
            before: row.before.map(value),
            after: after.map(value),
            hash: hex::encode(row.hash),
        }
    }
}

impl AuditLine {
    pub(super) fn of(row: StoredRow) -> Self {
        Self {
            seq: row.seq,
            at: row.at,
            actor: row.actor,
            actor_kind: row.actor_kind,
            ip: row.ip.map(|ip| ip.to_string()),
            request_id: row.request_id,
            action: row.action,
            object: row.object,
            outcome: row.outcome,
            before: row.before,
            after: row.after,
            prev_hash: hex::encode(row.prev_hash),
            hash: hex::encode(row.hash),
        }
    }
}

impl ChainView {
    pub(super) fn of(verdict: &Verdict) -> Self {
        Self {
            ok: verdict.broken.is_none(),
            rows: verdict.rows,
            head: HeadView {
                seq: verdict.head.seq,
                hash: verdict.head.hash.to_string(),
            },
            broken: verdict.broken.map(|broken| BrokenView {
                seq: broken.seq,
                why: broken.to_string(),
            }),
        }
    }
}

fn address(ip: IpNet) -> String {
    ip.addr().to_string()
}

/// What a row holds is JSON, unless somebody edited it; then the text itself is shown.
fn value(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}
