//! How peers are shown: in lists, and in full.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::problem::Problem;
use crate::clock;
use crate::db;
use crate::db::observations::evidence::Evidence;
use crate::db::peers::Peer;
use crate::db::peers::listing::Listed;
use crate::db::placements::Home;
use crate::domain::config_text::Mode;
use crate::domain::ids::{InterfaceId, NetworkId, NodeId, PeerId, PoolId, UserId};
use crate::fleet::Fleet;
use crate::fleet::peers::issue::{self, Earlier};

/// A peer in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeerView {
    id: PeerId,
    network: NetworkId,
    pool: Option<PoolId>,
    name: String,
    public_key: String,
    kind: String,
    owner: Option<UserId>,
    tags: Vec<String>,
    #[schema(value_type = Vec<String>)]
    addresses: Vec<IpAddr>,
    /// The names of the nodes that it is on.
    nodes: Vec<String>,
    enabled: bool,
    expired: bool,
    isolated_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    /// Whether its nodes are to let it in: enabled, not expired, not isolated.
    active: bool,
    handshake_at: Option<DateTime<Utc>>,
    rx_total: i64,
    tx_total: i64,
    version: i64,
    created_at: DateTime<Utc>,
}

/// A peer in full.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeerDetail {
    id: PeerId,
    network: NetworkId,
    pool: Option<PoolId>,
    name: String,
    public_key: String,
    kind: String,
    owner: Option<UserId>,
    tags: Vec<String>,
    notes: String,
    /// Seconds; null: as the network says.
    keepalive: Option<i32>,
    #[schema(value_type = Vec<String>)]
    addresses: Vec<IpAddr>,
    #[schema(value_type = Vec<String>)]
    routes: Vec<IpNet>,
    enabled: bool,
    expired: bool,
    isolated_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    /// Whether its nodes are to let it in: enabled, not expired, not isolated.
    active: bool,
    placements: Vec<PlacementView>,
    /// The configurations that were handed out.
    configs: Vec<IssuedView>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A peer on an interface.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlacementView {
    interface: InterfaceId,
    interface_name: String,
    node: NodeId,
    node_name: String,
    /// It lives here and nowhere else.
    sole: bool,
    has_preshared_key: bool,
    /// The interface's generation in which this was last changed, and the one that its node has.
    generation: i64,
    applied_generation: i64,
    /// Whether the node has this very state.
    applied: bool,
    /// Why this interface: the candidates in order, and what each of them lacked.
    #[schema(value_type = Option<Object>)]
    ranking: Option<Box<RawValue>>,
    /// What its node says; null: nothing yet.
    evidence: Option<EvidenceView>,
}

/// What a node said of a peer, and how old that is.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvidenceView {
    endpoint: Option<String>,
    handshake_at: Option<DateTime<Utc>>,
    handshake_age_s: Option<i64>,
    rx_total: i64,
    tx_total: i64,
    first_at: DateTime<Utc>,
    /// The node no longer holds it since.
    gone_at: Option<DateTime<Utc>>,
    observed_at: Option<DateTime<Utc>>,
    age_s: Option<i64>,
}

/// A configuration that was handed out.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssuedView {
    mode: Mode,
    issued_at: DateTime<Utc>,
    /// Whether it would read differently now; null where there is none to be had now.
    stale: Option<bool>,
}

impl PeerView {
    pub(crate) fn of(peer: Listed) -> Self {
        Self {
            active: peer.enabled && !peer.expired && peer.isolated_at.is_none(),
            id: peer.id,
            network: peer.network,
            pool: peer.pool,
            name: peer.name,
            public_key: peer.public_key,
            kind: peer.kind,
            owner: peer.owner,
            tags: peer.tags,
            addresses: peer.addresses.iter().map(IpNet::addr).collect(),
            nodes: peer.nodes,
            enabled: peer.enabled,
            expired: peer.expired,
            isolated_at: peer.isolated_at,
            expires_at: peer.expires_at,
            handshake_at: peer.handshake_at,
            rx_total: peer.rx_total,
            tx_total: peer.tx_total,
            version: peer.version,
            created_at: peer.created_at,
        }
    }
}

impl PeerDetail {
    /// Gathers what there is to show besides the peer's own row.
    pub(super) async fn read(fleet: &Fleet, peer: Peer) -> Result<Self, Problem> {
        let homes = db::placements::of_peers(&fleet.pool, &[peer.id]).await?;
        let seen = db::observations::evidence::of_peer(&fleet.pool, peer.id).await?;
        let configs = issue::earlier(fleet, peer.id).await?;
        let now = clock::now();
        let placements = homes.into_iter().map(|home| {
            let evidence = seen.iter().find(|seen| seen.interface == home.interface);
            let evidence = evidence.map(|seen| EvidenceView::of(seen, now));
            PlacementView {
                evidence,
                ..PlacementView::of(home)
            }
        });
        Ok(Self {
            placements: placements.collect(),
            configs: configs.into_iter().map(IssuedView::of).collect(),
            ..Self::of(peer)
        })
    }

    /// A peer that nobody has seen yet.
    pub(in crate::api) fn made(peer: Peer, homes: Vec<Home>) -> Self {
        Self {
            placements: homes.into_iter().map(PlacementView::of).collect(),
            ..Self::of(peer)
        }
    }

    fn of(peer: Peer) -> Self {
        Self {
            active: peer.enabled && !peer.expired && peer.isolated_at.is_none(),
            id: peer.id,
            network: peer.network,
            pool: peer.pool,
            name: peer.name,
            public_key: peer.public_key,
            kind: peer.kind,
            owner: peer.owner,
            tags: peer.tags,
            notes: peer.notes,
            keepalive: peer.keepalive_s,
            addresses: peer.addresses.iter().map(IpNet::addr).collect(),
            routes: peer.routes,
            enabled: peer.enabled,
            expired: peer.expired,
            isolated_at: peer.isolated_at,
            expires_at: peer.expires_at,
            placements: Vec::new(),
            configs: Vec::new(),
            version: peer.version,
            created_at: peer.created_at,
            updated_at: peer.updated_at,
        }
    }
}

impl PlacementView {
    fn of(home: Home) -> Self {
        Self {
            interface: home.interface,
            interface_name: home.interface_name,
            node: home.node,
            node_name: home.node_name,
            sole: home.sole,
            has_preshared_key: home.has_psk,
            generation: home.generation,
            applied_generation: home.applied_generation,
            applied: home.applied_generation >= home.generation,
            ranking: home.ranking.map(|ranking| ranking.0),
            evidence: None,
        }
    }
}

impl EvidenceView {
    fn of(seen: &Evidence, now: DateTime<Utc>) -> Self {
        let age_s = |at: DateTime<Utc>| (now - at).num_seconds();
        Self {
            endpoint: seen.endpoint.clone(),
            handshake_at: seen.handshake_at,
            handshake_age_s: seen.handshake_at.map(age_s),
            rx_total: seen.rx_total,
            tx_total: seen.tx_total,
            first_at: seen.first_at,
            gone_at: seen.gone_at,
            observed_at: seen.observed_at,
            age_s: seen.observed_at.map(age_s),
        }
    }
}

impl IssuedView {
    fn of(earlier: Earlier) -> Self {
        Self {
            mode: earlier.mode,
            issued_at: earlier.issued_at,
            stale: earlier.stale,
        }
    }
}
