//! Peers, one by one: added, changed, removed, and what is refused.

use serde_json::json;

use crate::bed::{Bed, Held, awkward_keys, encode, key, peer, public_key};

mod foreign;
mod refusals;

const PSK: &str = "WGUQw8lQx/h7nNsJj8shlbgShp2jr3u4jXHBWsPILsU=";

#[test]
fn a_peer_is_added_shown_changed_and_removed() {
    let bed = Bed::start();

    let added = bed.add(&key(1), &["10.0.1.2/32"]);
    assert_eq!(added.status, 201);
    assert_eq!(
        added.text(),
        format!(
            r#"{{"status":"success","message":"Peer added successfully","peer":{{"public_key":"{}","allowed_ips":["10.0.1.2/32"]}}}}"#,
            key(1)
        )
    );
    assert_eq!(bed.peers(), [(key(1), vec!["10.0.1.2/32".to_owned()])]);

    let updated = bed.update(
        &key(1),
        &json!({ "allowed_ips": ["10.0.1.3/32"], "persistent_keepalive": 25 }),
    );
    assert_eq!(
        (updated.status, updated.text().as_str()),
        (
            200,
            r#"{"status":"success","message":"Peer updated successfully"}"#
        )
    );
    let peer = &bed.dump()["peers"][0];
    assert_eq!(peer["allowed_ips"], json!(["10.0.1.3/32"]));
    assert_eq!(peer["persistent_keepalive"], 25);

    let removed = bed.delete(&key(1));
    assert_eq!(
        (removed.status, removed.text().as_str()),
        (
            200,
            r#"{"status":"success","message":"Peer removed successfully"}"#
        )
    );
    assert_eq!(bed.peers(), []);
    assert_eq!(bed.delete(&key(1)).status, 200);
    assert!(bed.hand.peers().is_empty());
}

#[test]
fn keys_with_slashes_and_pluses_work_in_every_spelling() {
    let bed = Bed::start();
    for awkward in awkward_keys() {
        let spellings = [
            encode(&awkward),
            awkward.clone(),
            awkward.trim_end_matches('=').to_owned(),
            awkward.replace('/', "_").replace('+', "-"),
            awkward.replace('/', "_").replace('+', "-").replace('=', ""),
        ];
        for spelling in spellings {
            assert_eq!(bed.add(&awkward, &["10.0.1.2/32"]).status, 201);
            let path = bed.path(&format!("/peers/{spelling}"));

            let updated = bed.client.put(&path, &json!({ "persistent_keepalive": 7 }));
            assert_eq!(updated.status, 200, "{path}: {updated:?}");
            assert_eq!(bed.dump()["peers"][0]["persistent_keepalive"], 7);

            let removed = bed.client.delete(&path);
            assert_eq!(removed.status, 200, "{path}: {removed:?}");
            assert_eq!(bed.peers(), []);
        }
    }
}

#[test]
fn adding_the_same_content_again_is_success_and_other_content_is_refused() {
    let bed = Bed::start();
    let mut body = peer(1, &["10.0.1.2/32", "10.0.2.0/24"]);
    body["persistent_keepalive"] = json!(25);
    assert_eq!(bed.client.post(&bed.path("/peers"), &body).status, 201);
    let before = bed.state();

    let mut shuffled = body.clone();
    shuffled["allowed_ips"] = json!(["10.0.2.9/24", "10.0.1.2/32", "10.0.2.0/24"]);
    let same = bed.client.post(&bed.path("/peers"), &shuffled);
    assert_eq!(same.status, 200, "{same:?}");
    assert_eq!(same.json()["message"], "Peer added successfully");
    assert_eq!(
        same.json()["peer"]["allowed_ips"],
        json!(["10.0.1.2/32", "10.0.2.0/24"])
    );
    assert_eq!(bed.state(), before);

    for (field, value) in [
        ("allowed_ips", json!(["10.0.1.2/32"])),
        ("persistent_keepalive", json!(26)),
        ("persistent_keepalive", json!(null)),
        ("preshared_key", json!(PSK)),
        ("expires_at", json!(4_000_000_000_u64)),
    ] {
        let mut other = body.clone();
        other[field] = value;
        let refused = bed.client.post(&bed.path("/peers"), &other);
        assert_eq!(refused.code(), (409, "peer_exists".into()), "{field}");
        assert_eq!(bed.state(), before, "{field}");
    }
}

#[test]
fn an_absent_peer_cannot_be_changed() {
    let bed = Bed::start();
    bed.add(&key(1), &["10.0.1.2/32"]);
    let before = bed.state();

    let refused = bed.update(&key(2), &json!({ "persistent_keepalive": 25 }));

    assert_eq!(refused.code(), (404, "peer_unknown".into()));
    assert_eq!(bed.state(), before);
}

#[test]
fn a_preshared_key_is_set_kept_and_removed_by_null() {
    let bed = Bed::start();
    bed.add(&key(1), &["10.0.1.2/32"]);
    let has = || {
        let shown = bed.dump()["peers"][0]["has_preshared_key"].clone();
        assert_eq!(shown, bed.hand.peers()[&public_key(1)].has_psk);
        shown
    };
    assert_eq!(has(), false);

    bed.update(&key(1), &json!({ "preshared_key": PSK }));
    assert_eq!(has(), true);

    bed.update(&key(1), &json!({ "allowed_ips": ["10.0.1.3/32"] }));
    assert_eq!(has(), true);

    let removed = bed.update(&key(1), &json!({ "preshared_key": null }));
    assert_eq!(removed.status, 200);
    assert_eq!(has(), false);
    assert_eq!(
        bed.hand.peers()[&public_key(1)].allowed_ips,
        ["10.0.1.3/32"]
    );
}

#[test]
fn a_preshared_key_never_leaves_the_agent() {
    let bed = Bed::start();
    let mut body = peer(1, &["10.0.1.2/32"]);
    body["preshared_key"] = json!(PSK);

    let added = bed.client.post(&bed.path("/peers"), &body);
    assert_eq!(added.status, 201);

    let answers = [
        added.text(),
        bed.client.get(&bed.path("/dump")).text(),
        bed.client.get(&bed.path("/config")).text(),
        bed.client.get("/v1/health").text(),
        bed.client.get("/v1/metrics").text(),
    ];
    for answer in answers {
        assert!(!answer.contains(PSK), "{answer}");
    }
}

#[test]
fn a_change_keeps_what_it_does_not_name() {
    let bed = Bed::start();
    let mut body = peer(1, &["10.0.1.2/32"]);
    body["preshared_key"] = json!(PSK);
    body["persistent_keepalive"] = json!(25);
    bed.client.post(&bed.path("/peers"), &body);
    let before = bed.state();

    assert_eq!(bed.update(&key(1), &json!({})).status, 200);
    assert_eq!(bed.state(), before);

    bed.update(&key(1), &json!({ "persistent_keepalive": null }));
    let held = Held {
        allowed_ips: vec!["10.0.1.2/32".into()],
        has_psk: true,
        ..Held::default()
    };
    assert_eq!(bed.hand.peers()[&public_key(1)], held);
}

#[test]
fn prefixes_are_masked_sorted_and_told_once() {
    let bed = Bed::start();

    let added = bed.add(
        &key(1),
        &[
            "10.0.2.77/24",
            "fd00::1:2:3/64",
            "10.0.1.2/32",
            "10.0.2.0/24",
        ],
    );

    assert_eq!(added.status, 201, "{added:?}");
    let expected = ["10.0.1.2/32", "10.0.2.0/24", "fd00::/64"];
    assert_eq!(added.json()["peer"]["allowed_ips"], json!(expected));
    assert_eq!(bed.dump()["peers"][0]["allowed_ips"], json!(expected));
    assert_eq!(bed.hand.peers()[&public_key(1)].allowed_ips, expected);
}

#[test]
fn ipv6_prefixes_and_endpoints_are_served_like_any_other() {
    let bed = Bed::start();
    let mut body = peer(1, &["2001:db8::5/128", "::/0"]);
    body["endpoint"] = json!("[2001:db8::9]:51820");

    let added = bed.client.post(&bed.path("/peers"), &body);

    assert_eq!(added.status, 201, "{added:?}");
    let shown = &bed.dump()["peers"][0];
    assert_eq!(shown["allowed_ips"], json!(["::/0", "2001:db8::5/128"]));
    assert_eq!(shown["endpoint"], "[2001:db8::9]:51820");
    assert_eq!(bed.delete(&key(1)).status, 200);
    assert!(bed.hand.peers().is_empty());
}

#[test]
fn an_endpoint_is_set_only_on_a_peer_that_has_none() {
    let bed = Bed::start();
    bed.add(&key(1), &["10.0.1.2/32"]);
    let endpoint = || bed.hand.peers()[&public_key(1)].endpoint.clone();
    assert_eq!(endpoint(), None);

    let given = bed.update(&key(1), &json!({ "endpoint": "192.0.2.1:5" }));
    assert_eq!(given.status, 200);
    assert_eq!(endpoint().as_deref(), Some("192.0.2.1:5"));

    let again = bed.update(&key(1), &json!({ "endpoint": "192.0.2.2:6" }));
    assert_eq!(again.status, 200);
    assert_eq!(endpoint().as_deref(), Some("192.0.2.1:5"));
    assert_eq!(bed.dump()["peers"][0]["endpoint"], "192.0.2.1:5");
}

#[test]
fn more_prefixes_than_a_message_carries_are_all_there() {
    let bed = Bed::start();
    let many: Vec<String> = (1..=300).map(|n| format!("2001:db8:{n:x}::/48")).collect();
    let texts: Vec<&str> = many.iter().map(String::as_str).collect();

    let added = bed.add(&key(1), &texts);
    assert_eq!(added.status, 201, "{added:?}");

    let held = bed.hand.peers()[&public_key(1)].allowed_ips.clone();
    assert_eq!(held, many);
    assert_eq!(bed.dump()["peers"][0]["allowed_ips"], json!(many));

    let fewer = bed.update(&key(1), &json!({ "allowed_ips": texts[..150] }));
    assert_eq!(fewer.status, 200);
    let held = bed.hand.peers()[&public_key(1)].allowed_ips.clone();
    assert_eq!(held, many[..150]);
}

#[test]
fn overlapping_prefixes_that_differ_are_legal() {
    let bed = Bed::start();
    bed.add(&key(1), &["10.0.0.0/8"]);

    let inside = bed.add(&key(2), &["10.0.1.0/24", "0.0.0.0/0"]);

    assert_eq!(inside.status, 201, "{inside:?}");
    assert_eq!(bed.hand.peers()[&public_key(1)].allowed_ips, ["10.0.0.0/8"]);
    assert_eq!(
        bed.hand.peers()[&public_key(2)].allowed_ips,
        ["0.0.0.0/0", "10.0.1.0/24"]
    );
}
