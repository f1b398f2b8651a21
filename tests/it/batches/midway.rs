//! A device that refuses an update half way: what was added goes, what was removed stays gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::at_one;
use crate::bed::{Backend, Bed, ip, key, peer, peers, public_key};

/// Peers of which the device refuses one that exists, with a batch that changes all kinds.
fn with_a_refused_peer() -> Option<(Bed, Value)> {
    if !Bed::only_on(&[Backend::Memory]) {
        return None;
    }
    let bed = at_one();
    let more = json!({ "base_generation": 1, "generation": 2, "upsert": peers(3..=40) });
    assert_eq!(bed.batch(&more).status, 200);
    let mut keys: Vec<_> = (3..=40).map(|n| (public_key(n), n)).collect();
    keys.sort();
    let (last, n) = keys[keys.len() - 1];
    bed.hand.memory.refuse(last, 22);
    let changed = (3..=40).filter(|other| *other != n).map(|n| peer(n, &[]));
    let batch = json!({
        "base_generation": 2, "generation": 3,
        "upsert": changed.chain([peer(n, &["10.1.0.0/16"]), peer(50, &[&ip(50)])]).collect::<Vec<_>>(),
        "remove": [key(1)],
    });
    Some((bed, batch))
}

#[test]
fn a_refused_batch_is_rolled_back_but_for_its_removals() {
    let Some((mut bed, batch)) = with_a_refused_peer() else {
        return;
    };
    let mut expected = bed.hand.peers();
    expected.remove(&public_key(1)).unwrap();

    let refused = bed.batch(&batch);

    assert_eq!(refused.code(), (422, "device_refused".into()));
    assert_eq!(bed.hand.peers(), expected);
    assert_eq!(bed.digest()["generation"], 2);
    assert_eq!(bed.digest()["peers"], expected.len());
    assert_eq!(bed.health()["status"], "ok");
    let after = bed.state();
    assert!(after.disk.peers.keys().eq(expected.keys()));

    bed.restart();

    assert_eq!(bed.state().device, expected);
    assert_eq!(bed.state(), after);
}

#[test]
fn what_a_refused_batch_removed_is_not_back_for_a_moment() {
    let Some((bed, batch)) = with_a_refused_peer() else {
        return;
    };
    let held = || bed.hand.peers().contains_key(&public_key(1));

    for _ in 0..10 {
        let answered = AtomicBool::new(false);
        let came_back = thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let mut gone = false;
                while !answered.load(Ordering::Relaxed) {
                    let held = held();
                    if gone && held {
                        return true;
                    }
                    gone = !held;
                }
                false
            });
            assert_eq!(bed.batch(&batch).status, 422);
            answered.store(true, Ordering::Relaxed);
            watcher.join().unwrap()
        });

        assert!(!came_back);
        assert!(!held());
        assert_eq!(bed.add(&key(1), &[&ip(1)]).status, 201);
    }
}

#[test]
fn a_peer_that_the_device_refused_does_not_stay_as_a_shell() {
    if !Bed::only_on(&[Backend::Memory]) {
        return;
    }
    let bed = at_one();
    let before = bed.state();
    bed.hand.memory.refuse(public_key(9), 22);

    let refused = bed.add(&key(9), &[&ip(9)]);
    assert_eq!(refused.code(), (422, "device_refused".into()));
    bed.hand.memory.accept(&public_key(9));

    let gone = || !bed.hand.peers().contains_key(&public_key(9));
    Bed::within(Duration::from_secs(2), "the shell to go", gone);
    assert_eq!(bed.state(), before);
}
