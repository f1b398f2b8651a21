//! The memory device is as unkind as the kernel.

use protocol::{AllowedIps, Cidr, PresharedKey};

use super::*;

fn memory() -> (Memory, u32) {
    let memory = Memory::new(&InterfaceName::parse("wg0").unwrap());
    let index = memory.index().unwrap().unwrap();
    (memory, index)
}

fn key(number: u8) -> PublicKey {
    PublicKey::from_bytes([number; 32]).unwrap()
}

fn config(allowed_ips: &[&str]) -> PeerConfig {
    let parse = |text: &&str| Cidr::parse(text).unwrap();
    PeerConfig {
        allowed_ips: allowed_ips.iter().map(parse).collect(),
        ..PeerConfig::default()
    }
}

fn put(number: u8, allowed_ips: &[&str]) -> PeerOp {
    PeerOp::Put {
        key: key(number),
        config: config(allowed_ips),
        replace_allowed_ips: true,
        endpoint: None,
    }
}

fn allowed_ips(memory: &Memory, number: u8) -> AllowedIps {
    let reading = memory.read().unwrap();
    reading.peers[&key(number)].config.allowed_ips.clone()
}

#[test]
fn an_allowed_ip_moves_to_the_last_who_claims_it() {
    let (memory, index) = memory();

    memory
        .apply(
            index,
            &[
                put(1, &["10.0.0.1/32", "10.0.0.2/32"]),
                put(2, &["10.0.0.1/32"]),
            ],
        )
        .unwrap();

    assert_eq!(
        allowed_ips(&memory, 1),
        config(&["10.0.0.2/32"]).allowed_ips
    );
    assert_eq!(
        allowed_ips(&memory, 2),
        config(&["10.0.0.1/32"]).allowed_ips
    );

    memory
        .apply(index, &[PeerOp::Remove(key(2)), put(1, &["10.0.0.1/32"])])
        .unwrap();
    assert_eq!(
        allowed_ips(&memory, 1),
        config(&["10.0.0.1/32"]).allowed_ips
    );
}

#[test]
fn allowed_ips_are_added_unless_they_are_to_be_replaced() {
    let (memory, index) = memory();
    let more = PeerOp::Put {
        key: key(1),
        config: config(&["10.0.0.2/32"]),
        replace_allowed_ips: false,
        endpoint: None,
    };

    memory
        .apply(index, &[put(1, &["10.0.0.1/32"]), more])
        .unwrap();

    let both = config(&["10.0.0.1/32", "10.0.0.2/32"]).allowed_ips;
    assert_eq!(allowed_ips(&memory, 1), both);
}

#[test]
fn the_own_key_is_never_a_peer() {
    let (memory, index) = memory();
    let private = PrivateKey::from_random([7; 32]);
    let own = private.public_key();
    memory.foreign_put(own, config(&["10.0.0.1/32"]));

    memory.set_private_key(index, &private).unwrap();
    memory.foreign_put(own, config(&["10.0.0.1/32"]));

    let reading = memory.read().unwrap();
    assert_eq!(reading.public_key, Some(own));
    assert!(reading.peers.is_empty());
}

#[test]
fn an_update_fails_at_the_refused_peer_and_is_half_done() {
    let (memory, index) = memory();
    let ops = [
        put(1, &["10.0.0.1/32"]),
        put(2, &["10.0.0.2/32"]),
        put(3, &["10.0.0.3/32"]),
    ];
    memory.refuse(key(2), 22);

    let outcome = memory.apply(index, &ops);

    assert_eq!(outcome, Err(DeviceError::Refused { errno: Some(22) }));
    let peers = memory.read().unwrap().peers;
    assert_eq!(peers[&key(1)].config, config(&["10.0.0.1/32"]));
    assert_eq!(peers[&key(2)].config, PeerConfig::default());
    assert!(!peers.contains_key(&key(3)));

    memory.accept(&key(2));
    memory.apply(index, &ops).unwrap();
    assert_eq!(memory.read().unwrap().peers.len(), 3);
    assert_eq!(memory.updates(), 2);
}

#[test]
fn a_refused_change_leaves_a_peer_that_exists_as_it_was() {
    let (memory, index) = memory();
    let with_psk = PeerConfig {
        preshared_key: PresharedKey::from_bytes([1; 32]).ok(),
        ..config(&["10.0.0.1/32"])
    };
    memory.foreign_put(key(1), with_psk.clone());
    memory.refuse(key(1), 1);

    let changed = memory.apply(index, &[put(1, &[])]);
    let removed = memory.apply(index, &[PeerOp::Remove(key(1))]);

    assert!(changed.is_err() && removed.is_err());
    assert_eq!(memory.read().unwrap().peers[&key(1)].config, with_psk);
}

#[test]
fn a_vanished_device_is_missing_and_comes_back_empty_as_another() {
    let (memory, index) = memory();
    let private = PrivateKey::from_random([7; 32]);
    memory.set_private_key(index, &private).unwrap();
    memory.apply(index, &[put(1, &[])]).unwrap();

    memory.vanish();

    assert_eq!(memory.read(), Err(DeviceError::Missing));
    assert_eq!(
        memory.apply(index, &[put(1, &[])]),
        Err(DeviceError::Missing)
    );
    assert_eq!(memory.link(), Ok(None));

    memory.come_back();

    assert_ne!(memory.index(), Ok(Some(index)));
    assert_eq!(
        memory.apply(index, &[put(1, &[])]),
        Err(DeviceError::Missing)
    );
    assert_eq!(memory.read(), Ok(Reading::default()));
}

#[test]
fn reads_can_be_interrupted_and_are_counted() {
    let (memory, _) = memory();
    memory.interrupt_reads(2);

    let outcomes = [memory.read(), memory.read(), memory.read()];

    assert_eq!(
        outcomes[..2],
        [Err(DeviceError::Busy), Err(DeviceError::Busy)]
    );
    assert!(outcomes[2].is_ok());
    assert_eq!(memory.reads(), 3);
}

#[test]
fn what_is_observed_survives_a_change() {
    let (memory, index) = memory();
    let endpoint = Endpoint::parse("192.0.2.1:51820").ok();
    memory.apply(index, &[put(1, &[])]).unwrap();

    memory.set_observed(&key(1), endpoint, Some(99), 1, 2);
    memory.apply(index, &[put(1, &["10.0.0.1/32"])]).unwrap();

    let reading = memory.read().unwrap();
    let peer = &reading.peers[&key(1)];
    assert_eq!(peer.endpoint, endpoint);
    assert_eq!(peer.latest_handshake, Some(99));
    assert_eq!((peer.transfer_rx, peer.transfer_tx), (1, 2));

    let copy = Memory::from_reading(memory.name(), reading.clone());
    assert_eq!(copy.read(), Ok(reading));
    copy.foreign_put(key(2), config(&["10.0.0.1/32"]));
    assert!(allowed_ips(&copy, 1).is_empty());
}

#[test]
fn the_link_is_what_it_was_set_to() {
    let (memory, index) = memory();
    let address: IpNet = "10.0.0.1/24".parse().unwrap();

    memory.add_address(address).unwrap();
    memory.add_address(address).unwrap();
    memory.set_mtu(1380).unwrap();
    memory.set_up(true).unwrap();

    let link = Link {
        index,
        up: true,
        mtu: Some(1380),
        addresses: vec![address],
    };
    assert_eq!(memory.link(), Ok(Some(link)));

    memory.remove_address(address).unwrap();
    assert!(memory.link().unwrap().unwrap().addresses.is_empty());
}
