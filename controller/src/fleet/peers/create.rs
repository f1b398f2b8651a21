//! New peers, one or many, all or none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use serde_json::value::to_raw_value;
use sqlx::PgConnection;

use super::super::change::{Call, Change, NOTHING};
use super::super::{Fleet, FleetError, Refusal, Result};
use super::place::Placed;
use super::rows::RowProblems;
use super::seen::Seen;
use super::{assign, check, place, psk};
use crate::db;
use crate::db::peers::{Peer, RouteError, WriteError};
use crate::db::placements::{Home, NewPlacement};
use crate::domain::ids::{InterfaceId, NetworkId, PeerId};
use crate::domain::peer::NewPeer;

/// A peer as it was made, with where it is to be. Both are shown even of one that is only tried.
#[derive(Debug)]
pub struct Made {
    pub peer: Peer,
    pub homes: Vec<Home>,
}

pub async fn create(fleet: &Fleet, call: &Call, peer: NewPeer) -> Result<Made> {
    let mut made = create_all(fleet, call, std::slice::from_ref(&peer)).await?;
    made.pop()
        .ok_or(FleetError::Corrupt("a peer that was just written"))
}

/// Makes all peers in one transaction: addresses, places and preshared keys included.
pub async fn create_all(fleet: &Fleet, call: &Call, peers: &[NewPeer]) -> Result<Vec<Made>> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let mut problems = RowProblems::default();
    hold_networks(change.db(), peers, &mut problems).await?;
    check::unique(change.db(), peers, &mut problems).await?;
    check::owners(change.db(), peers, &mut problems).await?;
    assign::check(change.db(), peers, &mut problems).await?;
    check::routes(change.db(), peers, &mut problems).await?;
    // Placing counts every row, also one that will not be.
    problems.settle()?;
    let placed = place::place(change.db(), fleet, peers, &mut problems).await?;
    let ids = db::peers::insert(change.db(), peers)
        .await
        .map_err(refused)?;
    assign::assign(change.db(), fleet, peers, &ids, &placed).await?;
    add_routes(change.db(), peers, &ids).await?;
    settle(change.db(), fleet, peers, &ids, &placed).await?;
    let keys: Vec<String> = peers
        .iter()
        .map(|peer| peer.public_key.to_string())
        .collect();
    db::retired_keys::revive(change.db(), &keys).await?;
    db::observations::claim(change.db(), &keys, &ids).await?;
    let made = made(change.db(), &ids).await?;
    let seen: Vec<Seen> = made.iter().map(|made| Seen::of(&made.peer)).collect();
    match seen.as_slice() {
        [one] => {
            let object = super::seen::object(one.id);
            change.event("peers", "peer.created", &object, one).await?;
            change
                .finish("peer.create", &object, NOTHING, Some(one))
                .await?;
        }
        many => {
            let told = json!({"count": many.len(), "first": many.first().map(|one| one.id)});
            change
                .event("peers", "peers.created", "peers", &told)
                .await?;
            change
                .finish("peer.create_many", "peers", NOTHING, Some(&many))
                .await?;
        }
    }
    Ok(made)
}

/// Reads the peers that were written, in the order given.
pub(in crate::fleet) async fn made(db: &mut PgConnection, ids: &[PeerId]) -> Result<Vec<Made>> {
    let mut homes: BTreeMap<PeerId, Vec<Home>> = BTreeMap::new();
    for home in db::placements::of_peers(&mut *db, ids).await? {
        homes.entry(home.peer).or_default().push(home);
    }
    let peers = db::peers::find_all(db, ids).await?;
    let mut peers: BTreeMap<PeerId, Peer> = peers.into_iter().map(|peer| (peer.id, peer)).collect();
    ids.iter()
        .map(|id| {
            let peer = peers
                .remove(id)
                .ok_or(FleetError::Corrupt("a peer that was just written"))?;
            let homes = homes.remove(id).into_iter().flatten().collect();
            Ok(Made { peer, homes })
        })
        .collect()
}

/// Places peers on interfaces that are held from here on, and raises what these should hold.
async fn settle(
    db: &mut PgConnection,
    fleet: &Fleet,
    peers: &[NewPeer],
    ids: &[PeerId],
    placed: &[Placed],
) -> Result<()> {
    let homes: BTreeSet<InterfaceId> = placed
        .iter()
        .flat_map(|one| one.interfaces.iter().copied())
        .collect();
    let homes: Vec<InterfaceId> = homes.into_iter().collect();
    let generations: BTreeMap<InterfaceId, i64> = db::interfaces::raise(&mut *db, &homes)
        .await?
        .into_iter()
        .collect();
    let mut placements = Vec::with_capacity(peers.len());
    for ((peer, id), placed) in peers.iter().zip(ids).zip(placed) {
        let ranking = to_raw_value(&placed.explanation)?;
        for interface in &placed.interfaces {
            let generation = generations
                .get(interface)
                .ok_or(FleetError::Corrupt("an interface that was just chosen"))?;
            placements.push(NewPlacement {
                interface: *interface,
                peer: *id,
                sole: placed.sole,
                psk: psk::seal(&fleet.keyring, *interface, *id, &peer.psk),
                psk_unknown: false,
                keepalive_s: 0,
                generation: *generation,
                ranking: Some(ranking.clone()),
            });
        }
    }
    Ok(db::placements::insert(db, &placements).await?)
}

async fn hold_networks(
    db: &mut PgConnection,
    peers: &[NewPeer],
    problems: &mut RowProblems,
) -> Result<()> {
    let networks: BTreeSet<NetworkId> = peers.iter().map(|peer| peer.network).collect();
    for network in networks {
        if !db::networks::lock(&mut *db, network).await? {
            for (row, _) in peers
                .iter()
                .enumerate()
                .filter(|(_, peer)| peer.network == network)
            {
                problems.add(row, Refusal::missing("network", network));
            }
        }
    }
    problems.settle()
}

/// Routes that share addresses with any network would take these from the peers there.
pub(in crate::fleet) async fn routes_apart(
    db: &mut PgConnection,
    routes: &[ipnet::IpNet],
) -> Result<()> {
    for route in routes {
        let networks = db::ranges::overlapping(&mut *db, *route).await?;
        if let Some((name, prefix)) = networks.first() {
            return Err(route_into_network(*route, prefix, name).into());
        }
    }
    Ok(())
}

pub(in crate::fleet) async fn add_routes(
    db: &mut PgConnection,
    peers: &[NewPeer],
    ids: &[PeerId],
) -> Result<()> {
    let routes: Vec<_> = peers
        .iter()
        .zip(ids)
        .flat_map(|(peer, id)| {
            peer.routes
                .iter()
                .map(|prefix| (*id, peer.network, *prefix))
        })
        .collect();
    if routes.is_empty() {
        return Ok(());
    }
    db::peers::add_routes(db, &routes)
        .await
        .map_err(|err| match err {
            RouteError::Overlap => route_taken().into(),
            RouteError::Db(err) => err.into(),
        })
}

pub(super) fn route_taken() -> Refusal {
    let text = "a route overlaps another one in this network";
    Refusal::conflict("route_overlaps", text)
}

pub(super) fn route_into_network(
    route: ipnet::IpNet,
    prefix: &ipnet::IpNet,
    name: &str,
) -> Refusal {
    let text = format!("route {route} overlaps {prefix} of network {name}");
    Refusal::invalid("route_overlaps_network", text)
        .with(json!({"route": route, "prefix": prefix, "network": name}))
}

pub(super) fn name_taken() -> Refusal {
    Refusal::conflict("name_taken", "a peer with this name exists in the network")
}

pub(super) fn key_taken() -> Refusal {
    Refusal::conflict("key_taken", "a peer with this public key exists")
}

pub(in crate::fleet) fn refused(err: WriteError) -> FleetError {
    match err {
        WriteError::NameTaken => name_taken().into(),
        WriteError::KeyTaken => key_taken().into(),
        WriteError::NoOwner => Refusal::invalid("no_owner", "there is no such owner").into(),
        WriteError::Db(err) => err.into(),
    }
}
