//! Reads what devices reply out of bytes alone, as [`Device::read`](super::Device::read) does over a
//! socket.
//!
//! The agent itself has always a device to ask. Tests have not: they hand in bytes that no device
//! would send.

use ipnet::IpNet;

use super::dump::Dump;
use super::netlink::{Progress, answers};
use super::{DeviceError, Link, Reading, route, uapi};

/// Reads a kernel's reply to the request for a dump that had this sequence number.
pub fn kernel(datagrams: &[&[u8]], sequence: u32) -> Result<Reading, DeviceError> {
    let mut dump = Dump::default();
    for datagram in datagrams {
        let progress = answers(datagram, sequence, &mut |message| dump.message(message))?;
        if progress == Progress::Ended {
            return Ok(dump.finish());
        }
    }
    // On a socket the wait for the rest ends like this.
    Err(DeviceError::Busy)
}

/// Reads a daemon's reply to `get=1`.
pub fn daemon(text: &[u8], zone: impl Fn(&str) -> Option<u32>) -> Result<Reading, DeviceError> {
    Ok(uapi::read(text, zone)?)
}

/// Reads one message about a link.
pub fn link(message: &[u8]) -> Result<Link, DeviceError> {
    let mut seen = route::Seen::default();
    match seen.read(message) {
        Ok(()) => Ok(seen.link),
        Err(_) => Err(DeviceError::Unreadable),
    }
}

/// Reads one message about an address; `None` if it is not one of this interface to keep.
pub fn address(message: &[u8], index: u32) -> Result<Option<IpNet>, DeviceError> {
    route::read_address(message, index).map_err(|_| DeviceError::Unreadable)
}
