//! The link that makes the first administrator: at most one, known by its hash.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::domain::token::TokenHash;

/// Makes this the link; the one before leads nowhere from now on.
pub async fn replace(
    db: impl PgExecutor<'_>,
    token: &TokenHash,
    expires_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO setup_link (token_hash, expires_at) VALUES ($1, $2)
        ON CONFLICT (one) DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at
        "#,
        token.as_bytes(),
        expires_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether the link of this token may be used still.
pub async fn is_open(
    db: impl PgExecutor<'_>,
    token: &TokenHash,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT EXISTS (SELECT FROM setup_link WHERE token_hash = $1 AND expires_at > $2)
               AND NOT EXISTS (SELECT FROM users WHERE role = 'admin') AS "open!"
        "#,
        token.as_bytes(),
        now,
    )
    .fetch_one(db)
    .await
}

/// Uses the link up; false where it is not this one, or has expired. Whoever uses it is the only one.
pub async fn take(
    db: impl PgExecutor<'_>,
    token: &TokenHash,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "DELETE FROM setup_link WHERE token_hash = $1 AND expires_at > $2",
        token.as_bytes(),
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends the link, whichever it is.
pub async fn delete(db: impl PgExecutor<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM setup_link").execute(db).await?;
    Ok(())
}
