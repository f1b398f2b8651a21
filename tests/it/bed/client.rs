//! A client of the contract, close to the wire: every header and byte can be other than it should.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::signing::{self, Request, Secret, Signature};
use serde_json::Value;

use super::{now, secret};

#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) secret: Secret,
    pub(crate) key_id: Option<String>,
    /// Seconds to be off the agent's clock.
    pub(crate) clock_offset: i64,
    /// The first second in which the agent takes a write, to be claimed until it comes.
    pub(crate) not_before: i64,
    pub(crate) nonces: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the answer was signed by whom the request was addressed to; `None` if it is not signed.
    pub(crate) verified: Option<bool>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|err| panic!("{err} in {self:?}"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The code of an error, with its status: what a test compares.
    pub(crate) fn code(&self) -> (u16, String) {
        (
            self.status,
            self.json()["code"].as_str().unwrap_or("none").to_owned(),
        )
    }
}

/// A request whose parts can be tampered with after it was signed.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) signature: Signature,
}

impl Draft {
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Adds a header, be there one of this name already.
    pub(crate) fn repeat(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        &found.unwrap().1
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.headers
            .retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n",
            self.method, self.target
        );
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"))
        {
            text.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        text.push_str("\r\n");
        [text.into_bytes(), self.body.clone()].concat()
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            secret: secret(),
            key_id: None,
            clock_offset: 0,
            not_before: 0,
            nonces: true,
        }
    }

    pub(crate) fn draft(&self, method: &str, target: &str, body: &[u8]) -> Draft {
        static NONCE: AtomicU64 = AtomicU64::new(0);
        let nonce = format!(
            "test-{:08}-{:010}",
            std::process::id(),
            NONCE.fetch_add(1, Ordering::Relaxed)
        );
        self.draft_at(
            method,
            target,
            body,
            now().max(self.not_before) + self.clock_offset,
            self.nonces.then_some(nonce),
        )
    }

    pub(crate) fn draft_at(
        &self,
        method: &str,
        target: &str,
        body: &[u8],
        at: i64,
        nonce: Option<String>,
    ) -> Draft {
        self.draft_of(Request {
            method,
            target,
            body,
            timestamp: &at.to_string(),
            nonce: nonce.as_deref(),
        })
    }

    /// Signs just what it is given, be it nonsense.
    pub(crate) fn draft_of(&self, request: Request<'_>) -> Draft {
        let signature = request.sign(&self.secret);
        let mut headers = vec![
            ("X-Signature".to_owned(), signature.to_string()),
            ("X-Timestamp".to_owned(), request.timestamp.to_owned()),
        ];
        headers.extend(
            request
                .nonce
                .map(|nonce| ("X-Nonce".to_owned(), nonce.to_owned())),
        );
        headers.extend(self.key_id.clone().map(|id| ("X-Key-Id".to_owned(), id)));
        if !request.body.is_empty() {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        Draft {
            method: request.method.to_owned(),
            target: request.target.to_owned(),
            headers,
            body: request.body.to_owned(),
            signature,
        }
    }

    pub(crate) fn send(&self, draft: &Draft) -> Response {
        self.judge(exchange(self.address, &draft.bytes()), draft)
    }

    /// Looks who signed the answer to a draft that went out in whatever way.
    pub(crate) fn judge(&self, response: Response, draft: &Draft) -> Response {
        let verified = self.verify(&response, &draft.signature);
        Response {
            verified,
            ..response
        }
    }

    fn verify(&self, response: &Response, request: &Signature) -> Option<bool> {
        let signature = response.header("x-signature")?;
        let signature = Signature::parse(signature.as_bytes()).unwrap();
        let timestamp = response.header("x-timestamp").unwrap();
        Some(signing::verify_response(
            &self.secret,
            response.status,
            &response.body,
            timestamp,
            request,
            &signature,
        ))
    }

    /// Sends a well-formed request and insists on a signed answer.
    pub(crate) fn call(&self, method: &str, target: &str, body: &[u8]) -> Response {
        let response = self.send(&self.draft(method, target, body));
        assert_eq!(
            response.verified,
            Some(true),
            "{method} {target}: {response:?}"
        );
        response
    }

    /// Sends a well-formed request to an agent that may die before its answer is complete.
    pub(crate) fn try_call(&self, method: &str, target: &str, body: &[u8]) -> Option<Response> {
        let draft = self.draft(method, target, body);
        let mut response = try_exchange(self.address, &draft.bytes()).ok()?;
        let length = response.header("content-length")?;
        if length.parse() != Ok(response.body.len()) {
            return None;
        }
        response.verified = self.verify(&response, &draft.signature);
        assert_eq!(response.verified, Some(true), "{response:?}");
        Some(response)
    }

    pub(crate) fn get(&self, target: &str) -> Response {
        self.call("GET", target, b"")
    }

    pub(crate) fn delete(&self, target: &str) -> Response {
        self.call("DELETE", target, b"")
    }

    pub(crate) fn post(&self, target: &str, body: &Value) -> Response {
        self.call("POST", target, body.to_string().as_bytes())
    }

    pub(crate) fn put(&self, target: &str, body: &Value) -> Response {
        self.call("PUT", target, body.to_string().as_bytes())
    }

    pub(crate) fn patch(&self, target: &str, body: &Value) -> Response {
        self.call("PATCH", target, body.to_string().as_bytes())
    }
}

/// Sends bytes and reads the answer until the other side is done.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Response {
    try_exchange(address, bytes).unwrap_or_else(|why| panic!("no answer: {why}"))
}

fn try_exchange(address: SocketAddr, bytes: &[u8]) -> Result<Response, String> {
    let mut stream = TcpStream::connect(address).map_err(|err| err.to_string())?;
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    // A refusal may come, and the connection be closed, before everything is written.
    let written = stream.write_all(bytes);
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    parse(&answer).ok_or_else(|| format!("wrote {written:?}, read {read:?}, got {answer:?}"))
}

pub(crate) fn parse(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    Some(Response {
        status,
        headers,
        body: answer[end + 4..].to_vec(),
        verified: None,
    })
}
