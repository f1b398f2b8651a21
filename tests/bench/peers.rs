//! The peers that are added and dumped: the same for the same number, each with addresses of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use protocol::wire::PeerSpec;
use protocol::{Cidr, Endpoint, PresharedKey, PublicKey};

/// A peer of a dump: five allowed IPs; some with a preshared key, some with an endpoint, so that they
/// do not all take the same room.
pub(crate) fn resident(n: usize) -> PeerSpec {
    let n = u32::try_from(n).unwrap();
    let v4 = (0..4).map(|i| Cidr::new(v4(10, n * 4 + i), 32).unwrap());
    let v6 = Cidr::new(v6(n), 128).unwrap();
    PeerSpec {
        public_key: key(0, n),
        allowed_ips: v4.chain([v6]).collect(),
        preshared_key: n
            .is_multiple_of(2)
            .then(|| PresharedKey::from_bytes([7; 32]).unwrap()),
        persistent_keepalive: None,
        endpoint: n
            .is_multiple_of(3)
            .then(|| Endpoint::new((v4_documentation(n), 51820).into()).unwrap()),
        expires_at: None,
    }
}

/// A peer that is added one by one: an address of each family.
pub(crate) fn newcomer(n: usize) -> PeerSpec {
    let n = u32::try_from(n).unwrap();
    let v4 = Cidr::new(v4(100, n), 32).unwrap();
    let v6 = Cidr::new(v6(n + (1 << 24)), 128).unwrap();
    PeerSpec {
        public_key: key(1, n),
        allowed_ips: [v4, v6].into_iter().collect(),
        preshared_key: None,
        persistent_keepalive: None,
        endpoint: None,
        expires_at: None,
    }
}

/// WireGuard takes any 32 bytes for a public key.
fn key(kind: u8, n: u32) -> PublicKey {
    let mut bytes = [5; 32];
    // Scattered, as real keys are: a map must not get them in order.
    bytes[..4].copy_from_slice(&n.wrapping_mul(0x9E37_79B1).to_be_bytes());
    bytes[4] = kind;
    PublicKey::from_bytes(bytes).unwrap()
}

fn v4(network: u8, n: u32) -> IpAddr {
    let [_, a, b, c] = n.to_be_bytes();
    Ipv4Addr::new(network, a, b, c).into()
}

fn v4_documentation(n: u32) -> IpAddr {
    let [_, _, _, c] = n.to_be_bytes();
    Ipv4Addr::new(192, 0, 2, c).into()
}

fn v6(n: u32) -> IpAddr {
    let [a, b] = [(n >> 16) as u16, n as u16];
    Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, a, b).into()
}
