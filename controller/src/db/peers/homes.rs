//! Where peers are and what their nodes say of them: what the four bars and the exceptions are made of.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::PgExecutor;
use sqlx::types::Json;

use crate::domain::ids::{InterfaceId, NodeId, PeerId};

/// A peer on an interface, with the evidence of its node.
#[derive(Debug, Clone)]
pub struct Home {
    pub peer: PeerId,
    pub interface: InterfaceId,
    pub interface_name: String,
    pub node: NodeId,
    pub node_name: String,
    pub node_enabled: bool,
    pub reachability: String,
    pub good_at: Option<DateTime<Utc>>,
    pub link: Option<String>,
    /// Why the node did not take the last change.
    pub problem: Option<String>,
    pub generation: i64,
    pub applied_generation: i64,
    pub observed_at: Option<DateTime<Utc>>,
    pub has_psk: bool,
    pub endpoint: Option<String>,
    pub handshake_at: Option<DateTime<Utc>>,
    pub rx_total: i64,
    pub tx_total: i64,
}

pub async fn of_peers(db: impl PgExecutor<'_>, peers: &[PeerId]) -> Result<Vec<Home>, sqlx::Error> {
    let ids: Vec<i64> = peers.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Home,
        r#"
        SELECT placements.peer_id AS "peer: PeerId", interfaces.id AS "interface: InterfaceId",
            interfaces.name AS interface_name, nodes.id AS "node: NodeId", nodes.name AS node_name,
            nodes.enabled AS node_enabled, reachability, good_at, link, interface_sync.problem, generation,
            applied_generation, observed_at, (psk_sealed IS NOT NULL OR psk_unknown) AS "has_psk!",
            seen.endpoint AS "endpoint?", seen.handshake_at AS "handshake_at?",
            coalesce(seen.rx_total, 0) AS "rx_total!", coalesce(seen.tx_total, 0) AS "tx_total!"
        FROM placements
        JOIN peers ON peers.id = placements.peer_id
        JOIN interfaces ON interfaces.id = placements.interface_id
        JOIN interface_sync ON interface_sync.interface_id = interfaces.id
        JOIN nodes ON nodes.id = interfaces.node_id
        JOIN node_status ON node_status.node_id = nodes.id
        LEFT JOIN observations AS seen ON seen.interface_id = interfaces.id AND seen.public_key = peers.public_key
        WHERE placements.peer_id = ANY($1) ORDER BY placements.peer_id, interfaces.id
        "#,
        &ids,
    )
    .fetch_all(db)
    .await
}

/// Why a peer is where it is, as it was written down when it was placed.
pub async fn ranking(
    db: impl PgExecutor<'_>,
    peer: PeerId,
) -> Result<Option<(Box<RawValue>, DateTime<Utc>)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"
        SELECT ranking AS "ranking!: Json<Box<RawValue>>", created_at FROM placements
        WHERE peer_id = $1 AND ranking IS NOT NULL ORDER BY interface_id LIMIT 1
        "#,
        peer.0,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (row.ranking.0, row.created_at)))
}
