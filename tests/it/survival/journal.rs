//! A journal that ends in the middle of a line, and one that was damaged.

use std::fs;
use std::io::Write;

use serde_json::{Value, json};

use super::holding_ten;
use crate::bed::{Bed, ip, key, own_key, peers, public_key};

/// Ten peers in the device and a journal that cannot be read.
fn with_a_damaged_journal() -> (Bed, Vec<u8>) {
    let mut bed = holding_ten();
    bed.add(&key(11), &[&ip(11)]);
    bed.stop();
    let mut text = fs::read(bed.journal()).unwrap();
    let middle = text.len() / 3;
    text[middle] ^= 1;
    fs::write(bed.journal(), &text).unwrap();
    bed.run();
    (bed, text)
}

#[test]
fn a_torn_tail_is_cut() {
    let mut bed = holding_ten();
    let before = bed.state();
    bed.stop();
    let whole = fs::read(bed.journal()).unwrap();
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(bed.journal())
        .unwrap();
    file.write_all(b"0123456789abcdef {\"remove\":[\"").unwrap();

    bed.run();

    assert!(fs::read(bed.journal()).unwrap().starts_with(&whole));
    assert_eq!(bed.state(), before);
    assert_eq!(bed.health()["status"], "ok");
    assert_eq!(bed.add(&key(20), &[&ip(20)]).status, 201);
    bed.restart();
    assert_eq!(bed.state().disk.peers.len(), 11);
}

#[test]
fn a_damaged_journal_is_told_and_nothing_is_touched() {
    let (bed, text) = with_a_damaged_journal();

    let health = bed.health();
    assert_eq!(health["status"], "degraded");
    let reasons = health["reasons"].as_array().unwrap();
    assert!(
        reasons
            .iter()
            .any(|reason| reason.as_str().unwrap().contains("journal"))
    );
    assert_eq!(health["interfaces"][0]["generation"], Value::Null);
    assert_eq!(bed.digest()["generation"], Value::Null);
    assert_eq!(bed.dump()["generation"], Value::Null);
    assert_eq!(bed.hand.peers().len(), 11);
    assert_eq!(bed.get("/config")["config"]["public_key"], own_key());
    assert_eq!(fs::read(bed.journal()).unwrap(), text);
}

#[test]
fn over_a_damaged_journal_nothing_is_added() {
    let (bed, text) = with_a_damaged_journal();
    let before = (bed.digest(), bed.hand.peers());

    let batch = json!({ "base_generation": null, "generation": 1, "upsert": peers([20]) });
    for refused in [
        bed.add(&key(20), &[&ip(20)]),
        bed.update(&key(1), &json!({ "persistent_keepalive": 1 })),
        bed.batch(&batch),
        bed.client
            .put(&bed.path("/config"), &json!({ "mtu": 1400 })),
    ] {
        assert_eq!(refused.code(), (503, "not_durable".into()));
        assert!(refused.header("Retry-After").is_some());
    }

    assert_eq!((bed.digest(), bed.hand.peers()), before);
    assert_eq!(fs::read(bed.journal()).unwrap(), text);
}

#[test]
fn over_a_damaged_journal_removals_are_made() {
    let (bed, text) = with_a_damaged_journal();

    let removed = bed.delete(&key(1));

    assert_eq!(removed.code(), (503, "not_durable".into()));
    assert!(!bed.hand.peers().contains_key(&public_key(1)));
    assert_eq!(bed.hand.peers().len(), 10);
    assert_eq!(fs::read(bed.journal()).unwrap(), text);
}

#[test]
fn a_full_set_founds_the_journal_anew_and_the_damaged_one_is_kept() {
    let (mut bed, text) = with_a_damaged_journal();

    let set = json!({ "generation": 9, "peers": peers(6..=12) });
    let founded = bed.full_set(&set);

    assert_eq!(founded.status, 200, "{founded:?}");
    let health = bed.health();
    assert_eq!(
        (&health["status"], &health["reasons"]),
        (&json!("ok"), &json!([]))
    );
    assert_eq!(bed.digest()["generation"], 9);
    assert_eq!(
        fs::read(bed.journal().with_extension("damaged")).unwrap(),
        text
    );
    assert_eq!(bed.add(&key(20), &[&ip(20)]).status, 201);
    let before = bed.state();
    assert_eq!(before.disk.peers.len(), 8);

    bed.restart();

    assert_eq!(bed.state(), before);
}

#[test]
fn the_journal_is_for_nobody_else_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let bed = holding_ten();

    for file in [bed.journal(), bed.state_dir().join("secrets.json")] {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}
