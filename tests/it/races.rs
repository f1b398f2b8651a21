//! Somebody else writes to the device while the agent reads it and writes to it.
//!
//! The kernel cuts a dump short when what it lists changes meanwhile, and the library takes that for
//! the whole. wireguard-go's dumps are whole by nature, and must stay so on the way through.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use node_agent::config::BackendChoice;
use node_agent::device::{self, PeerOp};
use protocol::{Cidr, InterfaceName, PeerConfig, PublicKey};
use serde_json::{Value, json};

use crate::bed::{Backend, Bed, Response, encode, key};

const UNTOUCHED: u32 = 250;
const FOREIGN: u32 = 90;
const ROUNDS: u64 = 12;
/// A writer without any pause lets nobody read: then the agent says that the device is busy.
const BREATH: Duration = Duration::from_millis(40);

fn peer(n: u32) -> Value {
    // Of different sizes, so that messages end within peers.
    let ips: Vec<String> = (0..=n % 5)
        .map(|i| format!("fd00:{n:x}::{i:x}/128"))
        .collect();
    let mut peer = json!({ "public_key": key(n), "allowed_ips": ips });
    if n.is_multiple_of(3) {
        peer["endpoint"] = format!("192.0.2.1:{}", 1000 + n).into();
    }
    if n.is_multiple_of(4) {
        let psk = protocol::PresharedKey::from_bytes([9; 32]).unwrap();
        peer["preshared_key"] = psk.reveal().into();
    }
    peer
}

fn foreign_key(n: u32) -> PublicKey {
    let mut bytes = [0x61; 32];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    PublicKey::from_bytes(bytes).unwrap()
}

/// Adds and removes foreign peers until told to stop; counts its rounds.
fn write_foreign(name: &InterfaceName, backend: Backend, goes_on: &AtomicBool, rounds: &AtomicU32) {
    let choice = match backend {
        Backend::Kernel => BackendChoice::Kernel,
        Backend::Userspace => BackendChoice::Userspace,
        Backend::Memory => panic!("a device in memory is of one process"),
    };
    let device = device::open(name, choice).unwrap();
    let index = device.index().unwrap().unwrap();
    let put = |n: u32| PeerOp::Put {
        key: foreign_key(n),
        config: PeerConfig {
            allowed_ips: [Cidr::parse(&format!("10.77.{n}.0/24")).unwrap()]
                .into_iter()
                .collect(),
            ..PeerConfig::default()
        },
        replace_allowed_ips: true,
        endpoint: None,
    };
    while goes_on.load(Ordering::SeqCst) {
        // One by one and all at once, as tools do.
        for n in 0..FOREIGN / 3 {
            device.apply(index, &[put(n)]).unwrap();
            if n.is_multiple_of(10) {
                std::thread::sleep(BREATH);
            }
        }
        let rest: Vec<PeerOp> = (FOREIGN / 3..FOREIGN).map(put).collect();
        device.apply(index, &rest).unwrap();
        let gone: Vec<PeerOp> = (0..FOREIGN)
            .map(|n| PeerOp::Remove(foreign_key(n)))
            .collect();
        device.apply(index, &gone).unwrap();
        rounds.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(BREATH);
    }
}

/// Asks until the device is not too busy to be read; the answer says when to ask again.
fn persist(mut ask: impl FnMut() -> Response) -> Response {
    let mut response = ask();
    for _ in 0..20 {
        if response.status != 503 {
            break;
        }
        assert_eq!(response.code(), (503, "busy".into()));
        assert_eq!(response.header("retry-after"), Some("1"));
        std::thread::sleep(Duration::from_millis(50));
        response = ask();
    }
    response
}

fn managed_rows(dump: &Value) -> BTreeMap<String, Value> {
    let peers = dump["peers"].as_array().unwrap();
    let managed = peers.iter().filter(|peer| peer["foreign"] != true);
    managed
        .map(|peer| {
            let mut peer = peer.clone();
            for observed in ["latest_handshake", "transfer_rx", "transfer_tx"] {
                peer.as_object_mut().unwrap().remove(observed);
            }
            (peer["public_key"].as_str().unwrap().to_owned(), peer)
        })
        .collect()
}

#[test]
fn dumps_are_whole_and_writes_succeed_beside_a_foreign_writer() {
    if !Bed::only_on(&[Backend::Userspace, Backend::Kernel]) {
        return;
    }
    let bed = Bed::start();
    let all: Vec<Value> = (0..UNTOUCHED).map(peer).collect();
    let set = json!({ "generation": 1, "peers": all });
    assert_eq!(bed.client.put(&bed.path("/peers"), &set).status, 200);
    let untouched = managed_rows(&bed.dump());
    let mut expected = untouched.clone();
    let (goes_on, rounds) = (AtomicBool::new(true), AtomicU32::new(0));

    std::thread::scope(|scope| {
        scope.spawn(|| write_foreign(&bed.name, bed.backend, &goes_on, &rounds));
        let stop = StopAtEnd(&goes_on);
        for round in 0..ROUNDS {
            let n = 1000 + u32::try_from(round).unwrap();
            let added = persist(|| bed.client.post(&bed.path("/peers"), &peer(n)));
            assert!([200, 201].contains(&added.status), "{added:?}");
            let batch = json!({
                "base_generation": round + 1, "generation": round + 2, "upsert": [peer(2000 + n)],
            });
            let patched = persist(|| bed.client.patch(&bed.path("/peers"), &batch));
            assert_eq!(patched.status, 200, "{patched:?}");
            if round % 2 == 0 {
                let removed = persist(|| bed.delete(&key(n)));
                assert_eq!(removed.status, 200, "{removed:?}");
            }

            let dump = persist(|| bed.client.get(&bed.path("/dump")));
            assert_eq!(dump.status, 200, "{dump:?}");

            let rows = managed_rows(&dump.json());
            for (key, row) in &untouched {
                assert_eq!(rows.get(key), Some(row), "in round {round}");
            }
            assert_eq!(rows.contains_key(&key(n)), round % 2 == 1);
            assert!(rows.contains_key(&key(2000 + n)));
            expected = rows;
        }
        drop(stop);
    });

    println!(
        "{} rounds of foreign writing",
        rounds.load(Ordering::SeqCst)
    );
    assert!(rounds.load(Ordering::SeqCst) > 0);
    let dump = bed.dump();
    assert_eq!(managed_rows(&dump), expected);
    assert_eq!(dump["peers"].as_array().unwrap().len(), expected.len());
    let on_device: Vec<String> = bed.hand.peers().keys().map(ToString::to_string).collect();
    let mut in_dump: Vec<PublicKey> = expected
        .keys()
        .map(|key| PublicKey::parse(key).unwrap())
        .collect();
    in_dump.sort_unstable();
    let in_dump: Vec<String> = in_dump.iter().map(ToString::to_string).collect();
    assert_eq!(on_device, in_dump);
}

/// Ends the foreign writer also where an assertion fails, or the test would wait for it for ever.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[test]
fn an_interface_that_was_deleted_is_never_made_by_a_write() {
    if !Bed::only_on(&[Backend::Userspace, Backend::Kernel]) {
        return;
    }
    let bed = Bed::start();
    let (stays, goes) = (key(1), key(2));
    assert_eq!(bed.add(&stays, &["10.1.0.1/32"]).status, 201);
    assert_eq!(bed.add(&goes, &["10.1.0.2/32"]).status, 201);

    for attempt in 0..3 {
        bed.hand.vanish();
        let added = bed.add(&key(3), &["10.1.0.3/32"]);
        assert_eq!(added.code(), (503, "interface_missing".into()));
        let set = json!({ "generation": 9, "peers": [] });
        let put = bed.client.put(&bed.path("/peers"), &set);
        assert_eq!(put.code(), (503, "interface_missing".into()));
        let path = bed.path(&format!("/peers/{}", encode(&stays)));
        let changed = bed.client.put(&path, &json!({ "persistent_keepalive": 1 }));
        assert_eq!(changed.code(), (503, "interface_missing".into()));
        assert_eq!(bed.delete(&goes).status, 200);
        // Long enough for the agent to look after the interface of its own accord.
        std::thread::sleep(Duration::from_millis(300));
        assert!(!bed.hand.exists(), "made in attempt {attempt}");

        bed.hand.come_back();
        Bed::within(Duration::from_secs(10), "the peer to be put back", || {
            let peers = bed.hand.peers();
            peers.len() == 1 && peers.keys().all(|key| key.to_string() == stays)
        });
    }
}

#[test]
fn deleting_the_interface_amid_a_stream_of_writes_does_not_make_it_again() {
    if !Bed::only_on(&[Backend::Userspace, Backend::Kernel]) {
        return;
    }
    let bed = Bed::start();
    for round in 0..5_u32 {
        let goes_on = AtomicBool::new(true);
        std::thread::scope(|scope| {
            let stop = StopAtEnd(&goes_on);
            let writers: Vec<_> = (0..3_u32)
                .map(|writer| {
                    let (bed, goes_on) = (&bed, &goes_on);
                    scope.spawn(move || {
                        let mut answers = BTreeMap::new();
                        let mut n = 0;
                        while goes_on.load(Ordering::SeqCst) {
                            n = (n + 1) % 40;
                            let ip = format!("10.{}.{writer}.{n}/32", 10 + round);
                            let number = 1000 * (writer + 1) + n;
                            let added = bed.add(&key(number), &[&ip]);
                            *answers.entry(added.code()).or_insert(0) += 1;
                            // A removal is accepted whatever becomes of the interface.
                            let removed = bed.delete(&key(number));
                            assert_eq!(removed.status, 200, "{removed:?}");
                        }
                        answers
                    })
                })
                .collect();
            std::thread::sleep(Duration::from_millis(100 + 7 * u64::from(round)));
            bed.hand.vanish();
            std::thread::sleep(Duration::from_millis(150));
            assert!(!bed.hand.exists(), "somebody made it again");
            drop(stop);
            for writer in writers {
                for ((status, code), count) in writer.join().unwrap() {
                    let later = ["interface_missing", "busy"].contains(&code.as_str());
                    let fine = [200, 201].contains(&status) || (status == 503 && later);
                    assert!(fine, "{count} times {status} {code}");
                }
            }
        });
        bed.hand.come_back();
        Bed::within(Duration::from_secs(10), "the agent to see it", || {
            bed.client.get(&bed.path("/digest")).status == 200
        });
    }
    let dump = bed.dump();
    assert_eq!(
        dump["peers"].as_array().unwrap().len(),
        bed.hand.peers().len()
    );
}
