//! Cutting changes into requests.

use proptest::collection::vec;
use proptest::prelude::*;
use protocol::Endpoint;
use protocol::wire::Batch;

use super::*;

/// A peer whose every part is as long as it gets, with so many allowed IPs.
fn longest_peer(n: u16, allowed_ips: u16) -> PeerSpec {
    let mut bytes = [255; 32];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    let longest = |i: u16| {
        let address = [
            0xffff,
            0xffff,
            0xffff,
            0xffff,
            0xffff,
            0xffff,
            n.max(0x1000),
            i.max(0x1000),
        ];
        Cidr::new(address.into(), 128).unwrap()
    };
    PeerSpec {
        public_key: PublicKey::from_bytes(bytes).unwrap(),
        allowed_ips: (0x1000..0x1000 + allowed_ips).map(longest).collect(),
        preshared_key: psk(255),
        persistent_keepalive: Some(u16::MAX),
        endpoint: Some(
            Endpoint::parse("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535").unwrap(),
        ),
        expires_at: Some(i64::MIN),
    }
}

fn peer(n: u32) -> PublicKey {
    let mut bytes = [1; 32];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    PublicKey::from_bytes(bytes).unwrap()
}

fn body(batch: &Batch) -> usize {
    let json = serde_json::json!({
        "base_generation": batch.base_generation,
        "generation": batch.generation,
        "upsert": batch.upsert,
        "remove": batch.remove,
    });
    json.to_string().len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_request_fits_and_together_they_are_the_changes(
        sizes in vec(prop_oneof![8 => 0u16..60, 1 => 1000u16..9000], 0..200),
        removals in prop_oneof![2 => 0u32..100, 1 => 10_000u32..50_000],
        base in 0i64..1000,
        spare in 0i64..10,
    ) {
        let changes = Changes {
            upsert: (0..).zip(&sizes).map(|(n, size)| longest_peer(n, *size)).collect(),
            remove: (0..removals).map(peer).collect(),
        };
        let raise_to = split(changes.clone(), base, base).unwrap_err().raise_to;
        let short = split(changes.clone(), base, raise_to - 1).map(drop);
        prop_assert_eq!(short, Err(TooFewGenerations { raise_to }));

        let batches = split(changes.clone(), base, raise_to + spare).unwrap();

        let mut at = base as u64;
        for batch in &batches {
            prop_assert!(body(batch) <= 1 << 20);
            prop_assert_eq!(batch.base_generation, Some(at));
            prop_assert!(batch.generation > at);
            at = batch.generation;
        }
        prop_assert_eq!(at, (raise_to + spare) as u64);
        let upsert: Vec<PeerSpec> = batches.iter().flat_map(|batch| batch.upsert.clone()).collect();
        let remove: Vec<PublicKey> = batches.iter().flat_map(|batch| batch.remove.clone()).collect();
        prop_assert_eq!(Changes { upsert, remove }, changes);
    }
}

#[test]
fn a_thousand_peers_of_five_addresses_are_one_request() {
    let changes = Changes {
        upsert: (0..1000).map(|n| longest_peer(n, 5)).collect(),
        remove: vec![],
    };

    assert_eq!(split(changes, 7, 8).unwrap().len(), 1);
}

#[test]
fn nothing_to_change_still_brings_the_generation() {
    let batches = split(Changes::default(), 0, 5).unwrap();

    assert_eq!(batches.len(), 1);
    assert_eq!(
        (batches[0].base_generation, batches[0].generation),
        (Some(0), 5)
    );
}

#[test]
fn removals_come_before_what_may_need_them() {
    let changes = Changes {
        upsert: (0..60).map(|n| longest_peer(n, 1000)).collect(),
        remove: (0..10).map(peer).collect(),
    };

    let batches = split(changes, 0, 100).unwrap();

    assert!(batches.len() > 1);
    assert_eq!(batches[0].remove.len(), 10);
}

#[test]
fn a_peer_too_long_for_a_request_has_one_of_its_own() {
    let changes = Changes {
        upsert: vec![
            longest_peer(1, 1),
            longest_peer(2, 30_000),
            longest_peer(3, 1),
        ],
        remove: vec![],
    };

    let batches = split(changes, 0, 3).unwrap();

    let sizes: Vec<usize> = batches.iter().map(|batch| batch.upsert.len()).collect();
    assert_eq!(sizes, [1, 1, 1]);
}

#[test]
fn a_full_set_of_ten_thousand_peers_fits() {
    let peers: Vec<PeerSpec> = (0..10_000).map(|n| longest_peer(n, 5)).collect();

    assert!(full_set_fits(&peers));
    assert!(!full_set_fits(peers.iter().chain(&peers).chain(&peers)));
}
