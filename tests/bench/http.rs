//! A client that keeps its connection and does as little as it can: the server is what is measured.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::signing::{Request, Secret};

const SECRET: &str = "correct horse battery staple 0123456789";
const SILENCE: Duration = Duration::from_secs(120);

pub(crate) fn secret() -> Secret {
    Secret::parse(SECRET).unwrap()
}

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, whose body lies in the connection's buffer.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(SILENCE)).unwrap();
        Self {
            stream,
            buffer: vec![0; 64 * 1024],
        }
    }

    pub(crate) fn call(&mut self, request: &[u8]) -> Answer<'_> {
        self.stream.write_all(request).unwrap();
        let mut have = 0;
        let head = loop {
            have += self.read(have);
            if let Some(at) = find(&self.buffer[..have], b"\r\n\r\n") {
                break at + 4;
            }
        };
        let (status, length) = read_head(&self.buffer[..head]);
        let whole = head + length;
        if self.buffer.len() < whole {
            self.buffer.resize(whole, 0);
        }
        while have < whole {
            have += self.read(have);
        }
        assert_eq!(have, whole, "the server sent more than it announced");
        Answer {
            status,
            body: &self.buffer[head..whole],
        }
    }

    /// Sends a request that has to succeed.
    pub(crate) fn expect(&mut self, status: u16, request: &[u8]) -> &[u8] {
        let answer = self.call(request);
        assert_eq!(
            answer.status,
            status,
            "{}",
            String::from_utf8_lossy(answer.body)
        );
        answer.body
    }

    fn read(&mut self, have: usize) -> usize {
        let read = self.stream.read(&mut self.buffer[have..]).unwrap();
        assert_ne!(read, 0, "the server hung up");
        read
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// The status, and the length that is announced; actix writes header names in small letters.
fn read_head(head: &[u8]) -> (u16, usize) {
    let head = std::str::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    (status, length)
}

/// The bytes of a signed request, with a nonce that is used once.
pub(crate) fn signed(method: &str, target: &str, body: &[u8]) -> Vec<u8> {
    signed_by(&secret(), method, target, body)
}

/// The same for a node that has a secret of its own.
pub(crate) fn signed_by(secret: &Secret, method: &str, target: &str, body: &[u8]) -> Vec<u8> {
    signed_as(None, secret, method, target, body)
}

/// The same by whoever says which of several secrets it is.
pub(crate) fn signed_as(
    key_id: Option<&str>,
    secret: &Secret,
    method: &str,
    target: &str,
    body: &[u8],
) -> Vec<u8> {
    static NONCE: AtomicU64 = AtomicU64::new(0);
    let nonce = format!("bench-{:010}", NONCE.fetch_add(1, Ordering::Relaxed));
    let timestamp = now().to_string();
    let request = Request {
        method,
        target,
        body,
        timestamp: &timestamp,
        nonce: Some(&nonce),
    };
    let signature = request.sign(secret);
    let mut bytes = format!(
        "{method} {target} HTTP/1.1\r\nHost: node\r\nX-Signature: {signature}\r\n\
         X-Timestamp: {timestamp}\r\nX-Nonce: {nonce}\r\n"
    )
    .into_bytes();
    if let Some(key_id) = key_id {
        bytes.extend_from_slice(format!("X-Key-Id: {key_id}\r\n").as_bytes());
    }
    if !body.is_empty() {
        bytes.extend_from_slice(b"Content-Type: application/json\r\n");
    }
    bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

#[expect(
    clippy::disallowed_methods,
    reason = "a client signs with the time it is"
)]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
