//! The edge to WireGuard: the only module that talks to a device.
//!
//! Nothing above this module sees a type of the WireGuard library or a netlink message. The library
//! and the kernel interface below it have faults that look like success (a peer listed twice, a
//! dump cut short, an interface created by a typo); this module makes each impossible or an error.
//! Every call blocks. One thread opens a `Device`, owns it and makes all calls to it: sockets stay
//! in the network namespace of the thread that opened them, and a read that overlaps with a write
//! has to be done again.
//!
//! An update is not atomic. Where one fails, part of it may have been made; only a new reading
//! tells. Some things succeed without happening, and only a reading tells as well: an allowed IP
//! moves silently to the peer that claimed it last, and a peer with the device's own key is not added.

use std::collections::BTreeMap;

use ipnet::IpNet;
use protocol::{Endpoint, InterfaceName, PeerConfig, PrivateKey, PublicKey};
use rustix::io::Errno;
use serde::Deserialize;

mod assembly;
mod dump;
mod kernel;
mod link;
mod memory;
mod netlink;
pub mod replies;
mod route;
mod uapi;
mod update;
mod userspace;

pub use kernel::{Kernel, kernel_has_wireguard};
pub use memory::Memory;
pub use userspace::Userspace;

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
    /// Addresses with their host bits, sorted, without those that the kernel made up itself.
    pub addresses: Vec<IpNet>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Also: there is another interface of this name by now.
    #[error("the interface does not exist")]
    Missing,
    /// Try again: a dump kept being interrupted, or the kernel was out of something for a moment.
    #[error("the device is busy")]
    Busy,
    #[error("the interface is not a WireGuard interface")]
    NotWireguard,
    #[error("this machine's kernel has no WireGuard")]
    NoKernelModule,
    #[error("the device gave an answer that makes no sense")]
    Unreadable,
    /// The kernel said no. Only the error number is kept: the library's own text can hold keys.
    #[error("the device refused the change (errno {errno:?})")]
    Refused { errno: Option<i32> },
}

impl DeviceError {
    fn from_errno(errno: i32) -> Self {
        match Errno::from_raw_os_error(errno) {
            Errno::NODEV => Self::Missing,
            Errno::OPNOTSUPP => Self::NotWireguard,
            Errno::NOENT => Self::NoKernelModule,
            Errno::INTR | Errno::AGAIN | Errno::BUSY | Errno::NOBUFS | Errno::NOMEM => Self::Busy,
            _ => Self::Refused { errno: Some(errno) },
        }
    }
}

impl From<netlink::Failure> for DeviceError {
    fn from(failure: netlink::Failure) -> Self {
        match failure {
            netlink::Failure::Errno(errno) => Self::from_errno(errno.raw_os_error()),
            netlink::Failure::Interrupted => Self::Busy,
            netlink::Failure::Garbled => Self::Unreadable,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendChoice {
    #[default]
    Auto,
    Kernel,
    Userspace,
    Memory,
}

/// One interface, which need not exist yet.
pub enum Device {
    Kernel(Kernel),
    Userspace(Userspace),
    Memory(Memory),
}

/// What exists decides first: a kernel interface, then a daemon that answers; then what this
/// machine could have.
pub fn open(name: &InterfaceName, backend: BackendChoice) -> Result<Device, DeviceError> {
    match backend {
        BackendChoice::Kernel => Ok(Device::Kernel(Kernel::new(name)?)),
        BackendChoice::Userspace => Ok(Device::Userspace(Userspace::new(name)?)),
        BackendChoice::Memory => Ok(Device::Memory(Memory::new(name))),
        BackendChoice::Auto => {
            let kernel = Kernel::new(name)?;
            if matches!(kernel.link(), Ok(Some(_))) {
                return Ok(Device::Kernel(kernel));
            }
            let userspace = Userspace::new(name)?;
            if userspace.answers() || !kernel_has_wireguard()? {
                return Ok(Device::Userspace(userspace));
            }
            Ok(Device::Kernel(kernel))
        }
    }
}

/// Calls one method on whichever device it is.
macro_rules! dispatch {
    ($device:expr, $inner:ident => $call:expr) => {
        match $device {
            Device::Kernel($inner) => $call,
            Device::Userspace($inner) => $call,
            Device::Memory($inner) => $call,
        }
    };
}

impl Device {
    pub fn backend(&self) -> &'static str {
        match self {
            Self::Kernel(_) => "kernel",
            Self::Userspace(_) => "userspace",
            Self::Memory(_) => "memory",
        }
    }

    /// `None` where there is no such interface.
    pub fn link(&self) -> Result<Option<Link>, DeviceError> {
        dispatch!(self, inner => inner.link())
    }

    /// A microsecond's question: is it still the same interface?
    pub fn index(&self) -> Result<Option<u32>, DeviceError> {
        dispatch!(self, inner => inner.index())
    }

    pub fn read(&self) -> Result<Reading, DeviceError> {
        dispatch!(self, inner => inner.read())
    }

    /// Says that a change is about to come. A daemon that has to show that it answers can do so while
    /// the disk is waited for.
    pub fn announce(&self) {
        match self {
            Self::Userspace(userspace) => userspace.announce(),
            Self::Kernel(_) | Self::Memory(_) => {}
        }
    }

    /// Makes the changes, removals first, then the rest in the order given.
    pub fn apply(&self, expected_index: u32, ops: &[PeerOp]) -> Result<(), DeviceError> {
        dispatch!(self, inner => inner.apply(expected_index, ops))
    }

    /// A peer that has this very key disappears.
    pub fn set_private_key(
        &self,
        expected_index: u32,
        key: &PrivateKey,
    ) -> Result<(), DeviceError> {
        dispatch!(self, inner => inner.set_private_key(expected_index, key))
    }

    pub fn set_listen_port(&self, expected_index: u32, port: u16) -> Result<(), DeviceError> {
        dispatch!(self, inner => inner.set_listen_port(expected_index, port))
    }

    /// An interface that is there already will do. A userspace interface is made by its daemon,
    /// never here.
    pub fn create(&self) -> Result<(), DeviceError> {
        dispatch!(self, inner => inner.create())
    }

    pub fn delete(&self, expected_index: u32) -> Result<(), DeviceError> {
        dispatch!(self, inner => inner.delete(expected_index))
    }

    pub fn set_up(&self, up: bool) -> Result<(), DeviceError> {
        dispatch!(self, inner => inner.set_up(up))
    }

    pub fn set_mtu(&self, mtu: u32) -> Result<(), DeviceError> {
        dispatch!(self, inner => inner.set_mtu(mtu))
    }

    /// An address that is there already will do.
    pub fn add_address(&self, address: IpNet) -> Result<(), DeviceError> {
        dispatch!(self, inner => inner.add_address(address))
    }

    /// An address that is gone already will do.
    pub fn remove_address(&self, address: IpNet) -> Result<(), DeviceError> {
        dispatch!(self, inner => inner.remove_address(address))
    }
}

#[cfg(test)]
mod tests;
