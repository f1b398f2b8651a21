//! The whole desired set at once, and the guard against losing many peers by mistake.

use serde_json::{Value, json};

use super::{at_one, in_sync};
use crate::bed::{Bed, ip, key, peer, peers, public_key};

fn holding(count: u32) -> Bed {
    let bed = Bed::start();
    let set = json!({ "generation": 1, "peers": peers(1..=count) });
    assert_eq!(bed.full_set(&set).status, 200);
    bed
}

fn guarded(set: &Value, bed: &Bed, count: usize) {
    let before = bed.state();
    let refused = bed.full_set(set);
    assert_eq!(refused.code(), (409, "mass_removal".into()), "{refused:?}");
    assert_eq!(refused.json()["count"], count);
    assert_eq!(bed.state(), before);
}

#[test]
fn a_full_set_replaces_what_is_managed() {
    let bed = at_one();
    let set = json!({ "generation": 2, "peers": [peer(2, &["10.7.0.0/16"]), peer(3, &[&ip(2)])] });

    let done = bed.full_set(&set);

    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(in_sync(&done), bed.digest());
    let held = bed.hand.peers();
    assert_eq!(held.len(), 2);
    assert_eq!(held[&public_key(2)].allowed_ips, ["10.7.0.0/16"]);
    assert_eq!(held[&public_key(3)].allowed_ips, [ip(2)]);
}

#[test]
fn a_full_set_goes_backwards_only_from_the_generation_it_names() {
    let bed = holding(2);
    let at_nine = json!({ "generation": 9, "peers": peers(1..=2) });
    assert_eq!(bed.full_set(&at_nine).status, 200);
    let before = bed.state();

    for base in [Value::Null, json!(3), json!(8), json!(10)] {
        let back = json!({ "generation": 4, "base_generation": base, "peers": peers(1..=3) });
        let refused = bed.full_set(&back);
        assert_eq!(
            refused.code(),
            (409, "generation_mismatch".into()),
            "{base}"
        );
        assert_eq!(in_sync(&refused), before.digest);
    }
    let zero = json!({ "generation": 0, "base_generation": 9, "peers": [] });
    assert_eq!(bed.full_set(&zero).status, 422);
    assert_eq!(bed.state(), before);

    let back = json!({ "generation": 4, "base_generation": 9, "peers": peers(1..=3) });
    assert_eq!(bed.full_set(&back).status, 200);
    assert_eq!(bed.digest()["generation"], 4);
    let same = json!({ "generation": 4, "peers": peers(1..=2) });
    assert_eq!(bed.full_set(&same).status, 200);
}

#[test]
fn a_full_set_with_a_bad_entry_changes_nothing() {
    let bed = holding(2);
    let before = bed.state();
    let sets = [
        json!({ "generation": 2, "peers": [peer(1, &[]), peer(1, &[])] }),
        json!({ "generation": 2, "peers": [peer(3, &[&ip(3)]), peer(4, &[&ip(3)])] }),
        json!({ "generation": 2, "peers": [peer(3, &["x"])] }),
        json!({ "generation": 2 }),
        json!({ "peers": [] }),
    ];

    for set in sets {
        let refused = bed.full_set(&set);
        assert!(matches!(refused.status, 409 | 422), "{set}: {refused:?}");
    }
    assert_eq!(bed.state(), before);
}

#[test]
fn ten_peers_may_go_unasked_and_eleven_may_not() {
    let bed = holding(30);
    guarded(
        &json!({ "generation": 2, "peers": peers(1..=19) }),
        &bed,
        11,
    );
    guarded(
        &json!({ "generation": 2, "peers": peers(1..=19), "allow_removals": 10 }),
        &bed,
        11,
    );

    let ten = json!({ "generation": 2, "peers": peers(1..=20) });
    assert_eq!(bed.full_set(&ten).status, 200);
    let meant = json!({ "generation": 3, "peers": peers(1..=3), "allow_removals": 17 });
    assert_eq!(bed.full_set(&meant).status, 200);

    assert_eq!(bed.hand.peers().len(), 3);
}

#[test]
fn a_fifth_of_many_peers_may_go_unasked() {
    let bed = holding(64);
    guarded(
        &json!({ "generation": 2, "peers": peers(1..=51) }),
        &bed,
        13,
    );

    let fifth = json!({ "generation": 2, "peers": peers(1..=52) });

    assert_eq!(bed.full_set(&fifth).status, 200);
    assert_eq!(bed.hand.peers().len(), 52);
}

#[test]
fn a_set_is_not_emptied_unasked() {
    let bed = holding(1);
    guarded(&json!({ "generation": 2, "peers": [] }), &bed, 1);
    guarded(
        &json!({ "generation": 2, "peers": [], "allow_removals": 0 }),
        &bed,
        1,
    );

    let meant = json!({ "generation": 2, "peers": [], "allow_removals": 1 });
    assert_eq!(bed.full_set(&meant).status, 200);
    assert!(bed.hand.peers().is_empty());

    let nothing_to_lose = json!({ "generation": 3, "peers": [] });
    assert_eq!(bed.full_set(&nothing_to_lose).status, 200);
}

#[test]
fn a_peer_that_loses_its_last_prefix_counts_as_lost() {
    let bed = holding(14);
    let mut left: Vec<Value> = (1..=6).map(|n| peer(n, &[])).collect();
    left.extend(peers(12..=14));

    let set = json!({ "generation": 2, "peers": left });

    guarded(&set, &bed, 11);
}

#[test]
fn foreign_peers_count_where_they_are_to_go() {
    let bed = holding(5);
    for n in 100..112 {
        bed.hand.put_foreign(&public_key(n), &[&ip(n)]);
    }
    let set = json!({ "generation": 2, "peers": peers(1..=5) });
    let path = bed.path("/peers?foreign=remove");
    let before = bed.state();

    let refused = bed.client.put(&path, &set);
    assert_eq!(refused.code(), (409, "mass_removal".into()));
    assert_eq!(refused.json()["count"], 12);
    assert_eq!(bed.state(), before);

    let meant = json!({ "generation": 2, "peers": peers(1..=5), "allow_removals": 12 });
    assert_eq!(bed.client.put(&path, &meant).status, 200);
    assert_eq!(bed.hand.peers().len(), 5);
}

#[test]
fn explicit_removals_are_not_guarded() {
    let bed = holding(12);
    let all: Vec<String> = (1..=12).map(key).collect();

    let batch = json!({ "base_generation": 1, "generation": 2, "remove": all });

    assert_eq!(bed.batch(&batch).status, 200);
    assert!(bed.hand.peers().is_empty());
}

#[test]
fn a_full_set_may_be_larger_than_any_other_body() {
    let bed = holding(1);
    let prefixes = |n: u32| (0..100).map(move |i| format!("2001:db8:{n:x}:{i:x}::/64"));
    let large: Vec<Value> = (1..=500)
        .map(|n| json!({ "public_key": key(n), "allowed_ips": prefixes(n).collect::<Vec<_>>() }))
        .collect();
    let set = json!({ "generation": 2, "peers": large });
    assert!(set.to_string().len() > 1 << 20);

    let done = bed.full_set(&set);

    assert_eq!(done.status, 200, "{:?}", done.code());
    assert_eq!(bed.hand.peers().len(), 500);
    assert_eq!(bed.digest()["peers"], 500);
}
