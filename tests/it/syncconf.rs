//! A text in the syntax of wg(8), applied as a full set.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::bed::{Bed, Response, ip, key, own_key, peers, private_key, public_key};

/// An interface at generation 4 with three peers.
fn holding_three() -> Bed {
    let bed = Bed::start();
    let set = json!({ "generation": 4, "peers": peers(1..=3) });
    assert_eq!(bed.full_set(&set).status, 200);
    bed
}

fn sync(bed: &Bed, text: &str) -> Response {
    let body = json!({ "config": STANDARD.encode(text) });
    bed.client.post(&bed.path("/syncconf"), &body)
}

fn section(n: u32) -> String {
    format!("[Peer]\nPublicKey = {}\nAllowedIPs = {}\n", key(n), ip(n))
}

#[test]
fn a_text_of_peers_replaces_the_peers_and_nothing_else() {
    let bed = holding_three();
    let before = bed.state();
    let changed = format!(
        "# by hand\n{}PersistentKeepalive = 25\nEndpoint = 192.0.2.1:9\n\n{}",
        section(2),
        section(7)
    );

    let done = sync(&bed, &changed);

    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(done.json()["status"], "success");
    let after = bed.state();
    assert_eq!(after.config, before.config);
    assert_eq!(after.digest["generation"], 4);
    let held = after.device;
    assert_eq!(held.len(), 2);
    let second = &held[&public_key(2)];
    assert_eq!(
        (second.keepalive, second.endpoint.as_deref()),
        (25, Some("192.0.2.1:9"))
    );
    assert_eq!(held[&public_key(7)].allowed_ips, [ip(7)]);
    assert_eq!(after.disk.peers.len(), 2);
}

#[test]
fn a_text_may_name_key_and_port() {
    let mut bed = holding_three();
    let port = {
        let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.local_addr().unwrap().port()
    };
    let private = private_key(900).reveal();
    let text = format!(
        "[Interface]\nPrivateKey = {private}\nListenPort = {port}\n{}",
        section(1)
    );

    let done = sync(&bed, &text);

    assert_eq!(done.status, 200, "{done:?}");
    let config = bed.get("/config")["config"].clone();
    assert_eq!(config["public_key"], key(900));
    assert_eq!(config["listen_port"], port);
    assert_eq!(
        bed.hand.peers().into_keys().collect::<Vec<_>>(),
        [public_key(1)]
    );

    bed.restart();
    assert_eq!(bed.get("/config")["config"], config);
}

#[test]
fn the_same_text_again_changes_nothing() {
    let bed = holding_three();
    let text = [section(1), section(2)].concat();
    sync(&bed, &text);
    let before = bed.state();

    assert_eq!(sync(&bed, &text).status, 200);

    assert_eq!(bed.state(), before);
}

#[test]
fn a_text_that_cannot_be_applied_as_a_whole_changes_nothing() {
    let bed = holding_three();
    let before = bed.state();
    let interface = "[Interface]\nListenPort = 4444\n";
    let texts = [
        String::new(),
        "  \n".into(),
        format!("{interface}[Peer]\nPublicKey = nonsense\n"),
        format!("{interface}[Peer]\nAllowedIPs = 10.0.0.0/8\n"),
        format!("{interface}{}AllowedIPs = 10.0.0.0/40\n", section(1)),
        format!("{interface}{}{}", section(1), section(1)),
        format!("{interface}Address = 10.0.0.1/24\n{}", section(1)),
        format!("{interface}DNS = 10.0.0.1\n{}", section(1)),
        format!("{interface}MTU = 1400\n{}", section(1)),
        format!("{interface}{}", section(1).replace(&key(1), &own_key())),
        format!("[Interface]\nListenPort = 70000\n{}", section(1)),
        format!("{interface}[Wall]\n{}", section(1)),
        format!("nonsense\n{}", section(1)),
    ];

    for text in texts {
        let refused = sync(&bed, &text);
        assert_eq!(refused.status, 422, "{text}: {refused:?}");
    }
    for body in [
        json!({ "config": "not base64!" }),
        json!({ "config": STANDARD.encode([0xff, 0xfe]) }),
        json!({ "config": 5 }),
        json!({}),
        json!({ "config": STANDARD.encode(section(1)), "force": true }),
    ] {
        let refused = bed.client.post(&bed.path("/syncconf"), &body);
        assert_eq!(refused.status, 422, "{body}: {refused:?}");
    }
    assert_eq!(bed.state(), before);
}

#[test]
fn commands_in_a_text_are_refused_by_name() {
    let bed = holding_three();
    let before = bed.state();

    for command in ["PreUp", "PostUp", "PreDown", "PostDown", "postup"] {
        let text = format!("[Interface]\n{command} = touch /tmp/owned\n{}", section(1));
        let refused = sync(&bed, &text);
        assert_eq!(
            refused.code(),
            (422, "commands_refused".into()),
            "{command}"
        );
    }
    assert_eq!(bed.state(), before);
}

#[test]
fn a_peer_with_the_key_that_the_text_gives_the_interface_is_refused() {
    let bed = holding_three();
    let before = bed.state();
    let private = private_key(8).reveal();

    let refused = sync(
        &bed,
        &format!("[Interface]\nPrivateKey = {private}\n{}", section(8)),
    );

    assert_eq!(refused.status, 422, "{refused:?}");
    assert_eq!(bed.state(), before);
}

#[test]
fn a_text_is_held_to_the_guard_of_a_full_set() {
    let bed = Bed::start();
    bed.full_set(&json!({ "generation": 1, "peers": peers(1..=20) }));
    let before = bed.state();
    let few: String = (1..=3).map(section).collect();
    let interface = "[Interface]\nListenPort = 4444\n";

    for (text, count) in [
        (format!("{interface}{few}"), 17),
        (interface.to_owned(), 20),
    ] {
        let refused = sync(&bed, &text);
        assert_eq!(refused.code(), (409, "mass_removal".into()));
        assert_eq!(refused.json()["count"], count);
    }
    assert_eq!(bed.state(), before);

    let meant = json!({ "config": STANDARD.encode(&few), "allow_removals": 17 });
    assert_eq!(bed.client.post(&bed.path("/syncconf"), &meant).status, 200);
    assert_eq!(bed.hand.peers().len(), 3);
}

#[test]
fn a_prefix_of_a_foreign_peer_is_not_taken_by_a_text() {
    let bed = holding_three();
    bed.hand.put_foreign(&public_key(50), &[&ip(50)]);
    let before = bed.state();

    let refused = sync(
        &bed,
        &format!("{}{}", section(1), section(60).replace(&ip(60), &ip(50))),
    );

    assert_eq!(refused.code(), (409, "allowed_ip_taken".into()));
    assert_eq!(refused.json()["owner"], key(50));
    assert_eq!(bed.state(), before);
}
