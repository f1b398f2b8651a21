//! The edge to WireGuard: the only module that talks to a device.
//!
//! Nothing above this module sees a type of the WireGuard library or a netlink message. The library
//! and the kernel interface below it have faults that look like success (a peer listed twice, a
//! dump cut short, an interface created by a typo); this module makes each impossible or an error.
//! Every call blocks. One thread owns a `Device` and makes all calls to it.

use std::collections::BTreeMap;

use protocol::{Endpoint, PeerConfig, PublicKey};

/// What the kernel says about one peer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    pub config: PeerConfig,
    pub endpoint: Option<Endpoint>,
    /// Unix seconds; `None` where there was no handshake yet.
    pub latest_handshake: Option<i64>,
    pub transfer_rx: u64,
    pub transfer_tx: u64,
}

/// A whole device, read in one consistent piece.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    pub public_key: Option<PublicKey>,
    pub listen_port: Option<u16>,
    pub peers: BTreeMap<PublicKey, Observed>,
}

/// One change to one peer. A `Put` names every field, so that nothing absent means "no change".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerOp {
    Remove(PublicKey),
    Put {
        key: PublicKey,
        config: PeerConfig,
        /// Whether allowed IPs that are not in `config` must go. Costs a moment in which the peer
        /// has none, so it is set only where they differ.
        replace_allowed_ips: bool,
        /// Set only for peers that have none: where a peer was last heard from is better known to the kernel.
        endpoint: Option<Endpoint>,
    },
}

/// Settings of the link itself, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Link {
    /// Changes when an interface is deleted and made again.
    pub index: u32,
    pub up: bool,
    pub mtu: Option<u32>,
    /// Addresses with their host bits, sorted.
    pub addresses: Vec<ipnet::IpNet>,
}

#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    #[error("the interface does not exist")]
    Missing,
    /// Try again: a dump kept being interrupted, or the kernel was out of something for a moment.
    #[error("the device is busy")]
    Busy,
    #[error("the interface is not a WireGuard interface")]
    NotWireguard,
    #[error("this machine's kernel has no WireGuard")]
    NoKernelModule,
    /// The kernel said no. Only the error number is kept: the library's own text can hold keys.
    #[error("the device refused the change (errno {errno:?})")]
    Refused { errno: Option<i32> },
}
