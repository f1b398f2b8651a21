//! A flow that keeps running while a thousand other peers come, change and go.
//!
//! Packets are lost on busy machines without any change at all, so a stretch of the same length in
//! which nothing is changed says what is normal. On a machine that loses nothing there, nothing may
//! be lost beside the changes either.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bed::{Backend, Bed, Far, Flow, encode, key};

const OTHERS: u32 = 1000;
const SINGLY: u32 = 100;
/// An emulated processor spends most of its time on the packets alone if they come faster.
const PAUSE_ON_KERNEL: Duration = Duration::from_millis(5);
const PAUSE: Duration = Duration::from_millis(3);

/// The peer that carries the flow, seen again and again: nothing about it may begin anew.
struct Watched {
    key: String,
    latest: Value,
}

impl Watched {
    fn find(bed: &Bed, key: &str) -> Value {
        let dump = bed.dump();
        let peers = dump["peers"].as_array().unwrap();
        let found = peers.iter().find(|peer| peer["public_key"] == key);
        found.expect("the running peer is in every dump").clone()
    }

    fn start(bed: &Bed, key: &str) -> Self {
        let latest = Self::find(bed, key);
        assert!(latest["latest_handshake"].is_i64(), "{latest}");
        Self {
            key: key.to_owned(),
            latest,
        }
    }

    fn look(&mut self, bed: &Bed) {
        let now = Self::find(bed, &self.key);
        for counter in ["latest_handshake", "transfer_rx", "transfer_tx"] {
            let (before, after) = (&self.latest[counter], &now[counter]);
            assert!(
                after.as_u64() >= before.as_u64(),
                "{counter} went from {before} to {after}"
            );
        }
        for steady in ["endpoint", "allowed_ips", "has_preshared_key"] {
            assert_eq!(now[steady], self.latest[steady]);
        }
        self.latest = now;
    }
}

/// A peer in one of its versions. Few have a keepalive: the kernel makes handshakes for each that does.
fn peer(n: u32, version: u32) -> Value {
    let [_, _, high, low] = n.to_be_bytes();
    let keepalive = if version == 1 { 3600 } else { 0 };
    json!({
        "public_key": key(100 + n),
        "allowed_ips": [format!("10.{}.{high}.{low}/32", 40 + version), format!("fd40::{n:x}/128")],
        "persistent_keepalive": keepalive,
    })
}

fn patch(bed: &Bed, generation: u64, upsert: &[Value], remove: &[String]) {
    let body = json!({
        "base_generation": generation - 1, "generation": generation, "upsert": upsert, "remove": remove,
    });
    let answer = bed.client.patch(&bed.path("/peers"), &body);
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn put_full_set(bed: &Bed, query: &str, generation: u64, peers: &[Value]) {
    let body = json!({ "generation": generation, "peers": peers });
    let answer = bed.client.put(&bed.path(&format!("/peers{query}")), &body);
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Everything the API can do to peers that are not the one that carries the flow.
fn change_others(bed: &Bed, watched: &mut Watched, own: &Value) {
    for n in 0..SINGLY {
        let added = bed.client.post(&bed.path("/peers"), &peer(n, 0));
        assert_eq!(added.status, 201, "{added:?}");
    }
    watched.look(bed);
    let rest: Vec<Value> = (SINGLY..OTHERS).map(|n| peer(n, 0)).collect();
    patch(bed, 1, &rest, &[]);
    watched.look(bed);
    for n in 0..SINGLY / 2 {
        let path = bed.path(&format!("/peers/{}", encode(&key(100 + n))));
        let updated = bed.client.put(&path, &peer_content(n, 1));
        assert_eq!(updated.status, 200, "{updated:?}");
    }
    watched.look(bed);
    let changed: Vec<Value> = (0..OTHERS).map(|n| peer(n, 2)).collect();
    patch(bed, 2, &changed, &[]);
    watched.look(bed);
    let all: Vec<Value> = changed.iter().chain([own]).cloned().collect();
    put_full_set(bed, "", 2, &all);
    put_full_set(bed, "", 3, &all);
    put_full_set(bed, "?foreign=remove", 4, &all);
    watched.look(bed);
    assert_eq!(bed.digest()["peers"], OTHERS + 1);
    for n in 0..SINGLY {
        assert_eq!(bed.delete(&key(100 + n)).status, 200);
    }
    watched.look(bed);
    let remaining: Vec<String> = (SINGLY..OTHERS).map(|n| key(100 + n)).collect();
    patch(bed, 5, &[], &remaining);
    watched.look(bed);
    assert_eq!(bed.digest()["peers"], 1);
}

fn peer_content(n: u32, version: u32) -> Value {
    let mut content = peer(n, version);
    content.as_object_mut().unwrap().remove("public_key");
    content
}

#[test]
fn a_thousand_peers_come_and_go_and_a_running_flow_loses_nothing() {
    if !Bed::only_on(&[Backend::Userspace, Backend::Kernel]) {
        return;
    }
    let bed = Bed::start();
    let far = Far::new(&bed, 1);
    let own = json!({ "public_key": far.key(), "allowed_ips": far.allowed_ips() });
    assert_eq!(bed.client.post(&bed.path("/peers"), &own).status, 201);
    Bed::within(Duration::from_secs(20), "the tunnel", || far.reaches_node());
    let mut watched = Watched::start(&bed, &far.key());

    let pause = match bed.backend {
        Backend::Kernel => PAUSE_ON_KERNEL,
        Backend::Memory | Backend::Userspace => PAUSE,
    };
    let flow = Flow::start(&far, pause);
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    change_others(&bed, &mut watched, &own);
    let ended = Instant::now();
    std::thread::sleep(ended - began);
    let control_ended = Instant::now();
    let record = flow.stop();

    watched.look(&bed);
    let changing = record.tally(&(began..ended));
    let control = record.tally(&(ended..control_ended));
    println!("with changes {changing:?}, without {control:?}");
    assert!(changing.sent > 200, "{changing:?}");
    // A thousandth of the packets is left to chance, and only where chance was seen at work.
    let chance = if control.lost() > 0 {
        changing.sent / 1000
    } else {
        0
    };
    assert!(
        changing.lost() <= control.lost() + chance,
        "with changes {changing:?}, without {control:?}"
    );
}
