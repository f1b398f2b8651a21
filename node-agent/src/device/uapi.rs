//! Reads what a userspace WireGuard daemon says about its device: lines of `key=value`.
//!
//! Works on text alone. Keys it does not know are skipped. An answer that ends without `errno` is
//! no answer: the daemon died on the way, and the peers so far are not all there are.

use std::io::{self, BufRead};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use protocol::PrivateKey;
use zeroize::Zeroizing;

use super::Reading;
use super::assembly::Assembly;
use super::netlink::Garbled;

#[derive(Debug)]
pub(crate) enum Failure {
    Io(io::Error),
    /// What the daemon itself said.
    Errno(i32),
    Garbled,
}

impl From<io::Error> for Failure {
    fn from(err: io::Error) -> Self {
        Self::Io(err)
    }
}

impl From<Garbled> for Failure {
    fn from(Garbled: Garbled) -> Self {
        Self::Garbled
    }
}

/// Takes the answer to `get=1`. `zone` knows the index of an interface by its name.
pub(crate) fn read(
    mut answer: impl BufRead,
    zone: impl Fn(&str) -> Option<u32>,
) -> Result<Reading, Failure> {
    let mut assembly = Assembly::default();
    // Lines hold private and preshared keys.
    let mut line = Zeroizing::new(Vec::with_capacity(256));
    loop {
        line.clear();
        answer.read_until(b'\n', &mut line)?;
        let text = std::str::from_utf8(&line).map_err(|_| Garbled)?;
        let text = text.strip_suffix('\n').ok_or(Garbled)?;
        let (key, value) = text.split_once('=').ok_or(Garbled)?;
        if key == "errno" {
            return match number::<i32>(value)?.saturating_abs() {
                0 => Ok(assembly.finish()),
                errno => Err(Failure::Errno(errno)),
            };
        }
        pair(&mut assembly, key, value, &zone)?;
    }
}

fn pair(
    assembly: &mut Assembly,
    key: &str,
    value: &str,
    zone: &impl Fn(&str) -> Option<u32>,
) -> Result<(), Garbled> {
    match key {
        "private_key" => {
            let private = Zeroizing::new(hex_key(value)?);
            // All zero is none.
            if *private != [0; 32] {
                let private = PrivateKey::from_random(*private);
                assembly.public_key(*private.public_key().as_bytes());
            }
        }
        "listen_port" => assembly.listen_port(number(value)?),
        "public_key" => assembly.peer(hex_key(value)?),
        "preshared_key" => assembly.preshared_key(hex_key(value)?)?,
        "endpoint" => assembly.endpoint(socket_address(value, zone)?)?,
        "persistent_keepalive_interval" => assembly.persistent_keepalive(number(value)?)?,
        "last_handshake_time_sec" => assembly.latest_handshake(number(value)?)?,
        "rx_bytes" => assembly.transfer_rx(number(value)?)?,
        "tx_bytes" => assembly.transfer_tx(number(value)?)?,
        "allowed_ip" => {
            let (address, length) = value.split_once('/').ok_or(Garbled)?;
            let address: IpAddr = address.parse().map_err(|_| Garbled)?;
            assembly.allowed_ip(address, number(length)?)?;
        }
        _ => {}
    }
    Ok(())
}

/// Unlike the standard library's reading, takes a zone that is a name: `[fe80::1%eth0]:51820`.
fn socket_address(text: &str, zone: &impl Fn(&str) -> Option<u32>) -> Result<SocketAddr, Garbled> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (address, rest) = text
        .strip_prefix('[')
        .and_then(|text| text.split_once('%'))
        .ok_or(Garbled)?;
    let (name, port) = rest.split_once("]:").ok_or(Garbled)?;
    let address: Ipv6Addr = address.parse().map_err(|_| Garbled)?;
    let scope = zone(name).unwrap_or(0);
    Ok(SocketAddrV6::new(address, number(port)?, 0, scope).into())
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, Garbled> {
    text.parse().map_err(|_| Garbled)
}

fn hex_key(text: &str) -> Result<[u8; 32], Garbled> {
    let mut key = [0; 32];
    hex::decode_to_slice(text, &mut key).map_err(|_| Garbled)?;
    Ok(key)
}

#[cfg(test)]
mod tests;
