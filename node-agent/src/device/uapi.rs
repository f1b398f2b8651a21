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
        let text = line.strip_suffix(b"\n").ok_or(Garbled)?;
        // There are ten lines for each peer: what this loop does to one is the cost of a reading.
        let equals = text.iter().position(|byte| *byte == b'=').ok_or(Garbled)?;
        let (key, value) = (&text[..equals], &text[equals + 1..]);
        if key == b"errno" {
            return match number::<i32>(words(value)?)?.saturating_abs() {
                0 => Ok(assembly.finish()),
                errno => Err(Failure::Errno(errno)),
            };
        }
        pair(&mut assembly, key, value, &zone)?;
    }
}

fn pair(
    assembly: &mut Assembly,
    key: &[u8],
    value: &[u8],
    zone: &impl Fn(&str) -> Option<u32>,
) -> Result<(), Garbled> {
    match key {
        b"private_key" => {
            let private = Zeroizing::new(hex_key(value)?);
            // All zero is none.
            if *private != [0; 32] {
                let private = PrivateKey::from_random(*private);
                assembly.public_key(*private.public_key().as_bytes());
            }
        }
        b"listen_port" => assembly.listen_port(number(words(value)?)?),
        b"public_key" => assembly.peer(hex_key(value)?),
        b"preshared_key" => assembly.preshared_key(hex_key(value)?)?,
        b"endpoint" => assembly.endpoint(socket_address(words(value)?, zone)?)?,
        b"persistent_keepalive_interval" => {
            assembly.persistent_keepalive(number(words(value)?)?)?;
        }
        b"last_handshake_time_sec" => assembly.latest_handshake(number(words(value)?)?)?,
        b"rx_bytes" => assembly.transfer_rx(number(words(value)?)?)?,
        b"tx_bytes" => assembly.transfer_tx(number(words(value)?)?)?,
        b"allowed_ip" => {
            let (address, length) = words(value)?.split_once('/').ok_or(Garbled)?;
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

fn words(text: &[u8]) -> Result<&str, Garbled> {
    std::str::from_utf8(text).map_err(|_| Garbled)
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, Garbled> {
    text.parse().map_err(|_| Garbled)
}

fn hex_key(text: &[u8]) -> Result<[u8; 32], Garbled> {
    let mut key = [0; 32];
    hex::decode_to_slice(text, &mut key).map_err(|_| Garbled)?;
    Ok(key)
}

#[cfg(test)]
mod tests;
