//! What is in the way of many new peers, row by row.
//!
//! The constraints decide in the end; this can name the rows, and every one of them. What it finds of users and routes
//! stays as it is until the transaction ends, since the caller holds the networks.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use serde_json::json;
use sqlx::PgConnection;

use super::super::{Refusal, Result};
use super::create::{key_taken, name_taken, route_into_network};
use super::rows::RowProblems;
use crate::db;
use crate::domain::address::prefix;
use crate::domain::ids::{NetworkId, UserId};
use crate::domain::peer::NewPeer;

/// Names the rows whose name or key is taken, by a peer or by a row before.
pub(super) async fn unique(
    db: &mut PgConnection,
    peers: &[NewPeer],
    problems: &mut RowProblems,
) -> Result<()> {
    let taken = db::peers::taken(db, peers).await?;
    let mut names: BTreeSet<(NetworkId, String)> = BTreeSet::new();
    let mut keys: BTreeSet<String> = BTreeSet::new();
    for (network, name, key) in taken {
        names.insert((network, name));
        keys.insert(key);
    }
    for (row, peer) in peers.iter().enumerate() {
        if !names.insert((peer.network, peer.name.to_string())) {
            problems.add(row, name_taken());
        }
        if !keys.insert(peer.public_key.to_string()) {
            problems.add(row, key_taken());
        }
    }
    Ok(())
}

/// Names the rows whose owner there is not.
pub(super) async fn owners(
    db: &mut PgConnection,
    peers: &[NewPeer],
    problems: &mut RowProblems,
) -> Result<()> {
    let wanted: BTreeSet<UserId> = peers.iter().filter_map(|peer| peer.owner).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let wanted: Vec<UserId> = wanted.into_iter().collect();
    let known: BTreeSet<UserId> = db::users::hold(db, &wanted).await?.into_iter().collect();
    for (row, peer) in peers.iter().enumerate() {
        if let Some(owner) = peer.owner.filter(|owner| !known.contains(owner)) {
            let text = format!("there is no user {owner} to own it");
            problems.add(row, Refusal::invalid("no_owner", text));
        }
    }
    Ok(())
}

/// Names the rows with routes that share addresses with a network, a peer's route, or one of a row before: WireGuard
/// would take these addresses from somebody.
pub(super) async fn routes(
    db: &mut PgConnection,
    peers: &[NewPeer],
    problems: &mut RowProblems,
) -> Result<()> {
    let rows: Vec<usize> = (0..peers.len())
        .flat_map(|row| peers[row].routes.iter().map(move |_| row))
        .collect();
    let routes: Vec<(NetworkId, IpNet)> = peers
        .iter()
        .flat_map(|peer| peer.routes.iter().map(|route| (peer.network, *route)))
        .collect();
    if routes.is_empty() {
        return Ok(());
    }
    for (at, earlier) in prefix::clashes(&routes) {
        let (route, other) = (routes[at].1, routes[earlier].1);
        let text = format!("route {route} overlaps {other} of row {}", rows[earlier]);
        problems.add(rows[at], overlaps(text));
    }
    let prefixes: Vec<IpNet> = routes.iter().map(|(_, route)| *route).collect();
    let networks = db::ranges::overlapping_each(&mut *db, &prefixes).await?;
    let networks: BTreeMap<IpNet, (String, IpNet)> = networks
        .into_iter()
        .map(|(route, name, prefix)| (route, (name, prefix)))
        .collect();
    let behind = db::peers::routes::overlapping_each(db, &routes).await?;
    let behind: BTreeMap<(NetworkId, IpNet), (String, IpNet)> = behind
        .into_iter()
        .map(|(network, route, peer, other)| ((network, route), (peer, other)))
        .collect();
    for (row, wanted) in rows.into_iter().zip(routes) {
        let route = wanted.1;
        if let Some((name, prefix)) = networks.get(&route) {
            problems.add(row, route_into_network(route, prefix, name));
        }
        if let Some((peer, other)) = behind.get(&wanted) {
            let text = format!("route {route} overlaps {other}, which is behind peer {peer}");
            let details = json!({"route": other, "peer": peer});
            problems.add(row, overlaps(text).with(details));
        }
    }
    Ok(())
}

fn overlaps(text: String) -> Refusal {
    Refusal::conflict("route_overlaps", text)
}
