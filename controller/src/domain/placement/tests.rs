use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

mod properties;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_766_000_000, 0).unwrap()
}

fn rules(placement: Placement) -> Rules {
    Rules {
        placement,
        grace: TimeDelta::seconds(60),
        now: now(),
    }
}

/// A candidate that can take a peer: interface `n` of node `n`.
fn candidate(n: i64, weight: i32, node_peers: i64) -> Candidate {
    Candidate {
        interface: InterfaceId(n),
        node: NodeId(n),
        node_name: format!("node-{n}"),
        enabled: true,
        reachability: Reachability::Online,
        good_at: Some(now() - TimeDelta::seconds(5)),
        weight,
        max_peers: 0,
        node_peers,
        pool_member: true,
    }
}

fn chosen(candidates: &[Candidate], placement: Placement) -> Vec<i64> {
    let ranking = rank(candidates, rules(placement)).unwrap();
    ranking.chosen.iter().map(|interface| interface.0).collect()
}

fn reasons(candidates: &[Candidate], placement: Placement) -> BTreeMap<i64, Option<Reason>> {
    let ranked = Placer::new(candidates, rules(placement)).ranked();
    ranked
        .iter()
        .map(|ranked| (ranked.interface.0, ranked.reason))
        .collect()
}

#[test]
fn the_fewest_peers_per_weight_win() {
    let candidates = [
        candidate(1, 100, 50),
        candidate(2, 300, 120),
        candidate(3, 100, 41),
    ];

    assert_eq!(chosen(&candidates, Placement::One), [2]);
    assert_eq!(
        reasons(&candidates, Placement::One),
        BTreeMap::from([
            (1, Some(Reason::Loaded)),
            (2, None),
            (3, Some(Reason::Loaded))
        ])
    );
}

#[test]
fn ties_go_to_the_lowest_node_and_then_the_lowest_interface() {
    let mut candidates = [
        candidate(9, 100, 10),
        candidate(4, 300, 30),
        candidate(5, 10, 1),
    ];
    assert_eq!(chosen(&candidates, Placement::One), [4]);
    assert_eq!(reasons(&candidates, Placement::One)[&9], Some(Reason::Tied));

    candidates[0].node = NodeId(4);
    candidates[0].node_peers = 30;
    candidates[0].weight = 300;
    candidates[0].interface = InterfaceId(3);
    assert_eq!(chosen(&candidates, Placement::One), [3]);
}

#[test]
fn each_obstacle_is_named() {
    let long_ago = Some(now() - TimeDelta::seconds(61));
    let mut candidates: Vec<Candidate> = (1..=8).map(|n| candidate(n, 100, 7)).collect();
    candidates[0].enabled = false;
    candidates[1].weight = 0;
    candidates[2].max_peers = 7;
    candidates[3].pool_member = false;
    (candidates[4].reachability, candidates[4].good_at) = (Reachability::Offline, long_ago);
    (candidates[5].reachability, candidates[5].good_at) = (Reachability::Pending, None);
    candidates[6].max_peers = 8;
    candidates[7].node_peers = 8;

    assert_eq!(
        reasons(&candidates, Placement::One),
        BTreeMap::from([
            (1, Some(Reason::Disabled)),
            (2, Some(Reason::Drained)),
            (3, Some(Reason::Full)),
            (4, Some(Reason::NotInPool)),
            (5, Some(Reason::Unreachable)),
            (6, Some(Reason::Unreachable)),
            (7, None),
            (8, Some(Reason::Loaded)),
        ])
    );
}

#[test]
fn a_node_that_answered_a_moment_ago_still_takes_peers() {
    let mut silent = candidate(1, 100, 0);
    silent.reachability = Reachability::Error;
    silent.good_at = Some(now() - TimeDelta::seconds(60));

    assert_eq!(chosen(&[silent], Placement::One), [1]);
}

#[test]
fn all_takes_every_member_that_people_let_take_peers_reachable_or_not() {
    let mut candidates: Vec<Candidate> = (1..=6).map(|n| candidate(n, 100, 7)).collect();
    (candidates[0].reachability, candidates[0].good_at) = (Reachability::Offline, None);
    candidates[1].weight = 0;
    candidates[2].max_peers = 7;
    candidates[3].enabled = false;
    candidates[4].pool_member = false;

    assert_eq!(chosen(&candidates, Placement::All), [1, 6]);
    assert_eq!(
        reasons(&candidates, Placement::All),
        BTreeMap::from([
            (1, None),
            (2, Some(Reason::Drained)),
            (3, Some(Reason::Full)),
            (4, Some(Reason::Disabled)),
            (5, Some(Reason::NotInPool)),
            (6, None),
        ])
    );
}

#[test]
fn all_means_all_nodes_and_not_every_interface_of_each() {
    let mut candidates = [
        candidate(1, 100, 0),
        candidate(2, 100, 0),
        candidate(3, 100, 0),
    ];
    candidates[1].node = NodeId(1);

    assert_eq!(chosen(&candidates, Placement::All), [1, 3]);
    assert_eq!(
        reasons(&candidates, Placement::All)[&2],
        Some(Reason::SameNode)
    );
}

#[test]
fn when_nobody_can_the_reasons_are_counted() {
    let mut candidates: Vec<Candidate> = (1..=4).map(|n| candidate(n, 0, 0)).collect();
    candidates[3].enabled = false;

    let refused = rank(&candidates, rules(Placement::One)).unwrap_err();

    assert_eq!(
        refused.to_string(),
        "no node can take a peer: 3 weight 0, 1 disabled"
    );
    let nobody = rank(&[], rules(Placement::All)).unwrap_err();
    assert_eq!(
        nobody.to_string(),
        "no node can take a peer: none serves its network"
    );
}

#[test]
fn an_explanation_stays_small_in_a_large_fleet() {
    let mut candidates: Vec<Candidate> = (1..=1000).map(|n| candidate(n, 100, n % 4)).collect();
    for drained in &mut candidates[500..] {
        drained.weight = 0;
    }

    let explanation = rank(&candidates, rules(Placement::One))
        .unwrap()
        .explanation;

    assert_eq!(explanation.named.len(), 10);
    assert_eq!(explanation.named[0].interface, InterfaceId(4));
    assert_eq!(explanation.named[0].reason, None);
    let others: Vec<(Reason, usize)> = explanation
        .others
        .iter()
        .map(|tally| (tally.reason, tally.candidates))
        .collect();
    assert_eq!(
        others,
        [
            (Reason::Tied, 115),
            (Reason::Loaded, 375),
            (Reason::Drained, 500)
        ]
    );
    let json = serde_json::to_string(&explanation).unwrap();
    assert!(json.len() < 3000, "{} bytes", json.len());
    assert_eq!(
        serde_json::from_str::<Explanation>(&json).unwrap(),
        explanation
    );
}

#[test]
fn members_left_out_are_named_before_those_chosen() {
    let mut candidates: Vec<Candidate> = (1..=30).map(|n| candidate(n, 100, 0)).collect();
    candidates[20].weight = 0;
    candidates[25].pool_member = false;

    let explanation = rank(&candidates, rules(Placement::All))
        .unwrap()
        .explanation;

    assert_eq!(explanation.chosen, 28);
    assert_eq!(explanation.named[0].interface, InterfaceId(21));
    assert_eq!(explanation.named[0].reason, Some(Reason::Drained));
    assert_eq!(explanation.named[1].reason, None);
    assert_eq!(
        explanation.others,
        [Tally {
            reason: Reason::NotInPool,
            candidates: 1
        }]
    );
}

#[test]
fn placements_are_read_as_they_are_written() {
    for placement in [Placement::One, Placement::All] {
        assert_eq!(Placement::parse(placement.as_str()), Ok(placement));
    }
    assert_eq!(Placement::parse("some"), Err(PlacementError));
}
