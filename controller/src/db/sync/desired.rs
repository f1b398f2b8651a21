//! What interfaces are to hold.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::PgConnection;

use crate::domain::ids::{DataKeyId, InterfaceId, PeerId};

/// A peer as an interface is to hold it, or not to.
#[derive(Debug, Clone)]
pub struct DesiredRow {
    pub peer: PeerId,
    pub public_key: String,
    /// Enabled, not expired, not isolated.
    pub active: bool,
    pub isolated: bool,
    pub addresses: Vec<IpNet>,
    pub routes: Vec<IpNet>,
    pub keepalive_s: i32,
    pub psk_sealed: Option<Vec<u8>>,
    pub psk_key: Option<DataKeyId>,
    pub psk_unknown: bool,
    pub expires_at: Option<DateTime<Utc>>,
}

/// What an interface is to hold, at one moment.
#[derive(Debug, Clone)]
pub struct Desired {
    pub generation: i64,
    pub peers: Vec<DesiredRow>,
    /// Keys that left.
    pub departed: Vec<String>,
}

/// What changed after a generation; after -1, everything. The reads see one moment: the caller's transaction is
/// repeatable read.
pub async fn changed_since(
    db: &mut PgConnection,
    interface: InterfaceId,
    generation: i64,
) -> Result<Option<Desired>, sqlx::Error> {
    let desired = sqlx::query_scalar!(
        "SELECT desired_generation FROM interfaces WHERE id = $1",
        interface.0,
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(desired) = desired else {
        return Ok(None);
    };
    let peers = sqlx::query_as!(
        DesiredRow,
        r#"
        SELECT peers.id AS "peer: PeerId", public_key,
            (enabled AND NOT expired AND isolated_at IS NULL) AS "active!", (isolated_at IS NOT NULL) AS "isolated!",
            ARRAY(SELECT address FROM ip_allocations WHERE peer_id = peers.id) AS "addresses!: Vec<IpNet>",
            ARRAY(SELECT prefix FROM peer_routes WHERE peer_id = peers.id) AS "routes!: Vec<IpNet>",
            placements.keepalive_s, psk_sealed, psk_key_id AS "psk_key: DataKeyId", psk_unknown, expires_at
        FROM placements JOIN peers ON peers.id = peer_id
        WHERE interface_id = $1 AND generation > $2
        ORDER BY peers.id
        "#,
        interface.0,
        generation,
    )
    .fetch_all(&mut *db)
    .await?;
    let departed = sqlx::query_scalar!(
        "SELECT public_key FROM departures WHERE interface_id = $1 AND generation > $2 ORDER BY public_key",
        interface.0,
        generation,
    )
    .fetch_all(db)
    .await?;
    Ok(Some(Desired {
        generation: desired,
        peers,
        departed,
    }))
}
