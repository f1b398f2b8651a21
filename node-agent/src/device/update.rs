//! Turns changes into updates of the WireGuard library.
//!
//! The library takes what is absent for "leave as it is", so every peer is named with its preshared
//! key and keepalive, set or unset, in each of its pieces: should the peer vanish between two
//! pieces, it must not come back as one without a preshared key. Removals come first, since an
//! allowed IP goes to whoever claimed it last.

use std::io;

use protocol::{Cidr, InterfaceName, PeerConfig, PrivateKey, PublicKey};
use wireguard_control::{DeviceUpdate, Key, PeerConfigBuilder};

use super::{DeviceError, Link, PeerOp, Reading};

/// A peer has to fit into one netlink message of 8 KiB, and an IPv6 prefix takes 40 bytes.
const ALLOWED_IPS_PER_PIECE: usize = 128;

/// The library builds all messages of an update before it sends the first.
const PIECES_PER_UPDATE: usize = 512;

/// The changes in the order in which they are made.
pub(crate) fn in_order(ops: &[PeerOp]) -> impl Iterator<Item = &PeerOp> {
    let removal = |op: &&PeerOp| matches!(op, PeerOp::Remove(_));
    let removals = ops.iter().filter(removal);
    removals.chain(ops.iter().filter(move |op| !removal(op)))
}

/// The updates that make the changes; to be applied one after another.
pub(crate) fn updates(ops: &[PeerOp]) -> impl Iterator<Item = DeviceUpdate> {
    let mut pieces = in_order(ops).flat_map(pieces).peekable();
    std::iter::from_fn(move || {
        pieces.peek()?;
        let of_one_update = pieces.by_ref().take(PIECES_PER_UPDATE);
        Some(of_one_update.fold(DeviceUpdate::new(), DeviceUpdate::add_peer))
    })
}

/// The library does not wipe its copy of the key.
pub(crate) fn private_key(key: &PrivateKey) -> DeviceUpdate {
    DeviceUpdate::new().set_private_key(Key(*key.as_bytes()))
}

pub(crate) fn listen_port(port: u16) -> DeviceUpdate {
    DeviceUpdate::new().set_listen_port(port)
}

/// Cuts every live session; only for a device that is to go.
pub(crate) fn no_peers() -> DeviceUpdate {
    DeviceUpdate::new().replace_peers()
}

/// The library's words for a refusal hold whole requests, keys included; only the number is kept.
pub(crate) fn failure(err: &io::Error) -> DeviceError {
    match err.raw_os_error() {
        Some(errno) => DeviceError::from_errno(errno),
        None => DeviceError::Refused { errno: None },
    }
}

/// Whether an interface is nothing but what the library made because it found none: without key and
/// address, down, and with no peer but those just written. Anything else is somebody's, and stays.
pub(crate) fn is_ghost(link: &Link, reading: &Reading, ops: &[PeerOp]) -> bool {
    let written = |key: &PublicKey| {
        let is_put = |op: &PeerOp| matches!(op, PeerOp::Put { key: put, .. } if put == key);
        ops.iter().any(is_put)
    };
    !link.up
        && link.addresses.is_empty()
        && reading.public_key.is_none()
        && reading.peers.keys().all(written)
}

pub(crate) fn library_name(
    name: &InterfaceName,
) -> Result<wireguard_control::InterfaceName, DeviceError> {
    let refused = |_| DeviceError::Refused { errno: None };
    name.as_str().parse().map_err(refused)
}

fn pieces(op: &PeerOp) -> Vec<PeerConfigBuilder> {
    match op {
        PeerOp::Remove(key) => vec![named(key).remove()],
        PeerOp::Put {
            key,
            config,
            replace_allowed_ips,
            endpoint,
        } => {
            let all: Vec<Cidr> = config.allowed_ips.iter().copied().collect();
            let mut chunks = all.chunks(ALLOWED_IPS_PER_PIECE);
            let mut first = piece(key, config, chunks.next().unwrap_or(&[]));
            if *replace_allowed_ips {
                first = first.replace_allowed_ips();
            }
            if let Some(endpoint) = endpoint {
                first = first.set_endpoint(endpoint.address());
            }
            let rest = chunks.map(|chunk| piece(key, config, chunk));
            std::iter::once(first).chain(rest).collect()
        }
    }
}

fn piece(key: &PublicKey, config: &PeerConfig, allowed_ips: &[Cidr]) -> PeerConfigBuilder {
    let piece = match &config.preshared_key {
        Some(preshared) => named(key).set_preshared_key(Key(*preshared.as_bytes())),
        None => named(key).unset_preshared_key(),
    };
    let piece = piece.set_persistent_keepalive_interval(config.persistent_keepalive);
    allowed_ips.iter().fold(piece, |piece, cidr| {
        piece.add_allowed_ip(cidr.address(), cidr.length())
    })
}

fn named(key: &PublicKey) -> PeerConfigBuilder {
    PeerConfigBuilder::new(&Key(*key.as_bytes()))
}

#[cfg(test)]
mod tests;
