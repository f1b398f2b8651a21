//! Keys that scripts sign with. Their secrets leave this table only sealed.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::{ApiKeyId, DataKeyId, NetworkId, PoolId};
use crate::domain::reach::{Extent, Reach};
use crate::domain::role::Scope;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    pub id: ApiKeyId,
    pub key_id: String,
    pub name: String,
    pub scope: Scope,
    pub has_bearer: bool,
    pub extent: Extent,
    pub reach_pool: Option<PoolId>,
    pub reach_network: Option<NetworkId>,
    /// Empty: from anywhere.
    pub allowed_from: Vec<IpNet>,
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
}

/// What deciding over a request needs to know of a key.
pub struct Credential {
    pub id: ApiKeyId,
    pub key_id: String,
    pub name: String,
    pub scope: Scope,
    pub sealed: Vec<u8>,
    pub data_key_id: DataKeyId,
    pub allowed_from: Vec<IpNet>,
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub extent: Extent,
    pub reach_pool: Option<PoolId>,
    pub reach_network: Option<NetworkId>,
}

impl ApiKeyRow {
    pub fn reach(&self) -> Reach {
        Reach::of(self.extent, self.reach_pool, self.reach_network)
    }
}

impl Credential {
    pub fn reach(&self) -> Reach {
        Reach::of(self.extent, self.reach_pool, self.reach_network)
    }
}

pub struct NewRow<'a> {
    pub key_id: &'a str,
    pub name: &'a str,
    pub scope: Scope,
    pub reach: Reach,
    pub sealed: &'a [u8],
    pub data_key_id: DataKeyId,
    pub bearer_hash: Option<&'a [u8]>,
    pub allowed_from: &'a [IpNet],
    pub expires_at: Option<DateTime<Utc>>,
    pub created_by: &'a str,
}

pub async fn insert(db: impl PgExecutor<'_>, key: &NewRow<'_>) -> Result<ApiKeyRow, sqlx::Error> {
    sqlx::query_as!(
        ApiKeyRow,
        r#"
        INSERT INTO api_keys (key_id, name, scope, sealed, data_key_id, bearer_hash, allowed_from,
                              expires_at, created_by, reach, reach_pool_id, reach_network_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        RETURNING id AS "id: ApiKeyId", key_id, name, scope AS "scope: Scope",
                  bearer_hash IS NOT NULL AS "has_bearer!", reach AS "extent: Extent",
               reach_pool_id AS "reach_pool: PoolId", reach_network_id AS "reach_network: NetworkId", allowed_from, expires_at, revoked_at,
                  last_used_at, created_by, created_at
        "#,
        key.key_id,
        key.name,
        key.scope.as_str(),
        key.sealed,
        key.data_key_id.0,
        key.bearer_hash,
        key.allowed_from,
        key.expires_at,
        key.created_by,
        key.reach.extent().as_str(),
        key.reach.pool().map(|id| id.0),
        key.reach.network().map(|id| id.0),
    )
    .fetch_one(db)
    .await
}

/// One page, the newest first; the next one begins after the last id of this one.
pub async fn list(
    db: impl PgExecutor<'_>,
    after: Option<ApiKeyId>,
    limit: i64,
) -> Result<Vec<ApiKeyRow>, sqlx::Error> {
    sqlx::query_as!(
        ApiKeyRow,
        r#"
        SELECT id AS "id: ApiKeyId", key_id, name, scope AS "scope: Scope",
               bearer_hash IS NOT NULL AS "has_bearer!", reach AS "extent: Extent",
               reach_pool_id AS "reach_pool: PoolId", reach_network_id AS "reach_network: NetworkId", allowed_from, expires_at, revoked_at,
               last_used_at, created_by, created_at
        FROM api_keys
        WHERE $1::bigint IS NULL OR id < $1
        ORDER BY id DESC
        LIMIT $2
        "#,
        after.map(|id| id.0),
        limit,
    )
    .fetch_all(db)
    .await
}

pub async fn find(db: impl PgExecutor<'_>, id: ApiKeyId) -> Result<Option<ApiKeyRow>, sqlx::Error> {
    sqlx::query_as!(
        ApiKeyRow,
        r#"
        SELECT id AS "id: ApiKeyId", key_id, name, scope AS "scope: Scope",
               bearer_hash IS NOT NULL AS "has_bearer!", reach AS "extent: Extent",
               reach_pool_id AS "reach_pool: PoolId", reach_network_id AS "reach_network: NetworkId", allowed_from, expires_at, revoked_at,
               last_used_at, created_by, created_at
        FROM api_keys
        WHERE id = $1
        "#,
        id.0,
    )
    .fetch_optional(db)
    .await
}

/// Reads a key that nobody else changes until the transaction ends.
pub async fn lock(db: impl PgExecutor<'_>, id: ApiKeyId) -> Result<Option<ApiKeyRow>, sqlx::Error> {
    sqlx::query_as!(
        ApiKeyRow,
        r#"
        SELECT id AS "id: ApiKeyId", key_id, name, scope AS "scope: Scope",
               bearer_hash IS NOT NULL AS "has_bearer!", reach AS "extent: Extent",
               reach_pool_id AS "reach_pool: PoolId", reach_network_id AS "reach_network: NetworkId", allowed_from, expires_at, revoked_at,
               last_used_at, created_by, created_at
        FROM api_keys
        WHERE id = $1
        FOR UPDATE
        "#,
        id.0,
    )
    .fetch_optional(db)
    .await
}

/// Ends a key; one that is revoked keeps its first moment.
pub async fn revoke(
    db: impl PgExecutor<'_>,
    id: ApiKeyId,
    now: DateTime<Utc>,
) -> Result<Option<ApiKeyRow>, sqlx::Error> {
    sqlx::query_as!(
        ApiKeyRow,
        r#"
        UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $2)
        WHERE id = $1
        RETURNING id AS "id: ApiKeyId", key_id, name, scope AS "scope: Scope",
                  bearer_hash IS NOT NULL AS "has_bearer!", reach AS "extent: Extent",
               reach_pool_id AS "reach_pool: PoolId", reach_network_id AS "reach_network: NetworkId", allowed_from, expires_at, revoked_at,
                  last_used_at, created_by, created_at
        "#,
        id.0,
        now,
    )
    .fetch_optional(db)
    .await
}

pub async fn by_key_id(
    db: impl PgExecutor<'_>,
    key_id: &str,
) -> Result<Option<Credential>, sqlx::Error> {
    sqlx::query_as!(
        Credential,
        r#"
        SELECT id AS "id: ApiKeyId", key_id, name, scope AS "scope: Scope", sealed,
               data_key_id AS "data_key_id: DataKeyId", allowed_from, expires_at, revoked_at,
               last_used_at, reach AS "extent: Extent", reach_pool_id AS "reach_pool: PoolId",
               reach_network_id AS "reach_network: NetworkId"
        FROM api_keys
        WHERE key_id = $1
        "#,
        key_id,
    )
    .fetch_optional(db)
    .await
}

pub async fn by_bearer(
    db: impl PgExecutor<'_>,
    hash: &[u8; 32],
) -> Result<Option<Credential>, sqlx::Error> {
    sqlx::query_as!(
        Credential,
        r#"
        SELECT id AS "id: ApiKeyId", key_id, name, scope AS "scope: Scope", sealed,
               data_key_id AS "data_key_id: DataKeyId", allowed_from, expires_at, revoked_at,
               last_used_at, reach AS "extent: Extent", reach_pool_id AS "reach_pool: PoolId",
               reach_network_id AS "reach_network: NetworkId"
        FROM api_keys
        WHERE bearer_hash = $1
        "#,
        hash,
    )
    .fetch_optional(db)
    .await
}

/// Notes that a key was used, unless a request before this one just did.
pub async fn touch(
    db: impl PgExecutor<'_>,
    id: ApiKeyId,
    now: DateTime<Utc>,
    unless_since: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE api_keys SET last_used_at = $2
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)
        "#,
        id.0,
        now,
        unless_since,
    )
    .execute(db)
    .await?;
    Ok(())
}
