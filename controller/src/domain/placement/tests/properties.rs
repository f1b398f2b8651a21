//! What holds for every fleet: shares follow weights, many are placed as one by one, and what is
//! placed stays.

use super::*;

const PEERS: usize = 10_000;

prop_compose! {
    fn anyone(n: i64)(
        node in 1i64..12,
        weight in prop_oneof![1 => Just(0), 8 => 1i32..500],
        max_peers in prop_oneof![Just(0), 1i32..30],
        node_peers in 0i64..20,
        seen in prop_oneof![4 => Just(Reachability::Online), 1 => Just(Reachability::Offline)],
        silent_s in proptest::option::of(0i64..120),
        (enabled, pool_member) in (prop::bool::weighted(0.9), prop::bool::weighted(0.9)),
    ) -> Candidate {
        Candidate {
            node: NodeId(node),
            max_peers,
            reachability: seen,
            good_at: silent_s.map(|s| now() - TimeDelta::seconds(s)),
            enabled,
            pool_member,
            ..candidate(n, weight, node_peers)
        }
    }
}

/// Interfaces with ids of their own, in any order, several of them on one node.
fn fleet() -> impl Strategy<Value = Vec<Candidate>> {
    let ids: Vec<i64> = (1..20).collect();
    let some = proptest::sample::subsequence(ids, 0..15).prop_shuffle();
    some.prop_flat_map(|ids| ids.into_iter().map(anyone).collect::<Vec<_>>())
}

fn weights() -> impl Strategy<Value = Vec<i32>> {
    vec(prop_oneof![1i32..10, 1i32..1000, 1i32..=1_000_000], 1..=100)
}

fn empty_fleet(weights: &[i32]) -> Vec<Candidate> {
    (1..)
        .zip(weights)
        .map(|(n, weight)| candidate(n, *weight, 0))
        .collect()
}

/// Places so many peers on one node each, and says on which.
fn place(candidates: &[Candidate], peers: usize) -> Vec<NodeId> {
    let mut placer = Placer::new(candidates, rules(Placement::One));
    let node = |interface: InterfaceId| {
        candidates
            .iter()
            .find(|one| one.interface == interface)
            .unwrap()
            .node
    };
    (0..peers)
        .map(|_| node(placer.place().unwrap().chosen[0]))
        .collect()
}

fn count(homes: &[NodeId]) -> BTreeMap<NodeId, i64> {
    let mut counts = BTreeMap::new();
    for home in homes {
        *counts.entry(*home).or_default() += 1;
    }
    counts
}

fn with_counts(mut candidates: Vec<Candidate>, homes: &[NodeId]) -> Vec<Candidate> {
    let counts = count(homes);
    for candidate in &mut candidates {
        candidate.node_peers = counts.get(&candidate.node).copied().unwrap_or(0);
    }
    candidates
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// One peer is the grain: a share of 3.2 peers cannot be met to one percent.
    #[test]
    fn shares_of_ten_thousand_peers_are_within_one_percent_of_the_weights(weights in weights()) {
        let candidates = empty_fleet(&weights);
        let total: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();

        let counts = count(&place(&candidates, PEERS));

        for candidate in &candidates {
            let ideal = PEERS as f64 * f64::from(candidate.weight) / total;
            let got = counts.get(&candidate.node).copied().unwrap_or(0) as f64;
            prop_assert!(got >= ideal * 0.99 - 1e-6 && got < ideal + 1.0, "{got} of {ideal}");
        }
    }

    #[test]
    fn losing_a_node_moves_its_own_peers_alone_and_leaves_it_as_if_it_had_never_been(
        weights in weights().prop_filter("one stays", |weights| weights.len() > 1),
        lost: prop::sample::Index,
    ) {
        let all = empty_fleet(&weights);
        let homes = place(&all, PEERS);
        let lost = all[lost.index(all.len())].node;
        let rest: Vec<Candidate> = all.into_iter().filter(|one| one.node != lost).collect();
        let (movers, stayers): (Vec<NodeId>, Vec<NodeId>) = homes.iter().partition(|home| **home == lost);

        let moved = place(&with_counts(rest.clone(), &stayers), movers.len());

        let after: Vec<NodeId> = stayers.into_iter().chain(moved).collect();
        prop_assert_eq!(count(&after), count(&place(&rest, PEERS)));
    }
}

proptest! {
    #[test]
    fn many_are_placed_as_one_by_one(candidates in fleet(), all: bool, peers in 1usize..60) {
        let rules = rules(if all { Placement::All } else { Placement::One });
        let mut placer = Placer::new(&candidates, rules);
        let mut alone = candidates.clone();

        for _ in 0..peers {
            let in_bulk = placer.place();
            let single = rank(&alone, rules);
            let single_choice = single.map(|ranking| Choice {
                chosen: ranking.chosen,
                explanation: ranking.explanation,
            });
            prop_assert_eq!(&in_bulk, &single_choice);

            let Ok(choice) = in_bulk else { break };
            for interface in choice.chosen {
                let node = alone.iter().find(|one| one.interface == interface).unwrap().node;
                for one in alone.iter_mut().filter(|one| one.node == node) {
                    one.node_peers += 1;
                }
            }
        }
    }

    #[test]
    fn the_order_in_which_candidates_are_given_does_not_matter(candidates in fleet(), all: bool) {
        let rules = rules(if all { Placement::All } else { Placement::One });
        let mut sorted = candidates.clone();
        sorted.sort_by_key(|one| one.interface);

        prop_assert_eq!(rank(&candidates, rules), rank(&sorted, rules));
    }

    #[test]
    fn everybody_is_ranked_once_and_only_the_chosen_without_a_reason(candidates in fleet(), all: bool) {
        let Ok(ranking) = rank(&candidates, rules(if all { Placement::All } else { Placement::One })) else {
            return Ok(());
        };

        let without_reason: Vec<InterfaceId> =
            ranking.ranked.iter().filter(|one| one.reason.is_none()).map(|one| one.interface).collect();
        prop_assert_eq!(&without_reason, &ranking.chosen);
        let mut ranked: Vec<InterfaceId> = ranking.ranked.iter().map(|one| one.interface).collect();
        let mut given: Vec<InterfaceId> = candidates.iter().map(|one| one.interface).collect();
        ranked.sort();
        given.sort();
        prop_assert_eq!(ranked, given);
        let explanation = &ranking.explanation;
        let told: usize = explanation.others.iter().map(|tally| tally.candidates).sum();
        let unnamed_chosen = ranking.chosen.len() - explanation.named.iter().filter(|one| one.reason.is_none()).count();
        prop_assert_eq!(explanation.named.len() + told + unnamed_chosen, candidates.len());
    }

    #[test]
    fn no_node_gets_more_than_it_may_hold(candidates in fleet(), peers in 1usize..200) {
        let mut placer = Placer::new(&candidates, rules(Placement::One));
        let fits = |one: &Ranked| one.max_peers == 0 || one.peers < i64::from(one.max_peers);

        for _ in 0..peers {
            let best = placer.ranked().into_iter().next();
            let Ok(choice) = placer.place() else { break };
            let best = best.unwrap();
            prop_assert_eq!(&choice.chosen, &[best.interface]);
            prop_assert!(fits(&best) && best.weight > 0);
        }
    }
}
