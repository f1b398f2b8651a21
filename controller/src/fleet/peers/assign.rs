//! Addresses for new peers: those asked for, and for the rest the next free ones of their ranges.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::json;
use sqlx::PgConnection;

use super::super::addresses::Book;
use super::super::{Fleet, Refusal, Result};
use super::place::Placed;
use super::rows::RowProblems;
use crate::clock;
use crate::db::allocations::{self, Holder};
use crate::domain::ids::{InterfaceId, NetworkId, PeerId, RangeId};
use crate::domain::peer::NewPeer;

/// Gives every peer one address of each of its network's families. The caller holds the networks.
pub(super) async fn assign(
    db: &mut PgConnection,
    fleet: &Fleet,
    peers: &[NewPeer],
    ids: &[PeerId],
    placed: &[Placed],
) -> Result<()> {
    let mut networks: BTreeMap<NetworkId, Vec<usize>> = BTreeMap::new();
    for (row, peer) in peers.iter().enumerate() {
        networks.entry(peer.network).or_default().push(row);
    }
    for (network, rows) in networks {
        let book = Book::open(db, network).await?;
        // Those asked for by name first: the search then passes them over.
        let named = rows.iter().flat_map(|row| {
            let addresses = peers[*row].addresses.iter();
            addresses.map(|address| (*address, ids[*row]))
        });
        give(db, network, &named.collect::<Vec<_>>()).await?;
        let seekers = rows.iter().map(|row| Seeker {
            peer: ids[*row],
            home: placed[*row]
                .interfaces
                .first()
                .copied()
                .filter(|_| placed[*row].sole),
            has: &peers[*row].addresses,
        });
        draw(db, fleet, &book, network, &seekers.collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// A peer that is to have one address of each of its network's families.
pub(in crate::fleet) struct Seeker<'a> {
    pub peer: PeerId,
    /// Only who has a single home draws from its interface's pool.
    pub home: Option<InterfaceId>,
    pub has: &'a [IpAddr],
}

/// Gives each peer the addresses that it lacks. The caller holds the network.
pub(in crate::fleet) async fn draw(
    db: &mut PgConnection,
    fleet: &Fleet,
    book: &Book,
    network: NetworkId,
    seekers: &[Seeker<'_>],
) -> Result<()> {
    // By range, so that many peers are one search.
    let mut wanted: BTreeMap<RangeId, Vec<PeerId>> = BTreeMap::new();
    for seeker in seekers {
        let ranges = book.ranges_for(seeker.home);
        for (range, prefix) in ranges.into_iter().zip(book.prefixes()) {
            let v4 = prefix.addr().is_ipv4();
            if !seeker.has.iter().any(|address| address.is_ipv4() == v4) {
                wanted.entry(range).or_default().push(seeker.peer);
            }
        }
    }
    for (range, peers) in wanted {
        let rest = fleet.settings.address_rest;
        let found = book
            .find(db, range, peers.len(), rest, clock::now())
            .await?;
        let found: Vec<_> = found.into_iter().zip(peers).collect();
        give(db, network, &found).await?;
    }
    Ok(())
}

async fn give(db: &mut PgConnection, network: NetworkId, given: &[(IpAddr, PeerId)]) -> Result<()> {
    if given.is_empty() || allocations::give(db, network, given).await? {
        return Ok(());
    }
    Err(Refusal::conflict(
        "address_taken",
        "an address was just given to somebody else",
    )
    .into())
}

/// Names the rows whose addresses, asked for by name, cannot be had. The caller holds the networks.
pub(super) async fn check(
    db: &mut PgConnection,
    peers: &[NewPeer],
    problems: &mut RowProblems,
) -> Result<()> {
    let asking = peers.iter().filter(|peer| !peer.addresses.is_empty());
    let networks: BTreeSet<NetworkId> = asking.map(|peer| peer.network).collect();
    for network in networks {
        let book = Book::open(db, network).await?;
        asked_for(db, &book, network, peers, problems).await?;
    }
    Ok(())
}

/// Checks the addresses asked for by name: usable, free, and each once.
async fn asked_for(
    db: &mut PgConnection,
    book: &Book,
    network: NetworkId,
    peers: &[NewPeer],
    problems: &mut RowProblems,
) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (row, peer) in peers
        .iter()
        .enumerate()
        .filter(|(_, peer)| peer.network == network)
    {
        let v4 = peer
            .addresses
            .iter()
            .filter(|address| address.is_ipv4())
            .count();
        if v4 > 1 || peer.addresses.len() - v4 > 1 {
            let text = "a peer has one address of each family";
            problems.add(row, Refusal::invalid("two_addresses_of_a_family", text));
        }
        for address in &peer.addresses {
            if let Err(refusal) = book.check(*address) {
                problems.add(row, refusal);
            } else if !seen.insert(*address) {
                problems.add(row, taken(*address, "another row"));
            }
        }
    }
    let wanted: Vec<IpAddr> = seen.into_iter().collect();
    if wanted.is_empty() {
        return Ok(());
    }
    for (address, holder) in allocations::holders(db, network, &wanted).await? {
        let whose = match holder {
            Holder::Peer(id) => format!("peer {id}"),
            Holder::Interface(id) => format!("interface {id}"),
        };
        let row = peers
            .iter()
            .position(|peer| peer.network == network && peer.addresses.contains(&address));
        if let Some(row) = row {
            problems.add(row, taken(address, &whose));
        }
    }
    Ok(())
}

fn taken(address: IpAddr, whose: &str) -> Refusal {
    Refusal::conflict("address_taken", format!("{address} belongs to {whose}"))
        .with(json!({"address": address}))
}
