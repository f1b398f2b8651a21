//! Many peers changed alike in one statement.

use sqlx::PgExecutor;

use crate::domain::ids::{PeerId, PoolId};

/// Holds those of these peers that are there, and tells which.
pub async fn lock(db: impl PgExecutor<'_>, peers: &[PeerId]) -> Result<Vec<PeerId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT id AS "id: PeerId" FROM peers WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"#,
        &numbers(peers),
    )
    .fetch_all(db)
    .await
}

/// Holds those of these peers that are not so yet, and tells which.
pub async fn lock_unless(
    db: impl PgExecutor<'_>,
    peers: &[PeerId],
    enabled: bool,
) -> Result<Vec<PeerId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT id AS "id: PeerId" FROM peers WHERE id = ANY($1) AND enabled <> $2 ORDER BY id FOR NO KEY UPDATE
        "#,
        &numbers(peers),
        enabled,
    )
    .fetch_all(db)
    .await
}

pub async fn set_enabled(
    db: impl PgExecutor<'_>,
    peers: &[PeerId],
    enabled: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE peers SET enabled = $2, version = version + 1, updated_at = now() WHERE id = ANY($1)",
        &numbers(peers),
        enabled,
    )
    .execute(db)
    .await
    .map(|_| ())
}

/// Counts up the versions of peers that were moved, and gives them a pool, or none, where one is meant.
pub async fn moved(
    db: impl PgExecutor<'_>,
    peers: &[PeerId],
    pool: Option<Option<PoolId>>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE peers SET pool_id = CASE WHEN $2 THEN $3 ELSE pool_id END, version = version + 1, updated_at = now()
        WHERE id = ANY($1)
        "#,
        &numbers(peers),
        pool.is_some(),
        pool.flatten().map(|pool| pool.0),
    )
    .execute(db)
    .await
    .map(|_| ())
}

/// Gives a tag to those that have it not and have room for it, and tells which these were.
pub async fn tag(
    db: impl PgExecutor<'_>,
    peers: &[PeerId],
    tag: &str,
    most: i32,
) -> Result<Vec<PeerId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        UPDATE peers SET tags = tags || $2::text, version = version + 1, updated_at = now()
        WHERE id = ANY($1) AND NOT tags @> ARRAY[$2] AND cardinality(tags) < $3
        RETURNING id AS "id: PeerId"
        "#,
        &numbers(peers),
        tag,
        most,
    )
    .fetch_all(db)
    .await
}

/// Takes a tag from those that have it, and tells which these were.
pub async fn untag(
    db: impl PgExecutor<'_>,
    peers: &[PeerId],
    tag: &str,
) -> Result<Vec<PeerId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        UPDATE peers SET tags = array_remove(tags, $2), version = version + 1, updated_at = now()
        WHERE id = ANY($1) AND tags @> ARRAY[$2]
        RETURNING id AS "id: PeerId"
        "#,
        &numbers(peers),
        tag,
    )
    .fetch_all(db)
    .await
}

/// What stops when these peers are gone or kept out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Radius {
    pub peers: i64,
    /// Those that had a handshake within the last three minutes.
    pub online: i64,
    pub nodes: i64,
    /// Networks behind them that nobody reaches any more.
    pub routes: i64,
}

pub async fn radius(db: impl PgExecutor<'_>, peers: &[PeerId]) -> Result<Radius, sqlx::Error> {
    sqlx::query_as!(
        Radius,
        r#"
        SELECT (SELECT count(*) FROM peers WHERE id = ANY($1)) AS "peers!",
            (SELECT count(DISTINCT peer_id) FROM observations
             WHERE peer_id = ANY($1) AND gone_at IS NULL AND handshake_at > now() - interval '3 minutes') AS "online!",
            (SELECT count(DISTINCT node_id) FROM placements JOIN interfaces ON interfaces.id = interface_id
             WHERE peer_id = ANY($1)) AS "nodes!",
            (SELECT count(*) FROM peer_routes WHERE peer_id = ANY($1)) AS "routes!"
        "#,
        &numbers(peers),
    )
    .fetch_one(db)
    .await
}

fn numbers(peers: &[PeerId]) -> Vec<i64> {
    peers.iter().map(|id| id.0).collect()
}
