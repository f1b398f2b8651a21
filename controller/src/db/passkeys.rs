//! Passkeys of people: public keys and counters. What is in a credential, only the library that verifies them reads.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgExecutor, PgTransaction};

use super::violated;
use crate::domain::ids::{PasskeyId, UserId};

/// A passkey as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    pub id: PasskeyId,
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A passkey that somebody signs in with.
pub struct Credential {
    pub id: PasskeyId,
    pub user: UserId,
    pub credential: Value,
}

#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    #[error("this passkey is known already")]
    Known,
    #[error("cannot add a passkey")]
    Database(#[source] sqlx::Error),
}

pub async fn insert(
    db: impl PgExecutor<'_>,
    user: UserId,
    name: &str,
    credential_id: &[u8],
    credential: &Value,
    now: DateTime<Utc>,
) -> Result<PasskeyId, InsertError> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO passkeys (user_id, name, credential_id, credential, created_at)
        VALUES ($1, $2, $3, $4, $5)
        RETURNING id AS "id: PasskeyId"
        "#,
        user.0,
        name,
        credential_id,
        credential,
        now,
    )
    .fetch_one(db)
    .await
    .map_err(|err| match violated(&err) {
        Some("passkeys_credential_id_key") => InsertError::Known,
        _ => InsertError::Database(err),
    })
}

pub async fn list(db: impl PgExecutor<'_>, user: UserId) -> Result<Vec<PasskeyRow>, sqlx::Error> {
    sqlx::query_as!(
        PasskeyRow,
        r#"
        SELECT id AS "id: PasskeyId", name, created_at, last_used_at
        FROM passkeys
        WHERE user_id = $1
        ORDER BY id
        "#,
        user.0,
    )
    .fetch_all(db)
    .await
}

/// The ids by which authenticators know the passkeys of a user, so that none is made twice on one device.
pub async fn credential_ids(
    db: impl PgExecutor<'_>,
    user: UserId,
) -> Result<Vec<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT credential_id FROM passkeys WHERE user_id = $1",
        user.0,
    )
    .fetch_all(db)
    .await
}

/// Reads the passkey that an authenticator names; nobody else signs in with it until the transaction ends.
pub async fn lock(
    db: &mut PgTransaction<'_>,
    credential_id: &[u8],
) -> Result<Option<Credential>, sqlx::Error> {
    sqlx::query_as!(
        Credential,
        r#"
        SELECT id AS "id: PasskeyId", user_id AS "user: UserId", credential
        FROM passkeys
        WHERE credential_id = $1
        FOR UPDATE
        "#,
        credential_id,
    )
    .fetch_optional(&mut **db)
    .await
}

/// Notes that a passkey was used, and what its counter says now.
pub async fn note_use(
    db: impl PgExecutor<'_>,
    id: PasskeyId,
    credential: &Value,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE passkeys SET credential = $2, last_used_at = $3 WHERE id = $1",
        id.0,
        credential,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes a passkey of this user and tells what it was called.
pub async fn delete(
    db: impl PgExecutor<'_>,
    user: UserId,
    id: PasskeyId,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "DELETE FROM passkeys WHERE id = $1 AND user_id = $2 RETURNING name",
        id.0,
        user.0,
    )
    .fetch_optional(db)
    .await
}

/// Removes all passkeys of a user and tells how many there were.
pub async fn delete_all(db: impl PgExecutor<'_>, user: UserId) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!("DELETE FROM passkeys WHERE user_id = $1", user.0)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
