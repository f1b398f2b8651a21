//! What browsers began at the door and have not ended.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;

use crate::domain::ids::UserId;
use crate::domain::token::TokenHash;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    SecondStep,
    PasskeySignIn,
    PasskeyRegistration,
    Oidc,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::SecondStep => "second_step",
            Self::PasskeySignIn => "passkey_sign_in",
            Self::PasskeyRegistration => "passkey_registration",
            Self::Oidc => "oidc",
        }
    }
}

pub struct Step {
    pub user: Option<UserId>,
    pub state: Option<Value>,
}

/// Begins a step; one of the same kind that this browser began before is over.
pub async fn put(
    db: impl PgExecutor<'_>,
    browser: &TokenHash,
    kind: Kind,
    step: &Step,
    expires_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO sign_in_steps (browser_hash, kind, user_id, state, expires_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (browser_hash, kind) DO UPDATE
        SET user_id = excluded.user_id, state = excluded.state, expires_at = excluded.expires_at
        "#,
        browser.as_bytes(),
        kind.as_str(),
        step.user.map(|id| id.0),
        step.state,
        expires_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn find(
    db: impl PgExecutor<'_>,
    browser: &TokenHash,
    kind: Kind,
    now: DateTime<Utc>,
) -> Result<Option<Step>, sqlx::Error> {
    sqlx::query_as!(
        Step,
        r#"
        SELECT user_id AS "user: UserId", state
        FROM sign_in_steps
        WHERE browser_hash = $1 AND kind = $2 AND expires_at > $3
        "#,
        browser.as_bytes(),
        kind.as_str(),
        now,
    )
    .fetch_optional(db)
    .await
}

/// Ends a step: whoever takes it is the only one.
pub async fn take(
    db: impl PgExecutor<'_>,
    browser: &TokenHash,
    kind: Kind,
    now: DateTime<Utc>,
) -> Result<Option<Step>, sqlx::Error> {
    sqlx::query_as!(
        Step,
        r#"
        DELETE FROM sign_in_steps
        WHERE browser_hash = $1 AND kind = $2 AND expires_at > $3
        RETURNING user_id AS "user: UserId", state
        "#,
        browser.as_bytes(),
        kind.as_str(),
        now,
    )
    .fetch_optional(db)
    .await
}

/// Ends whatever was begun in the name of a user.
pub async fn delete_of_user(db: impl PgExecutor<'_>, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM sign_in_steps WHERE user_id = $1", user.0)
        .execute(db)
        .await?;
    Ok(())
}

pub async fn prune(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM sign_in_steps WHERE expires_at <= $1", now)
        .execute(db)
        .await?;
    Ok(())
}
