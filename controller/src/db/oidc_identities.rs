//! Who people are to identity providers.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::domain::ids::UserId;

/// Finds whom a provider means, and notes that they come in.
pub async fn sign_in(
    db: impl PgExecutor<'_>,
    issuer: &str,
    subject: &str,
    now: DateTime<Utc>,
) -> Result<Option<UserId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        UPDATE oidc_identities SET signed_in_at = $3
        WHERE issuer = $1 AND subject = $2
        RETURNING user_id AS "user_id: UserId"
        "#,
        issuer,
        subject,
        now,
    )
    .fetch_optional(db)
    .await
}

pub async fn insert(
    db: impl PgExecutor<'_>,
    issuer: &str,
    subject: &str,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO oidc_identities (issuer, subject, user_id, created_at, signed_in_at)
        VALUES ($1, $2, $3, $4, $4)
        "#,
        issuer,
        subject,
        user.0,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}
