//! What interfaces are to hold.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::PgExecutor;

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

/// A line of the answer: a peer, or a key that left, or nothing but the generation.
struct Line {
    desired_generation: i64,
    peer: Option<PeerId>,
    public_key: Option<String>,
    active: Option<bool>,
    isolated: Option<bool>,
    addresses: Option<Vec<IpNet>>,
    routes: Option<Vec<IpNet>>,
    keepalive_s: Option<i32>,
    psk_sealed: Option<Vec<u8>>,
    psk_key: Option<DataKeyId>,
    psk_unknown: Option<bool>,
    expires_at: Option<DateTime<Utc>>,
}

/// What changed after a generation; after -1, everything. None: there is no such interface.
///
/// One statement sees one moment: no peer is missing whose generation is counted.
pub async fn changed_since(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
    generation: i64,
) -> Result<Option<Desired>, sqlx::Error> {
    let lines = sqlx::query_as!(
        Line,
        r#"
        SELECT desired_generation, peer AS "peer?: PeerId", changed.public_key AS "public_key?", active AS "active?",
            isolated AS "isolated?", addresses AS "addresses?: Vec<IpNet>", routes AS "routes?: Vec<IpNet>",
            keepalive_s AS "keepalive_s?", psk_sealed AS "psk_sealed?", psk_key_id AS "psk_key?: DataKeyId",
            psk_unknown AS "psk_unknown?", expires_at AS "expires_at?"
        FROM interfaces LEFT JOIN LATERAL (
            SELECT peers.id AS peer, public_key, enabled AND NOT expired AND isolated_at IS NULL AS active,
                isolated_at IS NOT NULL AS isolated,
                ARRAY(SELECT address FROM ip_allocations WHERE peer_id = peers.id) AS addresses,
                ARRAY(SELECT prefix FROM peer_routes WHERE peer_id = peers.id) AS routes,
                placements.keepalive_s, psk_sealed, psk_key_id, psk_unknown, expires_at
            FROM placements JOIN peers ON peers.id = peer_id
            WHERE interface_id = interfaces.id AND generation > $2
            UNION ALL
            SELECT NULL, public_key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
            FROM departures WHERE interface_id = interfaces.id AND generation > $2
        ) AS changed ON true
        WHERE interfaces.id = $1
        ORDER BY peer, changed.public_key
        "#,
        interface.0,
        generation,
    )
    .fetch_all(db)
    .await?;
    let Some(first) = lines.first() else {
        return Ok(None);
    };
    let mut desired = Desired {
        generation: first.desired_generation,
        peers: Vec::new(),
        departed: Vec::new(),
    };
    for line in lines {
        match (line.peer, line.public_key.clone()) {
            (Some(_), _) => desired.peers.push(line.into_peer()?),
            (None, Some(key)) => desired.departed.push(key),
            (None, None) => {}
        }
    }
    Ok(Some(desired))
}

impl Line {
    fn into_peer(self) -> Result<DesiredRow, sqlx::Error> {
        let whole = || {
            Some(DesiredRow {
                peer: self.peer?,
                public_key: self.public_key?,
                active: self.active?,
                isolated: self.isolated?,
                addresses: self.addresses?,
                routes: self.routes?,
                keepalive_s: self.keepalive_s?,
                psk_sealed: self.psk_sealed,
                psk_key: self.psk_key,
                psk_unknown: self.psk_unknown?,
                expires_at: self.expires_at,
            })
        };
        whole().ok_or_else(|| sqlx::Error::Decode("a placement is half empty".into()))
    }
}
