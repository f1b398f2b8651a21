//! What an interface claims of its network: pools that guide where its peers get addresses, and its own addresses.
//!
//! The caller holds the network's lock, so what is free when it is asked for is free when it is taken. A pool that
//! changes moves nobody: it is looked at when the next address is given.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::db::allocations::HolderNames;
use crate::db::interfaces::Interface;
use crate::db::{allocations, ranges};
use crate::domain::address::prefix;
use crate::domain::ids::{InterfaceId, NetworkId};
use crate::domain::interface::Changes;
use crate::fleet::addresses::Book;
use crate::fleet::{Refusal, Result};

pub(super) async fn take(
    db: &mut PgConnection,
    id: InterfaceId,
    network: NetworkId,
    pools: &[IpNet],
    addresses: &[IpAddr],
) -> Result<()> {
    if pools.is_empty() && addresses.is_empty() {
        return Ok(());
    }
    let book = Book::open(&mut *db, network).await?;
    for pool in pools {
        if !book.prefixes().any(|prefix| prefix::inside(*pool, prefix)) {
            return Err(outside(*pool, &book).into());
        }
        take_pool(db, id, network, *pool).await?;
    }
    for address in addresses {
        book.check(*address)?;
        take_address(db, id, network, *address).await?;
    }
    Ok(())
}

/// Gives up what is no longer wanted and takes what is new. Whoever moves to another network keeps nothing of the
/// old one.
pub(super) async fn replace(
    db: &mut PgConnection,
    before: &Interface,
    network: NetworkId,
    changes: &Changes,
) -> Result<()> {
    let stays = network == before.network_id;
    let pools = wanted(
        before.ip_pools.iter().copied().filter(|_| stays),
        IpNet::addr,
        changes.ip_pool_v4.map(|pool| pool.map(IpNet::V4)),
        changes.ip_pool_v6.map(|pool| pool.map(IpNet::V6)),
    );
    let addresses = wanted(
        before.addresses.iter().map(IpNet::addr).filter(|_| stays),
        |address| *address,
        changes.address_v4.map(|address| address.map(IpAddr::V4)),
        changes.address_v6.map(|address| address.map(IpAddr::V6)),
    );
    let (kept_pools, new_pools): (Vec<_>, Vec<_>) = pools
        .into_iter()
        .partition(|pool| stays && before.ip_pools.contains(pool));
    let (kept_addresses, new_addresses): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| stays && before.addresses.contains(&IpNet::from(*address)));
    ranges::delete_of_interface(&mut *db, before.id, &kept_pools).await?;
    allocations::release_of_interface(&mut *db, before.id, &kept_addresses).await?;
    take(db, before.id, network, &new_pools, &new_addresses).await
}

/// What there is to be of both families: what was given, else what was.
fn wanted<T>(
    before: impl Iterator<Item = T>,
    address: impl Fn(&T) -> IpAddr,
    v4: Option<Option<T>>,
    v6: Option<Option<T>>,
) -> Vec<T> {
    let (replaces_v4, replaces_v6) = (v4.is_some(), v6.is_some());
    before
        .filter(|was| match address(was) {
            IpAddr::V4(_) => !replaces_v4,
            IpAddr::V6(_) => !replaces_v6,
        })
        .chain(v4.flatten())
        .chain(v6.flatten())
        .collect()
}

async fn take_pool(
    db: &mut PgConnection,
    id: InterfaceId,
    network: NetworkId,
    pool: IpNet,
) -> Result<()> {
    // Asked before the constraint decides, so that the refusal can name the other one.
    let others = ranges::overlapping_pools(&mut *db, pool, id).await?;
    if let Some(other) = others.first() {
        let text = format!(
            "{pool} overlaps {} of interface {} of node {}",
            other.prefix, other.interface, other.node
        );
        return Err(Refusal::conflict("ip_pool_overlaps", text)
            .with(
                json!({"node": other.node, "interface": other.interface, "ip_pool": other.prefix}),
            )
            .into());
    }
    match ranges::insert(db, network, Some(id), pool).await {
        Ok(()) => Ok(()),
        Err(ranges::InsertError::Overlap) => {
            let text = format!("{pool} overlaps the pool of another interface");
            Err(Refusal::conflict("ip_pool_overlaps", text).into())
        }
        Err(ranges::InsertError::Second) => {
            let text = "an interface has at most one pool of each family";
            Err(Refusal::invalid("two_pools_of_a_family", text).into())
        }
        Err(ranges::InsertError::Db(err)) => Err(err.into()),
    }
}

async fn take_address(
    db: &mut PgConnection,
    id: InterfaceId,
    network: NetworkId,
    address: IpAddr,
) -> Result<()> {
    if allocations::give_to_interface(&mut *db, network, id, &[address]).await? {
        return Ok(());
    }
    let holder = allocations::holder_names(db, network, address).await?;
    let (holder, name) = match holder {
        Some(HolderNames {
            peer: Some(peer), ..
        }) => (format!("peer {peer}"), json!(peer)),
        Some(HolderNames {
            interface: Some(interface),
            node: Some(node),
            ..
        }) => {
            let holder = format!("interface {interface} of node {node}");
            (holder, json!(format!("{interface}, {node}")))
        }
        // Given up since the attempt, in a transaction that did not wait for the network's lock.
        _ => ("somebody who is just giving it up".to_owned(), Value::Null),
    };
    let text = format!("{address} belongs to {holder}");
    Err(Refusal::conflict("address_taken", text)
        .with(json!({"address": address, "holder": name}))
        .into())
}

fn outside(pool: IpNet, book: &Book) -> Refusal {
    let prefixes: Vec<String> = book.prefixes().map(|prefix| prefix.to_string()).collect();
    let text = format!(
        "{pool} is not inside the network, which has {}",
        prefixes.join(" and ")
    );
    Refusal::invalid("ip_pool_outside_network", text)
        .with(json!({"ip_pool": pool, "prefixes": prefixes}))
}
