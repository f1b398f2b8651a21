//! What the identity provider is asked with whether it still vouches for those who came in by it.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::domain::ids::{DataKeyId, SessionId, UserId};

#[derive(Debug)]
pub struct OidcSession {
    pub session: SessionId,
    pub user: UserId,
    pub subject: String,
    pub sealed: Vec<u8>,
    pub data_key_id: DataKeyId,
}

/// Remembers the refresh token of a session, in place of the one before.
pub async fn put(
    db: impl PgExecutor<'_>,
    session: SessionId,
    whose: (&str, &str),
    sealed: (&[u8], DataKeyId),
    due_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO oidc_sessions (session_id, issuer, subject, sealed, data_key_id, due_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (session_id) DO UPDATE SET sealed = $4, data_key_id = $5, due_at = $6
        "#,
        session.0,
        whose.0,
        whose.1,
        sealed.0,
        sealed.1.0,
        due_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes one that is due, and puts it off until `next`, so that nobody else asks meanwhile.
pub async fn claim(
    db: impl PgExecutor<'_>,
    issuer: &str,
    now: DateTime<Utc>,
    next: DateTime<Utc>,
) -> Result<Option<OidcSession>, sqlx::Error> {
    sqlx::query_as!(
        OidcSession,
        r#"
        UPDATE oidc_sessions SET due_at = $3
        FROM sessions
        WHERE sessions.id = session_id AND session_id = (
            SELECT session_id FROM oidc_sessions
            WHERE issuer = $1 AND due_at <= $2
            ORDER BY due_at LIMIT 1
            FOR UPDATE SKIP LOCKED)
        RETURNING session_id AS "session: SessionId", user_id AS "user: UserId", subject, sealed,
            data_key_id AS "data_key_id: DataKeyId"
        "#,
        issuer,
        now,
        next,
    )
    .fetch_optional(db)
    .await
}

/// Keeps a newer refresh token, if the session is still there.
pub async fn renew(
    db: impl PgExecutor<'_>,
    session: SessionId,
    sealed: (&[u8], DataKeyId),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE oidc_sessions SET sealed = $2, data_key_id = $3 WHERE session_id = $1",
        session.0,
        sealed.0,
        sealed.1.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives what belongs to a session to the one that takes its place.
pub async fn hand_over(
    db: impl PgExecutor<'_>,
    from: SessionId,
    to: SessionId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE oidc_sessions SET session_id = $2 WHERE session_id = $1",
        from.0,
        to.0,
    )
    .execute(db)
    .await?;
    Ok(())
}
