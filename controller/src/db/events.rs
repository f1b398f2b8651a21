//! `events`: what happened, for live pages and webhooks.
//!
//! Ids are drawn from a sequence, and transactions need not commit in the order in which they drew. A reader who goes
//! on after the highest id it saw would then miss a slower one for good. So whoever inserts holds a lock, by a trigger
//! and from before the id is drawn until its transaction has ended: a lower id is always visible, or rolled back, before
//! a higher one exists. `id > last` is then all that a reader needs, across restarts and across a restored backup.
//! Reading only what is older than every running transaction would need no lock; but one transaction that hangs,
//! whichever it is, would hold all events back, and the numbers of transactions do not survive a restore.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;

use super::Span;
use crate::domain::ids::EventId;

/// How many are deleted at once, so that no statement takes long.
const PRUNED_AT_ONCE: i64 = 10_000;

#[derive(Debug, Clone)]
pub struct Event {
    pub id: EventId,
    pub at: DateTime<Utc>,
    pub topic: String,
    pub kind: String,
    pub object: String,
    pub data: Value,
}

/// Which events are wanted; what is absent does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub topic: Option<String>,
    pub kind: Option<String>,
    pub object: Option<String>,
}

/// The last thing but the audit row that a transaction should do: others wait until it ends.
pub async fn insert(
    db: impl PgExecutor<'_>,
    topic: &str,
    kind: &str,
    object: &str,
    data: &Value,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO events (topic, kind, object, data) VALUES ($1, $2, $3, $4)",
        topic,
        kind,
        object,
        data,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An event of one of many objects.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub topic: &'static str,
    pub kind: &'static str,
    pub object: String,
    pub data: Value,
}

/// Inserts events in this order, in one statement.
pub async fn insert_all(db: impl PgExecutor<'_>, events: &[NewEvent]) -> Result<(), sqlx::Error> {
    let topics: Vec<String> = events.iter().map(|one| one.topic.to_owned()).collect();
    let kinds: Vec<String> = events.iter().map(|one| one.kind.to_owned()).collect();
    let objects: Vec<String> = events.iter().map(|one| one.object.clone()).collect();
    let data: Vec<Value> = events.iter().map(|one| one.data.clone()).collect();
    sqlx::query!(
        r#"
        INSERT INTO events (topic, kind, object, data)
        SELECT topic, kind, object, data
        FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[]) WITH ORDINALITY AS given (topic, kind, object, data, n)
        ORDER BY n
        "#,
        &topics,
        &kinds,
        &objects,
        &data,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn list(
    db: impl PgExecutor<'_>,
    filter: &Filter,
    span: Span,
) -> Result<Vec<Event>, sqlx::Error> {
    sqlx::query_as!(
        Event,
        r#"
        SELECT id AS "id: EventId", at, topic, kind, object, data
        FROM events
        WHERE id > $1
          AND ($3::text IS NULL OR topic = $3)
          AND ($4::text IS NULL OR kind = $4)
          AND ($5::text IS NULL OR object = $5)
        ORDER BY id LIMIT $2
        "#,
        span.after,
        span.limit,
        filter.topic,
        filter.kind,
        filter.object,
    )
    .fetch_all(db)
    .await
}

/// The id of the newest event; 0 before the first.
pub async fn newest(db: impl PgExecutor<'_>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT coalesce(max(id), 0) AS "newest!" FROM events"#)
        .fetch_one(db)
        .await
}

/// Forgets events from before `until`, except those that an enabled webhook has not come to yet.
pub async fn prune(db: impl PgExecutor<'_>, until: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        r#"
        DELETE FROM events WHERE id IN (
            SELECT id FROM events
            WHERE at < $1 AND NOT EXISTS (SELECT FROM webhooks WHERE enabled AND seen < events.id)
            ORDER BY at LIMIT $2
        )
        "#,
        until,
        PRUNED_AT_ONCE,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
