//! Ten thousand peers with five allowed IPs each: written whole, read back whole, in little memory.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use protocol::{Cidr, Digest, Endpoint, PeerConfig, PresharedKey, PublicKey};
use serde_json::{Value, json};

use crate::bed::{Backend, Bed, Held, Setup};

const PEERS: u32 = 10_000;

const IDLE_KB: u64 = 10 * 1024;
const FULL_KB: u64 = 25 * 1024;
/// The optimised program and its libraries, as far as they are in use.
const PROGRAM_KB: u64 = 6500;

/// A peer's key; nobody needs the private half, and ten thousand of them take their time.
fn key(n: u32) -> PublicKey {
    let mut bytes = [0x40; 32];
    bytes[..4].copy_from_slice(&n.wrapping_mul(0x9e37_79b1).to_be_bytes());
    PublicKey::from_bytes(bytes).unwrap()
}

/// Peers of very different sizes, so that the kernel's messages end in the middle of some.
fn peer(n: u32) -> (PeerConfig, Option<Endpoint>) {
    let v4 = |i: u32| Cidr::new(Ipv4Addr::from(0x0a00_0000 + 8 * n + i).into(), 32).unwrap();
    let v6 = |i: u32| {
        let address = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, i as u16, (n >> 16) as u16, n as u16);
        Cidr::new(address.into(), 128).unwrap()
    };
    let allowed_ips = match n % 3 {
        0 => [v4(0), v4(1), v6(0), v6(1), v6(2)],
        1 => [v4(0), v4(1), v4(2), v4(3), v6(0)],
        _ => [v4(0), v6(0), v6(1), v6(2), v6(3)],
    };
    let config = PeerConfig {
        allowed_ips: allowed_ips.into_iter().collect(),
        persistent_keepalive: if n.is_multiple_of(5) { 25 } else { 0 },
        preshared_key: n
            .is_multiple_of(2)
            .then(|| PresharedKey::from_bytes([1 + (n % 251) as u8; 32]).unwrap()),
    };
    let endpoint = format!("192.0.2.{}:{}", n % 200 + 1, 1024 + n % 60_000);
    let endpoint = n
        .is_multiple_of(3)
        .then(|| Endpoint::new(endpoint.parse().unwrap()).unwrap());
    (config, endpoint)
}

type Peers = BTreeMap<PublicKey, (PeerConfig, Option<Endpoint>)>;

fn all_peers() -> Peers {
    (0..PEERS).map(|n| (key(n), peer(n))).collect()
}

fn digest(peers: &Peers) -> String {
    Digest::of(peers.iter().map(|(key, (config, _))| (key, config))).to_string()
}

fn entry(key: &PublicKey, (config, endpoint): &(PeerConfig, Option<Endpoint>)) -> Value {
    let mut entry = json!({ "public_key": key.to_string(), "allowed_ips": config.allowed_ips });
    if config.persistent_keepalive != 0 {
        entry["persistent_keepalive"] = config.persistent_keepalive.into();
    }
    if let Some(preshared_key) = &config.preshared_key {
        entry["preshared_key"] = preshared_key.reveal().into();
    }
    if let Some(endpoint) = endpoint {
        entry["endpoint"] = endpoint.to_string().into();
    }
    entry
}

/// What a dump must show of a peer; the counters are not for the test to know.
fn assert_shown(dump: &Value, peers: &Peers) {
    let rows = dump["peers"].as_array().unwrap();
    assert_eq!(rows.len(), peers.len());
    for (row, (key, (config, endpoint))) in rows.iter().zip(peers) {
        assert_eq!(row["public_key"], key.to_string());
        assert_eq!(row["allowed_ips"], json!(config.allowed_ips), "{key}");
        assert_eq!(row["persistent_keepalive"], config.persistent_keepalive);
        assert_eq!(row["has_preshared_key"], config.preshared_key.is_some());
        let endpoint = endpoint.map(|endpoint| endpoint.to_string());
        assert_eq!(row["endpoint"], json!(endpoint), "{key}");
        assert_eq!(row["latest_handshake"], Value::Null);
        assert_eq!(row.get("foreign"), None, "{key}");
    }
}

fn held(peers: &Peers) -> BTreeMap<PublicKey, Held> {
    let held = |(config, endpoint): &(PeerConfig, Option<Endpoint>)| Held {
        allowed_ips: config.allowed_ips.iter().map(Cidr::to_string).collect(),
        keepalive: config.persistent_keepalive,
        has_psk: config.preshared_key.is_some(),
        endpoint: endpoint.map(|endpoint| endpoint.to_string()),
    };
    peers.iter().map(|(key, peer)| (*key, held(peer))).collect()
}

fn assert_everywhere(bed: &Bed, peers: &Peers, generation: u64) {
    let dump = bed.dump();
    assert_shown(&dump, peers);
    assert_eq!(dump["digest"], digest(peers));
    assert_eq!(dump["generation"], generation);
    let in_sync =
        json!({ "generation": generation, "digest": digest(peers), "peers": peers.len() });
    assert_eq!(bed.digest(), in_sync);
    // The program's own memory cannot be looked into from here.
    if bed.backend != Backend::Memory {
        assert!(bed.hand.peers() == held(peers), "the device differs");
    }
}

/// What the agent holds of the machine's memory at the moment, in kB.
///
/// A debug build is several times as large as the optimised program, so what that takes is counted
/// in place of it.
fn resident_kb(bed: &Bed) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", bed.pid())).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let (own, program): (u64, u64) = (field("RssAnon:"), field("RssFile:"));
    let most: u64 = field("VmHWM:");
    println!("resident: {own} kB and {program} kB of files; at most {most} kB");
    own + PROGRAM_KB
}

fn start() -> Bed {
    Bed::with(Setup {
        program: true,
        ..Setup::default()
    })
}

#[test]
fn ten_thousand_peers_are_written_and_read_back_whole() {
    let bed = start();
    let mut peers = all_peers();
    // The keepalive of a peer without traffic has the kernel build a handshake for it.
    if bed.backend != Backend::Memory {
        crate::bed::run("ip", &["link", "set", bed.name.as_str(), "down"]);
    }
    let idle = resident_kb(&bed);
    let entries: Vec<Value> = peers.iter().map(|(key, peer)| entry(key, peer)).collect();
    let body = json!({ "generation": 1, "peers": entries }).to_string();
    assert!(body.len() > 1 << 20, "{}", body.len());

    let put = bed.client.call("PUT", &bed.path("/peers"), body.as_bytes());
    assert_eq!(put.status, 200, "{}", put.text());
    drop((body, entries));
    assert_eq!(put.json()["peers"], PEERS);
    assert_everywhere(&bed, &peers, 1);

    let changed = key(4321);
    let config = PeerConfig {
        persistent_keepalive: 7,
        ..peers[&changed].0.clone()
    };
    peers.get_mut(&changed).unwrap().0 = config;
    let batch = json!({
        "base_generation": 1, "generation": 2, "upsert": [entry(&changed, &peers[&changed])],
    });
    let patched = bed.client.patch(&bed.path("/peers"), &batch);
    assert_eq!(patched.status, 200, "{}", patched.text());
    assert_everywhere(&bed, &peers, 2);

    let full = resident_kb(&bed);
    assert!(idle <= IDLE_KB, "{idle} kB idle");
    // In memory the device itself is within the agent.
    let bounded = bed.backend != Backend::Memory;
    assert!(!bounded || full <= FULL_KB, "{full} kB with {PEERS} peers");

    let refused = json!({ "generation": 3, "peers": [], "allow_removals": PEERS - 1 });
    let refused = bed.client.put(&bed.path("/peers"), &refused);
    assert_eq!(refused.code(), (409, "mass_removal".into()));
    assert_eq!(refused.json()["count"], PEERS);
    assert_eq!(bed.digest()["peers"], PEERS);

    let empty = json!({ "generation": 3, "peers": [], "allow_removals": PEERS });
    assert_eq!(bed.client.put(&bed.path("/peers"), &empty).status, 200);
    assert_everywhere(&bed, &Peers::new(), 3);
}

#[test]
fn ten_thousand_peers_survive_a_restart() {
    // In the machine of the kernel's tests it would take a minute to say the same again.
    if !Bed::only_on(&[Backend::Memory, Backend::Userspace]) {
        return;
    }
    let mut bed = start();
    if bed.backend != Backend::Memory {
        crate::bed::run("ip", &["link", "set", bed.name.as_str(), "down"]);
    }
    let peers = all_peers();
    let entries: Vec<Value> = peers.iter().map(|(key, peer)| entry(key, peer)).collect();
    let set = json!({ "generation": 5, "peers": entries });
    assert_eq!(bed.client.put(&bed.path("/peers"), &set).status, 200);

    bed.kill();
    bed.run();

    assert_everywhere(&bed, &peers, 5);
    let full = resident_kb(&bed);
    let bounded = bed.backend != Backend::Memory;
    assert!(!bounded || full <= FULL_KB, "{full} kB with {PEERS} peers");
}
