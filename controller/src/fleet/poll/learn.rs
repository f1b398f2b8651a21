//! What only a node can tell of its interfaces: their public keys and their own addresses.
//!
//! An address of a node must never be given to a peer, so it is booked before the node counts as online. One that
//! somebody has already stays his; the conflict is shown. Nothing is given up here: a person does that.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::json;

use super::verdict::{Sighting, Verdict};
use crate::db;
use crate::db::allocations::{self, Holder};
use crate::db::events::NewEvent;
use crate::db::ranges;
use crate::domain::actor::Actor;
use crate::domain::ids::{InterfaceId, NetworkId};
use crate::fleet::{Fleet, Result, audit};

/// Books them. Tells of each interface whose addresses were read what clashes, if anything.
pub(super) async fn learn(
    fleet: &Fleet,
    verdicts: &[Verdict],
) -> Result<Vec<(InterfaceId, Option<String>)>> {
    keys(fleet, verdicts).await?;
    let read: Vec<(&Sighting, &[IpAddr])> = verdicts
        .iter()
        .flat_map(|verdict| &verdict.interfaces)
        .filter_map(|one| Some((one, one.addresses.as_deref()?)))
        .collect();
    if read.is_empty() {
        return Ok(Vec::new());
    }
    let missing = missing(fleet, &read).await?;
    let mut learned = Vec::with_capacity(read.len());
    for (one, _) in read {
        let interface = one.watched.id;
        let conflict = match missing.get(&interface) {
            Some(addresses) => book(fleet, one.watched.network, interface, addresses).await?,
            None => None,
        };
        learned.push((interface, conflict));
    }
    Ok(learned)
}

/// The addresses of each device that lie in its network and are not booked as its own.
async fn missing(
    fleet: &Fleet,
    read: &[(&Sighting, &[IpAddr])],
) -> Result<BTreeMap<InterfaceId, Vec<IpAddr>>> {
    let interfaces: Vec<InterfaceId> = read.iter().map(|(one, _)| one.watched.id).collect();
    let booked = allocations::of_interfaces(&fleet.pool, &interfaces).await?;
    let booked: BTreeSet<(InterfaceId, IpAddr)> = booked.into_iter().collect();
    let networks: BTreeSet<NetworkId> = read.iter().map(|(one, _)| one.watched.network).collect();
    let mut prefixes = BTreeMap::new();
    for network in networks {
        let ranges = ranges::of_network(&fleet.pool, network).await?;
        let own = ranges.into_iter().filter(|range| range.interface.is_none());
        prefixes.insert(network, own.map(|range| range.prefix).collect::<Vec<_>>());
    }
    let mut missing: BTreeMap<InterfaceId, Vec<IpAddr>> = BTreeMap::new();
    for (one, addresses) in read {
        let inside = |address: &&IpAddr| {
            let own = prefixes.get(&one.watched.network);
            own.is_some_and(|own| own.iter().any(|prefix| prefix.contains(*address)))
        };
        for address in addresses.iter().filter(inside) {
            if !booked.contains(&(one.watched.id, *address)) {
                missing.entry(one.watched.id).or_default().push(*address);
            }
        }
    }
    Ok(missing)
}

/// Books the addresses that nobody else has, and words the others.
async fn book(
    fleet: &Fleet,
    network: NetworkId,
    interface: InterfaceId,
    addresses: &[IpAddr],
) -> Result<Option<String>> {
    let mut tx = fleet.pool.begin().await?;
    // Whoever gives addresses holds this.
    db::networks::lock(&mut tx, network).await?;
    let all = allocations::give_to_interface(&mut *tx, network, interface, addresses).await?;
    let clash = match all {
        true => None,
        false => Some(allocations::holders(&mut *tx, network, addresses).await?),
    };
    tx.commit().await?;
    let others = clash.into_iter().flatten();
    let words: Vec<String> = others
        .filter(|(_, holder)| *holder != Holder::Interface(interface))
        .map(|(address, holder)| match holder {
            Holder::Peer(peer) => format!("{address} belongs to peer {peer}"),
            Holder::Interface(other) => format!("{address} belongs to interface {other}"),
        })
        .collect();
    Ok((!words.is_empty()).then(|| words.join(", ")))
}

/// Books the keys, and tells of those that had another one before: configurations handed out name that one.
async fn keys(fleet: &Fleet, verdicts: &[Verdict]) -> Result<()> {
    let seen = verdicts.iter().flat_map(|verdict| &verdict.interfaces);
    let news: Vec<(InterfaceId, String)> = seen
        .filter_map(|one| {
            let key = one.key?.to_string();
            (one.watched.public_key.as_ref() != Some(&key)).then_some((one.watched.id, key))
        })
        .collect();
    let Some(at) = verdicts.first().map(|verdict| verdict.report.polled_at) else {
        return Ok(());
    };
    if news.is_empty() {
        return Ok(());
    }
    let mut tx = fleet.pool.begin().await?;
    let changed = db::interfaces::learn_keys(&mut *tx, &news).await?;
    let object = |interface: &InterfaceId| format!("interface/{interface}");
    let event = |interface: &InterfaceId| NewEvent {
        topic: "nodes",
        kind: "interface.key_changed",
        object: object(interface),
        data: json!({"interface": interface}),
    };
    let events: Vec<NewEvent> = changed.iter().map(event).collect();
    if !events.is_empty() {
        db::events::insert_all(&mut *tx, &events).await?;
    }
    for interface in &changed {
        let after = news.iter().find(|(id, _)| id == interface);
        let after = after.map(|(_, key)| json!({"public_key": key}));
        let actor = Actor::controller();
        let action = "interface.key_changed";
        let before: Option<&()> = None;
        let entry = audit::done(
            &actor,
            action,
            &object(interface),
            before,
            after.as_ref(),
            at,
        )?;
        audit::append(&mut tx, &entry).await?;
        tracing::warn!(interface.id = %interface, "interface {interface} has another key than before");
    }
    Ok(tx.commit().await?)
}
