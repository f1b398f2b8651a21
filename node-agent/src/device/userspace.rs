//! WireGuard in a daemon such as wireguard-go, spoken to through its socket.
//!
//! Changes go through the WireGuard library. It starts a daemon where it finds none, which would
//! have no key, no port and only the peers of that one update; so before every change an empty one
//! must be answered, and the interface's index is compared before and after. Reading does not go
//! through the library: it waits for ever and prints to stdout.
//!
//! The empty change goes over a connection that is kept, and may be sent ahead: it would otherwise cost
//! as much as the change itself.
//!
//! The daemon itself is started and stopped by whoever runs the machine, not here.

use std::cell::RefCell;
use std::fs;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use protocol::{InterfaceName, PrivateKey};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use wireguard_control::{Backend, DeviceUpdate};

use super::link::Interface;
use super::uapi::{self, Failure};
use super::{DeviceError, Link, PeerOp, Reading, update};

/// A daemon with many peers takes a while to write them all, but never this long for the first.
const SILENCE: Duration = Duration::from_secs(5);

pub struct Userspace {
    interface: Interface,
    library_name: wireguard_control::InterfaceName,
    probe: RefCell<Option<Probe>>,
}

/// A kept connection for empty changes.
struct Probe {
    stream: UnixStream,
    /// One was sent, and its answer is still to be read.
    asked: bool,
}

impl Probe {
    fn ask(&mut self) -> io::Result<()> {
        if !self.asked {
            self.stream.write_all(b"set=1\n\n")?;
            self.asked = true;
        }
        Ok(())
    }
}

impl Userspace {
    pub(crate) fn new(name: &InterfaceName) -> Result<Self, DeviceError> {
        Ok(Self {
            interface: Interface::new(name, "tun")?,
            library_name: update::library_name(name)?,
            probe: RefCell::new(None),
        })
    }

    pub(crate) fn index(&self) -> Result<Option<u32>, DeviceError> {
        self.interface.index()
    }

    pub(crate) fn link(&self) -> Result<Option<Link>, DeviceError> {
        self.interface.link()
    }

    /// Whether a daemon takes connections.
    pub(crate) fn answers(&self) -> bool {
        self.connect().is_ok()
    }

    pub(crate) fn read(&self) -> Result<Reading, DeviceError> {
        let answer = self.ask(b"get=1\n\n")?;
        let index_of = |zone: &str| self.interface.index_of(zone);
        Ok(uapi::read(answer, index_of)?)
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
        match self.index()? {
            Some(_) if self.answers() => Ok(()),
            _ => Err(DeviceError::Missing),
        }
    }

    /// The daemon ends itself when its socket is removed, and its interface ends with it.
    pub(crate) fn delete(&self, expected_index: u32) -> Result<(), DeviceError> {
        self.write(expected_index, update::no_peers(), &[])?;
        match fs::remove_file(self.socket_path()) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => Err(broken(&err)),
            _ => self.interface.delete(expected_index),
        }
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
        self.check_alive()?;
        let outcome = update
            .apply(&self.library_name, Backend::Userspace)
            .map_err(|err| refusal(&err));
        match self.index()? {
            // A daemon that is about to end has an interface a little longer than a socket.
            Some(index) if index == expected_index => match outcome {
                Err(DeviceError::Refused { .. }) if !self.answers() => Err(DeviceError::Missing),
                outcome => outcome,
            },
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

    /// Sends an empty change ahead of one that is to come.
    pub(crate) fn announce(&self) {
        let Some(mut probe) = self.probe.take() else {
            return;
        };
        // A connection that fails is dropped here, and the change itself opens another.
        if probe.ask().is_ok() {
            self.probe.replace(Some(probe));
        }
    }

    fn check_alive(&self) -> Result<(), DeviceError> {
        match self.probe.take().map(|kept| self.finish(kept)) {
            Some(Ok(())) => return Ok(()),
            // It hangs, and would on another connection as well.
            Some(Err(DeviceError::Busy)) => return Err(DeviceError::Busy),
            // That daemon ended, or takes one question on each connection.
            Some(Err(_)) | None => {}
        }
        let stream = self.connect()?;
        self.finish(Probe {
            stream,
            asked: false,
        })
    }

    fn finish(&self, mut probe: Probe) -> Result<(), DeviceError> {
        const ANSWER: &[u8] = b"errno=0\n\n";
        let mut answer = [0; ANSWER.len()];
        let asked = probe.ask();
        let answered = asked.and_then(|()| probe.stream.read_exact(&mut answer));
        answered.map_err(|err| broken(&err))?;
        if answer != ANSWER {
            return Err(DeviceError::Unreadable);
        }
        probe.asked = false;
        self.probe.replace(Some(probe));
        Ok(())
    }

    fn ask(&self, request: &[u8]) -> Result<BufReader<UnixStream>, DeviceError> {
        let mut stream = self.connect()?;
        stream.write_all(request).map_err(|err| broken(&err))?;
        Ok(BufReader::with_capacity(32 * 1024, stream))
    }

    /// Bounded in time from the start: a daemon that hangs stops taking connections, too.
    fn connect(&self) -> Result<UnixStream, DeviceError> {
        let open = || -> Result<UnixStream, Errno> {
            let flags = SocketFlags::CLOEXEC;
            let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
            set_socket_timeout(&socket, Timeout::Recv, Some(SILENCE))?;
            set_socket_timeout(&socket, Timeout::Send, Some(SILENCE))?;
            connect(&socket, &SocketAddrUnix::new(self.socket_path())?)?;
            Ok(socket.into())
        };
        open().map_err(|errno| broken(&errno.into()))
    }

    /// The library's choice, so that both speak to the same daemon.
    fn socket_path(&self) -> PathBuf {
        let folders = ["/var/run/wireguard", "/run/wireguard"];
        let folder = folders
            .map(Path::new)
            .into_iter()
            .find(|path| path.exists());
        let file = format!("{}.sock", self.interface.name());
        folder.unwrap_or(Path::new(folders[1])).join(file)
    }
}

impl From<Failure> for DeviceError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Io(err) => broken(&err),
            Failure::Errno(errno) => Self::Refused { errno: Some(errno) },
            Failure::Garbled => Self::Unreadable,
        }
    }
}

/// What it means when speaking to the socket fails.
fn broken(err: &io::Error) -> DeviceError {
    match err.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe => DeviceError::Missing,
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => {
            DeviceError::Busy
        }
        _ => update::failure(err),
    }
}

/// What it means when the library fails. Where the daemon refuses a large update early, it hangs up
/// before it has heard it all.
fn refusal(err: &io::Error) -> DeviceError {
    match err.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
            DeviceError::Refused { errno: None }
        }
        _ => broken(err),
    }
}
