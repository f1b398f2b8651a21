//! A disk that refuses: what must go goes, nothing is added, and all of it is made up for later.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::{SECOND, holding_ten};
use crate::bed::{Bed, ip, key, peers, public_key};

/// Has every write of the journal fail until it is told to stop.
///
/// The journal is made as long as a file can be, so that nothing can be appended, and a folder stands
/// where a new one would be written. It works on every file system, for root and for others.
struct Refusal {
    in_the_way: PathBuf,
}

impl Refusal {
    fn begin(bed: &Bed) -> Self {
        let in_the_way = bed.journal().with_added_extension("new");
        fs::create_dir(&in_the_way).unwrap();
        let journal = fs::OpenOptions::new()
            .write(true)
            .open(bed.journal())
            .unwrap();
        let (mut fits, mut too_long) = (0, 1 << 63);
        while too_long - fits > 1 {
            let middle = fits + (too_long - fits) / 2;
            match journal.set_len(middle) {
                Ok(()) => fits = middle,
                Err(_) => too_long = middle,
            }
        }
        journal.set_len(fits).unwrap();
        Self { in_the_way }
    }

    fn end(self) {
        fs::remove_dir(self.in_the_way).unwrap();
    }
}

#[test]
fn a_disk_that_refuses_keeps_additions_out_and_removals_are_made_all_the_same() {
    let mut bed = holding_ten();
    let before = bed.digest();
    let refusal = Refusal::begin(&bed);

    let added = bed.add(&key(20), &[&ip(20)]);
    assert_eq!(added.code(), (503, "not_durable".into()));
    assert!(added.header("Retry-After").is_some());
    assert_eq!(bed.digest(), before);
    let health = bed.health();
    assert_eq!(health["status"], "degraded");
    assert!(health["reasons"][0].as_str().unwrap().contains("journal"));

    let removed = bed.delete(&key(1));
    assert_eq!(removed.code(), (503, "not_durable".into()));
    assert!(!bed.hand.peers().contains_key(&public_key(1)));

    let batch = json!({
        "base_generation": 7, "generation": 8, "upsert": peers([21]), "remove": [key(2)],
    });
    assert_eq!(bed.batch(&batch).code(), (503, "not_durable".into()));
    let held = bed.hand.peers();
    assert!(!held.contains_key(&public_key(2)) && !held.contains_key(&public_key(21)));
    assert_eq!(held.len(), 8);
    assert_eq!(bed.digest()["generation"], 7);
    assert_eq!(
        bed.update(&key(3), &json!({ "persistent_keepalive": 9 }))
            .status,
        503
    );
    assert_eq!(
        bed.client
            .put(&bed.path("/config"), &json!({ "mtu": 1400 }))
            .status,
        503
    );
    assert_eq!(bed.get("/config")["config"]["mtu"], 1420);

    refusal.end();
    Bed::within(2 * SECOND, "the disk to be tried again", || {
        bed.health()["status"] == "ok"
    });
    assert_eq!(bed.remembered().peers.len(), 8);
    assert_eq!(bed.add(&key(20), &[&ip(20)]).status, 201);
    let before = bed.state();
    bed.restart();
    assert_eq!(bed.state(), before);
    assert!(!bed.hand.peers().contains_key(&public_key(1)));
}

#[test]
fn a_removal_that_the_disk_refused_holds_after_a_restart() {
    let mut bed = holding_ten();
    let refusal = Refusal::begin(&bed);
    assert_eq!(bed.delete(&key(1)).status, 503);
    refusal.end();
    Bed::within(2 * SECOND, "the disk to be tried again", || {
        bed.health()["status"] == "ok"
    });

    bed.stop();
    bed.hand.put_foreign(&public_key(50), &[&ip(50)]);
    bed.run();

    assert!(!bed.hand.peers().contains_key(&public_key(1)));
    assert!(!bed.remembered().peers.contains_key(&public_key(1)));
    assert_eq!(bed.hand.peers().len(), 10);
}

#[test]
fn a_lease_ends_although_the_disk_refuses() {
    let bed = holding_ten();
    let mut lease = crate::bed::peer(30, &[&ip(30)]);
    lease["expires_at"] = json!(crate::bed::now() + 2);
    assert_eq!(bed.client.post(&bed.path("/peers"), &lease).status, 201);
    let refusal = Refusal::begin(&bed);

    Bed::within(Duration::from_secs(4), "the lease to end", || {
        !bed.hand.peers().contains_key(&public_key(30))
    });
    refusal.end();
}

#[test]
fn secrets_that_the_disk_refuses_are_not_changed() {
    let bed = Bed::start();
    let in_the_way = bed.state_dir().join("secrets.json.new");
    fs::create_dir(&in_the_way).unwrap();

    let refused = bed
        .client
        .post("/v1/secrets", &json!({ "id": "b", "public_key": key(1) }));

    assert_eq!(refused.code(), (503, "not_durable".into()));
    fs::remove_dir(in_the_way).unwrap();
    let taken = bed
        .client
        .post("/v1/secrets", &json!({ "id": "b", "public_key": key(1) }));
    assert_eq!(taken.status, 200);
}
