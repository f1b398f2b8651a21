//! Configurations of peers: all that a text says is gathered, written, and remembered by its hash, so that it is
//! known later whether a device still has what it would be given now.
//!
//! Texts and preshared keys are never stored. A private key passes through when it was just made for this very answer.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use protocol::{PrivateKey, PublicKey};
use serde_json::json;
use sqlx::Connection;

use super::super::{Fleet, FleetError, Kind, Refusal, Result};
use super::psk;
use crate::db;
use crate::db::configs::{Home, Route};
use crate::db::networks::Network;
use crate::db::peers::Peer;
use crate::domain::config_text::{self, Config, ConfigError, Issued, Mode, Node, Preshared};
use crate::domain::endpoint::PublicEndpoint;
use crate::domain::ids::{InterfaceId, NetworkId, PeerId};
use crate::domain::names::{HostName, Label};
use crate::random;

/// A text that was handed out before.
#[derive(Debug)]
pub struct Earlier {
    pub mode: Mode,
    pub issued_at: DateTime<Utc>,
    /// Whether the peer would be given another one now; none where it can be given none.
    pub stale: Option<bool>,
}

/// A key pair for a peer that brings none. It is shown once and kept nowhere.
pub fn private_key() -> PrivateKey {
    PrivateKey::from_random(random::bytes())
}

/// A text that is handed out.
#[derive(Debug)]
pub struct HandedOut {
    pub peer: Peer,
    pub issued: Issued,
    /// Whether it is another one than the last time; none: it is the first of its mode.
    pub changed: Option<bool>,
}

/// Hands out the configuration of a peer, without its private key, which nobody here knows.
pub async fn issue(fleet: &Fleet, id: PeerId, mode: Mode) -> Result<HandedOut> {
    let facts = Facts::gather(fleet, &[id]).await?;
    let peer = facts.peers.first();
    let peer = peer.ok_or_else(|| Refusal::missing("peer", id))?;
    refuse_isolated(peer)?;
    let issued = facts.write(fleet, peer, mode, None)?;
    let before = db::configs::issued(&fleet.pool, id).await?;
    let before = before.iter().find(|row| row.mode == mode.as_str());
    let changed = before.map(|row| row.hash != issued.hash());
    db::configs::remember(&fleet.pool, mode.as_str(), &[(id, *issued.hash())]).await?;
    Ok(HandedOut {
        peer: peer.clone(),
        issued,
        changed,
    })
}

/// Hands out the configurations of peers that were just made, each with its private key, or says why there is none.
pub async fn issue_whole(
    fleet: &Fleet,
    keys: &BTreeMap<PeerId, PrivateKey>,
    mode: Mode,
) -> Result<BTreeMap<PeerId, Result<Issued, Refusal>>> {
    let ids: Vec<PeerId> = keys.keys().copied().collect();
    let facts = Facts::gather(fleet, &ids).await?;
    let mut texts = BTreeMap::new();
    let mut handed_out = Vec::new();
    for peer in &facts.peers {
        let text = match facts.write(fleet, peer, mode, keys.get(&peer.id)) {
            Ok(issued) => {
                handed_out.push((peer.id, *issued.hash()));
                Ok(issued)
            }
            Err(FleetError::Refused(refusal)) => Err(refusal),
            Err(err) => return Err(err),
        };
        texts.insert(peer.id, text);
    }
    db::configs::remember(&fleet.pool, mode.as_str(), &handed_out).await?;
    Ok(texts)
}

/// What a peer was handed out before, and whether that still fits.
pub async fn earlier(fleet: &Fleet, id: PeerId) -> Result<Vec<Earlier>> {
    let rows = db::configs::issued(&fleet.pool, id).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let facts = Facts::gather(fleet, &[id]).await?;
    let Some(peer) = facts.peers.first() else {
        return Ok(Vec::new());
    };
    rows.into_iter()
        .map(|row| {
            let mode =
                Mode::parse(&row.mode).map_err(|_| FleetError::Corrupt("issued_configs.mode"))?;
            let stale = match facts.write(fleet, peer, mode, None) {
                Ok(now) => Some(now.hash().as_slice() != row.hash),
                Err(FleetError::Refused(_)) => None,
                Err(err) => return Err(err),
            };
            let issued_at = row.issued_at;
            Ok(Earlier {
                mode,
                issued_at,
                stale,
            })
        })
        .collect()
}

/// What texts are made of, as of one moment.
struct Facts {
    peers: Vec<Peer>,
    networks: BTreeMap<NetworkId, Network>,
    homes: Vec<Home>,
    routes: Vec<Route>,
}

impl Facts {
    async fn gather(fleet: &Fleet, ids: &[PeerId]) -> Result<Self> {
        let mut db = fleet.pool.acquire().await?;
        let mut tx = db
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        let peers = db::peers::find_all(&mut *tx, ids).await?;
        let homes = db::configs::homes(&mut *tx, ids).await?;
        let interfaces: BTreeSet<InterfaceId> = homes.iter().map(|home| home.interface).collect();
        let interfaces: Vec<InterfaceId> = interfaces.into_iter().collect();
        let routes = db::configs::routes(&mut *tx, &interfaces).await?;
        let mut networks = BTreeMap::new();
        let named: BTreeSet<NetworkId> = peers.iter().map(|peer| peer.network).collect();
        for id in named {
            let network = db::networks::find(&mut *tx, id).await?;
            let network = network.ok_or(FleetError::Corrupt("the network of a peer"))?;
            networks.insert(id, network);
        }
        tx.commit().await?;
        Ok(Self {
            peers,
            networks,
            homes,
            routes,
        })
    }

    fn write(
        &self,
        fleet: &Fleet,
        peer: &Peer,
        mode: Mode,
        key: Option<&PrivateKey>,
    ) -> Result<Issued> {
        let config = self.config(fleet, peer, mode)?;
        config_text::issue(&config, key).map_err(|err| refused(&err).into())
    }

    fn config(&self, fleet: &Fleet, peer: &Peer, mode: Mode) -> Result<Config> {
        let network = self.networks.get(&peer.network);
        let network = network.ok_or(FleetError::Corrupt("the network of a peer"))?;
        let suffix = host_name(&network.domain_suffix)?;
        let keepalive = peer.keepalive_s.unwrap_or(network.keepalive_s);
        let from = self.homes.partition_point(|home| home.peer < peer.id);
        let until = self.homes.partition_point(|home| home.peer <= peer.id);
        // The network behind a peer that is on several nodes is reached through the first of them.
        let mut reached = BTreeSet::new();
        let mut nodes = Vec::new();
        for home in &self.homes[from..until] {
            let routes = self.routes.iter().filter(|route| {
                route.interface == home.interface
                    && route.peer != peer.id
                    && reached.insert(route.prefix)
            });
            let routes = routes.map(|route| route.prefix).collect();
            nodes.push(Node {
                routes,
                ..node(fleet, home)?
            });
        }
        Ok(Config {
            peer: label(&peer.name)?,
            network: host_name(&network.name)?,
            mode,
            addresses: peer.addresses.iter().map(ipnet::IpNet::addr).collect(),
            dns: network.dns.iter().map(ipnet::IpNet::addr).collect(),
            domain: (!network.dns.is_empty()).then_some(suffix),
            mtu: network.mtu.map(number).transpose()?,
            keepalive_s: number(keepalive)?,
            prefixes: network.prefixes.clone(),
            nodes,
        })
    }
}

/// The node without what is behind it.
fn node(fleet: &Fleet, home: &Home) -> Result<Node> {
    let public_key = home
        .public_key
        .as_deref()
        .ok_or_else(|| unknown_key(home))?;
    let preshared_key = match (&home.psk_sealed, home.psk_key) {
        (Some(sealed), Some(key)) => {
            let key = psk::open(&fleet.keyring, home.interface, home.peer, sealed, key)?;
            Preshared::Key(key)
        }
        _ if home.psk_unknown => Preshared::Unknown,
        _ => Preshared::None,
    };
    let endpoint = PublicEndpoint::from_parts(&home.endpoint_host, number(home.endpoint_port)?);
    Ok(Node {
        name: label(&home.node_name)?,
        public_key: PublicKey::parse(public_key)
            .map_err(|_| FleetError::Corrupt("the public key of an interface"))?,
        preshared_key,
        endpoint: endpoint.map_err(|_| FleetError::Corrupt("the endpoint of an interface"))?,
        addresses: home.addresses.iter().map(ipnet::IpNet::addr).collect(),
        routes: Vec::new(),
    })
}

fn refuse_isolated(peer: &Peer) -> Result<(), Refusal> {
    match peer.isolated_at {
        Some(at) => Err(Refusal::new(
            Kind::Locked,
            "peer_isolated",
            format!("peer {} is isolated since {at}", peer.name),
        )),
        None => Ok(()),
    }
}

fn unknown_key(home: &Home) -> Refusal {
    let text = format!(
        "the public key of {} on node {} is not known yet: the node has not told it",
        home.interface_name, home.node_name
    );
    Refusal::conflict("interface_key_unknown", text)
        .with(json!({"interface": home.interface_name, "node": home.node_name}))
}

fn refused(err: &ConfigError) -> Refusal {
    let text = err.to_string();
    match err {
        ConfigError::NoAddress(_) => Refusal::conflict("no_address", text),
        ConfigError::NoNode(_) => Refusal::conflict("no_node", text),
        ConfigError::SameKey { .. } => Refusal::conflict("same_key", text),
        ConfigError::NothingToReach(_) => Refusal::conflict("nothing_to_reach", text),
        ConfigError::Overlap(_) => Refusal::invalid("allowed_ips_overlap", text),
    }
}

fn label(text: &str) -> Result<Label> {
    Label::parse(text).map_err(|_| FleetError::Corrupt("a name"))
}

fn host_name(text: &str) -> Result<HostName> {
    HostName::parse(text).map_err(|_| FleetError::Corrupt("the name of a network"))
}

fn number(stored: i32) -> Result<u16> {
    u16::try_from(stored).map_err(|_| FleetError::Corrupt("a number of 16 bits"))
}
