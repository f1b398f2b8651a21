//! Somebody signed in, with a connection that is kept.

use std::net::SocketAddr;
use std::time::Duration;

use controller::domain::token::Token;

use crate::fleet::database::Database;
use crate::http::Connection;
use crate::sample::time;

pub(crate) const COOKIE: &str = "wgfleet";

/// Signs an administrator in as often as wanted, and tells the cookies. The rows are those that signing in writes;
/// passwords and limits are not what is measured.
pub(super) fn sign_in(database: &Database, times: usize) -> Vec<String> {
    database.run("INSERT INTO users (name, role) VALUES ('bench', 'admin')");
    let tokens = (0..times).map(|n| {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&(n as u64).to_le_bytes());
        let token = Token::from_random(bytes);
        database.run(&format!(
            "INSERT INTO sessions (token_hash, user_id, method, created_at, last_seen_at) \
             SELECT '\\x{}', id, 'password', now(), now() FROM users WHERE name = 'bench'",
            hex(token.hash().as_bytes())
        ));
        token.reveal().to_string()
    });
    tokens.collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The head of a request for a page.
pub(super) fn request(address: SocketAddr, path: &str, token: &str, id: &str) -> Vec<u8> {
    let id = match id {
        "" => String::new(),
        id => format!("X-Request-Id: {id}\r\n"),
    };
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {COOKIE}={token}\r\n{id}Content-Length: 0\r\n\r\n")
        .into_bytes()
}

pub(super) struct Browser {
    address: SocketAddr,
    token: String,
    connection: Connection,
}

impl Browser {
    pub(super) fn new(address: SocketAddr, token: &str) -> Self {
        Self {
            address,
            token: token.to_owned(),
            connection: Connection::open(address),
        }
    }

    /// Asks for a page, which has to be there, under a name of its own where one is given.
    pub(super) fn get(&mut self, path: &str, id: &str) -> Duration {
        let request = request(self.address, path, &self.token, id);
        time(|| {
            self.connection.expect(200, &request);
        })
        .0
    }
}
