//! What becomes of each peer: those that go are placed by the rule that places new ones.
//!
//! Peers of like bounds and homes are placed together. What a peer has on a node already counts neither against it
//! there nor against the node's limit.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::super::super::{Fleet, Refusal, Result};
use super::super::place::{candidate, no_place};
use super::facts::{Facts, Mover};
use super::{Fate, Route, Wish};
use crate::clock;
use crate::domain::ids::{InterfaceId, NetworkId, NodeId, PoolId};
use crate::domain::placement::{Candidate, Placement, Placer, Rules};
use crate::domain::relocation::{Bounds, Obstacle, Terrain, Verdict, decide};

/// Peers that are placed alike: those of one network and bounds that are on the same interfaces now.
type Group = (NetworkId, Bounds, Vec<InterfaceId>);

/// Decides over the peers of the facts, in their order.
pub(super) fn plan(fleet: &Fleet, facts: &Facts, wish: Wish) -> Result<Vec<Fate>> {
    let mut fates: Vec<Fate> = Vec::with_capacity(facts.peers.len());
    let mut groups: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
    let judge = Judge::new(facts);
    for (row, peer) in facts.peers.iter().enumerate() {
        fates.push(match judge.decide(peer, wish) {
            Ok(Verdict::Already) => Fate::Already,
            Ok(Verdict::Stays) => Fate::Stays,
            Err(obstacle) => Fate::Cannot(refuse(facts, peer, obstacle)),
            Ok(Verdict::Goes(bounds)) => {
                let homes = peer.homes.iter().map(|home| home.interface).collect();
                let group = (peer.network, bounds, homes);
                groups.entry(group).or_default().push(row);
                // Until its group is placed.
                Fate::Already
            }
        });
    }
    let mut added: BTreeMap<NodeId, i64> = BTreeMap::new();
    for ((network, bounds, _), rows) in groups {
        let homes: BTreeMap<NodeId, InterfaceId> = facts.peers[rows[0]]
            .homes
            .iter()
            .map(|home| (home.node, home.interface))
            .collect();
        let candidates = candidates(facts, network, bounds, &homes, rows.len(), &added)?;
        let rules = Rules {
            placement: bounds.placement,
            grace: fleet.settings.placement_grace,
            now: clock::now(),
        };
        let mut placer = Placer::new(&candidates, rules);
        let stays = staying(bounds, &homes, &facts.members);
        for row in rows {
            let fate = place(&mut placer, &stays);
            if let Fate::Goes(route) = &fate {
                let arrives = |one: &&Candidate| {
                    route.interfaces.contains(&one.interface) && !homes.contains_key(&one.node)
                };
                for one in candidates.iter().filter(arrives) {
                    *added.entry(one.node).or_default() += 1;
                }
            }
            fates[row] = fate;
        }
    }
    Ok(fates)
}

struct Judge<'a> {
    members: &'a BTreeSet<(PoolId, NodeId)>,
    placements: BTreeMap<PoolId, Placement>,
    serving: BTreeMap<NetworkId, BTreeSet<NodeId>>,
}

impl<'a> Judge<'a> {
    fn new(facts: &'a Facts) -> Self {
        let pools = facts.pools.iter();
        let networks = facts.candidates.iter();
        Self {
            members: &facts.members,
            placements: pools
                .map(|(id, (_, placement))| (*id, *placement))
                .collect(),
            serving: networks
                .map(|(network, rows)| (*network, rows.iter().map(|row| row.node).collect()))
                .collect(),
        }
    }

    fn decide(&self, peer: &Mover, wish: Wish) -> Result<Verdict, Obstacle> {
        let nobody = BTreeSet::new();
        let terrain = Terrain {
            placements: &self.placements,
            members: self.members,
            serving: self.serving.get(&peer.network).unwrap_or(&nobody),
        };
        decide(wish, &peer.present(), terrain)
    }
}

/// The candidates of a group, as they stand for it.
fn candidates(
    facts: &Facts,
    network: NetworkId,
    bounds: Bounds,
    homes: &BTreeMap<NodeId, InterfaceId>,
    peers: usize,
    added: &BTreeMap<NodeId, i64>,
) -> Result<Vec<Candidate>> {
    let own = i64::try_from(peers).unwrap_or(i64::MAX);
    let rows = facts.candidates.get(&network).into_iter().flatten();
    let mut candidates = Vec::new();
    for row in rows.filter(|row| bounds.node.is_none_or(|node| row.node == node)) {
        let home = homes.get(&row.node);
        if home.is_some_and(|home| *home != row.interface) {
            continue;
        }
        let mut one = candidate(row.clone(), bounds.pool, &facts.members, added)?;
        if home.is_some() {
            one.node_peers -= own;
            one.max_peers = 0;
        }
        candidates.push(one);
    }
    Ok(candidates)
}

/// Where peers stay in any case: on those members of a pool that places on all of them that have them already.
fn staying(
    bounds: Bounds,
    homes: &BTreeMap<NodeId, InterfaceId>,
    members: &BTreeSet<(PoolId, NodeId)>,
) -> Vec<InterfaceId> {
    let pool = bounds.pool.filter(|_| bounds.placement == Placement::All);
    let homes = homes
        .iter()
        .filter(|(node, _)| pool.is_some_and(|pool| members.contains(&(pool, **node))));
    homes.map(|(_, interface)| *interface).collect()
}

fn place(placer: &mut Placer<'_>, stays: &[InterfaceId]) -> Fate {
    let (mut interfaces, explanation) = match placer.place() {
        Ok(choice) => (choice.chosen, Some(choice.explanation)),
        Err(err) if stays.is_empty() => return Fate::Cannot(no_place(&err)),
        Err(_) => (Vec::new(), None),
    };
    interfaces.extend(stays);
    interfaces.sort_unstable();
    interfaces.dedup();
    Fate::Goes(Route {
        interfaces,
        explanation,
    })
}

fn refuse(facts: &Facts, peer: &Mover, obstacle: Obstacle) -> Refusal {
    let pool_name = |id: PoolId| {
        let known = facts.pools.get(&id);
        known.map_or_else(|| id.to_string(), |(name, _)| name.clone())
    };
    let network = &peer.network_name;
    let node = facts.node_name.as_deref().unwrap_or("");
    match obstacle {
        Obstacle::Everywhere(pool) => {
            let pool = pool_name(pool);
            let text = format!(
                "pool {pool} places its peers on every member: name another pool, or none, with the node"
            );
            Refusal::conflict("placed_everywhere", text).with(json!({"pool": pool}))
        }
        Obstacle::NodeElsewhere(_) => {
            let text =
                format!("node {node} does not serve network {network}, which the peer stays in");
            Refusal::conflict("node_elsewhere", text)
                .with(json!({"node": node, "network": network}))
        }
        Obstacle::PoolElsewhere(pool) => {
            let pool = pool_name(pool);
            let text = format!(
                "no member of pool {pool} serves network {network}, which the peer stays in"
            );
            Refusal::conflict("pool_elsewhere", text)
                .with(json!({"pool": pool, "network": network}))
        }
        Obstacle::NoMember(pool, _) => {
            let pool = pool_name(pool);
            let text = format!(
                "node {node} is no member of pool {pool}: name another pool, or none, with the node"
            );
            Refusal::conflict("not_a_member", text).with(json!({"node": node, "pool": pool}))
        }
    }
}
