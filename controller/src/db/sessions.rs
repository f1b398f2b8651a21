//! Who is signed in, on which device. Tokens are known by their hashes alone.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::{NetworkId, PoolId, SessionId, UserId};
use crate::domain::profile::{Language, Theme};
use crate::domain::reach::{Extent, Reach};
use crate::domain::role::Role;
use crate::domain::session::Method;
use crate::domain::token::TokenHash;

pub struct NewSession<'a> {
    pub token_hash: TokenHash,
    pub user: UserId,
    pub method: Method,
    pub user_agent: Option<&'a str>,
    pub address: Option<IpNet>,
}

/// A device of somebody, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    pub id: SessionId,
    pub method: Method,
    pub user_agent: Option<String>,
    pub address: Option<IpNet>,
    pub created_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
}

/// A session with its user, enabled or not, and alive or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedInRow {
    pub id: SessionId,
    pub method: Method,
    /// From where the last request came that was noted.
    pub address: Option<IpNet>,
    pub created_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    pub user: UserId,
    pub name: String,
    pub role: Role,
    pub extent: Extent,
    pub reach_pool: Option<PoolId>,
    pub reach_network: Option<NetworkId>,
    pub language: Option<Language>,
    pub theme: Theme,
    pub time_zone: String,
    pub enabled: bool,
}

impl SignedInRow {
    pub fn reach(&self) -> Reach {
        Reach::of(self.extent, self.reach_pool, self.reach_network)
    }
}

pub async fn insert(
    db: impl PgExecutor<'_>,
    new: &NewSession<'_>,
    now: DateTime<Utc>,
) -> Result<SessionId, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO sessions (token_hash, user_id, method, user_agent, address, created_at, last_seen_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6)
        RETURNING id AS "id: SessionId"
        "#,
        new.token_hash.as_bytes(),
        new.user.0,
        new.method.as_str(),
        new.user_agent,
        new.address,
        now,
    )
    .fetch_one(db)
    .await
}

pub async fn find(
    db: impl PgExecutor<'_>,
    token: &TokenHash,
) -> Result<Option<SignedInRow>, sqlx::Error> {
    sqlx::query_as!(
        SignedInRow,
        r#"
        SELECT s.id AS "id: SessionId", s.method AS "method: Method", s.address, s.created_at, s.last_seen_at,
               u.id AS "user: UserId", u.name, u.role AS "role: Role", u.reach AS "extent: Extent",
               u.reach_pool_id AS "reach_pool: PoolId", u.reach_network_id AS "reach_network: NetworkId",
               u.language AS "language: Language", u.theme AS "theme: Theme", u.time_zone, u.enabled
        FROM sessions s JOIN users u ON u.id = s.user_id
        WHERE s.token_hash = $1
        "#,
        token.as_bytes(),
    )
    .fetch_optional(db)
    .await
}

/// Notes a request, unless one before it was noted just now.
pub async fn touch(
    db: impl PgExecutor<'_>,
    id: SessionId,
    address: Option<IpNet>,
    now: DateTime<Utc>,
    unless_since: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE sessions SET last_seen_at = $2, address = $3 WHERE id = $1 AND last_seen_at <= $4",
        id.0,
        now,
        address,
        unless_since,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The sessions of a user, those used last first.
pub async fn list(db: impl PgExecutor<'_>, user: UserId) -> Result<Vec<SessionRow>, sqlx::Error> {
    sqlx::query_as!(
        SessionRow,
        r#"
        SELECT id AS "id: SessionId", method AS "method: Method", user_agent, address, created_at, last_seen_at
        FROM sessions
        WHERE user_id = $1
        ORDER BY last_seen_at DESC, id DESC
        "#,
        user.0,
    )
    .fetch_all(db)
    .await
}

/// Ends a session of this user; false where there is none.
pub async fn delete(
    db: impl PgExecutor<'_>,
    user: UserId,
    id: SessionId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "DELETE FROM sessions WHERE id = $1 AND user_id = $2",
        id.0,
        user.0,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends the session of a token, whosever it is.
pub async fn delete_token(db: impl PgExecutor<'_>, token: &TokenHash) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM sessions WHERE token_hash = $1",
        token.as_bytes(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Ends all sessions of a user but one, and tells how many there were.
pub async fn delete_all(
    db: impl PgExecutor<'_>,
    user: UserId,
    but: Option<SessionId>,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "DELETE FROM sessions WHERE user_id = $1 AND ($2::bigint IS NULL OR id <> $2)",
        user.0,
        but.map(|id| id.0),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Forgets sessions that were last seen or begun before these moments.
pub async fn prune(
    db: impl PgExecutor<'_>,
    seen_before: DateTime<Utc>,
    begun_before: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM sessions WHERE last_seen_at <= $1 OR created_at <= $2",
        seen_before,
        begun_before,
    )
    .execute(db)
    .await?;
    Ok(())
}
