//! Peers that somebody else put into the device: shown, respected, taken in, removed when asked.

use serde_json::{Value, json};

use crate::bed::{Bed, key, peer, public_key};

fn with_a_stranger() -> Bed {
    let bed = Bed::start();
    bed.add(&key(1), &["10.0.1.1/32"]);
    bed.hand.put_foreign(&public_key(2), &["10.0.1.2/32"]);
    bed.dump();
    bed
}

fn shown(bed: &Bed, n: u32) -> Value {
    let dump = bed.dump();
    let peers = dump["peers"].as_array().unwrap();
    let found = peers.iter().find(|peer| peer["public_key"] == key(n));
    found.cloned().unwrap_or(Value::Null)
}

fn counted(bed: &Bed) -> (Value, Value) {
    let health = bed.health();
    let interface = &health["interfaces"][0];
    (interface["peers"].clone(), interface["foreign"].clone())
}

#[test]
fn a_foreign_peer_is_shown_as_such_and_counted() {
    let bed = with_a_stranger();

    assert_eq!(shown(&bed, 2)["foreign"], true);
    assert_eq!(shown(&bed, 1).get("foreign"), None);
    assert_eq!(counted(&bed), (json!(2), json!(1)));
}

#[test]
fn a_foreign_peer_is_taken_in_by_adding_its_content() {
    let bed = with_a_stranger();
    let before = bed.state();

    let taken = bed.add(&key(2), &["10.0.1.2/32"]);

    assert_eq!(taken.status, 200, "{taken:?}");
    assert_eq!(shown(&bed, 2).get("foreign"), None);
    assert_eq!(counted(&bed), (json!(2), json!(0)));
    let after = bed.state();
    assert_eq!(after.device, before.device);
    assert_eq!(after.digest, before.digest);
    assert!(after.disk.peers.contains_key(&public_key(2)));
}

#[test]
fn taking_a_foreign_peer_in_does_not_touch_the_device() {
    if !Bed::only_on(&[crate::bed::Backend::Memory]) {
        return;
    }
    let bed = with_a_stranger();
    let updates = bed.hand.memory.updates();

    assert_eq!(bed.add(&key(2), &["10.0.1.2/32"]).status, 200);

    assert_eq!(bed.hand.memory.updates(), updates);
}

#[test]
fn a_foreign_peer_is_not_taken_in_with_other_content() {
    let bed = with_a_stranger();
    let before = bed.state();

    let refused = bed.add(&key(2), &["10.0.1.3/32"]);

    assert_eq!(refused.code(), (409, "peer_exists".into()));
    assert_eq!(bed.state(), before);
}

#[test]
fn a_foreign_peer_is_removed_by_name() {
    let bed = with_a_stranger();

    let removed = bed.delete(&key(2));

    assert_eq!(removed.status, 200, "{removed:?}");
    assert_eq!(
        bed.hand.peers().into_keys().collect::<Vec<_>>(),
        [public_key(1)]
    );
    assert_eq!(counted(&bed), (json!(1), json!(0)));
}

#[test]
fn a_prefix_of_a_foreign_peer_is_taken() {
    let bed = with_a_stranger();
    let before = bed.state();

    let refused = bed.add(&key(3), &["10.0.1.9/32", "10.0.1.2/32"]);

    assert_eq!(refused.code(), (409, "allowed_ip_taken".into()));
    assert_eq!(refused.json()["owner"], key(2));
    assert_eq!(bed.state(), before);
}

#[test]
fn batches_and_full_sets_leave_foreign_peers_alone() {
    let bed = with_a_stranger();

    let batch = json!({ "base_generation": null, "generation": 1, "remove": [key(2)] });
    assert_eq!(bed.batch(&batch).status, 200);
    assert_eq!(shown(&bed, 2)["foreign"], true);

    let set = json!({ "generation": 2, "peers": [peer(3, &["10.0.1.3/32"])] });
    assert_eq!(bed.full_set(&set).status, 200);
    assert_eq!(
        bed.hand
            .peers()
            .into_keys()
            .collect::<std::collections::BTreeSet<_>>(),
        [public_key(2), public_key(3)].into()
    );
    assert_eq!(shown(&bed, 2)["foreign"], true);
}

#[test]
fn a_full_set_removes_foreign_peers_when_told_to() {
    let bed = with_a_stranger();
    let set = json!({ "generation": 1, "peers": [peer(1, &["10.0.1.1/32"])] });

    let path = bed.path("/peers?foreign=remove");
    let done = bed.client.put(&path, &set);

    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(
        bed.hand.peers().into_keys().collect::<Vec<_>>(),
        [public_key(1)]
    );
    assert_eq!(counted(&bed), (json!(1), json!(0)));
}
