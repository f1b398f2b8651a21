//! What makes a fleet degraded or critical, and what does not.

use proptest::prelude::*;

use super::*;

fn codes(facts: &Facts) -> Vec<&'static str> {
    judge(facts).iter().map(|reason| reason.code).collect()
}

fn nodes(online: i64, offline: i64, error: i64) -> Facts {
    Facts {
        nodes: Nodes {
            total: online + offline + error,
            online,
            offline,
            error,
            ..Nodes::default()
        },
        ..Facts::default()
    }
}

#[test]
fn a_fleet_without_anything_is_well() {
    let reasons = judge(&Facts::default());

    assert_eq!(reasons, []);
    assert_eq!(overall(&reasons), Overall::Ok);
}

#[test]
fn one_node_of_two_that_is_away_degrades_and_the_last_one_is_critical() {
    assert_eq!(codes(&nodes(1, 1, 0)), ["nodes_offline"]);
    assert_eq!(overall(&judge(&nodes(1, 1, 0))), Overall::Degraded);

    assert_eq!(
        codes(&nodes(0, 1, 1)),
        ["no_node_online", "nodes_offline", "nodes_in_error"]
    );
    assert_eq!(overall(&judge(&nodes(0, 1, 1))), Overall::Critical);
}

#[test]
fn nodes_that_are_new_or_disabled_are_not_judged() {
    let facts = Facts {
        nodes: Nodes {
            total: 4,
            pending: 2,
            disabled: 2,
            ..Nodes::default()
        },
        ..Facts::default()
    };

    assert_eq!(judge(&facts), []);
}

#[test]
fn a_pool_whose_peers_nobody_serves_is_named() {
    let mut facts = nodes(1, 0, 0);
    facts.pools.without_online_node = vec!["eu".into()];

    let reasons = judge(&facts);

    assert_eq!(overall(&reasons), Overall::Critical);
    assert!(reasons[0].text.contains("pool eu"), "{reasons:?}");
}

#[test]
fn an_interface_is_behind_for_a_while_before_that_counts() {
    let behind = |behind_s| Facts {
        interfaces: Interfaces {
            total: 3,
            behind: 1,
            behind_s: Some(behind_s),
            ..Interfaces::default()
        },
        ..Facts::default()
    };

    assert_eq!(judge(&behind(60)), []);
    let late = judge(&behind(61));
    assert_eq!(late[0].text, "1 interface is behind, for up to 61 s");
    assert_eq!(overall(&late), Overall::Degraded);
}

#[test]
fn what_hangs_and_what_is_strange_degrades() {
    let facts = Facts {
        interfaces: Interfaces {
            total: 9,
            failing: 2,
            down: 1,
            with_unknown_peers: 1,
            with_new_keys: 1,
            ..Interfaces::default()
        },
        peers: Peers {
            total: 7,
            unknown: 3,
            ..Peers::default()
        },
        ..Facts::default()
    };

    let reasons = judge(&facts);

    let texts: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "1 interface is down or missing",
            "2 interfaces are not taking changes",
            "1 interface has another key than peers were told",
            "3 peers are unknown here, on 1 interface",
        ]
    );
    assert_eq!(overall(&reasons), Overall::Degraded);
}

proptest! {
    #[test]
    fn the_worst_reason_comes_first_and_is_the_word_for_all(
        online in 0i64..3, offline in 0i64..3, error in 0i64..3, down in 0i64..3, failing in 0i64..3,
        dark in proptest::collection::vec("[a-z]{1,3}", 0..3),
    ) {
        let mut facts = nodes(online, offline, error);
        facts.interfaces.down = down;
        facts.interfaces.failing = failing;
        facts.pools.without_online_node = dark;

        let reasons = judge(&facts);

        prop_assert!(reasons.is_sorted_by(|a, b| a.level >= b.level));
        prop_assert_eq!(overall(&reasons), reasons.first().map_or(Overall::Ok, |worst| worst.level));
        prop_assert_eq!(reasons.is_empty(), offline + error + down + failing == 0 && facts.pools.without_online_node.is_empty());
    }
}
