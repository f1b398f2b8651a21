//! What audit and events show of a peer: everything but secrets.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::Serialize;

use crate::db::peers::Peer;
use crate::domain::ids::{NetworkId, PeerId, PoolId, UserId};

#[derive(Debug, Serialize)]
pub struct Seen<'a> {
    pub id: PeerId,
    network: NetworkId,
    pool: Option<PoolId>,
    name: &'a str,
    public_key: &'a str,
    kind: &'a str,
    owner: Option<UserId>,
    tags: &'a [String],
    addresses: &'a [IpNet],
    routes: &'a [IpNet],
    enabled: bool,
    expired: bool,
    isolated_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
}

impl<'a> Seen<'a> {
    pub fn of(peer: &'a Peer) -> Self {
        Self {
            id: peer.id,
            network: peer.network,
            pool: peer.pool,
            name: &peer.name,
            public_key: &peer.public_key,
            kind: &peer.kind,
            owner: peer.owner,
            tags: &peer.tags,
            addresses: &peer.addresses,
            routes: &peer.routes,
            enabled: peer.enabled,
            expired: peer.expired,
            isolated_at: peer.isolated_at,
            expires_at: peer.expires_at,
        }
    }
}

pub fn object(id: PeerId) -> String {
    format!("peer/{id}")
}
