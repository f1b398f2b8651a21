//! People who may sign in.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgTransaction};

use super::{Span, violated};
use crate::domain::ids::{NetworkId, PoolId, UserId};
use crate::domain::profile::{Language, Profile};
use crate::domain::reach::{Extent, Reach};
use crate::domain::role::Role;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    pub id: UserId,
    pub name: String,
    pub email: Option<String>,
    pub role: Role,
    pub enabled: bool,
    pub has_password: bool,
    pub extent: Extent,
    pub reach_pool: Option<PoolId>,
    pub reach_network: Option<NetworkId>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl UserRow {
    pub fn reach(&self) -> Reach {
        Reach::of(self.extent, self.reach_pool, self.reach_network)
    }

    pub fn set_reach(&mut self, reach: Reach) {
        self.extent = reach.extent();
        self.reach_pool = reach.pool();
        self.reach_network = reach.network();
    }
}

/// What signing in needs to know.
pub struct SignIn {
    pub id: UserId,
    pub name: String,
    pub role: Role,
    pub enabled: bool,
    pub password_hash: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    #[error("a user with this name exists")]
    NameTaken,
    #[error("cannot add a user")]
    Database(#[source] sqlx::Error),
}

/// Proof that no other transaction changes who is an admin until this one ends.
pub struct Admins {
    pub enabled: Vec<UserId>,
}

/// Locks the enabled admins, before any other row of this table, so that two of these never wait for
/// each other.
pub async fn lock_admins(db: &mut PgTransaction<'_>) -> Result<Admins, sqlx::Error> {
    let enabled = sqlx::query_scalar!(
        r#"
        SELECT id AS "id: UserId" FROM users
        WHERE role = 'admin' AND enabled
        ORDER BY id
        FOR UPDATE
        "#,
    )
    .fetch_all(&mut **db)
    .await?;
    Ok(Admins { enabled })
}

/// Whether there is an administrator, enabled or not.
pub async fn any_admin(db: impl PgExecutor<'_>) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM users WHERE role = 'admin') AS "any!""#,)
        .fetch_one(db)
        .await
}

pub async fn insert(
    db: impl PgExecutor<'_>,
    name: &str,
    email: Option<&str>,
    (role, reach): (Role, Reach),
    password_hash: Option<&str>,
) -> Result<UserRow, InsertError> {
    sqlx::query_as!(
        UserRow,
        r#"
        INSERT INTO users (name, email, role, password_hash, reach, reach_pool_id, reach_network_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        RETURNING id AS "id: UserId", name, email, role AS "role: Role", enabled,
                  password_hash IS NOT NULL AS "has_password!", reach AS "extent: Extent",
               reach_pool_id AS "reach_pool: PoolId", reach_network_id AS "reach_network: NetworkId",
               version, created_at, updated_at
        "#,
        name,
        email,
        role.as_str(),
        password_hash,
        reach.extent().as_str(),
        reach.pool().map(|id| id.0),
        reach.network().map(|id| id.0),
    )
    .fetch_one(db)
    .await
    .map_err(|err| match violated(&err) {
        Some("users_name_key") => InsertError::NameTaken,
        _ => InsertError::Database(err),
    })
}

pub async fn find(db: impl PgExecutor<'_>, id: UserId) -> Result<Option<UserRow>, sqlx::Error> {
    sqlx::query_as!(
        UserRow,
        r#"
        SELECT id AS "id: UserId", name, email, role AS "role: Role", enabled,
               password_hash IS NOT NULL AS "has_password!", reach AS "extent: Extent",
               reach_pool_id AS "reach_pool: PoolId", reach_network_id AS "reach_network: NetworkId",
               version, created_at, updated_at
        FROM users
        WHERE id = $1
        "#,
        id.0,
    )
    .fetch_optional(db)
    .await
}

/// Reads a user whom nobody else changes until the transaction ends.
pub async fn lock(
    db: &mut PgTransaction<'_>,
    _admins: &Admins,
    id: UserId,
) -> Result<Option<UserRow>, sqlx::Error> {
    sqlx::query_as!(
        UserRow,
        r#"
        SELECT id AS "id: UserId", name, email, role AS "role: Role", enabled,
               password_hash IS NOT NULL AS "has_password!", reach AS "extent: Extent",
               reach_pool_id AS "reach_pool: PoolId", reach_network_id AS "reach_network: NetworkId",
               version, created_at, updated_at
        FROM users
        WHERE id = $1
        FOR UPDATE
        "#,
        id.0,
    )
    .fetch_optional(&mut **db)
    .await
}

pub async fn list(db: impl PgExecutor<'_>, span: Span) -> Result<Vec<UserRow>, sqlx::Error> {
    sqlx::query_as!(
        UserRow,
        r#"
        SELECT id AS "id: UserId", name, email, role AS "role: Role", enabled,
               password_hash IS NOT NULL AS "has_password!", reach AS "extent: Extent",
               reach_pool_id AS "reach_pool: PoolId", reach_network_id AS "reach_network: NetworkId",
               version, created_at, updated_at
        FROM users
        WHERE id > $1
        ORDER BY id
        LIMIT $2
        "#,
        span.after,
        span.limit,
    )
    .fetch_all(db)
    .await
}

pub async fn sign_in(db: impl PgExecutor<'_>, name: &str) -> Result<Option<SignIn>, sqlx::Error> {
    sqlx::query_as!(
        SignIn,
        r#"
        SELECT id AS "id: UserId", name, role AS "role: Role", enabled, password_hash
        FROM users
        WHERE name = $1
        "#,
        name,
    )
    .fetch_optional(db)
    .await
}

/// How somebody wants to see things; false for a time zone that nobody knows.
pub async fn set_profile(
    db: impl PgExecutor<'_>,
    id: UserId,
    profile: &Profile,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        r#"
        UPDATE users SET language = $2, theme = $3, time_zone = $4
        WHERE id = $1 AND EXISTS (SELECT FROM pg_timezone_names WHERE name = $4)
        "#,
        id.0,
        profile.language.map(Language::as_str),
        profile.theme.as_str(),
        profile.time_zone.as_str(),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Writes what a locked user has become. Without a password hash the one before stays.
pub async fn update(
    db: &mut PgTransaction<'_>,
    _admins: &Admins,
    user: &UserRow,
    password_hash: Option<&str>,
    now: DateTime<Utc>,
) -> Result<UserRow, sqlx::Error> {
    sqlx::query_as!(
        UserRow,
        r#"
        UPDATE users
        SET email = $2, role = $3, enabled = $4, password_hash = COALESCE($5, password_hash),
            reach = $7, reach_pool_id = $8, reach_network_id = $9,
            version = version + 1, updated_at = $6
        WHERE id = $1
        RETURNING id AS "id: UserId", name, email, role AS "role: Role", enabled,
                  password_hash IS NOT NULL AS "has_password!", reach AS "extent: Extent",
               reach_pool_id AS "reach_pool: PoolId", reach_network_id AS "reach_network: NetworkId",
               version, created_at, updated_at
        "#,
        user.id.0,
        user.email,
        user.role.as_str(),
        user.enabled,
        password_hash,
        now,
        user.extent.as_str(),
        user.reach_pool.map(|id| id.0),
        user.reach_network.map(|id| id.0),
    )
    .fetch_one(&mut **db)
    .await
}

pub async fn delete(
    db: &mut PgTransaction<'_>,
    _admins: &Admins,
    id: UserId,
) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM users WHERE id = $1", id.0)
        .execute(&mut **db)
        .await?;
    Ok(())
}

/// Which of these there are. They stay until the transaction ends.
pub async fn hold(db: impl PgExecutor<'_>, ids: &[UserId]) -> Result<Vec<UserId>, sqlx::Error> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    sqlx::query_scalar!(
        r#"SELECT id AS "id: UserId" FROM users WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"#,
        &ids,
    )
    .fetch_all(db)
    .await
}
