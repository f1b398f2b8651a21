//! What the library is told, compared with the same told by hand.

use std::io;

use protocol::{AllowedIps, Endpoint, PresharedKey};

use super::*;
use crate::device::Observed;

fn key(number: u8) -> PublicKey {
    PublicKey::from_bytes([number; 32]).unwrap()
}

fn allowed_ips(count: u8) -> AllowedIps {
    let cidr = |at| Cidr::new([10, 0, 0, at].into(), 32).unwrap();
    (0..count).map(cidr).collect()
}

fn put(number: u8, allowed: u8, preshared_key: Option<PresharedKey>) -> PeerOp {
    PeerOp::Put {
        key: key(number),
        config: PeerConfig {
            allowed_ips: allowed_ips(allowed),
            persistent_keepalive: 0,
            preshared_key,
        },
        replace_allowed_ips: true,
        endpoint: None,
    }
}

#[test]
fn every_field_is_named_set_or_unset() {
    let bare = PeerConfigBuilder::new(&Key([1; 32]))
        .unset_preshared_key()
        .unset_persistent_keepalive();

    assert!(pieces(&put(1, 0, None)) == [bare.clone().replace_allowed_ips()]);

    let endpoint = Endpoint::parse("192.0.2.1:1").unwrap();
    let reachable = PeerOp::Put {
        key: key(1),
        config: PeerConfig::default(),
        replace_allowed_ips: false,
        endpoint: Some(endpoint),
    };
    assert!(pieces(&reachable) == [bare.set_endpoint(endpoint.address())]);
}

#[test]
fn a_long_peer_comes_in_pieces_that_each_have_its_preshared_key() {
    let preshared = PresharedKey::from_bytes([5; 32]).unwrap();
    let all = allowed_ips(200);
    let bare = PeerConfigBuilder::new(&Key([1; 32]))
        .set_preshared_key(Key([5; 32]))
        .set_persistent_keepalive_interval(0);
    let first = all.iter().take(128).fold(bare.clone(), |piece, cidr| {
        piece.add_allowed_ip(cidr.address(), cidr.length())
    });
    let second = all.iter().skip(128).fold(bare, |piece, cidr| {
        piece.add_allowed_ip(cidr.address(), cidr.length())
    });

    assert!(pieces(&put(1, 200, Some(preshared))) == [first.replace_allowed_ips(), second]);
}

#[test]
fn removals_come_first_and_the_rest_in_order() {
    let ops = [
        put(1, 0, None),
        PeerOp::Remove(key(2)),
        put(3, 0, None),
        PeerOp::Remove(key(4)),
    ];

    let ordered: Vec<&PeerOp> = in_order(&ops).collect();

    assert_eq!(ordered, [&ops[1], &ops[3], &ops[0], &ops[2]]);
}

#[test]
fn a_large_change_is_several_updates() {
    let ops = vec![put(1, 200, None); 300];

    assert_eq!(updates(&ops).count(), 2);
    assert_eq!(updates(&[]).count(), 0);
}

#[test]
fn of_a_failure_only_the_number_is_kept() {
    let with_a_key = io::Error::new(io::ErrorKind::InvalidInput, "PresharedKey([1, 2, 3])");

    let kept = failure(&with_a_key);

    assert_eq!(kept, DeviceError::Refused { errno: None });
    assert!(!format!("{kept} {kept:?}").contains("1, 2, 3"));
    for (errno, means) in [
        (19, DeviceError::Missing),
        (95, DeviceError::NotWireguard),
        (2, DeviceError::NoKernelModule),
        (4, DeviceError::Busy),
        (11, DeviceError::Busy),
        (16, DeviceError::Busy),
        (105, DeviceError::Busy),
        (1, DeviceError::Refused { errno: Some(1) }),
        (22, DeviceError::Refused { errno: Some(22) }),
    ] {
        assert_eq!(failure(&io::Error::from_raw_os_error(errno)), means);
    }
}

#[test]
fn only_what_nobody_else_can_have_made_is_a_ghost() {
    let ops = [put(1, 0, None), PeerOp::Remove(key(2))];
    let link = Link::default();
    let with_peer = |number| Reading {
        peers: [(key(number), Observed::default())].into(),
        ..Reading::default()
    };

    assert!(is_ghost(&link, &Reading::default(), &ops));
    assert!(is_ghost(&link, &with_peer(1), &ops));
    assert!(!is_ghost(&link, &with_peer(2), &ops));
    assert!(!is_ghost(&link, &with_peer(3), &ops));
    let with_key = Reading {
        public_key: Some(key(9)),
        ..Reading::default()
    };
    assert!(!is_ghost(&link, &with_key, &ops));
    let up = Link {
        up: true,
        ..Link::default()
    };
    assert!(!is_ghost(&up, &Reading::default(), &ops));
    let with_address = Link {
        addresses: vec!["10.0.0.1/24".parse().unwrap()],
        ..Link::default()
    };
    assert!(!is_ghost(&with_address, &Reading::default(), &ops));
}
