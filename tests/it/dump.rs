//! What a reader is shown: the whole, or what changed since it last looked.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bed::{Backend, Bed, ip, key, peer, peers, public_key};

const PSK: &str = "WGUQw8lQx/h7nNsJj8shlbgShp2jr3u4jXHBWsPILsU=";

fn since(bed: &Bed, cursor: &Value) -> Value {
    bed.get(&format!("/dump?since={}", cursor.as_str().unwrap()))
}

fn keys(dump: &Value) -> Vec<Value> {
    let peers = dump["peers"].as_array().unwrap();
    peers
        .iter()
        .map(|peer| peer["public_key"].clone())
        .collect()
}

#[test]
fn a_dump_has_the_shape_of_the_contract() {
    let bed = Bed::start();
    let mut full = peer(1, &["10.0.1.2/32"]);
    full["endpoint"] = json!("192.0.2.4:51820");
    full["persistent_keepalive"] = json!(25);
    full["preshared_key"] = json!(PSK);
    bed.client.post(&bed.path("/peers"), &full);
    bed.add(&key(2), &[]);

    let mut dump = bed.dump();

    let cursor = dump.as_object_mut().unwrap().remove("cursor").unwrap();
    assert!(cursor.is_string());
    let mut shown = [
        json!({
            "public_key": key(1), "endpoint": "192.0.2.4:51820", "allowed_ips": ["10.0.1.2/32"],
            "latest_handshake": null, "transfer_rx": 0, "transfer_tx": 0,
            "persistent_keepalive": 25, "has_preshared_key": true,
        }),
        json!({
            "public_key": key(2), "endpoint": null, "allowed_ips": [],
            "latest_handshake": null, "transfer_rx": 0, "transfer_tx": 0,
            "persistent_keepalive": 0, "has_preshared_key": false,
        }),
    ];
    if public_key(2) < public_key(1) {
        shown.reverse();
    }
    // A keepalive makes the device knock at the endpoint at once, and count that.
    for peer in dump["peers"].as_array_mut().unwrap() {
        if peer["public_key"] == key(1) {
            peer["transfer_tx"] = json!(0);
        }
    }
    let expected = json!({
        "interface": bed.name.as_str(), "peers": shown, "generation": null, "digest": bed.digest()["digest"],
    });
    assert_eq!(dump, expected);
}

#[test]
fn a_lease_shows_when_it_ends() {
    let bed = Bed::start();
    let mut lease = peer(1, &["10.0.1.2/32"]);
    lease["expires_at"] = json!(4_000_000_000_u64);

    bed.client.post(&bed.path("/peers"), &lease);

    assert_eq!(bed.dump()["peers"][0]["expires_at"], 4_000_000_000_u64);
}

#[test]
fn a_reader_with_a_cursor_is_told_only_what_changed() {
    let bed = Bed::start();
    let set = json!({ "generation": 1, "peers": peers(1..=4) });
    bed.full_set(&set);
    let cursor = bed.dump()["cursor"].clone();

    let nothing = since(&bed, &cursor);
    assert_eq!((&nothing["full"], keys(&nothing)), (&json!(false), vec![]));
    assert_eq!(nothing["removed"], json!([]));

    bed.update(&key(2), &json!({ "persistent_keepalive": 5 }));
    bed.delete(&key(3));
    bed.add(&key(5), &[&ip(5)]);

    let news = since(&bed, &cursor);
    let mut expected = [key(2), key(5)].map(Value::from);
    expected.sort_by_key(|key| protocol::PublicKey::parse(key.as_str().unwrap()).unwrap());
    assert_eq!(
        (&news["full"], keys(&news)),
        (&json!(false), expected.to_vec())
    );
    assert_eq!(news["removed"], json!([key(3)]));
    assert_eq!(news["digest"], bed.digest()["digest"]);
    assert_eq!(news["generation"], 1);
    assert_eq!(keys(&since(&bed, &news["cursor"])), [""; 0]);
}

#[test]
fn what_somebody_else_changed_is_told_as_well() {
    let bed = Bed::start();
    bed.add(&key(1), &[&ip(1)]);
    let cursor = bed.dump()["cursor"].clone();

    bed.hand.put_foreign(&public_key(2), &[&ip(2)]);
    bed.hand.remove(&public_key(1));

    let news = since(&bed, &cursor);
    assert_eq!(
        (&news["full"], keys(&news)),
        (&json!(false), vec![json!(key(2))])
    );
    assert_eq!(news["removed"], json!([key(1)]));
}

#[test]
fn a_peer_that_left_and_came_back_is_not_told_as_removed() {
    let bed = Bed::start();
    bed.add(&key(1), &[&ip(1)]);
    let cursor = bed.dump()["cursor"].clone();

    bed.delete(&key(1));
    bed.add(&key(1), &[&ip(1)]);

    let news = since(&bed, &cursor);
    assert_eq!(keys(&news), [key(1)]);
    assert_eq!(news["removed"], json!([]));
}

#[test]
fn a_cursor_that_is_not_known_gives_everything() {
    let mut bed = Bed::start();
    bed.add(&key(1), &[&ip(1)]);
    let cursor = bed.dump()["cursor"].clone();
    let ahead = format!("{}9999", cursor.as_str().unwrap());

    for unknown in ["", "nonsense", "0.0", "00000000.1", "%2E", &ahead] {
        let dump = bed.get(&format!("/dump?since={unknown}"));
        assert_eq!(
            (&dump["full"], keys(&dump)),
            (&json!(true), vec![json!(key(1))]),
            "{unknown}"
        );
        assert_eq!(dump["removed"], json!([]), "{unknown}");
    }

    bed.restart();

    let dump = since(&bed, &cursor);
    assert_eq!(
        (&dump["full"], keys(&dump)),
        (&json!(true), vec![json!(key(1))])
    );
}

#[test]
fn handshakes_and_counters_are_shown_and_told_to_readers() {
    if !Bed::only_on(&[Backend::Memory]) {
        return;
    }
    let bed = Bed::start();
    bed.full_set(&json!({ "generation": 1, "peers": peers(1..=2) }));
    let before = bed.dump();
    let endpoint = protocol::Endpoint::parse("192.0.2.9:7").unwrap();

    bed.hand
        .memory
        .set_observed(&public_key(1), Some(endpoint), Some(1_700_000_000), 10, 20);

    let news = since(&bed, &before["cursor"]);
    assert_eq!(keys(&news), [key(1)]);
    let seen = &news["peers"][0];
    assert_eq!(seen["endpoint"], "192.0.2.9:7");
    assert_eq!(seen["latest_handshake"], 1_700_000_000);
    assert_eq!(
        (&seen["transfer_rx"], &seen["transfer_tx"]),
        (&json!(10), &json!(20))
    );
    assert_eq!(news["digest"], before["digest"]);
}

#[test]
fn the_digest_stands_for_what_is_desired_alone() {
    let bed = Bed::start();
    bed.add(&key(1), &[&ip(1)]);
    let digest = bed.digest();
    assert_eq!(bed.dump()["digest"], digest["digest"]);

    bed.update(&key(1), &json!({ "endpoint": "192.0.2.1:5" }));
    assert_eq!(bed.digest(), digest);

    bed.update(&key(1), &json!({ "preshared_key": PSK }));
    let with_psk = bed.digest();
    assert_ne!(with_psk, digest);
    assert_eq!(bed.dump()["digest"], with_psk["digest"]);

    bed.hand.put_foreign(&public_key(2), &[&ip(2)]);
    Bed::within(Duration::from_secs(1), "the digest to tell", || {
        bed.digest() != with_psk
    });
}

#[test]
fn head_is_get_without_a_body() {
    let bed = Bed::start();

    for target in [bed.path("/dump"), bed.path("/digest"), "/v1/health".into()] {
        let answer = bed.client.call("HEAD", &target, b"");
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{target}");
    }
}
