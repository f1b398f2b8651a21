//! What proves somebody beside a password: an authenticator's secret, and codes on paper.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgTransaction};

use crate::domain::ids::{DataKeyId, UserId};

pub struct TotpRow {
    pub sealed: Vec<u8>,
    pub data_key_id: DataKeyId,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub last_step: Option<i64>,
}

/// Keeps a secret that no code has proved yet, in place of another such; false where one is in use.
pub async fn put_totp(
    db: impl PgExecutor<'_>,
    user: UserId,
    sealed: &[u8],
    data_key_id: DataKeyId,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        r#"
        INSERT INTO totp_secrets (user_id, sealed, data_key_id, created_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id) DO UPDATE
        SET sealed = excluded.sealed, data_key_id = excluded.data_key_id, created_at = excluded.created_at,
            last_step = NULL
        WHERE totp_secrets.confirmed_at IS NULL
        "#,
        user.0,
        sealed,
        data_key_id.0,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether an authenticator is asked for at sign-in.
pub async fn has_totp(db: impl PgExecutor<'_>, user: UserId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM totp_secrets WHERE user_id = $1 AND confirmed_at IS NOT NULL) AS "has!""#,
        user.0,
    )
    .fetch_one(db)
    .await
}

/// Reads the secret; nobody else takes a code until the transaction ends.
pub async fn lock_totp(
    db: &mut PgTransaction<'_>,
    user: UserId,
) -> Result<Option<TotpRow>, sqlx::Error> {
    sqlx::query_as!(
        TotpRow,
        r#"
        SELECT sealed, data_key_id AS "data_key_id: DataKeyId", confirmed_at, last_step
        FROM totp_secrets
        WHERE user_id = $1
        FOR UPDATE
        "#,
        user.0,
    )
    .fetch_optional(&mut **db)
    .await
}

/// Notes the step whose code was taken; the first one proves that the secret arrived.
pub async fn take_step(
    db: impl PgExecutor<'_>,
    user: UserId,
    step: i64,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE totp_secrets SET last_step = $2, confirmed_at = COALESCE(confirmed_at, $3) WHERE user_id = $1",
        user.0,
        step,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets the secret; false where there is none.
pub async fn delete_totp(db: impl PgExecutor<'_>, user: UserId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!("DELETE FROM totp_secrets WHERE user_id = $1", user.0)
        .execute(db)
        .await?;
    Ok(done.rows_affected() > 0)
}

pub async fn insert_codes(
    db: impl PgExecutor<'_>,
    user: UserId,
    hashes: &[Vec<u8>],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[])",
        user.0,
        hashes,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes a code, once; false where it is none or was taken before.
pub async fn take_code(
    db: impl PgExecutor<'_>,
    user: UserId,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL",
        user.0,
        hash,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// How many codes are left.
pub async fn codes_left(db: impl PgExecutor<'_>, user: UserId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "left!" FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL"#,
        user.0,
    )
    .fetch_one(db)
    .await
}

pub async fn delete_codes(db: impl PgExecutor<'_>, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM recovery_codes WHERE user_id = $1", user.0)
        .execute(db)
        .await?;
    Ok(())
}
