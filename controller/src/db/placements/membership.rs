//! Placements of peers that live on every member of their pool, seen from one node.

use sqlx::{PgConnection, PgExecutor};

use crate::domain::ids::{InterfaceId, NodeId, PeerId, PoolId};

/// Holds a pool's peers, so that none goes until the transaction ends.
pub async fn hold(db: impl PgExecutor<'_>, pool: PoolId) -> Result<(), sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT id FROM peers WHERE pool_id = $1 ORDER BY id FOR KEY SHARE",
        pool.0
    )
    .fetch_all(db)
    .await
    .map(|_| ())
}

/// The pools of a node whose peers live on every member, ascending.
pub async fn pools(db: impl PgExecutor<'_>, node: NodeId) -> Result<Vec<PoolId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT id AS "id: PoolId" FROM pools JOIN pool_members ON pool_id = id
        WHERE node_id = $1 AND placement = 'all' ORDER BY id
        "#,
        node.0,
    )
    .fetch_all(db)
    .await
}

/// A peer that a node should have and has not.
#[derive(Debug, Clone)]
pub struct Missing {
    pub peer: PeerId,
    /// The node's first one in the peer's network.
    pub interface: InterfaceId,
    /// Whether the peer has a preshared key with the other members.
    pub has_psk: bool,
}

/// The peers of a pool that live on every member and are not on this node, although it serves their network.
pub async fn missing(
    db: impl PgExecutor<'_>,
    pool: PoolId,
    node: NodeId,
) -> Result<Vec<Missing>, sqlx::Error> {
    sqlx::query_as!(
        Missing,
        r#"
        SELECT peers.id AS "peer: PeerId", home.id AS "interface: InterfaceId",
            coalesce((SELECT bool_or(psk_sealed IS NOT NULL OR psk_unknown) FROM placements WHERE peer_id = peers.id),
                     true) AS "has_psk!"
        FROM peers
        JOIN pools ON pools.id = pool_id AND placement = 'all'
        JOIN LATERAL (
            SELECT id FROM interfaces WHERE node_id = $2 AND network_id = peers.network_id ORDER BY id LIMIT 1
        ) AS home ON true
        WHERE pool_id = $1 AND NOT EXISTS (
            SELECT FROM placements JOIN interfaces ON interfaces.id = interface_id
            WHERE peer_id = peers.id AND node_id = $2)
        ORDER BY peers.id
        "#,
        pool.0,
        node.0,
    )
    .fetch_all(db)
    .await
}

/// The interfaces of a node that hold peers of a pool that live on every member, ascending.
pub async fn held_by(
    db: impl PgExecutor<'_>,
    pool: PoolId,
    node: NodeId,
) -> Result<Vec<InterfaceId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT DISTINCT interface_id AS "id: InterfaceId"
        FROM placements JOIN interfaces ON interfaces.id = interface_id JOIN peers ON peers.id = peer_id
        WHERE pool_id = $1 AND node_id = $2 AND NOT sole ORDER BY interface_id
        "#,
        pool.0,
        node.0,
    )
    .fetch_all(db)
    .await
}

/// Takes a pool's peers off these interfaces, in the generation that each is at now.
pub async fn take_off(
    db: &mut PgConnection,
    pool: PoolId,
    interfaces: &[InterfaceId],
) -> Result<(), sqlx::Error> {
    let ids: Vec<i64> = interfaces.iter().map(|id| id.0).collect();
    sqlx::query!(
        r#"
        INSERT INTO departures (interface_id, public_key, generation)
        SELECT interfaces.id, peers.public_key, desired_generation
        FROM placements JOIN interfaces ON interfaces.id = interface_id JOIN peers ON peers.id = peer_id
        WHERE pool_id = $1 AND interface_id = ANY($2) AND NOT sole
        ON CONFLICT (interface_id, public_key) DO UPDATE SET generation = excluded.generation
        "#,
        pool.0,
        &ids,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        r#"
        DELETE FROM placements USING peers
        WHERE peers.id = peer_id AND pool_id = $1 AND interface_id = ANY($2) AND NOT sole
        "#,
        pool.0,
        &ids,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How many peers of a pool are on no interface at all.
pub async fn homeless(db: impl PgExecutor<'_>, pool: PoolId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!" FROM peers
        WHERE pool_id = $1 AND NOT EXISTS (SELECT FROM placements WHERE peer_id = peers.id)
        "#,
        pool.0,
    )
    .fetch_one(db)
    .await
}
