//! One conversation with the kernel over netlink: a request out, checked answers in, nothing kept.
//!
//! The request function that the WireGuard library brings along takes an interrupted dump for a
//! whole one, ignores the status in the last message, waits for ever and gives up on a signal. Here
//! an interrupted dump is a failure, as are a non-zero status, an answer cut short and silence.
//!
//! After any failure the connection must be thrown away: rest of the old answer may be on its way.

use std::os::fd::OwnedFd;
use std::time::Duration;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkBuffer};
use netlink_packet_utils::nla::{NLA_F_NESTED, NLA_HEADER_SIZE, NlasIterator};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send,
    socket_with,
};
use zeroize::Zeroizing;

/// The kernel fills a dump message up to the largest buffer it has seen on the socket, 32 KiB at most.
const BUFFER_SIZE: usize = 32 * 1024;
const SILENCE: Duration = Duration::from_secs(5);

const HEADER_SIZE: usize = 16;
const NLMSG_NOOP: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

/// An answer that makes no sense. What it said is not kept, it may hold keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Garbled;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    Errno(Errno),
    /// What was being listed changed meanwhile, so the list can lack nearly everything.
    Interrupted,
    Garbled,
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<Garbled> for Failure {
    fn from(Garbled: Garbled) -> Self {
        Self::Garbled
    }
}

/// A request in the making.
pub(crate) struct Request {
    bytes: Vec<u8>,
    flags: u16,
}

impl Request {
    /// Asks for one thing, or for one change; the kernel acknowledges it.
    pub(crate) fn one(kind: u16, header: &[u8]) -> Self {
        Self::with_flags(kind, NLM_F_ACK, header)
    }

    /// Asks for a list.
    pub(crate) fn dump(kind: u16, header: &[u8]) -> Self {
        Self::with_flags(kind, NLM_F_DUMP, header)
    }

    fn with_flags(kind: u16, flags: u16, header: &[u8]) -> Self {
        let mut bytes = vec![0; HEADER_SIZE];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(header);
        Self { bytes, flags }
    }

    pub(crate) fn flags(mut self, flags: u16) -> Self {
        self.flags |= flags;
        self
    }

    pub(crate) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        push_attribute(&mut self.bytes, kind, value);
        self
    }

    /// An attribute that holds one attribute.
    pub(crate) fn nested(self, kind: u16, inner_kind: u16, value: &[u8]) -> Self {
        let mut inner = Vec::new();
        push_attribute(&mut inner, inner_kind, value);
        self.attribute(kind | NLA_F_NESTED, &inner)
    }

    fn finish(mut self, sequence: u32) -> Result<Vec<u8>, Failure> {
        let length = u32::try_from(self.bytes.len()).map_err(|_| Errno::MSGSIZE)?;
        self.bytes[0..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes[6..8].copy_from_slice(&(self.flags | NLM_F_REQUEST).to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        Ok(self.bytes)
    }
}

/// Values are names, addresses and numbers of a few bytes, so the length always fits.
pub(crate) fn push_attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = (NLA_HEADER_SIZE + value.len()) as u16;
    bytes.extend_from_slice(&length.to_ne_bytes());
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// The attributes in a stretch of a message, by number, without flags. Whoever walks over them
/// skips the numbers it does not know: newer kernels say more.
pub(crate) fn attributes(bytes: &[u8]) -> impl Iterator<Item = Result<(u16, &[u8]), Garbled>> {
    NlasIterator::new(bytes).map(|attribute| {
        let attribute = attribute.map_err(|_| Garbled)?;
        let length = usize::from(attribute.length());
        Ok((
            attribute.kind(),
            &attribute.into_inner()[NLA_HEADER_SIZE..length],
        ))
    })
}

/// A value of fixed size.
pub(crate) fn exactly<const N: usize>(value: &[u8]) -> Result<[u8; N], Garbled> {
    value.try_into().map_err(|_| Garbled)
}

pub(crate) struct Connection {
    socket: OwnedFd,
    sequence: u32,
}

impl Connection {
    /// Opens a socket in the network namespace of the calling thread, where it stays.
    pub(crate) fn open(protocol: Option<Protocol>) -> Result<Self, Failure> {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            protocol,
        )?;
        set_socket_timeout(&socket, Timeout::Recv, Some(SILENCE))?;
        set_socket_timeout(&socket, Timeout::Send, Some(SILENCE))?;
        connect(&socket, &SocketAddrNetlink::new(0, 0))?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Sends a request and hands the payload of every answer to `each`.
    pub(crate) fn request(
        &mut self,
        request: Request,
        mut each: impl FnMut(&[u8]) -> Result<(), Garbled>,
    ) -> Result<(), Failure> {
        self.sequence = self.sequence.wrapping_add(1);
        let request = request.finish(self.sequence)?;
        unless_interrupted(|| send(&self.socket, &request, SendFlags::empty()))?;
        // Answers can hold the private key and every preshared key.
        let mut buffer = Zeroizing::new(vec![0; BUFFER_SIZE]);
        loop {
            let (_, length) =
                unless_interrupted(|| recv(&self.socket, &mut buffer[..], RecvFlags::TRUNC))?;
            let datagram = buffer.get(..length).ok_or(Garbled)?;
            if answers(datagram, self.sequence, &mut each)? == Progress::Ended {
                return Ok(());
            }
        }
    }
}

/// A signal is no reason to give up.
fn unless_interrupted<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            outcome => return outcome,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Going,
    Ended,
}

/// Goes through the messages of one datagram.
pub(crate) fn answers(
    mut datagram: &[u8],
    sequence: u32,
    each: &mut impl FnMut(&[u8]) -> Result<(), Garbled>,
) -> Result<Progress, Failure> {
    while !datagram.is_empty() {
        let message = NetlinkBuffer::new_checked(datagram).map_err(|_| Garbled)?;
        let length = message.length() as usize;
        // The last message may end without the padding that would follow it.
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        if message.sequence_number() != sequence {
            continue;
        }
        if message.flags() & NLM_F_DUMP_INTR != 0 {
            return Err(Failure::Interrupted);
        }
        match message.message_type() {
            NLMSG_NOOP => {}
            NLMSG_ERROR | NLMSG_DONE => return status(message.payload()),
            _ => each(message.payload())?,
        }
    }
    Ok(Progress::Going)
}

/// The first four bytes of a last message are 0 or a negative error number.
fn status(payload: &[u8]) -> Result<Progress, Failure> {
    let code = payload.first_chunk().ok_or(Garbled)?;
    match i32::from_ne_bytes(*code) {
        0 => Ok(Progress::Ended),
        code => match code.checked_neg() {
            Some(errno @ 1..4096) => Err(Errno::from_raw_os_error(errno).into()),
            _ => Err(Failure::Garbled),
        },
    }
}

#[cfg(test)]
mod tests;
