//! Who of those that a node carries can be adopted, and what is in the way of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use protocol::PublicKey;

use serde_json::json;

use super::Wish;
use super::carried::Carried;
use crate::db;
use crate::db::allocations;
use crate::db::interfaces::Interface;
use crate::domain::address::prefix;
use crate::domain::adoption;
use crate::domain::ids::NetworkId;
use crate::domain::peer::{NewPeer, PeerKind, Psk};
use crate::fleet::addresses::Book;
use crate::fleet::peers::create::routes_apart;
use crate::fleet::{Change, FleetError, Refusal, Result};

/// A peer that can be adopted, with what its placement keeps of it.
pub(super) struct Taken {
    pub peer: NewPeer,
    pub keepalive_s: u16,
    pub has_psk: bool,
}

/// What there is already, and what is about to be.
struct Occupied {
    names: BTreeSet<String>,
    keys: BTreeSet<String>,
    elsewhere: BTreeMap<String, String>,
    addresses: BTreeSet<IpAddr>,
    routes: Vec<IpNet>,
}

/// Tells those apart who can be adopted, in the order given. The caller holds the network.
pub(super) async fn check(
    change: &mut Change<'_>,
    interface: &Interface,
    carried: Vec<Carried>,
    wish: &Wish,
) -> Result<(Vec<Taken>, Vec<(String, Refusal)>)> {
    let network = interface.network_id;
    let book = Book::open(change.db(), network).await?;
    let (mut read, mut refused) = (Vec::new(), Vec::new());
    for one in carried {
        let key = one.key.clone();
        match taken(network, &book, one, wish) {
            Ok(taken) => read.push(taken),
            Err(refusal) => refused.push((key, refusal)),
        }
    }
    let mut occupied = Occupied::gather(change, interface, &read).await?;
    let mut free = Vec::new();
    for one in read {
        let fits = match occupied.claim(&book, &one.peer) {
            Ok(()) => routes_free(change, network, &one.peer.routes).await,
            Err(refusal) => Err(refusal.into()),
        };
        match fits {
            Ok(()) => free.push(one),
            Err(FleetError::Refused(refusal)) => {
                refused.push((one.peer.public_key.to_string(), refusal));
            }
            Err(err) => return Err(err),
        }
    }
    Ok((free, refused))
}

fn taken(network: NetworkId, book: &Book, one: Carried, wish: &Wish) -> Result<Taken, Refusal> {
    let key = PublicKey::parse(&one.key)
        .map_err(|err| Refusal::invalid("key_unusable", err.to_string()))?;
    let prefixes: Vec<IpNet> = book.prefixes().collect();
    let parts = adoption::split(&one.allowed_ips, &prefixes)
        .map_err(|err| Refusal::conflict("no_address", format!("the peer {err}")))?;
    let name = wish.names.get(&key).cloned();
    Ok(Taken {
        keepalive_s: one.keepalive_s,
        has_psk: one.has_psk,
        peer: NewPeer {
            network,
            pool: None,
            node: None,
            name: name.unwrap_or_else(|| adoption::default_name(&key)),
            public_key: key,
            kind: PeerKind::Static,
            owner: wish.owner,
            tags: wish.tags.clone(),
            notes: String::new(),
            keepalive_s: None,
            addresses: parts.addresses,
            routes: parts.routes,
            psk: Psk::None,
            enabled: true,
            expires_at: None,
        },
    })
}

impl Occupied {
    async fn gather(
        change: &mut Change<'_>,
        interface: &Interface,
        read: &[Taken],
    ) -> Result<Self> {
        let peers: Vec<NewPeer> = read.iter().map(|one| one.peer.clone()).collect();
        let addresses: Vec<IpAddr> = peers
            .iter()
            .flat_map(|peer| peer.addresses.iter().copied())
            .collect();
        let held = allocations::holders(change.db(), interface.network_id, &addresses).await?;
        let known = db::peers::taken(change.db(), &peers).await?;
        let keys: Vec<String> = peers
            .iter()
            .map(|peer| peer.public_key.to_string())
            .collect();
        let elsewhere =
            db::observations::unknown::elsewhere(change.db(), interface.id, &keys).await?;
        let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for (network, name, key) in known {
            if network == interface.network_id {
                names.insert(name);
            }
            keys.insert(key);
        }
        Ok(Self {
            names,
            keys,
            elsewhere: elsewhere.into_iter().collect(),
            addresses: held.into_iter().map(|(address, _)| address).collect(),
            routes: Vec::new(),
        })
    }

    /// Notes what a peer takes, or tells what of it is taken already.
    fn claim(&mut self, book: &Book, peer: &NewPeer) -> Result<(), Refusal> {
        let key = peer.public_key.to_string();
        if let Some(node) = self.elsewhere.get(&key) {
            // Adopted here, it would be removed there.
            let text = format!("node {node} holds the key as well");
            return Err(Refusal::conflict("key_elsewhere", text));
        }
        if self.keys.contains(&key) {
            let text = "a peer with this public key exists";
            return Err(Refusal::conflict("key_taken", text));
        }
        if self.names.contains(peer.name.as_str()) {
            let text = format!("a peer {} exists in the network", peer.name);
            return Err(Refusal::conflict("name_taken", text));
        }
        for address in &peer.addresses {
            book.check(*address)?;
            if self.addresses.contains(address) {
                let text = format!("{address} belongs to somebody else");
                return Err(Refusal::conflict("address_taken", text));
            }
        }
        for route in &peer.routes {
            if self.routes.iter().any(|one| prefix::overlap(*one, *route)) {
                return Err(overlaps(*route));
            }
        }
        self.keys.insert(key);
        self.names.insert(peer.name.to_string());
        self.addresses.extend(&peer.addresses);
        self.routes.extend(&peer.routes);
        Ok(())
    }
}

async fn routes_free(change: &mut Change<'_>, network: NetworkId, routes: &[IpNet]) -> Result<()> {
    for (at, route) in routes.iter().enumerate() {
        if routes[..at].iter().any(|one| prefix::overlap(*one, *route)) {
            return Err(overlaps(*route).into());
        }
    }
    routes_apart(change.db(), routes).await?;
    let others = db::peers::routes::overlapping(change.db(), Some(network), routes).await?;
    match others.first() {
        Some((peer, route)) => {
            let text =
                format!("what lies behind the peer overlaps {route}, which is behind peer {peer}");
            Err(Refusal::conflict("route_overlaps", text)
                .with(json!({"route": route, "peer": peer}))
                .into())
        }
        None => Ok(()),
    }
}

fn overlaps(route: IpNet) -> Refusal {
    let text = format!("{route} overlaps another prefix behind a peer");
    Refusal::conflict("route_overlaps", text)
}
