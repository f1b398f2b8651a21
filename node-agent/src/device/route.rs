//! The kernel's messages about links and addresses, in bytes.
//!
//! Written out here because the library for them refuses a whole message for any attribute in a
//! shape that it does not expect, and only six attributes matter.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Link;
use super::dump::{AF_INET, AF_INET6, ip_address};
use super::netlink::{Garbled, Request, attributes, exactly};

pub(crate) const IFLA_IFNAME: u16 = 3;
pub(crate) const IFLA_MTU: u16 = 4;
pub(crate) const IFLA_LINKINFO: u16 = 18;
pub(crate) const IFLA_INFO_KIND: u16 = 1;
pub(crate) const IFF_UP: u32 = 1;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;
/// Only on addresses that the kernel made up, such as the link-local one of a tun interface.
const IFA_F_STABLE_PRIVACY: u32 = 0x800;

/// A link as a message shows it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) link: Link,
    pub(crate) kind: Option<Vec<u8>>,
}

impl Seen {
    pub(crate) fn read(&mut self, message: &[u8]) -> Result<(), Garbled> {
        let (header, rest) = message.split_first_chunk::<16>().ok_or(Garbled)?;
        self.link.index = u32::from_ne_bytes(exactly(&header[4..8])?);
        self.link.up = u32::from_ne_bytes(exactly(&header[8..12])?) & IFF_UP != 0;
        for attribute in attributes(rest) {
            match attribute? {
                (IFLA_MTU, value) => self.link.mtu = Some(u32::from_ne_bytes(exactly(value)?)),
                (IFLA_LINKINFO, infos) => {
                    for info in attributes(infos) {
                        if let (IFLA_INFO_KIND, kind) = info? {
                            self.kind = Some(kind.strip_suffix(b"\0").unwrap_or(kind).to_vec());
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// One address, if it is of this interface. Leaves out what the kernel gave it by itself.
pub(crate) fn read_address(message: &[u8], wanted_index: u32) -> Result<Option<IpNet>, Garbled> {
    let (header, rest) = message.split_first_chunk::<8>().ok_or(Garbled)?;
    let (family, length) = (u16::from(header[0]), header[1]);
    let index = u32::from_ne_bytes(exactly(&header[4..8])?);
    if index != wanted_index || !matches!(family, AF_INET | AF_INET6) {
        return Ok(None);
    }
    let (mut address, mut local, mut flags) = (None, None, 0);
    for attribute in attributes(rest) {
        match attribute? {
            (IFA_ADDRESS, value) => address = Some(ip_address(family, value)?),
            // Where the other end has an address too, this is ours.
            (IFA_LOCAL, value) => local = Some(ip_address(family, value)?),
            (IFA_FLAGS, value) => flags = u32::from_ne_bytes(exactly(value)?),
            _ => {}
        }
    }
    if flags & IFA_F_STABLE_PRIVACY != 0 {
        return Ok(None);
    }
    let address = local.or(address).ok_or(Garbled)?;
    IpNet::new(address, length).map(Some).map_err(|_| Garbled)
}

/// A `struct ifinfomsg`.
pub(crate) fn link_header(index: u32, flags: u32, changed: u32) -> [u8; 16] {
    let mut header = [0; 16];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..12].copy_from_slice(&flags.to_ne_bytes());
    header[12..16].copy_from_slice(&changed.to_ne_bytes());
    header
}

/// A `struct ifaddrmsg`.
pub(crate) fn address_header(family: u16, length: u8, index: u32) -> [u8; 8] {
    let mut header = [0; 8];
    header[0] = family as u8;
    header[1] = length;
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header
}

pub(crate) fn address_request(kind: u16, index: u32, address: IpNet) -> Request {
    let (family, bytes) = match address.addr() {
        IpAddr::V4(v4) => (AF_INET, v4.octets().to_vec()),
        IpAddr::V6(v6) => (AF_INET6, v6.octets().to_vec()),
    };
    Request::one(kind, &address_header(family, address.prefix_len(), index))
        .attribute(IFA_LOCAL, &bytes)
        .attribute(IFA_ADDRESS, &bytes)
}

#[cfg(test)]
mod tests;
