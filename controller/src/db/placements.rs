//! `placements` and `departures`: which peer is to be on which interface, and who just left.

pub mod membership;
pub mod moving;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde_json::value::RawValue;
use sqlx::PgExecutor;
use sqlx::types::Json;

use crate::domain::ids::{DataKeyId, InterfaceId, NetworkId, NodeId, PeerId, PoolId};

/// An interface on which a peer of a network could be placed, with all that the choice rests on.
#[derive(Debug, Clone)]
pub struct CandidateRow {
    pub interface: InterfaceId,
    pub node: NodeId,
    pub node_name: String,
    pub enabled: bool,
    pub weight: i32,
    pub max_peers: i32,
    /// What its node is instead of online; none: it is online.
    pub doubt: Option<String>,
    /// Read of those in doubt alone.
    pub good_at: Option<DateTime<Utc>>,
    /// Over all interfaces of the node.
    pub node_peers: i64,
    /// Those of them that are on other networks.
    pub elsewhere: i64,
}

/// Every new peer waits for this, and most rows of a large fleet say that nothing is the matter: what is rare has an
/// index of its own, and peers are counted on other networks only where there are any.
pub async fn candidates(
    db: impl PgExecutor<'_>,
    network: NetworkId,
) -> Result<Vec<CandidateRow>, sqlx::Error> {
    let mut rows = sqlx::query_as!(
        CandidateRow,
        r#"
        SELECT interfaces.id AS "interface!: InterfaceId", nodes.id AS "node!: NodeId", nodes.name AS "node_name!",
            nodes.enabled AS "enabled!", nodes.weight AS "weight!", nodes.max_peers AS "max_peers!",
            -- Its own addresses are not known yet: one of them could be given to a peer.
            CASE WHEN unlearned.interface_id IS NULL THEN doubtful.reachability ELSE 'pending' END AS "doubt?",
            doubtful.good_at AS "good_at?", placed::bigint AS "node_peers!",
            coalesce(elsewhere.peers, 0) AS "elsewhere!"
        FROM interfaces
        JOIN nodes ON nodes.id = interfaces.node_id
        LEFT JOIN (
            SELECT node_id, sum(placed) AS peers FROM interfaces WHERE network_id <> $1 GROUP BY node_id
        ) AS elsewhere ON elsewhere.node_id = nodes.id
        LEFT JOIN node_status AS doubtful ON doubtful.node_id = nodes.id AND doubtful.reachability <> 'online'
        LEFT JOIN interface_sync AS unlearned ON unlearned.interface_id = interfaces.id AND config_at IS NULL
        WHERE interfaces.network_id = $1
        "#,
        network.0,
    )
    .fetch_all(db)
    .await?;
    rows.sort_unstable_by_key(|row| (row.node, row.interface));
    for siblings in rows.chunk_by_mut(|one, next| one.node == next.node) {
        let here: i64 = siblings.iter().map(|row| row.node_peers).sum();
        for row in siblings {
            row.node_peers = here + row.elsewhere;
        }
    }
    Ok(rows)
}

/// Holds the rows of nodes that have a limit, so that nobody else fills them meanwhile, and tells how many peers each
/// of these has.
pub async fn lock_limited(
    db: impl PgExecutor<'_>,
    nodes: &[NodeId],
) -> Result<Vec<(NodeId, i64)>, sqlx::Error> {
    let ids: Vec<i64> = nodes.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"
        WITH held AS (
            SELECT id FROM nodes WHERE id = ANY($1) AND max_peers > 0 ORDER BY id FOR NO KEY UPDATE
        )
        SELECT held.id AS "id: NodeId",
            (SELECT sum(placed) FROM interfaces WHERE node_id = held.id) AS "peers!"
        FROM held
        "#,
        &ids,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.peers)).collect())
}

/// The nodes of pools, as (pool, node).
pub async fn members(
    db: impl PgExecutor<'_>,
    pools: &[PoolId],
) -> Result<Vec<(PoolId, NodeId)>, sqlx::Error> {
    let ids: Vec<i64> = pools.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"
        SELECT pool_id AS "pool: PoolId", node_id AS "node: NodeId" FROM pool_members
        WHERE pool_id = ANY($1) ORDER BY pool_id, node_id
        "#,
        &ids,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.pool, row.node)).collect())
}

/// A placement to be made.
#[derive(Debug, Clone)]
pub struct NewPlacement {
    pub interface: InterfaceId,
    pub peer: PeerId,
    pub sole: bool,
    pub psk: Option<(Vec<u8>, DataKeyId)>,
    pub psk_unknown: bool,
    pub keepalive_s: u16,
    pub generation: i64,
    /// As text: ten thousand of them taken apart would be half the memory of the program.
    pub ranking: Option<Box<RawValue>>,
}

pub async fn insert(
    db: impl PgExecutor<'_>,
    placements: &[NewPlacement],
) -> Result<(), sqlx::Error> {
    let interfaces: Vec<i64> = placements.iter().map(|one| one.interface.0).collect();
    let peers: Vec<i64> = placements.iter().map(|one| one.peer.0).collect();
    let soles: Vec<bool> = placements.iter().map(|one| one.sole).collect();
    let sealed: Vec<Option<&[u8]>> = placements
        .iter()
        .map(|one| one.psk.as_ref().map(|(sealed, _)| sealed.as_slice()))
        .collect();
    let keys: Vec<Option<i64>> = placements
        .iter()
        .map(|one| one.psk.as_ref().map(|(_, key)| key.0))
        .collect();
    let unknown: Vec<bool> = placements.iter().map(|one| one.psk_unknown).collect();
    let keepalives: Vec<i32> = placements
        .iter()
        .map(|one| i32::from(one.keepalive_s))
        .collect();
    let generations: Vec<i64> = placements.iter().map(|one| one.generation).collect();
    let rankings: Vec<Option<Json<&RawValue>>> = placements
        .iter()
        .map(|one| one.ranking.as_deref().map(Json))
        .collect();
    sqlx::query!(
        r#"
        INSERT INTO placements (interface_id, peer_id, sole, psk_sealed, psk_key_id, psk_unknown, keepalive_s,
                                generation, ranking)
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bool[], $4::bytea[], $5::bigint[], $6::bool[],
                             $7::int[], $8::bigint[], $9::jsonb[])
        "#,
        &interfaces,
        &peers,
        &soles,
        &sealed as &[Option<&[u8]>],
        &keys as &[Option<i64>],
        &unknown,
        &keepalives,
        &generations,
        &rankings as &[Option<Json<&RawValue>>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The interfaces that these peers are placed on, without repetition, ascending.
pub async fn homes(
    db: impl PgExecutor<'_>,
    peers: &[PeerId],
) -> Result<Vec<InterfaceId>, sqlx::Error> {
    let ids: Vec<i64> = peers.iter().map(|id| id.0).collect();
    sqlx::query_scalar!(
        r#"
        SELECT DISTINCT interface_id AS "id: InterfaceId" FROM placements
        WHERE peer_id = ANY($1) ORDER BY interface_id
        "#,
        &ids,
    )
    .fetch_all(db)
    .await
}

/// Notes that what these peers' placements say has changed, in the generation that each interface is at now.
pub async fn touch(db: impl PgExecutor<'_>, peers: &[PeerId]) -> Result<(), sqlx::Error> {
    let ids: Vec<i64> = peers.iter().map(|id| id.0).collect();
    sqlx::query!(
        r#"
        UPDATE placements SET generation = interfaces.desired_generation
        FROM interfaces WHERE interfaces.id = interface_id AND peer_id = ANY($1)
        "#,
        &ids,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that the keys these peers have now leave their interfaces, in the generation that each is at now.
pub async fn depart(db: impl PgExecutor<'_>, peers: &[PeerId]) -> Result<(), sqlx::Error> {
    let ids: Vec<i64> = peers.iter().map(|id| id.0).collect();
    sqlx::query!(
        r#"
        INSERT INTO departures (interface_id, public_key, generation)
        SELECT interfaces.id, peers.public_key, interfaces.desired_generation
        FROM placements JOIN interfaces ON interfaces.id = interface_id JOIN peers ON peers.id = peer_id
        WHERE peer_id = ANY($1)
        ON CONFLICT (interface_id, public_key) DO UPDATE SET generation = excluded.generation
        "#,
        &ids,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes these peers off all interfaces. The caller has noted their departure.
pub async fn delete(db: impl PgExecutor<'_>, peers: &[PeerId]) -> Result<(), sqlx::Error> {
    let ids: Vec<i64> = peers.iter().map(|id| id.0).collect();
    sqlx::query!("DELETE FROM placements WHERE peer_id = ANY($1)", &ids)
        .execute(db)
        .await?;
    Ok(())
}

/// A placement as it is shown with its peer.
#[derive(Debug, Clone)]
pub struct Home {
    pub peer: PeerId,
    pub interface: InterfaceId,
    pub interface_name: String,
    pub node: NodeId,
    pub node_name: String,
    pub sole: bool,
    pub has_psk: bool,
    pub generation: i64,
    pub applied_generation: i64,
    pub addresses: Vec<IpNet>,
    pub ranking: Option<Json<Box<RawValue>>>,
}

pub async fn of_peers(db: impl PgExecutor<'_>, peers: &[PeerId]) -> Result<Vec<Home>, sqlx::Error> {
    let ids: Vec<i64> = peers.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Home,
        r#"
        SELECT peer_id AS "peer: PeerId", interfaces.id AS "interface: InterfaceId",
            interfaces.name AS interface_name, nodes.id AS "node: NodeId", nodes.name AS node_name, sole,
            (psk_sealed IS NOT NULL OR psk_unknown) AS "has_psk!", generation, applied_generation,
            ARRAY(SELECT address FROM ip_allocations WHERE interface_id = interfaces.id ORDER BY family(address)) AS "addresses!: Vec<IpNet>",
            ranking AS "ranking: Json<Box<RawValue>>"
        FROM placements
        JOIN interfaces ON interfaces.id = interface_id
        JOIN interface_sync ON interface_sync.interface_id = interfaces.id
        JOIN nodes ON nodes.id = node_id
        WHERE peer_id = ANY($1) ORDER BY peer_id, interfaces.id
        "#,
        &ids,
    )
    .fetch_all(db)
    .await
}

/// How pools place, as (pool, name, placement). They are held: until the transaction ends nobody joins or leaves.
pub async fn pools(
    db: impl PgExecutor<'_>,
    pools: &[PoolId],
) -> Result<Vec<(PoolId, String, String)>, sqlx::Error> {
    let ids: Vec<i64> = pools.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"SELECT id AS "id: PoolId", name, placement FROM pools WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"#,
        &ids,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id, row.name, row.placement))
        .collect())
}

/// Replaces the preshared key of a placement.
pub async fn set_psk(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
    peer: PeerId,
    sealed: Option<(Vec<u8>, DataKeyId)>,
) -> Result<(), sqlx::Error> {
    let (bytes, key) = sealed.unzip();
    sqlx::query!(
        r#"
        UPDATE placements SET psk_sealed = $3, psk_key_id = $4, psk_unknown = false
        WHERE interface_id = $1 AND peer_id = $2
        "#,
        interface.0,
        peer.0,
        bytes,
        key.map(|id| id.0),
    )
    .execute(db)
    .await?;
    Ok(())
}
