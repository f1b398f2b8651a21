//! Another prefix for a network: every peer gets another address, in one transaction, or nothing changes at all.
//!
//! Refused while there is a static peer, whose device would keep the old address. A node's own addresses and pools are
//! for people to move first: what a device has is set on its machine, and nothing here can change it. Peers whose
//! address lies in the new prefix as well keep it. Reservations outside the new prefix end.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::json;

use super::add_prefix;
use crate::db;
use crate::db::Span;
use crate::db::interfaces::Interface;
use crate::db::networks::Network;
use crate::db::peers::numbered::Numbered;
use crate::domain::address::prefix;
use crate::domain::ids::{NetworkId, PeerId};
use crate::fleet::addresses::Book;
use crate::fleet::peers::assign::{self, Seeker};
use crate::fleet::{Change, Fleet, Refusal, Result};

/// How many of those in the way a refusal names.
const NAMED: usize = 20;

/// Everything of a network that one interface may have is read at once.
const ALL: Span = Span {
    after: 0,
    limit: i64::MAX,
};

/// Moves a network, whose lock the caller holds, to other prefixes.
pub(super) async fn readdress(
    fleet: &Fleet,
    change: &mut Change<'_>,
    network: &Network,
    prefixes: &[IpNet],
) -> Result<()> {
    if prefixes.is_empty() {
        let text = "a network has at least one prefix";
        return Err(Refusal::invalid("no_prefix", text).into());
    }
    let id = network.id;
    refuse_static(change, id).await?;
    let interfaces = db::interfaces::list(change.db(), None, Some(id), None, ALL).await?;
    refuse_left_behind(&interfaces, prefixes)?;
    let peers = db::peers::numbered::hold(change.db(), id).await?;
    let ids: Vec<PeerId> = peers.iter().map(|peer| peer.id).collect();
    let homes = db::placements::homes(change.db(), &ids).await?;
    db::interfaces::raise(change.db(), &homes).await?;
    move_prefixes(change, network, prefixes).await?;
    let book = Book::open(change.db(), id).await?;
    let kept = give_up(change, id, prefixes, &book, &peers).await?;
    let seekers = peers.iter().zip(&kept).map(|(peer, has)| Seeker {
        peer: peer.id,
        home: peer.home,
        has,
    });
    let seekers: Vec<Seeker> = seekers.collect();
    assign::draw(change.db(), fleet, &book, id, &seekers).await?;
    db::placements::touch(change.db(), &ids).await?;
    db::peers::numbered::renumbered(change.db(), &ids).await?;
    let told = json!({"before": network.prefixes, "after": prefixes, "peers": ids.len()});
    let object = format!("network/{id}");
    change
        .event("networks", "network.readdressed", &object, &told)
        .await
}

async fn refuse_static(change: &mut Change<'_>, id: NetworkId) -> Result<()> {
    let statics = db::peers::numbered::statics(change.db(), id).await?;
    if statics.is_empty() {
        return Ok(());
    }
    let named = statics.iter().take(NAMED);
    let named: Vec<_> = named
        .map(|(id, name)| json!({"id": id, "name": name}))
        .collect();
    let count = statics.len();
    let text = format!("{count} static peers would keep their old addresses");
    Err(Refusal::conflict("static_peers", text)
        .with(json!({"count": count, "peers": named}))
        .into())
}

/// Refuses to leave an interface's own addresses or pools outside of the network.
fn refuse_left_behind(interfaces: &[Interface], prefixes: &[IpNet]) -> Result<()> {
    let outside = |net: &IpNet| !prefixes.iter().any(|prefix| prefix::inside(*net, *prefix));
    let left_behind = |of: fn(&Interface) -> &[IpNet]| -> Vec<_> {
        let each = interfaces.iter().flat_map(|interface| {
            let nets = of(interface).iter().filter(|net| outside(net));
            nets.map(move |net| (interface, *net))
        });
        each.map(|(interface, net)| {
            json!({"interface": interface.id, "name": interface.name, "node": interface.node_name, "prefix": net})
        })
        .collect()
    };
    let addresses = left_behind(|interface| &interface.addresses);
    if !addresses.is_empty() {
        let text =
            "interfaces have addresses of their own outside of the new prefix: change these first";
        return Err(Refusal::conflict("interface_addresses", text)
            .with(json!({"interfaces": addresses}))
            .into());
    }
    let pools = left_behind(|interface| &interface.ip_pools);
    if !pools.is_empty() {
        let text = "interfaces have pools outside of the new prefix: change these first";
        return Err(Refusal::conflict("interface_pools", text)
            .with(json!({"interfaces": pools}))
            .into());
    }
    Ok(())
}

async fn move_prefixes(
    change: &mut Change<'_>,
    network: &Network,
    prefixes: &[IpNet],
) -> Result<()> {
    let leaving = network
        .prefixes
        .iter()
        .filter(|net| !prefixes.contains(net));
    for prefix in leaving {
        db::ranges::delete_own(change.db(), network.id, family(prefix.addr())).await?;
    }
    db::reservations::delete_outside(change.db(), network.id, prefixes).await?;
    let coming = prefixes
        .iter()
        .filter(|net| !network.prefixes.contains(net));
    for prefix in coming {
        add_prefix(change.db(), network.id, *prefix).await?;
    }
    Ok(())
}

/// Takes the addresses away that peers may no longer have, and tells what each keeps.
async fn give_up(
    change: &mut Change<'_>,
    id: NetworkId,
    prefixes: &[IpNet],
    book: &Book,
    peers: &[Numbered],
) -> Result<Vec<Vec<IpAddr>>> {
    let keeps = |address: &IpAddr| book.check(*address).is_ok();
    let all = || {
        peers
            .iter()
            .map(|peer| peer.addresses.iter().map(IpNet::addr))
    };
    let given_up: BTreeSet<IpAddr> = all().flatten().filter(|one| !keeps(one)).collect();
    let given_up: Vec<IpAddr> = given_up.into_iter().collect();
    for v4 in [true, false] {
        let own = prefixes.iter().find(|net| net.addr().is_ipv4() == v4);
        let family = if v4 { 4 } else { 6 };
        db::allocations::book::forget(change.db(), id, family, &given_up, own.copied()).await?;
    }
    Ok(all().map(|own| own.filter(keeps).collect()).collect())
}

fn family(address: IpAddr) -> i32 {
    if address.is_ipv4() { 4 } else { 6 }
}
