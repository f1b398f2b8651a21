//! Signatures that were acted upon, shared by all controllers.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

/// Remembers a signature; false where it was there already. The primary key decides between two at once.
pub async fn record(
    db: impl PgExecutor<'_>,
    signature: &[u8; 32],
    expires_at: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        r#"
        INSERT INTO request_signatures (signature, expires_at)
        VALUES ($1, $2)
        ON CONFLICT DO NOTHING
        "#,
        signature,
        expires_at,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn prune(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!("DELETE FROM request_signatures WHERE expires_at < $1", now)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
