//! What a kernel or a daemon replies about its device.
//!
//! The first byte of the input says who replies: `k` the kernel, `d` a daemon, `l` and `a` the
//! kernel about links and addresses. What can be read is written as both would write it and read
//! again, whole and cut short.

use std::net::{IpAddr, SocketAddr};

use node_agent::device::{DeviceError, Observed, Reading, replies};
use protocol::{Cidr, PublicKey};

const SEQUENCE: u32 = 7;

pub fn check(input: &[u8]) {
    let reading = match input.split_first() {
        Some((b'k', datagram)) => replies::kernel(&[datagram], SEQUENCE),
        Some((b'd', text)) => {
            let reading = replies::daemon(text, zone);
            check_newer_daemon(text, &reading);
            reading
        }
        Some((b'l', message)) => return drop(replies::link(message)),
        Some((b'a', message)) => return check_address(message),
        _ => return,
    };
    if let Ok(reading) = reading {
        check_reading(&reading);
        check_kernel(&reading);
        check_daemon(&reading);
    }
}

fn zone(name: &str) -> Option<u32> {
    (name == "eth0").then_some(3)
}

/// Lines that are not known yet are passed over.
fn check_newer_daemon(text: &[u8], reading: &Result<Reading, DeviceError>) {
    let newer = [b"from_later=1\n", text].concat();
    assert_eq!(replies::daemon(&newer, zone), *reading);
}

/// An address of another interface is not one of this.
fn check_address(message: &[u8]) {
    if let Some(index) = message.get(4..8) {
        let index = u32::from_ne_bytes(index.try_into().unwrap());
        if let Ok(Some(address)) = replies::address(message, index) {
            assert!(address.prefix_len() <= address.max_prefix_len());
        }
        if message.len() >= 8 {
            assert_eq!(replies::address(message, index ^ 1), Ok(None));
        }
    }
}

fn check_reading(reading: &Reading) {
    assert_ne!(reading.listen_port, Some(0));
    assert_ne!(reading.public_key, Some(PublicKey::observed([0; 32])));
    for peer in reading.peers.values() {
        let allowed_ips: Vec<&Cidr> = peer.config.allowed_ips.iter().collect();
        assert!(allowed_ips.is_sorted_by(|a, b| a < b));
        assert_ne!(peer.latest_handshake, Some(0));
        assert!(
            peer.endpoint
                .is_none_or(|endpoint| endpoint.address().port() != 0)
        );
        let preshared_key = peer.config.preshared_key.as_ref();
        assert!(preshared_key.is_none_or(|key| *key.as_bytes() != [0; 32]));
    }
}

/// However a kernel splits a dump, it says the same; without its end it says nothing.
fn check_kernel(reading: &Reading) {
    for ips_per_message in [1, 3, 100] {
        let pieces = reading.peers.iter().flat_map(|(key, peer)| {
            let pieces = peer_pieces(key, peer, ips_per_message);
            pieces.into_iter().enumerate()
        });
        let mut pieces: Vec<(usize, Vec<u8>)> = pieces.collect();
        check_pieces(reading, &pieces);
        // Every peer comes back after others were spoken of.
        pieces.sort_by_key(|(number, _)| *number);
        check_pieces(reading, &pieces);
    }
}

fn check_pieces(reading: &Reading, pieces: &[(usize, Vec<u8>)]) {
    let device = device(reading);
    let payloads = std::iter::once(&device).chain(pieces.iter().map(|(_, piece)| piece));
    let mut messages: Vec<Vec<u8>> = payloads.map(|payload| message(30, payload)).collect();
    let all = |messages: &[Vec<u8>]| {
        let datagrams: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        replies::kernel(&datagrams, SEQUENCE)
    };
    assert_eq!(all(&messages), Err(DeviceError::Busy));
    messages.push(message(3, &[0; 4]));
    assert_eq!(all(&messages).as_ref(), Ok(reading));
    let joined = messages.concat();
    assert_eq!(replies::kernel(&[&joined], SEQUENCE).as_ref(), Ok(reading));
    for cut in cuts(joined.len()) {
        let cut_short = replies::kernel(&[&joined[..cut]], SEQUENCE);
        assert!(cut_short.is_err(), "cut at {cut}");
    }
}

fn check_daemon(reading: &Reading) {
    let mut text = String::new();
    if let Some(port) = reading.listen_port {
        text += &format!("listen_port={port}\n");
    }
    for (key, peer) in &reading.peers {
        text += &format!("public_key={}\n", hex::encode(key.as_bytes()));
        if let Some(key) = &peer.config.preshared_key {
            text += &format!("preshared_key={}\n", hex::encode(key.as_bytes()));
        }
        if let Some(endpoint) = peer.endpoint {
            text += &format!("endpoint={endpoint}\n");
        }
        let handshake = peer.latest_handshake.unwrap_or(0);
        text += &format!("last_handshake_time_sec={handshake}\n");
        let keepalive = peer.config.persistent_keepalive;
        text += &format!("persistent_keepalive_interval={keepalive}\n");
        text += &format!(
            "rx_bytes={}\ntx_bytes={}\n",
            peer.transfer_rx, peer.transfer_tx
        );
        for cidr in &peer.config.allowed_ips {
            text += &format!("allowed_ip={cidr}\n");
        }
    }
    text += "errno=0\n";
    // A daemon tells its private key, from which the public one cannot be told.
    let expected = Reading {
        public_key: None,
        ..reading.clone()
    };
    assert_eq!(replies::daemon(text.as_bytes(), zone), Ok(expected));
    for cut in cuts(text.len()) {
        assert!(
            replies::daemon(&text.as_bytes()[..cut], zone).is_err(),
            "cut at {cut}"
        );
    }
}

/// Places to cut something of this length: all of a short end, some of the rest.
fn cuts(length: usize) -> impl Iterator<Item = usize> {
    let short = length.saturating_sub(24);
    (0..short).step_by(short / 8 + 1).chain(short..length)
}

fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + payload.len()).unwrap();
    let mut message = [
        &length.to_ne_bytes()[..],
        &kind.to_ne_bytes(),
        &[2, 0],
        &SEQUENCE.to_ne_bytes(),
        &[0; 4],
        payload,
    ]
    .concat();
    message.resize(message.len().next_multiple_of(4), 0);
    message
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap();
    let mut bytes = [&length.to_ne_bytes(), &kind.to_ne_bytes(), value].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn device(reading: &Reading) -> Vec<u8> {
    let port = reading.listen_port.unwrap_or(0);
    let key = reading
        .public_key
        .as_ref()
        .map(|key| attribute(4, key.as_bytes()));
    [
        vec![0, 1, 0, 0],
        attribute(6, &port.to_ne_bytes()),
        key.unwrap_or_default(),
    ]
    .concat()
}

/// A peer in as many messages as it takes; only the first says more than its key and allowed IPs.
fn peer_pieces(key: &PublicKey, peer: &Observed, ips_per_message: usize) -> Vec<Vec<u8>> {
    let mut parts = vec![
        attribute(5, &peer.config.persistent_keepalive.to_ne_bytes()),
        attribute(7, &peer.transfer_rx.to_ne_bytes()),
        attribute(8, &peer.transfer_tx.to_ne_bytes()),
    ];
    if let Some(key) = &peer.config.preshared_key {
        parts.push(attribute(2, key.as_bytes()));
    }
    if let Some(endpoint) = peer.endpoint {
        parts.push(attribute(4, &socket_address(endpoint.address())));
    }
    if let Some(seconds) = peer.latest_handshake {
        parts.push(attribute(6, &[seconds.to_ne_bytes(), [0; 8]].concat()));
    }
    let cidrs: Vec<&Cidr> = peer.config.allowed_ips.iter().collect();
    let mut pieces = Vec::new();
    for number in 0..cidrs.len().div_ceil(ips_per_message).max(1) {
        let cidrs = cidrs
            .iter()
            .skip(number * ips_per_message)
            .take(ips_per_message);
        let allowed_ips: Vec<u8> = cidrs
            .flat_map(|cidr| attribute(0, &allowed_ip(cidr)))
            .collect();
        let said = std::mem::take(&mut parts).concat();
        let peer = [
            attribute(1, key.as_bytes()),
            said,
            attribute(9, &allowed_ips),
        ]
        .concat();
        pieces.push([vec![0, 1, 0, 0], attribute(8, &attribute(0, &peer))].concat());
    }
    pieces
}

fn allowed_ip(cidr: &Cidr) -> Vec<u8> {
    let (family, address) = match cidr.address() {
        IpAddr::V4(v4) => (2_u16, v4.octets().to_vec()),
        IpAddr::V6(v6) => (10, v6.octets().to_vec()),
    };
    [
        attribute(1, &family.to_ne_bytes()),
        attribute(2, &address),
        attribute(3, &[cidr.length()]),
    ]
    .concat()
}

fn socket_address(address: SocketAddr) -> Vec<u8> {
    let port = address.port().to_be_bytes();
    match address {
        SocketAddr::V4(v4) => {
            let family = 2_u16.to_ne_bytes();
            [&family[..], &port, &v4.ip().octets(), &[0; 8]].concat()
        }
        SocketAddr::V6(v6) => {
            let family = 10_u16.to_ne_bytes();
            let scope = v6.scope_id().to_ne_bytes();
            [&family[..], &port, &[0; 4], &v6.ip().octets(), &scope].concat()
        }
    }
}
