//! `webhook_deliveries`: one row for each event that a receiver is to be told of; its own log as well.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::Span;
use super::sync::interval;
use crate::domain::ids::{DataKeyId, DeliveryId, EventId, WebhookId};

/// How many are deleted at once, so that no statement takes long.
const PRUNED_AT_ONCE: i64 = 10_000;

#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: DeliveryId,
    pub event: EventId,
    pub body: String,
    pub attempts: i32,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub leased_until: Option<DateTime<Utc>>,
    pub attempted_at: Option<DateTime<Utc>>,
    pub status: Option<i32>,
    pub problem: Option<String>,
    pub delivered_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// A delivery to be sent, this controller's until the lease ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub id: DeliveryId,
    pub webhook: WebhookId,
    pub url: String,
    pub sealed: Vec<u8>,
    pub data_key_id: DataKeyId,
    pub body: String,
    /// This attempt included.
    pub attempts: i32,
    pub wanted_at: DateTime<Utc>,
    pub claimed_at: DateTime<Utc>,
    /// Also the proof of the claim: no two of one delivery end at the same moment.
    pub leased_until: DateTime<Utc>,
}

/// Adds what is not there yet.
pub async fn insert(
    db: impl PgExecutor<'_>,
    webhook: WebhookId,
    events: &[i64],
    bodies: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO webhook_deliveries (webhook_id, event_id, body)
        SELECT $1, event, body FROM unnest($2::bigint[], $3::text[]) AS given (event, body)
        ON CONFLICT ON CONSTRAINT webhook_deliveries_once DO NOTHING
        "#,
        webhook.0,
        events,
        bodies,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes deliveries that are due, the longest due first, and of each receiver only so many that `at_once` are under way.
pub async fn claim(
    db: impl PgExecutor<'_>,
    lease: Duration,
    at_once: i64,
) -> Result<Vec<Claimed>, sqlx::Error> {
    sqlx::query_as!(
        Claimed,
        r#"
        WITH due AS MATERIALIZED (
            SELECT one.id, url, sealed, data_key_id
            FROM webhooks, LATERAL (
                SELECT id FROM webhook_deliveries
                WHERE webhook_id = webhooks.id AND next_attempt_at <= now()
                  AND (leased_until IS NULL OR leased_until < now())
                ORDER BY next_attempt_at, id
                LIMIT greatest(0, $2 - (
                    SELECT count(*) FROM webhook_deliveries
                    WHERE webhook_id = webhooks.id AND next_attempt_at IS NOT NULL AND leased_until >= now()))
                FOR UPDATE SKIP LOCKED
            ) AS one
            WHERE enabled
        )
        UPDATE webhook_deliveries SET leased_until = now() + $1, attempts = attempts + 1
        FROM due
        WHERE webhook_deliveries.id = due.id
        RETURNING webhook_deliveries.id AS "id: DeliveryId", webhook_id AS "webhook: WebhookId", url, sealed,
            data_key_id AS "data_key_id: DataKeyId", body, attempts, wanted_at,
            now() AS "claimed_at!", leased_until AS "leased_until!"
        "#,
        interval(lease),
        at_once,
    )
    .fetch_all(db)
    .await
}

/// The receiver has it. Nothing, if the claim is no longer this one.
pub async fn book_success(
    db: impl PgExecutor<'_>,
    claimed: &Claimed,
    status: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE webhook_deliveries
        SET delivered_at = now(), attempted_at = now(), next_attempt_at = NULL, leased_until = NULL, status = $3,
            problem = NULL
        WHERE id = $1 AND leased_until = $2
        "#,
        claimed.id.0,
        claimed.leased_until,
        status,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The receiver does not have it, as far as one knows. It is tried again after a wait, or given up.
pub async fn book_failure(
    db: impl PgExecutor<'_>,
    claimed: &Claimed,
    status: Option<i32>,
    problem: &str,
    wait: Option<Duration>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE webhook_deliveries
        SET attempted_at = now(), next_attempt_at = now() + $3::interval, leased_until = NULL, status = $4, problem = $5
        WHERE id = $1 AND leased_until = $2
        "#,
        claimed.id.0,
        claimed.leased_until,
        wait.map(interval),
        status,
        problem,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Begins anew, whatever became of it before. False: there is no such delivery.
pub async fn want_again(
    db: impl PgExecutor<'_>,
    webhook: WebhookId,
    id: DeliveryId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        r#"
        UPDATE webhook_deliveries
        SET wanted_at = now(), next_attempt_at = now(), leased_until = NULL, attempts = 0, delivered_at = NULL
        WHERE id = $2 AND webhook_id = $1
        "#,
        webhook.0,
        id.0,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn find(
    db: impl PgExecutor<'_>,
    webhook: WebhookId,
    id: DeliveryId,
) -> Result<Option<Delivery>, sqlx::Error> {
    sqlx::query_as!(
        Delivery,
        r#"
        SELECT id AS "id: DeliveryId", event_id AS "event: EventId", body, attempts, next_attempt_at, leased_until,
            attempted_at, status, problem, delivered_at, created_at
        FROM webhook_deliveries WHERE webhook_id = $1 AND id = $2
        "#,
        webhook.0,
        id.0,
    )
    .fetch_optional(db)
    .await
}

pub async fn list(
    db: impl PgExecutor<'_>,
    webhook: WebhookId,
    span: Span,
) -> Result<Vec<Delivery>, sqlx::Error> {
    sqlx::query_as!(
        Delivery,
        r#"
        SELECT id AS "id: DeliveryId", event_id AS "event: EventId", body, attempts, next_attempt_at, leased_until,
            attempted_at, status, problem, delivered_at, created_at
        FROM webhook_deliveries WHERE webhook_id = $1 AND id > $2 ORDER BY id LIMIT $3
        "#,
        webhook.0,
        span.after,
        span.limit,
    )
    .fetch_all(db)
    .await
}

/// Forgets deliveries from before `until` for which nothing is to be done any more.
pub async fn prune(db: impl PgExecutor<'_>, until: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        r#"
        DELETE FROM webhook_deliveries WHERE id IN (
            SELECT id FROM webhook_deliveries
            WHERE created_at < $1 AND next_attempt_at IS NULL ORDER BY created_at LIMIT $2
        )
        "#,
        until,
        PRUNED_AT_ONCE,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
