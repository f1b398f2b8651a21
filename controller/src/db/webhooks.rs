//! `webhooks`: who is told of events, and how far each has come.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::Span;
use crate::domain::ids::{DataKeyId, EventId, WebhookId};

/// A receiver, as anybody who administers may see it.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub id: WebhookId,
    pub name: String,
    pub url: String,
    pub kinds: Vec<String>,
    pub enabled: bool,
    pub waiting: i64,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What is written of a receiver.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub name: &'a str,
    pub url: &'a str,
    pub kinds: &'a [String],
    pub enabled: bool,
}

/// A receiver that is held until the transaction ends, and the last event it has come to.
#[derive(Debug, Clone)]
pub struct Behind {
    pub id: WebhookId,
    pub kinds: Vec<String>,
    pub seen: EventId,
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("a webhook with this name exists")]
    NameTaken,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

/// An id before its row, because a secret is sealed for the row that it goes into.
pub async fn next_id(db: impl PgExecutor<'_>) -> Result<WebhookId, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT nextval(pg_get_serial_sequence('webhooks', 'id')) AS "id!: WebhookId""#
    )
    .fetch_one(db)
    .await
}

/// It is told of what happens from now on.
pub async fn insert(
    db: impl PgExecutor<'_>,
    id: WebhookId,
    row: Row<'_>,
    sealed: &[u8],
    data_key: DataKeyId,
) -> Result<(), WriteError> {
    sqlx::query!(
        r#"
        INSERT INTO webhooks (id, name, url, kinds, enabled, sealed, data_key_id, seen)
        OVERRIDING SYSTEM VALUE
        VALUES ($1, $2, $3, $4, $5, $6, $7, (SELECT coalesce(max(id), 0) FROM events))
        "#,
        id.0,
        row.name,
        row.url,
        row.kinds,
        row.enabled,
        sealed,
        data_key.0,
    )
    .execute(db)
    .await
    .map(|_| ())
    .map_err(name_taken)
}

pub async fn find(db: impl PgExecutor<'_>, id: WebhookId) -> Result<Option<Webhook>, sqlx::Error> {
    sqlx::query_as!(
        Webhook,
        r#"
        SELECT id AS "id: WebhookId", name, url, kinds, enabled,
            (SELECT count(*) FROM webhook_deliveries
             WHERE webhook_id = webhooks.id AND next_attempt_at IS NOT NULL) AS "waiting!",
            version, created_at, updated_at
        FROM webhooks WHERE id = $1
        "#,
        id.0,
    )
    .fetch_optional(db)
    .await
}

pub async fn list(db: impl PgExecutor<'_>, span: Span) -> Result<Vec<Webhook>, sqlx::Error> {
    sqlx::query_as!(
        Webhook,
        r#"
        SELECT id AS "id: WebhookId", name, url, kinds, enabled,
            (SELECT count(*) FROM webhook_deliveries
             WHERE webhook_id = webhooks.id AND next_attempt_at IS NOT NULL) AS "waiting!",
            version, created_at, updated_at
        FROM webhooks WHERE id > $1 ORDER BY id LIMIT $2
        "#,
        span.after,
        span.limit,
    )
    .fetch_all(db)
    .await
}

/// Holds a receiver until the transaction ends.
pub async fn lock(db: &mut PgConnection, id: WebhookId) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT FROM webhooks WHERE id = $1 FOR UPDATE", id.0)
        .fetch_optional(db)
        .await?;
    Ok(())
}

/// Replaces all that is given and counts the version up. One that was off begins with what happens from now on.
pub async fn update(
    db: impl PgExecutor<'_>,
    id: WebhookId,
    row: Row<'_>,
) -> Result<(), WriteError> {
    sqlx::query!(
        r#"
        UPDATE webhooks SET name = $2, url = $3, kinds = $4, enabled = $5,
            seen = CASE WHEN enabled THEN seen ELSE (SELECT coalesce(max(id), 0) FROM events) END,
            version = version + 1, updated_at = now()
        WHERE id = $1
        "#,
        id.0,
        row.name,
        row.url,
        row.kinds,
        row.enabled,
    )
    .execute(db)
    .await
    .map(|_| ())
    .map_err(name_taken)
}

pub async fn reseal(
    db: impl PgExecutor<'_>,
    id: WebhookId,
    sealed: &[u8],
    data_key: DataKeyId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE webhooks SET sealed = $2, data_key_id = $3 WHERE id = $1",
        id.0,
        sealed,
        data_key.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn delete(db: impl PgExecutor<'_>, id: WebhookId) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM webhooks WHERE id = $1", id.0)
        .execute(db)
        .await?;
    Ok(())
}

/// Holds one receiver that has not come to the latest event, unless somebody else holds it.
pub async fn hold_one_behind(db: &mut PgConnection) -> Result<Option<Behind>, sqlx::Error> {
    sqlx::query_as!(
        Behind,
        r#"
        SELECT id AS "id: WebhookId", kinds, seen AS "seen: EventId"
        FROM webhooks
        WHERE enabled AND seen < (SELECT max(id) FROM events)
        ORDER BY seen, id LIMIT 1
        FOR UPDATE SKIP LOCKED
        "#,
    )
    .fetch_optional(db)
    .await
}

pub async fn see(
    db: impl PgExecutor<'_>,
    id: WebhookId,
    event: EventId,
) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE webhooks SET seen = $2 WHERE id = $1", id.0, event.0)
        .execute(db)
        .await?;
    Ok(())
}

fn name_taken(err: sqlx::Error) -> WriteError {
    match super::violated(&err) {
        Some("webhooks_name_key") => WriteError::NameTaken,
        _ => WriteError::Db(err),
    }
}
