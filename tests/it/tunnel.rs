//! Real packets: what the agent is told decides who gets through, at once and for nobody else.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bed::{Backend, Bed, Far, Flow, key, now};

const WITH_PACKETS: [Backend; 2] = [Backend::Userspace, Backend::Kernel];

fn psk(n: u8) -> String {
    protocol::PresharedKey::from_bytes([n; 32])
        .unwrap()
        .reveal()
}

fn add(bed: &Bed, far: &Far, preshared_key: Option<&str>) {
    let mut body = json!({ "public_key": far.key(), "allowed_ips": far.allowed_ips() });
    if let Some(preshared_key) = preshared_key {
        body["preshared_key"] = preshared_key.into();
    }
    let added = bed.client.post(&bed.path("/peers"), &body);
    assert_eq!(added.status, 201, "{added:?}");
}

fn row(bed: &Bed, key: &str) -> Value {
    let dump = bed.dump();
    let peers = dump["peers"].as_array().unwrap();
    let found = peers.iter().find(|peer| peer["public_key"] == key);
    found
        .unwrap_or_else(|| panic!("{key} is not in {dump}"))
        .clone()
}

fn assert_in_touch(bed: &Bed, far: &Far) {
    let row = row(bed, &far.key());
    let age = now() - row["latest_handshake"].as_i64().unwrap();
    assert!((-1..60).contains(&age), "{row}");
    let endpoint: SocketAddr = row["endpoint"].as_str().unwrap().parse().unwrap();
    assert_eq!(endpoint.ip(), far.outside());
    assert!(row["transfer_rx"].as_u64().unwrap() > 148, "{row}");
    assert!(row["transfer_tx"].as_u64().unwrap() > 92, "{row}");
}

#[test]
fn a_client_added_over_http_reaches_the_node_until_it_is_removed() {
    if !Bed::only_on(&WITH_PACKETS) {
        return;
    }
    let bed = Bed::start();
    let far = Far::new(&bed, 1);
    assert_eq!(far.ping(&far.node_v4().to_string(), 1), 0);

    add(&bed, &far, None);
    far.call_with(None);
    Bed::within(Duration::from_secs(20), "the tunnel", || far.reaches_node());

    assert_in_touch(&bed, &far);
    let status = bed.client.get("/v1/status").json();
    let shown = &status["wireguard"]["interfaces"][bed.name.as_str()];
    assert_eq!(shown["active_peers"], 1, "{status}");

    assert_eq!(bed.delete(&far.key()).status, 200);
    assert_eq!(far.ping(&far.node_v4().to_string(), 3), 0);
    assert_eq!(far.ping(&far.node_v6(), 3), 0);
    assert_eq!(bed.peers(), []);
}

#[test]
fn a_preshared_key_must_be_known_at_both_ends() {
    if !Bed::only_on(&WITH_PACKETS) {
        return;
    }
    let bed = Bed::start();
    let far = Far::new(&bed, 2);
    add(&bed, &far, Some(&psk(1)));

    far.call_with(Some(&psk(2)));
    assert_eq!(far.ping(&far.node_v4().to_string(), 3), 0);
    assert_eq!(row(&bed, &far.key())["latest_handshake"], Value::Null);

    far.call_with(Some(&psk(1)));
    Bed::within(Duration::from_secs(20), "the tunnel", || far.reaches_node());
    assert_in_touch(&bed, &far);
    assert_eq!(row(&bed, &far.key())["has_preshared_key"], true);

    let removed = bed.update(&far.key(), &json!({ "preshared_key": null }));
    assert_eq!(removed.status, 200);
    far.call_with(None);
    Bed::within(Duration::from_secs(20), "the tunnel", || far.reaches_node());
    assert_eq!(row(&bed, &far.key())["has_preshared_key"], false);
}

#[test]
fn an_isolated_client_is_not_heard_from_the_moment_of_the_answer() {
    if !Bed::only_on(&WITH_PACKETS) {
        return;
    }
    let bed = Bed::start();
    let (isolated, other) = (Far::new(&bed, 3), Far::new(&bed, 4));
    for far in [&isolated, &other] {
        add(&bed, far, Some(&psk(3)));
        far.call_with(Some(&psk(3)));
        Bed::within(Duration::from_secs(20), "the tunnel", || far.reaches_node());
    }
    let flows = [&isolated, &other].map(|far| Flow::start(far, Duration::from_millis(5)));
    std::thread::sleep(Duration::from_millis(500));

    assert_eq!(bed.delete(&isolated.key()).status, 200);
    let answered = Instant::now();

    std::thread::sleep(Duration::from_millis(1500));
    let ended = Instant::now();
    let [cut, kept] = flows.map(Flow::stop);
    let after = cut.sent_in(&(answered..ended));
    assert!(after.clone().count() > 20, "{after:?}");
    assert_eq!(cut.heard.range(after.clone()).next(), None);
    assert_eq!(cut.returned.range(after).next(), None);
    let before = cut.heard.len();
    assert!(before > 20, "{before}");
    let tally = kept.tally(&(answered..ended));
    assert_eq!(tally.lost(), 0, "the other client suffered: {tally:?}");
}

#[test]
fn a_change_of_keepalive_or_of_other_peers_leaves_the_session_alone() {
    if !Bed::only_on(&WITH_PACKETS) {
        return;
    }
    let bed = Bed::start();
    let far = Far::new(&bed, 5);
    add(&bed, &far, None);
    Bed::within(Duration::from_secs(20), "the tunnel", || far.reaches_node());
    let before = row(&bed, &far.key());

    let changed = bed.update(&far.key(), &json!({ "persistent_keepalive": 1 }));
    assert_eq!(changed.status, 200);
    assert_eq!(bed.add(&key(50), &["10.50.0.0/24"]).status, 201);
    let changed = bed.update(&key(50), &json!({ "allowed_ips": ["10.51.0.0/24"] }));
    assert_eq!(changed.status, 200);
    assert_eq!(bed.delete(&key(50)).status, 200);

    assert_eq!(far.ping(&far.node_v4().to_string(), 5), 5);
    let after = row(&bed, &far.key());
    assert_eq!(after["latest_handshake"], before["latest_handshake"]);
    assert_eq!(after["endpoint"], before["endpoint"]);
    assert_eq!(after["persistent_keepalive"], 1);
    let count = |row: &Value| row["transfer_rx"].as_u64().unwrap();
    assert!(count(&after) > count(&before), "{before} {after}");

    // The keepalive is real: the node speaks up without having anything to say.
    let sent = |row: &Value| row["transfer_tx"].as_u64().unwrap();
    let idle = sent(&row(&bed, &far.key()));
    Bed::within(Duration::from_secs(10), "a keepalive", || {
        sent(&row(&bed, &far.key())) > idle
    });
}

#[test]
fn a_client_that_roams_is_followed_and_never_called_back() {
    if !Bed::only_on(&WITH_PACKETS) {
        return;
    }
    let bed = Bed::start();
    let far = Far::new(&bed, 6);
    let hint = json!({
        "public_key": far.key(), "allowed_ips": far.allowed_ips(), "endpoint": "192.0.2.1:9",
    });
    assert_eq!(bed.client.post(&bed.path("/peers"), &hint).status, 201);
    assert_eq!(row(&bed, &far.key())["endpoint"], "192.0.2.1:9");
    Bed::within(Duration::from_secs(20), "the tunnel", || far.reaches_node());
    let endpoint = row(&bed, &far.key())["endpoint"].clone();
    assert_ne!(endpoint, "192.0.2.1:9");

    let updated = bed.update(
        &far.key(),
        &json!({ "persistent_keepalive": 25, "endpoint": "192.0.2.1:9" }),
    );
    assert_eq!(updated.status, 200);
    let set = json!({ "generation": 1, "peers": [hint] });
    assert_eq!(bed.client.put(&bed.path("/peers"), &set).status, 200);

    assert_eq!(row(&bed, &far.key())["endpoint"], endpoint);
    assert_eq!(far.ping(&far.node_v4().to_string(), 2), 2);
}
