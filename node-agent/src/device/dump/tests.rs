//! Dumps made by hand: split, odd, newer, broken, and random.

use ipnet::IpNet;
use proptest::prelude::*;
use protocol::{AllowedIps, Cidr, Endpoint, PeerConfig, PresharedKey, PublicKey};

use super::*;
use crate::device::Observed;

mod encoding;

use encoding::{allowed_ip, allowed_ips, attribute, device, nest, peer, sockaddr_v4, sockaddr_v6};

fn read(messages: &[Vec<u8>]) -> Result<Reading, Garbled> {
    let mut dump = Dump::default();
    for message in messages {
        dump.message(message)?;
    }
    Ok(dump.finish())
}

fn key(number: u8) -> PublicKey {
    PublicKey::observed([number; 32])
}

fn cidrs(texts: &[&str]) -> AllowedIps {
    let parse = |text: &&str| {
        let net: IpNet = text.parse().unwrap();
        Cidr::observed(net.addr(), net.prefix_len()).unwrap()
    };
    texts.iter().map(parse).collect()
}

/// All that the kernel says about a peer.
fn full_parts() -> [Vec<u8>; 6] {
    [
        attribute(WGPEER_A_PRESHARED_KEY, &[9; 32]),
        attribute(
            WGPEER_A_LAST_HANDSHAKE_TIME,
            &[1234_i64.to_ne_bytes(), 5_i64.to_ne_bytes()].concat(),
        ),
        attribute(
            WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
            &25_u16.to_ne_bytes(),
        ),
        attribute(WGPEER_A_TX_BYTES, &2_u64.to_ne_bytes()),
        attribute(WGPEER_A_RX_BYTES, &1_u64.to_ne_bytes()),
        attribute(WGPEER_A_ENDPOINT, &sockaddr_v4(51820)),
    ]
}

fn full(allowed: &[&str]) -> Observed {
    Observed {
        config: PeerConfig {
            allowed_ips: cidrs(allowed),
            persistent_keepalive: 25,
            preshared_key: PresharedKey::from_bytes([9; 32]).ok(),
        },
        endpoint: Endpoint::parse("192.0.2.1:51820").ok(),
        latest_handshake: Some(1234),
        transfer_rx: 1,
        transfer_tx: 2,
    }
}

#[test]
fn a_device_is_read_with_all_it_has() {
    let parts = [
        full_parts().concat(),
        allowed_ips(&["10.0.0.0/24", "fd00::/64"]),
    ];
    let message = device(&[
        attribute(WGDEVICE_A_LISTEN_PORT, &51820_u16.to_ne_bytes()),
        attribute(3, &[1; 32]),
        attribute(WGDEVICE_A_PUBLIC_KEY, &[2; 32]),
        nest(WGDEVICE_A_PEERS, &[peer(1, &parts), peer(3, &[])]),
    ]);

    let reading = read(&[message]).unwrap();

    assert_eq!(reading.public_key, Some(key(2)));
    assert_eq!(reading.listen_port, Some(51820));
    assert_eq!(reading.peers.len(), 2);
    assert_eq!(reading.peers[&key(1)], full(&["10.0.0.0/24", "fd00::/64"]));
    assert_eq!(reading.peers[&key(3)], Observed::default());
}

#[test]
fn a_peer_split_over_messages_is_one_peer() {
    let pieces = [
        vec![full_parts().concat(), allowed_ips(&["10.0.0.1/32"])],
        vec![allowed_ips(&["10.0.0.2/32", "fd00::2/128"])],
        vec![allowed_ips(&["fd00::1/128"])],
    ];
    let in_message = |parts: &Vec<Vec<u8>>| device(&[nest(WGDEVICE_A_PEERS, &[peer(5, parts)])]);
    let mut messages: Vec<_> = pieces.iter().map(in_message).collect();
    messages.push(device(&[nest(WGDEVICE_A_PEERS, &[peer(4, &[])])]));
    // The kernel never comes back to a peer; should one do so, nothing is lost.
    messages.push(device(&[nest(
        WGDEVICE_A_PEERS,
        &[peer(5, &[allowed_ips(&["10.0.0.3/32"])])],
    )]));

    let reading = read(&messages).unwrap();

    assert_eq!(reading.peers.len(), 2);
    let all = [
        "10.0.0.1/32",
        "10.0.0.2/32",
        "10.0.0.3/32",
        "fd00::1/128",
        "fd00::2/128",
    ];
    assert_eq!(reading.peers[&key(5)], full(&all));
}

#[test]
fn what_means_none_is_none() {
    let parts = [
        attribute(WGPEER_A_PRESHARED_KEY, &[0; 32]),
        attribute(WGPEER_A_LAST_HANDSHAKE_TIME, &[0; 16]),
        attribute(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, &[0; 2]),
    ];
    let message = device(&[
        attribute(WGDEVICE_A_LISTEN_PORT, &[0; 2]),
        nest(WGDEVICE_A_PEERS, &[peer(1, &parts)]),
    ]);

    let reading = read(&[message]).unwrap();

    assert_eq!(reading.listen_port, None);
    assert_eq!(reading.peers[&key(1)], Observed::default());
}

#[test]
fn what_is_not_known_is_skipped() {
    let unknown = attribute(99, b"from a later kernel");
    let ip = [
        attribute(WGALLOWEDIP_A_FAMILY, &AF_INET.to_ne_bytes()),
        unknown.clone(),
        attribute(WGALLOWEDIP_A_IPADDR, &[10, 0, 0, 0]),
        attribute(WGALLOWEDIP_A_CIDR_MASK, &[8]),
    ];
    let parts = [
        unknown.clone(),
        nest(WGPEER_A_ALLOWEDIPS, &[nest(0, &ip)]),
        unknown.clone(),
    ];
    let message = device(&[
        unknown.clone(),
        nest(WGDEVICE_A_PEERS, &[peer(1, &parts)]),
        unknown,
    ]);

    let reading = read(&[message]).unwrap();

    assert_eq!(
        reading.peers[&key(1)].config.allowed_ips,
        cidrs(&["10.0.0.0/8"])
    );
}

#[test]
fn odd_peers_are_listed() {
    let endpoint = |address: &[u8]| attribute(WGPEER_A_ENDPOINT, address);
    let message = device(&[nest(
        WGDEVICE_A_PEERS,
        &[
            peer(0, &[allowed_ips(&["::ffff:10.0.0.1/128"])]),
            peer(1, &[endpoint(&sockaddr_v4(0))]),
            peer(2, &[endpoint(&sockaddr_v6("::ffff:10.0.0.1", 0))]),
            peer(3, &[endpoint(&sockaddr_v6("fe80::1", 3))]),
        ],
    )]);

    let reading = read(&[message]).unwrap();

    assert_eq!(
        reading.peers[&key(0)].config.allowed_ips,
        cidrs(&["::ffff:10.0.0.1/128"])
    );
    assert_eq!(reading.peers[&key(1)].endpoint, None);
    assert_eq!(reading.peers[&key(2)].endpoint, None);
    assert_eq!(
        reading.peers[&key(3)].endpoint,
        Endpoint::parse("[fe80::1%3]:51820").ok()
    );
}

#[test]
fn what_makes_no_sense_fails_the_whole_dump() {
    let v4: IpAddr = "10.0.0.0".parse().unwrap();
    let no_mask = nest(
        0,
        &[
            attribute(WGALLOWEDIP_A_FAMILY, &AF_INET.to_ne_bytes()),
            attribute(WGALLOWEDIP_A_IPADDR, &[10, 0, 0, 0]),
        ],
    );
    let with_ip = |ip: Vec<u8>| peer(1, &[nest(WGPEER_A_ALLOWEDIPS, &[ip])]);
    let broken = [
        nest(0, &[attribute(WGPEER_A_RX_BYTES, &[0; 8])]),
        peer(1, &[attribute(WGPEER_A_PRESHARED_KEY, &[1; 31])]),
        peer(1, &[attribute(WGPEER_A_RX_BYTES, &[0; 4])]),
        peer(1, &[attribute(WGPEER_A_ENDPOINT, &[0; 16])]),
        peer(1, &[attribute(WGPEER_A_ENDPOINT, &sockaddr_v4(1)[..6])]),
        with_ip(allowed_ip(v4, 33)),
        with_ip(no_mask),
    ];

    for peer in broken {
        let message = device(&[nest(WGDEVICE_A_PEERS, &[peer])]);
        assert_eq!(
            read(std::slice::from_ref(&message)),
            Err(Garbled),
            "{message:?}"
        );
    }
}

#[test]
fn a_message_cut_short_is_never_half_a_reading() {
    let parts = [
        full_parts().concat(),
        allowed_ips(&["10.0.0.0/24", "fd00::/64"]),
    ];
    let peers = [peer(1, &parts), peer(2, &parts)];
    let message = device(&[nest(WGDEVICE_A_PEERS, &peers)]);

    // The first four bytes alone are a message about a device without peers.
    for length in 5..message.len() {
        assert_eq!(
            read(&[message[..length].to_vec()]),
            Err(Garbled),
            "{length}"
        );
    }
}

proptest! {
    #[test]
    fn wherever_messages_end_the_reading_is_the_same(
        ips in prop::collection::vec((any::<IpAddr>(), 0..=32_u8), 0..40),
        ends in prop::collection::vec(1..10_usize, 1..10),
    ) {
        let encoded: Vec<Vec<u8>> = ips.iter().map(|(ip, length)| allowed_ip(*ip, *length)).collect();
        let one = peer(1, &[full_parts().concat(), nest(WGPEER_A_ALLOWEDIPS, &encoded)]);
        let one = device(&[nest(WGDEVICE_A_PEERS, &[one])]);

        let mut many = vec![device(&[nest(WGDEVICE_A_PEERS, &[peer(1, &full_parts())])])];
        let mut left = &encoded[..];
        for end in ends.iter().cycle() {
            if left.is_empty() { break }
            let (now, later) = left.split_at(left.len().min(*end));
            let piece = peer(1, &[nest(WGPEER_A_ALLOWEDIPS, now)]);
            many.push(device(&[nest(WGDEVICE_A_PEERS, &[piece])]));
            left = later;
        }

        prop_assert_eq!(read(&many), read(&[one]));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _outcome: Result<Reading, Garbled> = read(&[device(&[bytes])]);
    }

    #[test]
    fn no_flipped_bytes_make_it_panic(flips in prop::collection::vec((0..600_usize, any::<u8>()), 1..8)) {
        let parts = [full_parts().concat(), allowed_ips(&["10.0.0.0/24", "fd00::/64"])];
        let mut message = device(&[nest(WGDEVICE_A_PEERS, &[peer(1, &parts), peer(2, &parts)])]);
        for (at, value) in flips {
            if let Some(byte) = message.get_mut(at) { *byte = value }
        }
        let _outcome: Result<Reading, Garbled> = read(&[message]);
    }
}
