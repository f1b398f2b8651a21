//! Where the next peers of a pool would go, and why: decided as for real, and not done.

use std::collections::BTreeMap;

use super::super::{Fleet, FleetError, Result};
use super::place::candidate;
use crate::clock;
use crate::db::placements;
use crate::db::pools::Pool;
use crate::domain::ids::{InterfaceId, NetworkId};
use crate::domain::placement::{Candidate, NoCandidate, Placement, Placer, Ranked, Rules};

#[derive(Debug)]
pub struct Preview {
    /// Who was considered, as they stood before the first peer, the best first; with how many peers each would get.
    pub ranked: Vec<(Ranked, u32)>,
    /// How many find a place.
    pub placed: u32,
    /// Why the next one would find none.
    pub ended: Option<NoCandidate>,
}

/// Places so many peers of a network that name this pool.
pub async fn of_pool(
    fleet: &Fleet,
    pool: &Pool,
    network: NetworkId,
    peers: u32,
) -> Result<Preview> {
    let placement =
        Placement::parse(&pool.placement).map_err(|_| FleetError::Corrupt("pools.placement"))?;
    let members = pool.members.iter().map(|node| (pool.id, *node)).collect();
    let rows = placements::candidates(&fleet.pool, network)
        .await?
        .into_iter();
    let candidates: Result<Vec<Candidate>> = rows
        .map(|row| candidate(row, Some(pool.id), &members, &BTreeMap::new()))
        .collect();
    let rules = Rules {
        placement,
        grace: fleet.settings.placement_grace,
        now: clock::now(),
    };
    Ok(place(&candidates?, rules, peers))
}

fn place(candidates: &[Candidate], rules: Rules, peers: u32) -> Preview {
    let mut placer = Placer::new(candidates, rules);
    let ranked = placer.ranked();
    let mut got: BTreeMap<InterfaceId, u32> = BTreeMap::new();
    let mut preview = Preview {
        ranked: Vec::new(),
        placed: 0,
        ended: None,
    };
    for _ in 0..peers {
        match placer.place() {
            Ok(choice) => {
                preview.placed += 1;
                for interface in choice.chosen {
                    *got.entry(interface).or_default() += 1;
                }
            }
            Err(err) => {
                preview.ended = Some(err);
                break;
            }
        }
    }
    let gets = |one: Ranked| {
        let count = got.get(&one.interface).copied().unwrap_or(0);
        (one, count)
    };
    preview.ranked = ranked.into_iter().map(gets).collect();
    preview
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::domain::ids::NodeId;
    use crate::domain::reachability::Reachability;

    fn node(id: i64, weight: i32, max_peers: i32) -> Candidate {
        Candidate {
            interface: InterfaceId(id),
            node: NodeId(id),
            node_name: format!("node-{id}"),
            enabled: true,
            reachability: Reachability::Online,
            good_at: None,
            weight,
            max_peers,
            node_peers: 0,
            pool_member: true,
        }
    }

    fn preview(candidates: &[Candidate]) -> (Vec<u32>, u32, bool) {
        let rules = Rules {
            placement: Placement::One,
            grace: TimeDelta::zero(),
            now: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        };
        let mut preview = place(candidates, rules, 100);
        preview.ranked.sort_by_key(|(one, _)| one.node);
        let shares = preview.ranked.iter().map(|(_, peers)| *peers);
        (shares.collect(), preview.placed, preview.ended.is_some())
    }

    #[test]
    fn peers_go_by_weight_until_nobody_has_room() {
        assert_eq!(
            preview(&[node(1, 300, 0), node(2, 100, 0), node(3, 0, 0)]),
            (vec![75, 25, 0], 100, false)
        );
        assert_eq!(
            preview(&[node(1, 100, 30), node(2, 100, 0)]),
            (vec![30, 70], 100, false)
        );
        assert_eq!(preview(&[node(1, 100, 30)]), (vec![30], 30, true));
        assert_eq!(preview(&[]), (vec![], 0, true));
    }
}
