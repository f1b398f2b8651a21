//! A connection byte by byte: from another address, half open, slow, or larger than it should be.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

use super::client::{Response, parse};

pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
}

impl Wire {
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::around(TcpStream::connect(address).unwrap())
    }

    /// Connects as another of the addresses that loopback has.
    pub(crate) fn open_from(source: Ipv4Addr, address: SocketAddr) -> Self {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&socket, &SocketAddrV4::new(source, 0)).unwrap();
        connect(&socket, &address).unwrap();
        Self::around(socket.into())
    }

    fn around(stream: TcpStream) -> Self {
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream
            .set_write_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        Self { stream }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Writes a piece again and again until the other side cuts the connection, and tells after how
    /// many bytes it did; `None` if it never did within the limit.
    pub(crate) fn pour(&mut self, piece: &[u8], pause: Duration, limit: Duration) -> Option<usize> {
        let started = Instant::now();
        let mut poured = 0;
        while started.elapsed() < limit {
            match self.stream.write(piece) {
                Ok(written) => poured += written,
                Err(_) => return Some(poured),
            }
            std::thread::sleep(pause);
        }
        None
    }

    /// What came until the other side was done, or cut the line.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(err) if err.kind() == io::ErrorKind::ConnectionReset => {}
            Err(err) => panic!("{err} after {bytes:?}"),
        }
        bytes
    }

    pub(crate) fn answer(&mut self) -> Response {
        let rest = self.rest();
        parse(&rest).unwrap_or_else(|| panic!("no answer: {rest:?}"))
    }
}
