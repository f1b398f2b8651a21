//! Entries of the audit log, appending them to its chain, and walking the chain.

use std::pin::pin;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use serde::Serialize;
use sqlx::{PgConnection, PgPool};

use super::refusal::Result;
use crate::db;
use crate::domain::actor::Actor;
use crate::domain::audit::{Broken, Entry, Head, Outcome, Verifier};

/// What came of walking the chain.
#[derive(Debug)]
pub struct Verdict {
    /// How many rows hold, counted from the first.
    pub rows: i64,
    /// Where the log is recorded to end.
    pub head: Head,
    pub broken: Option<Broken>,
}

/// A change that was made. What is shown of the object holds no secret: its type sees to that.
pub fn done<B: Serialize, A: Serialize>(
    actor: &Actor,
    action: &str,
    object: &str,
    before: Option<&B>,
    after: Option<&A>,
    now: DateTime<Utc>,
) -> Result<Entry> {
    Ok(Entry {
        before: before.map(serde_json::to_string).transpose()?,
        after: after.map(serde_json::to_string).transpose()?,
        ..entry(actor, action, object, Outcome::Done, now)
    })
}

/// A wish that came to nothing, with the reason in one word.
pub fn not_done(
    actor: &Actor,
    action: &str,
    object: &str,
    outcome: Outcome,
    reason: &str,
    now: DateTime<Utc>,
) -> Entry {
    Entry {
        after: Some(reason.to_owned()),
        ..entry(actor, action, object, outcome, now)
    }
}

/// Chains an entry to the log. The caller's transaction holds the end of the chain from here on.
pub async fn append(db: &mut PgConnection, entry: &Entry) -> Result<()> {
    let before = db::audit::lock_head(&mut *db).await?;
    let head = before.append(entry);
    Ok(db::audit::append(db, entry, &before, &head).await?)
}

/// Walks the whole chain, in one snapshot, and stops at the first row that does not fit.
pub async fn verify(pool: &PgPool) -> Result<Verdict> {
    let mut snapshot = db::snapshot(pool).await?;
    let head = db::audit::head(&mut *snapshot).await?;
    let mut verdict = Verdict {
        rows: 0,
        head,
        broken: None,
    };
    let mut verifier = Verifier::new();
    {
        let mut rows = pin!(db::audit::rows(&mut snapshot));
        while let Some(row) = rows.try_next().await? {
            if let Err(broken) = verifier.feed(&row) {
                verdict.broken = Some(broken);
                return Ok(verdict);
            }
            verdict.rows += 1;
        }
    }
    verdict.broken = verifier.finish(head).err();
    Ok(verdict)
}

fn entry(actor: &Actor, action: &str, object: &str, outcome: Outcome, now: DateTime<Utc>) -> Entry {
    Entry {
        at: now,
        actor: actor.name.clone(),
        actor_kind: actor.kind,
        ip: actor.ip,
        request_id: actor.request_id.clone(),
        action: action.to_owned(),
        object: object.to_owned(),
        outcome,
        before: None,
        after: None,
    }
}
