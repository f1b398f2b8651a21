//! Reads what the kernel says about a WireGuard device, attribute by attribute, out of its messages.
//!
//! Works on bytes alone. An attribute it does not know is skipped, so that a newer kernel can be
//! read; one it knows in a shape that makes no sense fails the whole dump, since leaving a peer or
//! an allowed IP out would make it look absent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::Reading;
use super::assembly::Assembly;
use super::netlink::{Garbled, attributes, exactly};

/// The generic netlink header in front of the attributes: command, version, two bytes of nothing.
const COMMAND_HEADER_SIZE: usize = 4;

const WGDEVICE_A_PUBLIC_KEY: u16 = 4;
const WGDEVICE_A_LISTEN_PORT: u16 = 6;
const WGDEVICE_A_PEERS: u16 = 8;

const WGPEER_A_PUBLIC_KEY: u16 = 1;
const WGPEER_A_PRESHARED_KEY: u16 = 2;
const WGPEER_A_ENDPOINT: u16 = 4;
const WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL: u16 = 5;
const WGPEER_A_LAST_HANDSHAKE_TIME: u16 = 6;
const WGPEER_A_RX_BYTES: u16 = 7;
const WGPEER_A_TX_BYTES: u16 = 8;
const WGPEER_A_ALLOWEDIPS: u16 = 9;

const WGALLOWEDIP_A_FAMILY: u16 = 1;
const WGALLOWEDIP_A_IPADDR: u16 = 2;
const WGALLOWEDIP_A_CIDR_MASK: u16 = 3;

pub(crate) const AF_INET: u16 = 2;
pub(crate) const AF_INET6: u16 = 10;

#[derive(Default)]
pub(crate) struct Dump(Assembly);

impl Dump {
    /// Takes the payload of one message.
    pub(crate) fn message(&mut self, payload: &[u8]) -> Result<(), Garbled> {
        let device = payload.get(COMMAND_HEADER_SIZE..).ok_or(Garbled)?;
        for attribute in attributes(device) {
            match attribute? {
                (WGDEVICE_A_PUBLIC_KEY, value) => self.0.public_key(exactly(value)?),
                (WGDEVICE_A_LISTEN_PORT, value) => {
                    self.0.listen_port(u16::from_ne_bytes(exactly(value)?));
                }
                (WGDEVICE_A_PEERS, peers) => {
                    for peer in attributes(peers) {
                        self.peer(peer?.1)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Reading {
        self.0.finish()
    }

    fn peer(&mut self, peer: &[u8]) -> Result<(), Garbled> {
        self.0.peer(exactly(find(peer, WGPEER_A_PUBLIC_KEY)?)?);
        for attribute in attributes(peer) {
            match attribute? {
                (WGPEER_A_PRESHARED_KEY, value) => self.0.preshared_key(exactly(value)?)?,
                (WGPEER_A_ENDPOINT, value) => self.0.endpoint(socket_address(value)?)?,
                (WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, value) => {
                    let seconds = u16::from_ne_bytes(exactly(value)?);
                    self.0.persistent_keepalive(seconds)?;
                }
                (WGPEER_A_LAST_HANDSHAKE_TIME, value) => {
                    let seconds = value.first_chunk().ok_or(Garbled)?;
                    self.0.latest_handshake(i64::from_ne_bytes(*seconds))?;
                }
                (WGPEER_A_RX_BYTES, value) => {
                    self.0.transfer_rx(u64::from_ne_bytes(exactly(value)?))?;
                }
                (WGPEER_A_TX_BYTES, value) => {
                    self.0.transfer_tx(u64::from_ne_bytes(exactly(value)?))?;
                }
                (WGPEER_A_ALLOWEDIPS, allowed_ips) => {
                    for allowed_ip in attributes(allowed_ips) {
                        self.allowed_ip(allowed_ip?.1)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn allowed_ip(&mut self, allowed_ip: &[u8]) -> Result<(), Garbled> {
        let family = u16::from_ne_bytes(exactly(find(allowed_ip, WGALLOWEDIP_A_FAMILY)?)?);
        let address = ip_address(family, find(allowed_ip, WGALLOWEDIP_A_IPADDR)?)?;
        let [length] = exactly(find(allowed_ip, WGALLOWEDIP_A_CIDR_MASK)?)?;
        self.0.allowed_ip(address, length)
    }
}

fn find(bytes: &[u8], wanted: u16) -> Result<&[u8], Garbled> {
    for attribute in attributes(bytes) {
        let (kind, value) = attribute?;
        if kind == wanted {
            return Ok(value);
        }
    }
    Err(Garbled)
}

pub(crate) fn ip_address(family: u16, value: &[u8]) -> Result<IpAddr, Garbled> {
    match family {
        AF_INET => Ok(Ipv4Addr::from(exactly::<4>(value)?).into()),
        AF_INET6 => Ok(Ipv6Addr::from(exactly::<16>(value)?).into()),
        _ => Err(Garbled),
    }
}

/// A `struct sockaddr_in` or `sockaddr_in6`: family and scope in the machine's order, the rest in
/// the network's.
fn socket_address(value: &[u8]) -> Result<SocketAddr, Garbled> {
    let field = |from: usize, to: usize| value.get(from..to).ok_or(Garbled);
    let family = u16::from_ne_bytes(exactly(field(0, 2)?)?);
    let port = u16::from_be_bytes(exactly(field(2, 4)?)?);
    match family {
        AF_INET => {
            let address = Ipv4Addr::from(exactly::<4>(field(4, 8)?)?);
            Ok(SocketAddrV4::new(address, port).into())
        }
        AF_INET6 => {
            let flow = u32::from_be_bytes(exactly(field(4, 8)?)?);
            let address = Ipv6Addr::from(exactly::<16>(field(8, 24)?)?);
            let scope = u32::from_ne_bytes(exactly(field(24, 28)?)?);
            Ok(SocketAddrV6::new(address, port, flow, scope).into())
        }
        _ => Err(Garbled),
    }
}

#[cfg(test)]
mod tests;
