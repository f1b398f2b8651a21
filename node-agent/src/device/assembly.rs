//! Puts a reading together from peers that come piece by piece.
//!
//! The kernel splits a peer over two messages where a message is full: the second piece has the
//! peer's key and the rest of its allowed IPs, nothing else. So a piece adds what it says and
//! clears nothing, and the allowed IPs of only one peer at a time are kept in a growing list.

use std::net::{IpAddr, SocketAddr};

use protocol::{Cidr, Endpoint, PresharedKey, PublicKey};

use super::netlink::Garbled;
use super::{Observed, Reading};

#[derive(Default)]
pub(crate) struct Assembly {
    reading: Reading,
    current: Option<(PublicKey, Observed)>,
    /// Those of the current peer, on top of what it had before.
    allowed_ips: Vec<Cidr>,
}

impl Assembly {
    pub(crate) fn public_key(&mut self, bytes: [u8; 32]) {
        self.reading.public_key = PublicKey::from_bytes(bytes).ok();
    }

    /// An interface that is down and has no port yet says 0.
    pub(crate) fn listen_port(&mut self, port: u16) {
        self.reading.listen_port = (port != 0).then_some(port);
    }

    /// What is said from now on is about this peer.
    pub(crate) fn peer(&mut self, key: [u8; 32]) {
        let key = PublicKey::observed(key);
        if self
            .current
            .as_ref()
            .is_some_and(|(current, _)| *current == key)
        {
            return;
        }
        self.close_peer();
        // Where the kernel split a peer over two messages, the second part joins the first.
        let known = self.reading.peers.remove_entry(&key);
        self.current = Some(known.unwrap_or((key, Observed::default())));
    }

    pub(crate) fn allowed_ip(&mut self, address: IpAddr, length: u8) -> Result<(), Garbled> {
        let cidr = Cidr::observed(address, length).map_err(|_| Garbled)?;
        self.current.as_ref().ok_or(Garbled)?;
        self.allowed_ips.push(cidr);
        Ok(())
    }

    /// The all-zero key is WireGuard's word for none.
    pub(crate) fn preshared_key(&mut self, bytes: [u8; 32]) -> Result<(), Garbled> {
        self.observed()?.config.preshared_key = PresharedKey::from_bytes(bytes).ok();
        Ok(())
    }

    pub(crate) fn persistent_keepalive(&mut self, seconds: u16) -> Result<(), Garbled> {
        self.observed()?.config.persistent_keepalive = seconds;
        Ok(())
    }

    /// An address that nothing can be sent to (port 0, IPv4 in IPv6 clothes) counts as none: that
    /// is what it comes to, and a usable one may then be set in its place.
    pub(crate) fn endpoint(&mut self, address: SocketAddr) -> Result<(), Garbled> {
        self.observed()?.endpoint = Endpoint::new(address).ok();
        Ok(())
    }

    pub(crate) fn latest_handshake(&mut self, seconds: i64) -> Result<(), Garbled> {
        self.observed()?.latest_handshake = (seconds != 0).then_some(seconds);
        Ok(())
    }

    pub(crate) fn transfer_rx(&mut self, bytes: u64) -> Result<(), Garbled> {
        self.observed()?.transfer_rx = bytes;
        Ok(())
    }

    pub(crate) fn transfer_tx(&mut self, bytes: u64) -> Result<(), Garbled> {
        self.observed()?.transfer_tx = bytes;
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Reading {
        self.close_peer();
        self.reading
    }

    fn observed(&mut self) -> Result<&mut Observed, Garbled> {
        let (_, observed) = self.current.as_mut().ok_or(Garbled)?;
        Ok(observed)
    }

    fn close_peer(&mut self) {
        let Some((key, mut observed)) = self.current.take() else {
            return;
        };
        let before = observed.config.allowed_ips.iter().copied();
        let allowed_ips = before.chain(self.allowed_ips.drain(..)).collect();
        observed.config.allowed_ips = allowed_ips;
        self.reading.peers.insert(key, observed);
    }
}
