//! Writes what the kernel would say.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use crate::device::dump::*;
use crate::device::netlink::push_attribute;

const NESTED: u16 = 0x8000;

pub(super) fn nest(kind: u16, parts: &[Vec<u8>]) -> Vec<u8> {
    attribute(kind | NESTED, &parts.concat())
}

pub(super) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    push_attribute(&mut bytes, kind, value);
    bytes
}

pub(super) fn device(parts: &[Vec<u8>]) -> Vec<u8> {
    [vec![0, 1, 0, 0], parts.concat()].concat()
}

pub(super) fn peer(key: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let key = attribute(WGPEER_A_PUBLIC_KEY, &[key; 32]);
    nest(0, &[key, parts.concat()])
}

pub(super) fn allowed_ip(address: IpAddr, length: u8) -> Vec<u8> {
    let (family, bytes) = match address {
        IpAddr::V4(v4) => (AF_INET, v4.octets().to_vec()),
        IpAddr::V6(v6) => (AF_INET6, v6.octets().to_vec()),
    };
    let parts = [
        attribute(WGALLOWEDIP_A_FAMILY, &family.to_ne_bytes()),
        attribute(WGALLOWEDIP_A_IPADDR, &bytes),
        attribute(WGALLOWEDIP_A_CIDR_MASK, &[length]),
    ];
    nest(0, &parts)
}

pub(super) fn allowed_ips(texts: &[&str]) -> Vec<u8> {
    let encode = |text: &&str| {
        let net: IpNet = text.parse().unwrap();
        allowed_ip(net.addr(), net.prefix_len())
    };
    nest(
        WGPEER_A_ALLOWEDIPS,
        &texts.iter().map(encode).collect::<Vec<_>>(),
    )
}

pub(super) fn sockaddr_v4(port: u16) -> Vec<u8> {
    let mut bytes = AF_INET.to_ne_bytes().to_vec();
    bytes.extend(port.to_be_bytes());
    bytes.extend([192, 0, 2, 1]);
    bytes.extend([0; 8]);
    bytes
}

pub(super) fn sockaddr_v6(address: &str, scope: u32) -> Vec<u8> {
    let mut bytes = AF_INET6.to_ne_bytes().to_vec();
    bytes.extend(51820_u16.to_be_bytes());
    bytes.extend(0xffff_u32.to_be_bytes());
    bytes.extend(address.parse::<Ipv6Addr>().unwrap().octets());
    bytes.extend(scope.to_ne_bytes());
    bytes
}
