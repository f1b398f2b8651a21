//! The interface itself: its settings, its link, and whether it is there at all.

use std::net::UdpSocket;

use serde_json::{Value, json};

use crate::bed::{Bed, key, own_key, private_key};

mod made;

fn free_port() -> u16 {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.local_addr().unwrap().port()
}

fn config(bed: &Bed) -> Value {
    bed.get("/config")["config"].clone()
}

fn put(bed: &Bed, body: &Value) -> crate::bed::Response {
    bed.client.put(&bed.path("/config"), body)
}

#[test]
fn the_settings_have_the_shape_of_the_contract() {
    let bed = Bed::start();
    let port = free_port();
    put(&bed, &json!({ "listen_port": port }));

    let shown = bed.get("/config");

    let expected = json!({
        "interface": bed.name.as_str(),
        "config": {
            "private_key": null, "public_key": own_key(), "listen_port": port, "address": null, "mtu": 1420,
            "dns": null, "table": null, "post_up": null, "pre_down": null, "raw_config": null,
        },
    });
    assert_eq!(shown, expected);
}

#[test]
fn settings_are_changed_and_survive_what_befalls_the_interface() {
    let mut bed = Bed::start();
    bed.add(&key(1), &["10.0.1.1/32"]);
    let port = free_port();
    let change = json!({
        "listen_port": port, "address": "10.77.0.1/24, 10.78.0.1/32", "mtu": 1380,
        "dns": "10.77.0.53", "table": "off",
    });

    let done = put(&bed, &change);

    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(done.json()["status"], "success");
    assert_eq!(done.json()["reloaded"], true);
    let after = config(&bed);
    for field in ["listen_port", "address", "mtu", "dns", "table"] {
        assert_eq!(after[field], change[field], "{field}");
    }
    assert_eq!(after["public_key"], own_key());

    bed.restart();
    assert_eq!(config(&bed), after);

    bed.stop();
    bed.hand.vanish();
    bed.hand.come_back();
    bed.run();
    assert_eq!(config(&bed), after);
    assert_eq!(bed.hand.peers().len(), 1);
}

#[test]
fn settings_that_are_not_named_stay() {
    let bed = Bed::start();
    put(
        &bed,
        &json!({ "mtu": 1380, "dns": "10.0.0.53", "address": "10.77.0.1/24" }),
    );
    let before = config(&bed);

    assert_eq!(put(&bed, &json!({})).status, 200);
    assert_eq!(config(&bed), before);

    put(&bed, &json!({ "dns": null, "address": "10.77.0.2/24" }));
    let after = config(&bed);
    assert_eq!(after["dns"], Value::Null);
    assert_eq!(after["address"], "10.77.0.2/24");
    assert_eq!(after["mtu"], 1380);
}

#[test]
fn a_private_key_is_taken_and_never_shown() {
    let mut bed = Bed::start();
    bed.add(&key(1), &["10.0.1.1/32"]);
    let private = private_key(500);

    let done = put(
        &bed,
        &json!({ "private_key": private.reveal(), "public_key": key(500) }),
    );

    assert_eq!(done.status, 200, "{done:?}");
    let shown = bed.client.get(&bed.path("/config"));
    assert_eq!(shown.json()["config"]["public_key"], key(500));
    assert_eq!(shown.json()["config"]["private_key"], Value::Null);
    assert!(!shown.text().contains(&private.reveal()));
    assert_eq!(bed.health()["interfaces"][0]["public_key"], key(500));
    assert_eq!(bed.hand.peers().len(), 1);

    bed.stop();
    bed.hand.vanish();
    bed.hand.come_back();
    bed.run();
    assert_eq!(config(&bed)["public_key"], key(500));
}

#[test]
fn commands_are_refused_by_name() {
    let bed = Bed::start();
    let before = bed.state();

    for field in ["pre_up", "post_up", "pre_down", "post_down", "raw_config"] {
        let mut body = json!({ "mtu": 1380 });
        body[field] = json!("touch /tmp/owned");
        let refused = put(&bed, &body);
        assert_eq!(refused.code(), (422, "commands_refused".into()), "{field}");
        assert!(refused.json()["error"].as_str().unwrap().contains(field));
    }
    assert_eq!(bed.state(), before);

    let nulls = json!({ "post_up": null, "pre_down": null, "raw_config": null });
    assert_eq!(put(&bed, &nulls).status, 200);
}

#[test]
fn a_bad_value_leaves_every_setting() {
    let bed = Bed::start();
    bed.add(&key(1), &["10.0.1.1/32"]);
    let before = bed.state();
    let bodies = [
        json!({ "mtu": 1380, "listen_port": 70_000 }),
        json!({ "mtu": 1380, "listen_port": -1 }),
        json!({ "listen_port": free_port(), "mtu": 100 }),
        json!({ "mtu": 70_000 }),
        json!({ "mtu": 1380, "address": "10.77.0.1" }),
        json!({ "mtu": 1380, "address": "10.77.0.1/24, x/24" }),
        json!({ "mtu": 1380, "private_key": "bm9uc2Vuc2U=" }),
        json!({ "mtu": 1380, "private_key": private_key(1).reveal() }),
        json!({ "mtu": 1380, "public_key": key(2) }),
        json!({ "mtu": 1380, "dns": "a\nb" }),
        json!({ "mtu": 1380, "name": "x" }),
    ];

    for body in bodies {
        let refused = put(&bed, &body);
        assert_eq!(refused.status, 422, "{body}: {refused:?}");
    }
    assert_eq!(
        bed.client.call("PUT", &bed.path("/config"), b"{").status,
        400
    );
    assert_eq!(bed.state(), before);
}

#[test]
fn a_port_that_is_in_use_leaves_the_old_one() {
    if !Bed::only_on(&[crate::bed::Backend::Userspace, crate::bed::Backend::Kernel]) {
        return;
    }
    let bed = Bed::start();
    bed.add(&key(1), &["10.0.1.1/32"]);
    put(&bed, &json!({ "listen_port": free_port() }));
    let before = bed.state();
    let holder = UdpSocket::bind("0.0.0.0:0").unwrap();
    let taken = holder.local_addr().unwrap().port();

    let refused = put(
        &bed,
        &json!({ "listen_port": taken, "mtu": 1300, "address": "10.77.0.1/24" }),
    );

    assert_eq!(refused.code(), (422, "device_refused".into()));
    assert_eq!(bed.state(), before);
    assert_eq!(bed.health()["status"], "ok");
}

#[test]
fn the_link_goes_down_and_up_and_says_what_it_was() {
    let mut bed = Bed::start();
    bed.add(&key(1), &["10.0.1.1/32"]);
    let link = |bed: &Bed| bed.health()["interfaces"][0]["status"].clone();
    let before = bed.hand.peers();

    let enabled = bed.post("/enable");
    assert_eq!(
        (enabled.status, &enabled.json()["was_down"]),
        (200, &json!(false))
    );
    assert_eq!(link(&bed), "up");

    let disabled = bed.post("/disable");
    assert_eq!(disabled.json()["status"], "success");
    assert_eq!(
        (disabled.status, &disabled.json()["was_up"]),
        (200, &json!(true))
    );
    assert_eq!(bed.post("/disable").json()["was_up"], false);
    assert_eq!(link(&bed), "down");

    bed.stop();
    bed.hand.vanish();
    bed.hand.come_back();
    bed.run();
    assert_eq!(link(&bed), "down");
    assert_eq!(bed.hand.peers(), before);

    assert_eq!(bed.post("/enable").json()["was_down"], true);
    assert_eq!(link(&bed), "up");
    bed.restart();
    assert_eq!(link(&bed), "up");
}

#[test]
fn an_interface_that_the_agent_did_not_make_is_not_removed() {
    let bed = Bed::start();
    bed.add(&key(1), &["10.0.1.1/32"]);
    let before = bed.state();

    let refused = bed.client.delete(&bed.path(""));

    assert_eq!(refused.code(), (409, "not_created".into()));
    assert_eq!(bed.state(), before);
}

#[test]
fn a_request_without_a_body_takes_none() {
    let bed = Bed::start();
    let before = bed.state();

    for rest in ["/enable", "/disable"] {
        let refused = bed.client.post(&bed.path(rest), &json!({ "force": true }));
        assert_eq!(refused.status, 422, "{rest}");
    }
    assert_eq!(bed.state(), before);
    assert_eq!(
        bed.client.post(&bed.path("/enable"), &json!({})).status,
        200
    );
}
