//! Requests that are sent byte for byte, and answers as they come.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use controller::clock;
use controller::fleet::api_keys::Created;
use protocol::signing::{Request, Secret, Signature, verify_response};

/// Sends these bytes and reads until the server closes.
pub(in crate::auth) fn exchange(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    Answer::parse(&answer)
}

/// A request as it is to be sent, byte for byte.
#[derive(Clone)]
pub(in crate::auth) struct Call {
    method: &'static str,
    target: String,
    body: Vec<u8>,
    headers: Vec<(String, String)>,
    pub(in crate::auth) signature: Option<Signature>,
}

pub(in crate::auth) fn call(method: &'static str, target: &str, body: &str) -> Call {
    Call {
        method,
        target: target.to_owned(),
        body: body.as_bytes().to_vec(),
        headers: Vec::new(),
        signature: None,
    }
}

impl Call {
    pub(in crate::auth) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(in crate::auth) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(present, _)| present != name);
        self
    }

    pub(in crate::auth) fn body(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self
    }

    /// Signs with a nonce, so that no two requests are the same.
    pub(in crate::auth) fn signed(self, key: &Created) -> Self {
        let nonce = hex::encode(controller::random::bytes::<16>());
        self.signed_at(
            &key.key.key_id,
            &key.secret,
            clock::now().timestamp(),
            &nonce,
        )
    }

    pub(in crate::auth) fn signed_at(
        mut self,
        id: &str,
        secret: &Secret,
        at: i64,
        nonce: &str,
    ) -> Self {
        let timestamp = at.to_string();
        let request = Request {
            method: self.method,
            target: &self.target,
            body: &self.body,
            timestamp: &timestamp,
            nonce: Some(nonce),
        };
        let signature = request.sign(secret);
        self.signature = Some(signature);
        self.with("X-Key-Id", id)
            .with("X-Signature", &signature.to_string())
            .with("X-Timestamp", &timestamp)
            .with("X-Nonce", nonce)
    }

    pub(in crate::auth) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: here\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!(
            "Connection: close\r\nContent-Length: {}\r\n\r\n",
            self.body.len()
        );
        [head.as_bytes(), &self.body].concat()
    }
}

#[derive(Debug, PartialEq)]
pub(in crate::auth) struct Answer {
    pub(in crate::auth) status: u16,
    headers: Vec<(String, String)>,
    pub(in crate::auth) body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes
            .windows(4)
            .position(|part| part == b"\r\n\r\n")
            .unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        };
        Self {
            status: status.parse().unwrap(),
            headers: lines.map(header).collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(in crate::auth) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(present, _)| present == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(in crate::auth) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(in crate::auth) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The status and the code of a refusal.
    pub(in crate::auth) fn refusal(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(body["status"], self.status);
        (self.status, body["code"].as_str().unwrap().to_owned())
    }

    pub(in crate::auth) fn is_signed(&self, by: &Created, call: &Call) -> bool {
        let signature = self.header("x-signature").map(str::as_bytes);
        let Some(signature) = signature.and_then(Signature::parse) else {
            return false;
        };
        let timestamp = self.header("x-timestamp").unwrap();
        let request = call.signature.unwrap();
        verify_response(
            &by.secret,
            self.status,
            &self.body,
            timestamp,
            &request,
            &signature,
        )
    }
}
