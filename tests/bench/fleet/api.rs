//! The controller's API, asked by a script with a key.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use protocol::signing::Secret;
use serde::Serialize;
use serde_json::Value;

use super::database::Database;
use crate::http::{Connection, signed_as};
use crate::sample::time;

pub(crate) struct Api {
    address: SocketAddr,
    connection: Connection,
    /// The server closes connections that rest.
    used_at: Instant,
    key_id: String,
    secret: Secret,
}

/// Shorter than the server waits.
const REST: Duration = Duration::from_secs(3);

impl Api {
    /// Makes a key in the database, as the administrator does at the machine.
    pub(crate) fn new(address: SocketAddr, database: &Database, master_key: &Path) -> Self {
        let (key_id, secret) = database.make_api_key(master_key);
        Self {
            address,
            connection: Connection::open(address),
            used_at: Instant::now(),
            key_id,
            secret,
        }
    }

    pub(crate) fn reconnect(&mut self) {
        self.connection = Connection::open(self.address);
        self.used_at = Instant::now();
    }

    pub(crate) fn get(&mut self, path: &str) -> (Duration, Value) {
        let request = self.signed("GET", path, b"");
        self.exchange(200, &request)
    }

    pub(crate) fn send(
        &mut self,
        status: u16,
        method: &str,
        path: &str,
        body: &impl Serialize,
    ) -> (Duration, Value) {
        let body = serde_json::to_vec(body).unwrap();
        let request = self.signed(method, path, &body);
        self.exchange(status, &request)
    }

    fn signed(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let target = format!("/api/v1{path}");
        signed_as(Some(&self.key_id), &self.secret, method, &target, body)
    }

    /// What is measured ends with the last byte of the answer.
    fn exchange(&mut self, status: u16, request: &[u8]) -> (Duration, Value) {
        if self.used_at.elapsed() > REST {
            self.reconnect();
        }
        let (took, body) = time(|| self.connection.expect(status, request));
        let body = serde_json::from_slice(body).unwrap();
        self.used_at = Instant::now();
        (took, body)
    }
}

/// Whether the controller says that it serves.
pub(crate) fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    stream
        .write_all(b"GET /readyz HTTP/1.1\r\nHost: controller\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 204")
}
