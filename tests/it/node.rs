//! The node itself: whether it lives, how it is, and its figures.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::bed::{Backend, Bed, Setup, ip, key, now, own_key, peers, public_key};

fn holding_two() -> Bed {
    let bed = Bed::start();
    assert_eq!(
        bed.full_set(&json!({ "generation": 3, "peers": peers(1..=2) }))
            .status,
        200
    );
    bed.hand.put_foreign(&public_key(50), &[&ip(50)]);
    bed.dump();
    bed
}

fn metrics(bed: &Bed) -> String {
    let answer = bed.client.get("/v1/metrics");
    assert_eq!(answer.status, 200, "{answer:?}");
    let media = answer.header("Content-Type").unwrap();
    assert!(media.starts_with("text/plain; version=0.0.4"), "{media}");
    answer.text()
}

fn sample(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find(|line| {
        line.rsplit_once(' ')
            .is_some_and(|(name, _)| name == series)
    });
    line.map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
}

fn fields(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn only_the_sign_of_life_needs_no_signature() {
    let bed = Bed::start();
    for target in ["/livez", "/v1/livez"] {
        let mut draft = bed.client.draft("GET", target, b"");
        draft.headers.clear();
        let alive = bed.client.send(&draft);
        assert_eq!((alive.status, alive.body.len()), (204, 0), "{target}");
    }

    for target in ["/health", "/status", "/metrics", "/v1/health", "/nowhere"] {
        let mut draft = bed.client.draft("GET", target, b"");
        draft.headers.clear();
        let refused = bed.client.send(&draft);
        assert_eq!(
            refused.code(),
            (401, "missing_signature".into()),
            "{target}"
        );
    }
}

#[test]
fn every_path_works_with_and_without_the_version() {
    let bed = Bed::start();
    for path in [
        "/health",
        "/status",
        "/metrics",
        &format!("/wg/{}/digest", bed.name),
    ] {
        assert_eq!(bed.client.get(path).status, 200, "{path}");
        assert_eq!(bed.client.get(&format!("/v1{path}")).status, 200, "{path}");
    }
}

#[test]
fn health_tells_of_the_agent_and_of_each_interface() {
    let bed = holding_two();

    let health = bed.health();

    assert_eq!(
        (&health["status"], &health["reasons"]),
        (&json!("ok"), &json!([]))
    );
    assert!((health["timestamp"].as_i64().unwrap() - now()).abs() <= 1);
    assert!(health["uptime"].as_u64().unwrap() > 0);
    assert!(health["agent_uptime"].as_u64().unwrap() < 60);
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    let interfaces = health["interfaces"].as_array().unwrap();
    assert_eq!(interfaces.len(), 1);
    let interface = &interfaces[0];
    assert_eq!(interface["name"], bed.name.as_str());
    assert_eq!(interface["status"], "up");
    assert_eq!(interface["backend"], bed.backend.name());
    assert_eq!(interface["public_key"], own_key());
    assert_eq!(
        interface["listen_port"],
        bed.get("/config")["config"]["listen_port"]
    );
    assert_eq!(
        (&interface["peers"], &interface["foreign"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(interface["generation"], 3);
    assert_eq!(interface["digest"], bed.digest()["digest"]);
    for figure in ["load", "memory", "disk"] {
        assert!(!health["system"][figure].is_null(), "{figure}");
    }
}

#[test]
fn what_the_agent_can_do_is_advertised() {
    let bed = Bed::start();

    let health = bed.health();

    let capabilities: Vec<&str> = health["capabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    for name in [
        "batch",
        "digest",
        "dump_since",
        "expires_at",
        "full_set",
        "secrets",
        "syncconf",
    ] {
        assert!(capabilities.contains(&name), "{name} in {capabilities:?}");
    }
    let absent = bed.client.put(&bed.path("/policy"), &json!({}));
    assert_eq!(
        absent.status == 404,
        !capabilities.contains(&"policy"),
        "{absent:?}"
    );
}

#[test]
fn an_interface_that_is_missing_makes_the_node_degraded() {
    if !Bed::only_on(&[Backend::Memory, Backend::Kernel]) {
        return;
    }
    let bed = Bed::with(Setup {
        absent: true,
        ..Setup::default()
    });

    let health = bed.health();

    assert_eq!(health["status"], "degraded");
    assert!(
        health["reasons"][0]
            .as_str()
            .unwrap()
            .contains(bed.name.as_str())
    );
    let interface = &health["interfaces"][0];
    assert_eq!(interface["status"], "missing");
    for unknown in ["peers", "foreign", "digest", "public_key", "listen_port"] {
        assert_eq!(interface[unknown], Value::Null, "{unknown}");
    }
    let status = bed.client.get("/v1/status").json();
    assert_eq!(status["status"], "degraded");
    let text = metrics(&bed);
    assert_eq!(sample(&text, "wgfleet_agent_degraded"), Some(1.0));
    assert_eq!(sample(&text, "wireguard_interface_count"), Some(0.0));
    assert!(!text.contains("wireguard_peers_total"), "{text}");
}

#[test]
fn status_has_the_names_that_existing_clients_expect() {
    let bed = holding_two();

    let status = bed.client.get("/v1/status").json();

    for field in [
        "status",
        "timestamp",
        "uptime",
        "version",
        "system",
        "wireguard",
    ] {
        assert!(fields(&status).contains(&field), "{field}");
    }
    let system = &status["system"];
    assert_eq!(
        fields(&system["memory"]),
        ["available", "percent", "total", "used"]
    );
    assert_eq!(
        fields(&system["disk"]),
        ["free", "percent", "total", "used"]
    );
    assert_eq!(
        fields(&system["network"]),
        ["bytes_recv", "bytes_sent", "packets_recv", "packets_sent"]
    );
    assert!(fields(system).contains(&"cpu_percent"));
    assert_eq!(status["wireguard"]["interface_count"], 1);
    let shown = &status["wireguard"]["interfaces"][bed.name.as_str()];
    let mut figures = shown.clone();
    figures["total_tx_bytes"] = json!(0);
    assert_eq!(
        figures,
        json!({ "status": "up", "peer_count": 3, "active_peers": 0, "total_rx_bytes": 0, "total_tx_bytes": 0 })
    );
}

#[test]
fn every_family_of_the_metrics_is_typed_once_before_its_samples() {
    let bed = holding_two();

    let text = metrics(&bed);

    let mut typed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut current = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            current = rest.split(' ').next().unwrap();
            *typed.entry(current).or_default() += 1;
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            assert_eq!(name, current, "{line}");
            let value = line.rsplit(' ').next().unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    assert!(typed.values().all(|times| *times == 1), "{typed:?}");
    for family in [
        "wireguard_interface_count",
        "wireguard_peers_total",
        "wireguard_peers_active",
        "wireguard_interface_receive_bytes_total",
        "wireguard_interface_transmit_bytes_total",
    ] {
        assert!(typed.contains_key(family), "{family}");
    }
    let labelled = |name: &str| sample(&text, &format!("{name}{{interface=\"{}\"}}", bed.name));
    assert_eq!(labelled("wireguard_peers_total"), Some(3.0));
    assert_eq!(labelled("wireguard_peers_active"), Some(0.0));
    assert_eq!(sample(&text, "wireguard_interface_count"), Some(1.0));
}

#[test]
fn metrics_name_no_peer_unless_told_to() {
    let silent = holding_two();
    let telling = Bed::with(Setup {
        keys: "metrics_peer_labels = true".into(),
        ..Setup::default()
    });
    telling.full_set(&json!({ "generation": 1, "peers": peers(1..=2) }));

    let text = metrics(&silent);
    for key in [key(1), key(2), own_key()] {
        assert!(!text.contains(&key), "{text}");
    }

    let text = metrics(&telling);
    for n in 1..=2 {
        let labels = format!("interface=\"{}\",public_key=\"{}\"", telling.name, key(n));
        let series = format!("wireguard_peer_receive_bytes_total{{{labels}}}");
        assert_eq!(sample(&text, &series), Some(0.0), "{text}");
    }
}

#[test]
fn a_recent_handshake_makes_a_peer_active() {
    if !Bed::only_on(&[Backend::Memory]) {
        return;
    }
    let bed = holding_two();
    let observe = |n: u32, at: i64| {
        bed.hand
            .memory
            .set_observed(&public_key(n), None, Some(at), 100, 7);
    };
    observe(1, now() - 10);
    observe(2, now() - 1000);
    bed.dump();

    let status = bed.client.get("/v1/status").json();

    assert_eq!(
        status["wireguard"]["interfaces"][bed.name.as_str()],
        json!({ "status": "up", "peer_count": 3, "active_peers": 1, "total_rx_bytes": 200, "total_tx_bytes": 14 })
    );
}

#[test]
fn refused_requests_are_counted() {
    let bed = Bed::start();
    let mut forged = bed.client.draft("GET", "/v1/health", b"");
    forged.set("X-Signature", &"0".repeat(64));
    assert_eq!(bed.client.send(&forged).status, 401);
    assert_eq!(bed.client.get("/v1/wg/lo/dump").status, 403);

    let text = metrics(&bed);

    let refused = |reason: &str| {
        sample(
            &text,
            &format!("wgfleet_agent_requests_refused_total{{reason=\"{reason}\"}}"),
        )
    };
    assert_eq!(refused("unverified"), Some(1.0));
    assert_eq!(refused("interface"), Some(1.0));
    assert_eq!(refused("replayed"), Some(0.0));
}
