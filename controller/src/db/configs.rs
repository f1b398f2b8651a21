//! `issued_configs`, and all that the text of a peer's configuration is made of.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::{DataKeyId, InterfaceId, PeerId};

/// An interface as one of its peers must know it.
#[derive(Debug, Clone)]
pub struct Home {
    pub peer: PeerId,
    pub interface: InterfaceId,
    pub interface_name: String,
    pub node_name: String,
    /// None: its node has not said yet.
    pub public_key: Option<String>,
    pub endpoint_host: String,
    pub endpoint_port: i32,
    pub addresses: Vec<IpNet>,
    pub psk_sealed: Option<Vec<u8>>,
    pub psk_key: Option<DataKeyId>,
    pub psk_unknown: bool,
}

/// The interfaces of these peers, by peer and interface.
pub async fn homes(db: impl PgExecutor<'_>, peers: &[PeerId]) -> Result<Vec<Home>, sqlx::Error> {
    let ids: Vec<i64> = peers.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Home,
        r#"
        SELECT peer_id AS "peer: PeerId", interfaces.id AS "interface: InterfaceId",
            interfaces.name AS interface_name, nodes.name AS node_name, public_key, endpoint_host, endpoint_port,
            ARRAY(SELECT address FROM ip_allocations WHERE interface_id = interfaces.id ORDER BY address) AS "addresses!: Vec<IpNet>",
            psk_sealed, psk_key_id AS "psk_key: DataKeyId", psk_unknown
        FROM placements
        JOIN interfaces ON interfaces.id = interface_id
        JOIN nodes ON nodes.id = node_id
        WHERE peer_id = ANY($1) ORDER BY peer_id, interfaces.id
        "#,
        &ids,
    )
    .fetch_all(db)
    .await
}

/// A prefix behind a peer of an interface.
#[derive(Debug, Clone)]
pub struct Route {
    pub interface: InterfaceId,
    pub peer: PeerId,
    pub prefix: IpNet,
}

pub async fn routes(
    db: impl PgExecutor<'_>,
    interfaces: &[InterfaceId],
) -> Result<Vec<Route>, sqlx::Error> {
    let ids: Vec<i64> = interfaces.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Route,
        r#"
        SELECT interface_id AS "interface: InterfaceId", peer_routes.peer_id AS "peer: PeerId", prefix AS "prefix: IpNet"
        FROM peer_routes JOIN placements ON placements.peer_id = peer_routes.peer_id
        WHERE interface_id = ANY($1) ORDER BY interface_id, prefix
        "#,
        &ids,
    )
    .fetch_all(db)
    .await
}

/// A text that was handed out.
#[derive(Debug, Clone)]
pub struct Issued {
    pub mode: String,
    pub hash: Vec<u8>,
    pub issued_at: DateTime<Utc>,
}

pub async fn issued(db: impl PgExecutor<'_>, peer: PeerId) -> Result<Vec<Issued>, sqlx::Error> {
    sqlx::query_as!(
        Issued,
        "SELECT mode, hash, issued_at FROM issued_configs WHERE peer_id = $1 ORDER BY mode DESC",
        peer.0,
    )
    .fetch_all(db)
    .await
}

/// Remembers what these peers were handed. One that is gone meanwhile is passed over.
pub async fn remember(
    db: impl PgExecutor<'_>,
    mode: &str,
    issued: &[(PeerId, [u8; 32])],
) -> Result<(), sqlx::Error> {
    let peers: Vec<i64> = issued.iter().map(|one| one.0.0).collect();
    let hashes: Vec<&[u8]> = issued.iter().map(|one| one.1.as_slice()).collect();
    sqlx::query!(
        r#"
        INSERT INTO issued_configs (peer_id, mode, hash)
        SELECT peers.id, $1, hash FROM unnest($2::bigint[], $3::bytea[]) AS given (peer, hash)
        JOIN peers ON peers.id = peer ORDER BY peers.id
        ON CONFLICT (peer_id, mode) DO UPDATE SET hash = excluded.hash, issued_at = now()
        "#,
        mode,
        &peers,
        &hashes as &[&[u8]],
    )
    .execute(db)
    .await?;
    Ok(())
}
