//! Peers on their way from some interfaces to others.

use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};

use crate::domain::ids::{DataKeyId, InterfaceId, NetworkId, NodeId, PeerId, PoolId};

/// What these peers belong to, as (peer, network, pool).
pub async fn belongings(
    db: impl PgExecutor<'_>,
    peers: &[PeerId],
) -> Result<Vec<(PeerId, NetworkId, Option<PoolId>)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT id AS "id: PeerId", network_id AS "network: NetworkId", pool_id AS "pool: PoolId"
        FROM peers WHERE id = ANY($1) ORDER BY id
        "#,
        &numbers(peers),
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id, row.network, row.pool))
        .collect())
}

/// A peer as it stands on one interface, or on none.
#[derive(Debug, Clone)]
pub struct Standing {
    pub peer: PeerId,
    pub network: NetworkId,
    pub network_name: String,
    pub pool: Option<PoolId>,
    pub interface: Option<InterfaceId>,
    pub node: Option<NodeId>,
    pub psk_sealed: Option<Vec<u8>>,
    pub psk_key: Option<DataKeyId>,
    pub psk_unknown: Option<bool>,
    pub keepalive_s: Option<i32>,
}

/// Where these peers stand, by peer and interface.
pub async fn standing(
    db: impl PgExecutor<'_>,
    peers: &[PeerId],
) -> Result<Vec<Standing>, sqlx::Error> {
    sqlx::query_as!(
        Standing,
        r#"
        SELECT peers.id AS "peer: PeerId", peers.network_id AS "network: NetworkId", networks.name AS network_name,
            pool_id AS "pool: PoolId", interfaces.id AS "interface?: InterfaceId", node_id AS "node?: NodeId",
            psk_sealed, psk_key_id AS "psk_key: DataKeyId", psk_unknown AS "psk_unknown?",
            placements.keepalive_s AS "keepalive_s?"
        FROM peers
        JOIN networks ON networks.id = peers.network_id
        LEFT JOIN placements ON placements.peer_id = peers.id
        LEFT JOIN interfaces ON interfaces.id = interface_id
        WHERE peers.id = ANY($1) ORDER BY peers.id, interfaces.id
        "#,
        &numbers(peers),
    )
    .fetch_all(db)
    .await
}

/// Takes each of these peers off one interface, in the generation that it is at now.
pub async fn leave(
    db: &mut PgConnection,
    left: &[(PeerId, InterfaceId)],
) -> Result<(), sqlx::Error> {
    let (peers, interfaces) = columns(left);
    sqlx::query!(
        r#"
        INSERT INTO departures (interface_id, public_key, generation)
        SELECT interfaces.id, peers.public_key, desired_generation
        FROM unnest($1::bigint[], $2::bigint[]) AS given (peer, interface)
        JOIN interfaces ON interfaces.id = interface JOIN peers ON peers.id = peer
        ON CONFLICT (interface_id, public_key) DO UPDATE SET generation = excluded.generation
        "#,
        &peers,
        &interfaces,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        r#"
        DELETE FROM placements USING unnest($1::bigint[], $2::bigint[]) AS given (peer, interface)
        WHERE interface_id = interface AND peer_id = peer
        "#,
        &peers,
        &interfaces,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A placement that stays.
#[derive(Debug, Clone)]
pub struct Kept {
    pub peer: PeerId,
    pub interface: InterfaceId,
    pub sole: bool,
    /// Why it is there; none: as it was written down before.
    pub ranking: Option<Box<RawValue>>,
}

/// Notes how placements stay. What their nodes hold is the same as before, so that no generation says it.
pub async fn keep(db: impl PgExecutor<'_>, kept: &[Kept]) -> Result<(), sqlx::Error> {
    let peers: Vec<i64> = kept.iter().map(|one| one.peer.0).collect();
    let interfaces: Vec<i64> = kept.iter().map(|one| one.interface.0).collect();
    let soles: Vec<bool> = kept.iter().map(|one| one.sole).collect();
    let rankings: Vec<Option<Json<&RawValue>>> = kept
        .iter()
        .map(|one| one.ranking.as_deref().map(Json))
        .collect();
    sqlx::query!(
        r#"
        UPDATE placements SET sole = given.sole, ranking = coalesce(given.ranking, placements.ranking),
            created_at = CASE WHEN given.ranking IS NULL THEN created_at ELSE now() END
        FROM unnest($1::bigint[], $2::bigint[], $3::bool[], $4::jsonb[]) AS given (peer, interface, sole, ranking)
        WHERE interface_id = interface AND peer_id = peer
        "#,
        &peers,
        &interfaces,
        &soles,
        &rankings as &[Option<Json<&RawValue>>],
    )
    .execute(db)
    .await?;
    Ok(())
}

fn numbers(peers: &[PeerId]) -> Vec<i64> {
    peers.iter().map(|id| id.0).collect()
}

fn columns(pairs: &[(PeerId, InterfaceId)]) -> (Vec<i64>, Vec<i64>) {
    pairs
        .iter()
        .map(|(peer, interface)| (peer.0, interface.0))
        .unzip()
}
