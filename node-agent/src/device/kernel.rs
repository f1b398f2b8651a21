//! WireGuard in the kernel.
//!
//! Changes go through the WireGuard library. Reading does not: the library takes an interrupted dump
//! for a whole one, lists a peer twice that was split over two messages, fails at attributes that
//! came after it, and holds a large device in memory three times over.
//!
//! The library makes the interface that it does not find. The index before and after every change
//! tells, and what was made so is deleted again.

use std::cell::RefCell;
use std::thread;
use std::time::Duration;

use ipnet::IpNet;
use protocol::{InterfaceName, PrivateKey};
use rustix::io::Errno;
use rustix::net::netlink::GENERIC;
use wireguard_control::{Backend, DeviceUpdate};

use super::dump::Dump;
use super::link::Interface;
use super::netlink::{Connection, Failure, Garbled, Request, attributes, exactly};
use super::{DeviceError, Link, PeerOp, Reading, update};

/// Another program that keeps writing to the device can interrupt every dump.
const ATTEMPTS: u32 = 20;
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const WG_CMD_GET_DEVICE: u8 = 0;
const WGDEVICE_A_IFINDEX: u16 = 1;

pub struct Kernel {
    interface: Interface,
    library_name: wireguard_control::InterfaceName,
    session: RefCell<Option<Session>>,
}

impl Kernel {
    pub(crate) fn new(name: &InterfaceName) -> Result<Self, DeviceError> {
        Ok(Self {
            interface: Interface::new(name, "wireguard")?,
            library_name: update::library_name(name)?,
            session: RefCell::new(None),
        })
    }

    pub(crate) fn index(&self) -> Result<Option<u32>, DeviceError> {
        self.interface.index()
    }

    pub(crate) fn link(&self) -> Result<Option<Link>, DeviceError> {
        self.interface.link()
    }

    pub(crate) fn read(&self) -> Result<Reading, DeviceError> {
        let mut pause = Duration::from_millis(1);
        for _ in 0..ATTEMPTS {
            let index = self.index()?.ok_or(DeviceError::Missing)?;
            let had_session = self.session.borrow().is_some();
            match self.dump(index) {
                Ok(reading) => return Ok(reading),
                Err(Failure::Interrupted) => {}
                Err(Failure::Errno(Errno::BUSY | Errno::NOBUFS | Errno::NOMEM)) => {}
                // The module was unloaded and loaded again, and has another number now.
                Err(Failure::Errno(Errno::NOENT)) if had_session => {}
                Err(failure) => return Err(failure.into()),
            }
            thread::sleep(pause);
            pause = LONGEST_PAUSE.min(pause * 2);
        }
        Err(DeviceError::Busy)
    }

    pub(crate) fn apply(&self, expected_index: u32, ops: &[PeerOp]) -> Result<(), DeviceError> {
        for update in update::updates(ops) {
            self.write(expected_index, update, ops)?;
        }
        Ok(())
    }

    pub(crate) fn set_private_key(
        &self,
        expected_index: u32,
        key: &PrivateKey,
    ) -> Result<(), DeviceError> {
        self.write(expected_index, update::private_key(key), &[])
    }

    pub(crate) fn set_listen_port(
        &self,
        expected_index: u32,
        port: u16,
    ) -> Result<(), DeviceError> {
        self.write(expected_index, update::listen_port(port), &[])
    }

    pub(crate) fn create(&self) -> Result<(), DeviceError> {
        self.interface.create()
    }

    /// Peers go first: the kernel takes 12 ms for each that it finds while deleting an interface.
    pub(crate) fn delete(&self, expected_index: u32) -> Result<(), DeviceError> {
        self.write(expected_index, update::no_peers(), &[])?;
        self.interface.delete(expected_index)
    }

    pub(crate) fn set_up(&self, up: bool) -> Result<(), DeviceError> {
        self.interface.set_up(up)
    }

    pub(crate) fn set_mtu(&self, mtu: u32) -> Result<(), DeviceError> {
        self.interface.set_mtu(mtu)
    }

    pub(crate) fn add_address(&self, address: IpNet) -> Result<(), DeviceError> {
        self.interface.add_address(address)
    }

    pub(crate) fn remove_address(&self, address: IpNet) -> Result<(), DeviceError> {
        self.interface.remove_address(address)
    }

    fn write(
        &self,
        expected_index: u32,
        update: DeviceUpdate,
        ops: &[PeerOp],
    ) -> Result<(), DeviceError> {
        if self.index()? != Some(expected_index) {
            return Err(DeviceError::Missing);
        }
        self.write_unchecked(expected_index, update, ops)
    }

    /// Applies an update and looks what it was applied to.
    pub(crate) fn write_unchecked(
        &self,
        expected_index: u32,
        update: DeviceUpdate,
        ops: &[PeerOp],
    ) -> Result<(), DeviceError> {
        let outcome = update
            .apply(&self.library_name, Backend::Kernel)
            .map_err(|err| update::failure(&err));
        match self.index()? {
            Some(index) if index == expected_index => outcome,
            Some(other) => {
                if self.is_ghost(other, ops)? {
                    self.delete(other)?;
                }
                Err(DeviceError::Missing)
            }
            None => Err(DeviceError::Missing),
        }
    }

    fn is_ghost(&self, index: u32, ops: &[PeerOp]) -> Result<bool, DeviceError> {
        let Some(link) = self.link()? else {
            return Ok(false);
        };
        Ok(link.index == index && update::is_ghost(&link, &self.read()?, ops))
    }

    fn dump(&self, index: u32) -> Result<Reading, Failure> {
        let mut kept = self.session.borrow_mut();
        // Taken out, so that a session that failed is not used again.
        let mut session = match kept.take() {
            Some(session) => session,
            None => Session::open()?,
        };
        let mut dump = Dump::default();
        session.dump(index, |message| dump.message(message))?;
        *kept = Some(session);
        Ok(dump.finish())
    }
}

/// A connection to WireGuard itself, whose number in generic netlink is known only at run time.
pub(crate) struct Session {
    connection: Connection,
    family: u16,
}

impl Session {
    /// Asking for the family makes the kernel load the module, should it not be loaded yet.
    pub(crate) fn open() -> Result<Self, Failure> {
        let mut connection = Connection::open(Some(GENERIC))?;
        let request = Request::one(GENL_ID_CTRL, &[CTRL_CMD_GETFAMILY, 1, 0, 0])
            .attribute(CTRL_ATTR_FAMILY_NAME, b"wireguard\0");
        let mut family = None;
        connection.request(request, |message| {
            for attribute in attributes(message.get(4..).unwrap_or(&[])) {
                if let (CTRL_ATTR_FAMILY_ID, value) = attribute? {
                    family = Some(u16::from_ne_bytes(exactly(value)?));
                }
            }
            Ok(())
        })?;
        let family = family.ok_or(Failure::Garbled)?;
        Ok(Self { connection, family })
    }

    pub(crate) fn dump(
        &mut self,
        index: u32,
        each: impl FnMut(&[u8]) -> Result<(), Garbled>,
    ) -> Result<(), Failure> {
        let request = Request::dump(self.family, &[WG_CMD_GET_DEVICE, 1, 0, 0])
            .attribute(WGDEVICE_A_IFINDEX, &index.to_ne_bytes());
        self.connection.request(request, each)
    }
}

pub fn kernel_has_wireguard() -> Result<bool, DeviceError> {
    match Session::open() {
        Ok(_) => Ok(true),
        Err(Failure::Errno(Errno::NOENT)) => Ok(false),
        Err(failure) => Err(failure.into()),
    }
}
