//! Answers as daemons give them.

use proptest::prelude::*;
use protocol::{AllowedIps, Cidr, Endpoint, PresharedKey, PublicKey};

use super::*;

const KEY: &str = "0101010101010101010101010101010101010101010101010101010101010101";
const OTHER: &str = "0202020202020202020202020202020202020202020202020202020202020202";
const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn parse(text: &str) -> Result<Reading, Failure> {
    let zone = |name: &str| (name == "eth0").then_some(3);
    read(text.as_bytes(), zone)
}

fn key(number: u8) -> PublicKey {
    PublicKey::from_bytes([number; 32]).unwrap()
}

fn is_garbled(text: &str) -> bool {
    matches!(parse(text), Err(Failure::Garbled))
}

#[test]
fn a_device_is_read_with_all_it_has() {
    let text = format!(
        "private_key={KEY}\nlisten_port=51820\nfwmark=1\npublic_key={KEY}\npreshared_key={OTHER}\n\
         protocol_version=1\nendpoint=192.0.2.1:51820\nlast_handshake_time_sec=1234\n\
         last_handshake_time_nsec=5\ntx_bytes=2\nrx_bytes=1\npersistent_keepalive_interval=25\n\
         allowed_ip=10.0.0.9/24\nallowed_ip=fd00::/64\nfrom_later=unknown\n\
         public_key={OTHER}\npreshared_key={ZERO}\nlast_handshake_time_sec=0\n\
         errno=0\n\n"
    );

    let reading = parse(&text).unwrap();

    let private = PrivateKey::from_random([1; 32]);
    assert_eq!(reading.public_key, Some(private.public_key()));
    assert_eq!(reading.listen_port, Some(51820));
    assert_eq!(reading.peers.len(), 2);
    let peer = &reading.peers[&key(1)];
    let allowed_ips: AllowedIps = ["10.0.0.0/24", "fd00::/64"]
        .iter()
        .map(|text| Cidr::parse(text).unwrap())
        .collect();
    assert_eq!(peer.config.allowed_ips, allowed_ips);
    assert_eq!(peer.config.persistent_keepalive, 25);
    assert_eq!(
        peer.config.preshared_key,
        PresharedKey::from_bytes([2; 32]).ok()
    );
    assert_eq!(peer.endpoint, Endpoint::parse("192.0.2.1:51820").ok());
    assert_eq!(peer.latest_handshake, Some(1234));
    assert_eq!((peer.transfer_rx, peer.transfer_tx), (1, 2));
    assert_eq!(reading.peers[&key(2)], Default::default());
}

#[test]
fn a_zone_may_be_a_name_or_a_number() {
    for (text, scope) in [
        ("[fe80::1%eth0]:51820", 3),
        ("[fe80::1%5]:51820", 5),
        ("[fe80::1%gone]:51820", 0),
        ("[fe80::1]:51820", 0),
    ] {
        let reading = parse(&format!("public_key={KEY}\nendpoint={text}\nerrno=0\n")).unwrap();

        let address = SocketAddrV6::new("fe80::1".parse().unwrap(), 51820, 0, scope);
        let endpoint = Endpoint::new(address.into()).ok();
        assert_eq!(reading.peers[&key(1)].endpoint, endpoint, "{text}");
    }
}

#[test]
fn an_answer_without_its_end_is_none() {
    let whole = format!("listen_port=1\npublic_key={KEY}\nrx_bytes=12\nerrno=0\n");

    for length in 0..whole.len() {
        assert!(is_garbled(&whole[..length]), "{length}");
    }
    assert!(parse(&whole).is_ok());
}

#[test]
fn a_daemon_may_refuse() {
    for text in ["errno=22\n\n", "errno=-22\n\n"] {
        assert!(matches!(parse(text), Err(Failure::Errno(22))), "{text}");
    }
}

#[test]
fn what_makes_no_sense_fails_the_whole_answer() {
    for line in [
        "",
        "words",
        "allowed_ip=10.0.0.0/24",
        "public_key=01",
        "listen_port=65536",
        "errno=x",
    ] {
        assert!(is_garbled(&format!("{line}\nerrno=0\n")), "{line}");
    }
    for line in [
        "allowed_ip=10.0.0.0/33",
        "allowed_ip=10.0.0.0",
        "endpoint=nowhere",
        "endpoint=[fe80::1%eth0:1",
        "rx_bytes=-1",
    ] {
        let text = format!("public_key={KEY}\n{line}\nerrno=0\n");
        assert!(is_garbled(&text), "{line}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "([a-z_]{0,12}=?[0-9a-f:./%\\[\\]]{0,20}\n?){0,10}", bytes: Vec<u8>) {
        let _outcome: Result<Reading, Failure> = parse(&text);
        let _outcome: Result<Reading, Failure> = read(&bytes[..], |_| None);
    }
}
