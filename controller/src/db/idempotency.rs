//! Requests that named themselves, and what they were answered.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;

use crate::domain::ids::DataKeyId;

/// Which request, of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub principal: String,
    pub key: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub request_hash: Vec<u8>,
    pub answer: Option<SealedAnswer>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SealedAnswer {
    pub status: i32,
    pub headers: Value,
    pub sealed: Vec<u8>,
    pub data_key_id: DataKeyId,
}

/// Claims the name for a request, also from the same request where that has not ended since `stale`.
///
/// Returns the moment of the claim, by which it is known; `None` where the name is taken.
pub async fn claim(
    db: impl PgExecutor<'_>,
    named: &Named,
    request_hash: &[u8; 32],
    now: DateTime<Utc>,
    stale: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO idempotency_keys AS held (principal, key, request_hash, created_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (principal, key) DO UPDATE SET created_at = EXCLUDED.created_at
        WHERE held.status IS NULL AND held.created_at < $5
              AND held.request_hash = EXCLUDED.request_hash
        RETURNING created_at
        "#,
        named.principal,
        named.key,
        request_hash,
        now,
        stale,
    )
    .fetch_optional(db)
    .await
}

pub async fn find(db: impl PgExecutor<'_>, named: &Named) -> Result<Option<Entry>, sqlx::Error> {
    let row = sqlx::query!(
        r#"
        SELECT request_hash, status, headers, sealed,
               data_key_id AS "data_key_id: DataKeyId", created_at
        FROM idempotency_keys
        WHERE principal = $1 AND key = $2
        "#,
        named.principal,
        named.key,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Entry {
        request_hash: row.request_hash,
        answer: match (row.status, row.headers, row.sealed, row.data_key_id) {
            (Some(status), Some(headers), Some(sealed), Some(data_key_id)) => Some(SealedAnswer {
                status,
                headers,
                sealed,
                data_key_id,
            }),
            _ => None,
        },
        created_at: row.created_at,
    }))
}

/// Keeps the answer of a request that still holds its claim.
pub async fn complete(
    db: impl PgExecutor<'_>,
    named: &Named,
    claimed_at: DateTime<Utc>,
    answer: &SealedAnswer,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE idempotency_keys SET status = $4, headers = $5, sealed = $6, data_key_id = $7
        WHERE principal = $1 AND key = $2 AND created_at = $3 AND status IS NULL
        "#,
        named.principal,
        named.key,
        claimed_at,
        answer.status,
        answer.headers,
        answer.sealed,
        answer.data_key_id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives the claim back, so that the request may be tried again.
pub async fn give_back(
    db: impl PgExecutor<'_>,
    named: &Named,
    claimed_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        DELETE FROM idempotency_keys
        WHERE principal = $1 AND key = $2 AND created_at = $3 AND status IS NULL
        "#,
        named.principal,
        named.key,
        claimed_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn prune(db: impl PgExecutor<'_>, before: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!("DELETE FROM idempotency_keys WHERE created_at < $1", before)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
