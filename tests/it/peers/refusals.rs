//! What is refused before or instead of touching a peer: bad values, bad bodies, bad paths.

use serde_json::{Value, json};

use crate::bed::{Bed, key, own_key, peer, public_key};

const ZERO_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn with_a_peer() -> Bed {
    let bed = Bed::start();
    bed.add(&key(1), &["10.0.1.1/32"]);
    bed
}

/// Bodies that are JSON and mean nothing here, with what the answer must name.
fn wrong_bodies() -> Vec<(Value, &'static str)> {
    let with = |field: &str, value: Value| {
        let mut body = peer(2, &["10.0.1.2/32"]);
        body[field] = value;
        body
    };
    vec![
        (with("persistent_keepalive", json!(70_000)), "70000"),
        (with("persistent_keepalive", json!(-1)), "-1"),
        (with("public_key", json!("nonsense")), "nonsense"),
        (with("public_key", json!(ZERO_KEY)), "zero"),
        (with("public_key", json!(own_key())), "interface"),
        (with("allowed_ips", json!(["10.0.0.0/33"])), "10.0.0.0/33"),
        (with("allowed_ips", json!(["host/32"])), "host/32"),
        (with("allowed_ips", json!("10.0.0.1/32")), ""),
        (with("endpoint", json!("example.org:1")), "example.org:1"),
        (with("endpoint", json!("192.0.2.1:0")), "192.0.2.1:0"),
        (with("preshared_key", json!("c2hvcnQ=")), ""),
        (with("name", json!("x")), "`name`"),
        (with("expires_at", json!(1_000_000_000)), "expired"),
        (json!({ "public_key": key(2) }), "allowed_ips"),
        (json!([]), ""),
        (json!("text"), ""),
    ]
}

#[test]
fn a_body_that_means_nothing_is_refused_and_says_why() {
    let bed = with_a_peer();
    let before = bed.state();

    for (body, named) in wrong_bodies() {
        let refused = bed.client.post(&bed.path("/peers"), &body);

        assert_eq!(refused.status, 422, "{body}: {refused:?}");
        let sentence = refused.json()["error"].as_str().unwrap().to_owned();
        assert!(sentence.contains(named), "{body}: {sentence}");
    }
    assert_eq!(bed.state(), before);
}

#[test]
fn a_bad_change_leaves_the_peer_as_it_was() {
    let bed = with_a_peer();
    let before = bed.state();
    let bodies = [
        json!({ "persistent_keepalive": 65_536 }),
        json!({ "allowed_ips": ["10.0.0.0/33"] }),
        json!({ "allowed_ips": ["10.0.1.3/32"], "preshared_key": "x" }),
        json!({ "public_key": key(1) }),
        json!({ "expires_at": 1 }),
    ];

    for body in bodies {
        let refused = bed.update(&key(1), &body);

        assert_eq!(refused.status, 422, "{body}: {refused:?}");
    }
    assert_eq!(bed.state(), before);
}

#[test]
fn what_is_no_json_is_malformed() {
    let bed = with_a_peer();
    let before = bed.state();
    let bodies: [&[u8]; 7] = [
        b"",
        b"{",
        b"{\"public_key\":",
        b"{}{}",
        b"{\"name\":1,\"other\":\"\xff\"}",
        b"\xff\xfe",
        b"{\"public_key\":\"\xff\"}",
    ];

    for body in bodies {
        let refused = bed.client.call("POST", &bed.path("/peers"), body);

        assert_eq!(refused.code(), (400, "not_json".into()), "{body:?}");
    }
    assert_eq!(bed.state(), before);
}

#[test]
fn a_body_that_is_not_declared_as_json_is_refused() {
    let bed = with_a_peer();
    let before = bed.state();
    let body = peer(2, &["10.0.1.2/32"]).to_string();
    let draft = || {
        bed.client
            .draft("POST", &bed.path("/peers"), body.as_bytes())
    };

    let mut plain = draft();
    plain.set("Content-Type", "text/plain");
    let mut none = draft();
    none.unset("Content-Type");
    for draft in [plain, none] {
        let refused = bed.client.send(&draft);
        assert_eq!(refused.code(), (415, "not_json".into()));
        assert_eq!(refused.verified, Some(true));
    }
    let mut encoded = draft();
    encoded.set("Content-Encoding", "gzip");
    assert_eq!(bed.client.send(&encoded).status, 415);
    assert_eq!(bed.state(), before);

    let mut with_charset = draft();
    with_charset.set("Content-Type", "Application/JSON; charset=utf-8");
    assert_eq!(bed.client.send(&with_charset).status, 201);
}

#[test]
fn a_prefix_that_another_peer_has_is_taken() {
    let bed = with_a_peer();
    bed.add(&key(2), &["10.0.1.2/32"]);
    let before = bed.state();

    let added = bed.add(&key(3), &["10.0.1.3/32", "10.0.1.1/32"]);
    let updated = bed.update(&key(2), &json!({ "allowed_ips": ["10.0.1.1/32"] }));

    for refused in [added, updated] {
        assert_eq!(refused.code(), (409, "allowed_ip_taken".into()));
        assert_eq!(refused.json()["owner"], key(1));
        assert!(refused.json()["error"].as_str().unwrap().contains(&key(1)));
    }
    assert_eq!(bed.state(), before);
}

#[test]
fn a_peer_refused_for_its_prefix_is_taken_once_the_prefix_is_free() {
    let bed = with_a_peer();
    assert_eq!(bed.add(&key(2), &["10.0.1.1/32"]).status, 409);

    bed.delete(&key(1));

    assert_eq!(bed.add(&key(2), &["10.0.1.1/32"]).status, 201);
    assert_eq!(
        bed.hand.peers().into_keys().collect::<Vec<_>>(),
        [public_key(2)]
    );
}

#[test]
fn a_key_in_a_path_must_be_one() {
    let bed = with_a_peer();
    let before = bed.state();

    for key in ["nonsense", "", ZERO_KEY, "%FF"] {
        let path = bed.path(&format!("/peers/{key}"));
        let refused = bed.client.delete(&path);
        assert!(matches!(refused.status, 404 | 422), "{path}: {refused:?}");
    }
    assert_eq!(bed.state(), before);
}

#[test]
fn a_parameter_that_is_not_known_is_refused_by_name() {
    let bed = with_a_peer();
    let before = bed.state();
    let set = json!({ "generation": 1, "peers": [] });

    for query in [
        "foriegn=remove",
        "foreign=all",
        "foreign=remove&foreign=remove",
    ] {
        let refused = bed.client.put(&bed.path(&format!("/peers?{query}")), &set);
        assert_eq!(refused.code(), (400, "unknown_parameter".into()), "{query}");
    }
    let refused = bed.client.get(&bed.path("/digest?x=1"));
    assert_eq!(refused.code(), (400, "unknown_parameter".into()));
    assert_eq!(bed.state(), before);
}

#[test]
fn an_interface_that_is_not_on_the_list_is_forbidden() {
    let bed = with_a_peer();
    let before = bed.state();

    for name in [
        "wg9",
        "lo",
        "..",
        "%2e%2e",
        "wg0%00",
        "%2Fetc",
        "a234567890123456",
    ] {
        for (method, rest) in [("GET", "/dump"), ("GET", "/config"), ("POST", "/disable")] {
            let target = format!("/v1/wg/{name}{rest}");
            let refused = bed.client.call(method, &target, b"");
            assert_eq!(refused.status, 403, "{target}: {refused:?}");
            assert_eq!(refused.json()["code"], "interface_not_allowed");
        }
        let body = peer(2, &["10.0.1.2/32"]);
        let refused = bed.client.post(&format!("/v1/wg/{name}/peers"), &body);
        assert_eq!(refused.status, 403, "{name}: {refused:?}");
    }
    assert_eq!(bed.state(), before);
}

#[test]
fn a_path_that_climbs_is_not_followed() {
    let bed = with_a_peer();

    let climbing = format!("/v1/wg/../wg/{}/dump", bed.name);

    assert_eq!(bed.client.get(&climbing).status, 403);
    assert_eq!(bed.client.get("/v1/../health").status, 404);
    assert_eq!(bed.client.get("//health").status, 404);
}

#[test]
fn a_path_that_leads_nowhere_is_not_found() {
    let bed = with_a_peer();

    for target in [
        "/",
        "/v1",
        "/v2/health",
        "/v1/wg",
        "/healthz",
        &bed.path("/x"),
    ] {
        let refused = bed.client.get(target);
        assert_eq!(refused.status, 404, "{target}: {refused:?}");
    }
}

#[test]
fn a_method_that_a_path_does_not_answer_is_told_which_it_does() {
    let bed = with_a_peer();
    let before = bed.state();
    let cases = [
        ("POST", bed.path("/dump"), "GET, HEAD"),
        ("DELETE", bed.path("/peers"), "POST, PUT, PATCH"),
        (
            "PATCH",
            bed.path(&format!("/peers/{}", key(1))),
            "PUT, DELETE",
        ),
        ("DELETE", bed.path("/config"), "GET, HEAD, PUT"),
        ("GET", bed.path("/enable"), "POST"),
        ("GET", bed.path(""), "DELETE"),
        ("DELETE", "/v1/health".into(), "GET, HEAD"),
    ];

    for (method, target, allowed) in cases {
        let refused = bed.client.call(method, &target, b"");
        assert_eq!(refused.status, 405, "{method} {target}: {refused:?}");
        assert_eq!(refused.header("Allow"), Some(allowed), "{method} {target}");
    }
    let unknown = bed
        .client
        .send(&bed.client.draft("OPTIONS", "/v1/health", b""));
    assert_eq!(unknown.status, 405);
    assert!(unknown.header("Allow").unwrap().contains("PATCH"));
    assert_eq!(bed.state(), before);
}

#[test]
fn a_body_over_the_limit_is_too_large() {
    let bed = with_a_peer();
    let before = bed.state();
    let ips: Vec<String> = (0..60_000).map(|n| format!("fd00::{n:x}:1/128")).collect();
    let body = json!({ "public_key": key(2), "allowed_ips": ips }).to_string();
    assert!(body.len() > 1 << 20);

    let draft = bed
        .client
        .draft("POST", &bed.path("/peers"), body.as_bytes());
    let refused = bed.client.send(&draft);

    assert_eq!(refused.code(), (413, "body_too_large".into()));
    assert_eq!(bed.state(), before);
}
