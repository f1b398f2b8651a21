//! `pools` and `pool_members`.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::Span;
use crate::domain::ids::{NodeId, PoolId};
use crate::domain::pool::{Changes, NewPool};
use crate::domain::reference::Reference;

#[derive(Debug, Clone)]
pub struct Pool {
    pub id: PoolId,
    pub name: String,
    pub placement: String,
    pub description: String,
    /// By ascending id.
    pub members: Vec<NodeId>,
    /// How many peers name it.
    pub peers: i64,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("a pool with this name exists")]
    NameTaken,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    #[error("peers name it")]
    InUse,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

macro_rules! select {
    ($rest:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Pool,
            r#"
            SELECT id AS "id: PoolId", name, placement, description,
                ARRAY(SELECT node_id FROM pool_members WHERE pool_id = pools.id ORDER BY node_id)
                    AS "members!: Vec<NodeId>",
                (SELECT count(*) FROM peers WHERE pool_id = pools.id) AS "peers!",
                version, created_at, updated_at
            FROM pools
            "# + $rest
            $(, $argument)*
        )
    };
}

pub async fn find(db: impl PgExecutor<'_>, id: PoolId) -> Result<Option<Pool>, sqlx::Error> {
    select!("WHERE id = $1", id.0).fetch_optional(db).await
}

/// Those whose name contains `q`.
pub async fn list(
    db: impl PgExecutor<'_>,
    q: Option<&str>,
    span: Span,
) -> Result<Vec<Pool>, sqlx::Error> {
    select!(
        "WHERE id > $1 AND ($3::text IS NULL OR name ILIKE $3) ORDER BY id LIMIT $2",
        span.after,
        span.limit,
        q.map(super::containing),
    )
    .fetch_all(db)
    .await
}

pub async fn resolve(
    db: impl PgExecutor<'_>,
    pool: &Reference,
) -> Result<Option<PoolId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT id AS "id: PoolId" FROM pools WHERE id = $1 OR name = $2"#,
        pool.id(),
        pool.name(),
    )
    .fetch_optional(db)
    .await
}

pub async fn insert(db: impl PgExecutor<'_>, pool: &NewPool) -> Result<PoolId, WriteError> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO pools (name, placement, description) VALUES ($1, $2, $3)
        RETURNING id AS "id: PoolId"
        "#,
        pool.name.as_str(),
        pool.placement.as_str(),
        pool.description,
    )
    .fetch_one(db)
    .await
    .map_err(name_taken)
}

/// Holds a pool until the transaction ends, and tells whether it exists.
pub async fn lock(db: impl PgExecutor<'_>, id: PoolId) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!("SELECT id FROM pools WHERE id = $1 FOR UPDATE", id.0)
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}

/// Replaces what is given and counts the version up. Members are not looked at.
pub async fn update(
    db: impl PgExecutor<'_>,
    id: PoolId,
    changes: &Changes,
) -> Result<(), WriteError> {
    sqlx::query!(
        r#"
        UPDATE pools SET
            name = coalesce($2, name),
            placement = coalesce($3, placement),
            description = coalesce($4, description),
            version = version + 1,
            updated_at = now()
        WHERE id = $1
        "#,
        id.0,
        changes.name.as_ref().map(|name| name.as_str()),
        changes.placement.map(|placement| placement.as_str()),
        changes.description,
    )
    .execute(db)
    .await
    .map(|_| ())
    .map_err(name_taken)
}

/// Adds those of these nodes that exist and are no members yet.
pub async fn insert_members(
    db: impl PgExecutor<'_>,
    id: PoolId,
    nodes: &[NodeId],
) -> Result<(), sqlx::Error> {
    let nodes: Vec<i64> = nodes.iter().map(|id| id.0).collect();
    sqlx::query!(
        r#"
        INSERT INTO pool_members (pool_id, node_id)
        SELECT $1, id FROM (SELECT id FROM nodes WHERE id = ANY($2) ORDER BY id FOR KEY SHARE) AS held
        ON CONFLICT DO NOTHING
        "#,
        id.0,
        &nodes,
    )
    .execute(db)
    .await
    .map(|_| ())
}

pub async fn delete_members(
    db: impl PgExecutor<'_>,
    id: PoolId,
    nodes: &[NodeId],
) -> Result<(), sqlx::Error> {
    let nodes: Vec<i64> = nodes.iter().map(|id| id.0).collect();
    sqlx::query!(
        "DELETE FROM pool_members WHERE pool_id = $1 AND node_id = ANY($2)",
        id.0,
        &nodes
    )
    .execute(db)
    .await
    .map(|_| ())
}

pub async fn delete(db: impl PgExecutor<'_>, id: PoolId) -> Result<(), DeleteError> {
    sqlx::query!("DELETE FROM pools WHERE id = $1", id.0)
        .execute(db)
        .await
        .map(|_| ())
        .map_err(|err| match super::violated(&err) {
            Some("peers_pool") => DeleteError::InUse,
            _ => DeleteError::Db(err),
        })
}

fn name_taken(err: sqlx::Error) -> WriteError {
    match super::violated(&err) {
        Some("pools_name_key") => WriteError::NameTaken,
        _ => WriteError::Db(err),
    }
}
