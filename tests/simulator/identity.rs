//! Who is who in a fleet: everything follows from the number of a node and of a peer.
//!
//! Nothing here is secret. A fleet listens on loopback and has nothing to protect; being the same each
//! time is worth more.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use protocol::signing::Secret;
use protocol::{Cidr, InterfaceName, PeerConfig, PrivateKey, PublicKey};
use sha2::{Digest as _, Sha256};

/// A node's network is a /18 of 10.0.0.0/8: room for a fleet of the size that the product is made for,
/// with more peers on each node than one device is tested with.
const NETWORK_BITS: u32 = 14;

pub const MOST_NODES: usize = 1 << (24 - NETWORK_BITS);
/// All addresses but the first, the node's own and the last.
pub const MOST_PEERS: usize = (1 << NETWORK_BITS) - 3;

/// The one interface of every node.
pub fn interface() -> InterfaceName {
    InterfaceName::parse("wg0").unwrap()
}

pub fn name(node: usize) -> String {
    format!("node-{node:04}")
}

pub fn secret(node: usize) -> Secret {
    Secret::parse(&hex::encode(bytes("secret", node, 0))).unwrap()
}

pub fn private_key(node: usize) -> PrivateKey {
    PrivateKey::from_random(bytes("interface", node, 0))
}

/// The interface's address in the node's network.
pub fn address(node: usize) -> IpNet {
    let length = u8::try_from(32 - NETWORK_BITS).unwrap();
    Ipv4Net::new(host(node, 1), length).unwrap().into()
}

/// A peer that a node begins with. Nobody needs the other half of its key, so there is none.
pub fn peer(node: usize, number: usize) -> (PublicKey, PeerConfig) {
    let key = PublicKey::from_bytes(bytes("peer", node, number)).unwrap();
    let allowed_ip = Cidr::new(host(node, 2 + number).into(), 32).unwrap();
    let config = PeerConfig {
        allowed_ips: [allowed_ip].into_iter().collect(),
        persistent_keepalive: 25,
        preshared_key: None,
    };
    (key, config)
}

fn host(node: usize, number: usize) -> Ipv4Addr {
    let offset = u32::try_from((node << NETWORK_BITS) + number).unwrap();
    Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() + offset)
}

fn bytes(what: &str, node: usize, number: usize) -> [u8; 32] {
    Sha256::digest(format!("wgfleet simulator|{what}|{node}|{number}")).into()
}
