//! The network interface that a WireGuard device is: made, deleted, up, down, its MTU and addresses.
//!
//! Changes go by index, never by name: between looking and changing, another interface may have
//! taken the name, and a change by name would hit it.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::time::Duration;

use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use protocol::InterfaceName;
use rustix::io::Errno;
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use super::netlink::{Connection, Failure, Garbled, Request};
use super::route::{
    IFF_UP, IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_MTU, Seen, address_header,
    address_request, link_header, read_address,
};
use super::{DeviceError, Link};

const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_GETADDR: u16 = 22;

/// How often an interrupted list of addresses is asked for again.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(1);

/// An interface that may or may not exist, known by its name and by what kind it must be.
pub(crate) struct Interface {
    name: InterfaceName,
    kind: &'static str,
    /// Any socket does for asking what index a name has.
    probe: OwnedFd,
    route: RefCell<Option<Connection>>,
}

impl Interface {
    pub(crate) fn new(name: &InterfaceName, kind: &'static str) -> Result<Self, DeviceError> {
        let (family, flags) = (AddressFamily::INET, SocketFlags::CLOEXEC);
        let probe = socket_with(family, SocketType::DGRAM, flags, None)
            .map_err(|errno| refused(errno.into()))?;
        Ok(Self {
            name: name.clone(),
            kind,
            probe,
            route: RefCell::new(None),
        })
    }

    pub(crate) fn name(&self) -> &InterfaceName {
        &self.name
    }

    /// The index of any interface.
    pub(crate) fn index_of(&self, name: &str) -> Option<u32> {
        name_to_index(&self.probe, name).ok()
    }

    pub(crate) fn index(&self) -> Result<Option<u32>, DeviceError> {
        match name_to_index(&self.probe, self.name.as_str()) {
            Ok(index) => Ok(Some(index)),
            Err(Errno::NODEV) => Ok(None),
            Err(errno) => Err(refused(errno.into())),
        }
    }

    /// Fails where another kind of interface has the name.
    pub(crate) fn link(&self) -> Result<Option<Link>, DeviceError> {
        let Some(seen) = self.look()? else {
            return Ok(None);
        };
        if seen.kind.as_deref() != Some(self.kind.as_bytes()) {
            return Err(DeviceError::NotWireguard);
        }
        let addresses = self.addresses(seen.link.index)?;
        Ok(Some(Link {
            addresses,
            ..seen.link
        }))
    }

    /// An interface of the right kind that is there already will do.
    pub(crate) fn create(&self) -> Result<(), DeviceError> {
        let request = Request::one(RTM_NEWLINK, &link_header(0, 0, 0))
            .flags(NLM_F_CREATE | NLM_F_EXCL)
            .attribute(IFLA_IFNAME, &self.name_bytes())
            .nested(IFLA_LINKINFO, IFLA_INFO_KIND, self.kind.as_bytes());
        match self.change(request) {
            Err(Failure::Errno(Errno::EXIST)) => self.existing_index().map(|_| ()),
            Err(Failure::Errno(Errno::OPNOTSUPP)) => Err(DeviceError::NoKernelModule),
            outcome => outcome.map_err(refused),
        }
    }

    /// An interface that is gone already will do.
    pub(crate) fn delete(&self, index: u32) -> Result<(), DeviceError> {
        match self.change(Request::one(RTM_DELLINK, &link_header(index, 0, 0))) {
            Err(Failure::Errno(Errno::NODEV)) => Ok(()),
            outcome => outcome.map_err(refused),
        }
    }

    pub(crate) fn set_up(&self, up: bool) -> Result<(), DeviceError> {
        let flags = if up { IFF_UP } else { 0 };
        let header = link_header(self.existing_index()?, flags, IFF_UP);
        self.change(Request::one(RTM_NEWLINK, &header))
            .map_err(refused)
    }

    pub(crate) fn set_mtu(&self, mtu: u32) -> Result<(), DeviceError> {
        let header = link_header(self.existing_index()?, 0, 0);
        let request = Request::one(RTM_NEWLINK, &header).attribute(IFLA_MTU, &mtu.to_ne_bytes());
        self.change(request).map_err(refused)
    }

    /// An address that is there already will do.
    pub(crate) fn add_address(&self, address: IpNet) -> Result<(), DeviceError> {
        let request = address_request(RTM_NEWADDR, self.existing_index()?, address);
        match self.change(request.flags(NLM_F_CREATE | NLM_F_EXCL)) {
            Err(Failure::Errno(Errno::EXIST)) => Ok(()),
            outcome => outcome.map_err(refused),
        }
    }

    /// An address that is gone already will do.
    pub(crate) fn remove_address(&self, address: IpNet) -> Result<(), DeviceError> {
        let request = address_request(RTM_DELADDR, self.existing_index()?, address);
        match self.change(request) {
            Err(Failure::Errno(Errno::ADDRNOTAVAIL)) => Ok(()),
            outcome => outcome.map_err(refused),
        }
    }

    /// The index for a change: never that of an interface that is something else.
    fn existing_index(&self) -> Result<u32, DeviceError> {
        let seen = self.look()?.ok_or(DeviceError::Missing)?;
        if seen.kind.as_deref() != Some(self.kind.as_bytes()) {
            return Err(DeviceError::NotWireguard);
        }
        Ok(seen.link.index)
    }

    fn look(&self) -> Result<Option<Seen>, DeviceError> {
        let request = Request::one(RTM_GETLINK, &link_header(0, 0, 0))
            .attribute(IFLA_IFNAME, &self.name_bytes());
        let mut seen = Seen::default();
        match self.converse(request, |message| seen.read(message)) {
            Ok(()) => Ok(Some(seen)),
            Err(Failure::Errno(Errno::NODEV)) => Ok(None),
            Err(failure) => Err(refused(failure)),
        }
    }

    fn addresses(&self, index: u32) -> Result<Vec<IpNet>, DeviceError> {
        for attempt in 0..ATTEMPTS {
            let mut addresses = Vec::new();
            let request = Request::dump(RTM_GETADDR, &address_header(0, 0, 0));
            let outcome = self.converse(request, |message| {
                addresses.extend(read_address(message, index)?);
                Ok(())
            });
            match outcome {
                Err(Failure::Interrupted) => std::thread::sleep(PAUSE * attempt),
                Err(failure) => return Err(refused(failure)),
                Ok(()) => {
                    addresses.sort_unstable();
                    return Ok(addresses);
                }
            }
        }
        Err(DeviceError::Busy)
    }

    fn change(&self, request: Request) -> Result<(), Failure> {
        self.converse(request, |_| Ok(()))
    }

    fn converse(
        &self,
        request: Request,
        each: impl FnMut(&[u8]) -> Result<(), Garbled>,
    ) -> Result<(), Failure> {
        let mut kept = self.route.borrow_mut();
        // Taken out, so that a connection that failed is not used again.
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => Connection::open(None)?,
        };
        connection.request(request, each)?;
        *kept = Some(connection);
        Ok(())
    }

    fn name_bytes(&self) -> Vec<u8> {
        let mut bytes = self.name.as_str().as_bytes().to_vec();
        bytes.push(0);
        bytes
    }
}

fn refused(failure: Failure) -> DeviceError {
    match failure {
        Failure::Errno(Errno::NODEV) => DeviceError::Missing,
        failure => failure.into(),
    }
}
