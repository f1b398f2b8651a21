//! Many peers in one step: batches from one generation to the next.

use std::thread;

use protocol::{Digest, PeerConfig, PresharedKey};
use serde_json::{Value, json};

use crate::bed::{Backend, Bed, Response, ip, key, peer, peers, public_key};

mod full_set;
mod midway;

/// An interface at generation 1 with the peers 1 and 2.
fn at_one() -> Bed {
    let bed = Bed::start();
    let batch = json!({ "base_generation": null, "generation": 1, "upsert": peers(1..=2) });
    assert_eq!(bed.batch(&batch).status, 200);
    bed
}

/// Where an answer says that the interface stands.
fn in_sync(response: &Response) -> Value {
    let body = response.json();
    json!({ "generation": body["generation"], "digest": body["digest"], "peers": body["peers"] })
}

#[test]
fn a_batch_brings_the_interface_to_its_generation() {
    let bed = at_one();
    let batch = json!({
        "base_generation": 1, "generation": 5,
        "upsert": [peer(2, &[&ip(2), "10.8.0.0/16"]), peer(3, &[&ip(3)])],
        "remove": [key(1)],
    });

    let done = bed.batch(&batch);

    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(done.json()["status"], "success");
    assert_eq!(in_sync(&done), bed.digest());
    assert_eq!(bed.digest()["generation"], 5);
    let held = bed.hand.peers();
    assert_eq!(
        held.keys().collect::<std::collections::BTreeSet<_>>(),
        [&public_key(2), &public_key(3)].into()
    );
    assert_eq!(
        held[&public_key(2)].allowed_ips,
        ["10.8.0.0/16".to_owned(), ip(2)]
    );
}

#[test]
fn the_digest_is_that_of_the_contract() {
    let bed = Bed::start();
    let psk = PresharedKey::from_bytes([9; 32]).unwrap();
    let mut first = peer(1, &["10.0.1.0/24", "fd00::/64"]);
    first["persistent_keepalive"] = json!(25);
    first["preshared_key"] = json!(psk.reveal());
    let batch = json!({ "base_generation": 0, "generation": 1, "upsert": [first, peer(2, &[])] });

    let done = bed.batch(&batch);

    let cidr = |text: &str| protocol::Cidr::parse(text).unwrap();
    let config = PeerConfig {
        allowed_ips: ["10.0.1.0/24", "fd00::/64"].map(cidr).into_iter().collect(),
        persistent_keepalive: 25,
        preshared_key: Some(psk),
    };
    let empty = PeerConfig::default();
    let digest = Digest::of([(&public_key(1), &config), (&public_key(2), &empty)]);
    assert_eq!(
        in_sync(&done),
        json!({ "generation": 1, "digest": digest.to_string(), "peers": 2 })
    );
}

#[test]
fn the_first_batch_follows_null_or_zero_and_nothing_else() {
    let bed = Bed::start();
    assert_eq!(bed.digest()["generation"], Value::Null);

    let wrong = json!({ "base_generation": 3, "generation": 4 });
    let refused = bed.batch(&wrong);
    assert_eq!(refused.code(), (409, "generation_mismatch".into()));
    assert_eq!(in_sync(&refused), bed.digest());

    let zero = json!({ "base_generation": 0, "generation": 1 });
    assert_eq!(bed.batch(&zero).status, 200);
    let refused = bed.batch(&json!({ "base_generation": null, "generation": 2 }));
    assert_eq!(refused.code(), (409, "generation_mismatch".into()));
    assert_eq!(bed.digest()["generation"], 1);
}

#[test]
fn a_batch_for_another_generation_is_told_where_the_interface_stands() {
    let bed = at_one();
    let before = bed.state();

    for base in [0, 2, 100] {
        let batch = json!({ "base_generation": base, "generation": 200, "upsert": peers([3]), "remove": [key(1)] });
        let refused = bed.batch(&batch);

        assert_eq!(refused.code(), (409, "generation_mismatch".into()));
        assert_eq!(in_sync(&refused), before.digest);
    }
    assert_eq!(bed.state(), before);
}

#[test]
fn a_batch_that_does_not_move_on_is_refused() {
    let bed = at_one();
    let before = bed.state();

    for generation in [0, 1] {
        let batch = json!({ "base_generation": 1, "generation": generation, "upsert": peers([3]) });
        assert_eq!(bed.batch(&batch).status, 422, "{generation}");
    }
    assert_eq!(bed.state(), before);
}

#[test]
fn one_bad_entry_keeps_the_whole_batch_out() {
    let bed = at_one();
    let before = bed.state();
    let bad_entries = [
        (json!({ "public_key": key(9) }), 422),
        (peer(9, &["10.0.0.0/40"]), 422),
        (
            json!({ "public_key": crate::bed::own_key(), "allowed_ips": [] }),
            422,
        ),
        (peer(9, &[&ip(1)]), 409),
        (peer(9, &[&ip(3)]), 409),
        (peer(3, &[&ip(9)]), 422),
    ];

    for (bad, status) in bad_entries {
        let batch = json!({
            "base_generation": 1, "generation": 2,
            "upsert": [peer(3, &[&ip(3)]), bad], "remove": [key(2)],
        });
        let refused = bed.batch(&batch);
        assert_eq!(refused.status, status, "{bad}: {refused:?}");
    }
    assert_eq!(bed.state(), before);
}

#[test]
fn a_key_named_twice_or_in_both_lists_is_refused() {
    let bed = at_one();
    let before = bed.state();
    let batches = [
        json!({ "base_generation": 1, "generation": 2, "upsert": [peer(3, &[]), peer(3, &[])] }),
        json!({ "base_generation": 1, "generation": 2, "remove": [key(1), key(1)] }),
        json!({ "base_generation": 1, "generation": 2, "upsert": peers([1]), "remove": [key(1)] }),
    ];

    for batch in batches {
        let refused = bed.batch(&batch);
        assert_eq!(refused.code(), (422, "named_twice".into()));
        assert!(refused.json()["error"].as_str().unwrap().contains("peer"));
    }
    assert_eq!(bed.state(), before);
}

#[test]
fn a_prefix_moves_and_two_are_swapped_in_one_batch() {
    let bed = at_one();

    let moved = json!({ "base_generation": 1, "generation": 2, "upsert": [peer(1, &[]), peer(3, &[&ip(1)])] });
    assert_eq!(bed.batch(&moved).status, 200);
    assert_eq!(bed.hand.peers()[&public_key(1)].allowed_ips, [""; 0]);
    assert_eq!(bed.hand.peers()[&public_key(3)].allowed_ips, [ip(1)]);

    let swapped = json!({ "base_generation": 2, "generation": 3, "upsert": [peer(2, &[&ip(1)]), peer(3, &[&ip(2)])] });
    assert_eq!(bed.batch(&swapped).status, 200);
    assert_eq!(bed.hand.peers()[&public_key(2)].allowed_ips, [ip(1)]);
    assert_eq!(bed.hand.peers()[&public_key(3)].allowed_ips, [ip(2)]);

    let inherited = json!({ "base_generation": 3, "generation": 4, "remove": [key(2)], "upsert": [peer(1, &[&ip(1)])] });
    assert_eq!(bed.batch(&inherited).status, 200);
    assert_eq!(bed.hand.peers()[&public_key(1)].allowed_ips, [ip(1)]);
    let digest = bed.digest();
    bed.hand.peers();
    assert_eq!(bed.dump()["digest"], digest["digest"]);
}

#[test]
fn entries_are_complete_and_what_they_leave_out_is_off() {
    let bed = at_one();
    bed.client.put(
        &bed.path(&format!("/peers/{}", crate::bed::encode(&key(1)))),
        &json!({ "persistent_keepalive": 25, "preshared_key": "WGUQw8lQx/h7nNsJj8shlbgShp2jr3u4jXHBWsPILsU=" }),
    );
    assert!(bed.hand.peers()[&public_key(1)].has_psk);

    let batch = json!({ "base_generation": 1, "generation": 2, "upsert": peers([1]) });
    assert_eq!(bed.batch(&batch).status, 200);

    let held = &bed.hand.peers()[&public_key(1)];
    assert_eq!((held.keepalive, held.has_psk), (0, false));
}

#[test]
fn removing_an_absent_key_is_no_error() {
    let bed = at_one();

    let batch = json!({ "base_generation": 1, "generation": 2, "remove": [key(1), key(77)] });

    assert_eq!(bed.batch(&batch).status, 200);
    assert_eq!(
        bed.hand.peers().into_keys().collect::<Vec<_>>(),
        [public_key(2)]
    );
}

#[test]
fn single_calls_leave_the_generation() {
    let bed = at_one();
    let digest = bed.digest()["digest"].clone();

    bed.add(&key(3), &[&ip(3)]);
    bed.update(&key(3), &json!({ "persistent_keepalive": 5 }));
    assert_eq!(bed.digest()["generation"], 1);
    assert_ne!(bed.digest()["digest"], digest);

    bed.delete(&key(3));
    assert_eq!(
        bed.digest(),
        json!({ "generation": 1, "digest": digest, "peers": 2 })
    );
}

#[test]
fn a_generation_survives_a_restart() {
    let mut bed = at_one();
    let before = bed.digest();

    bed.restart();

    assert_eq!(bed.digest(), before);
}

#[test]
fn every_caller_of_a_joint_commit_gets_its_own_verdict() {
    let bed = at_one();
    let calls: Vec<(u32, String, u16)> = (10..34)
        .map(|n| match n % 6 {
            0 => (n, ip(1), 409),
            _ => (n, ip(n), 201),
        })
        .collect();

    let statuses: Vec<u16> = thread::scope(|scope| {
        let running: Vec<_> = calls
            .iter()
            .map(|(n, ip, _)| {
                let bed = &bed;
                scope.spawn(move || bed.add(&key(*n), &[ip]).status)
            })
            .collect();
        running
            .into_iter()
            .map(|call| call.join().unwrap())
            .collect()
    });

    let expected: Vec<u16> = calls.iter().map(|(_, _, status)| *status).collect();
    assert_eq!(statuses, expected);
    let accepted = calls.iter().filter(|(_, _, status)| *status == 201);
    let held = bed.hand.peers();
    for (n, ip, _) in accepted.clone() {
        assert_eq!(held[&public_key(*n)].allowed_ips, std::slice::from_ref(ip));
    }
    assert_eq!(held.len(), 2 + accepted.count());
    assert_eq!(bed.remembered().peers.len(), held.len());
}

#[test]
fn a_peer_that_the_device_refuses_costs_the_others_nothing() {
    if !Bed::only_on(&[Backend::Memory]) {
        return;
    }
    let bed = at_one();
    let before = bed.hand.peers();
    bed.hand.memory.refuse(public_key(2), 22);

    let statuses: Vec<u16> = thread::scope(|scope| {
        let call = |n: u32| {
            let bed = &bed;
            scope.spawn(move || match n {
                2 => bed.update(&key(2), &json!({ "allowed_ips": [] })).status,
                n => bed.add(&key(n), &[&ip(n)]).status,
            })
        };
        let running: Vec<_> = (10..18).chain([2]).chain(18..26).map(call).collect();
        running
            .into_iter()
            .map(|call| call.join().unwrap())
            .collect()
    });

    let expected: Vec<u16> = (0..17).map(|n| if n == 8 { 422 } else { 201 }).collect();
    assert_eq!(statuses, expected);
    let held = bed.hand.peers();
    assert_eq!(held[&public_key(2)], before[&public_key(2)]);
    for n in 10..26 {
        assert_eq!(held[&public_key(n)].allowed_ips, [ip(n)]);
    }
    assert!(bed.remembered().peers.keys().eq(held.keys()));
}
