//! Whoever else may answer at an agent's address: a server that says what a test has it say.
//!
//! It stands for the network between and for machines that are not ours, never for the agent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use controller::agent::Target;
use protocol::signing::{Request, Secret, Signature, sign_response};

use super::{now, secret, target};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) version: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Stranger {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stranger {
    /// Answers the requests that come, the first of them having the number 0, with these bytes.
    pub(crate) fn answering(
        answer: impl Fn(usize, &Seen) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::serving(move |number, seen, stream| {
            let bytes = answer(number, seen);
            // Whoever has read enough hangs up, which is what some tests are about.
            drop(stream.write_all(&bytes));
        })
    }

    pub(crate) fn serving(
        serve: impl Fn(usize, &Seen, &mut TcpStream) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (all, serve) = (Arc::clone(&seen), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, serve) = (stream.unwrap(), Arc::clone(&serve));
                let all = Arc::clone(&all);
                std::thread::spawn(move || {
                    let Some(request) = read(&mut stream) else {
                        return;
                    };
                    let mut seen = all.lock().unwrap();
                    seen.push(request.clone());
                    let number = seen.len() - 1;
                    drop(seen);
                    serve(number, &request, &mut stream);
                });
            }
        });
        Self { address, seen }
    }

    pub(crate) fn target(&self) -> Target {
        target(&format!("http://{}", self.address))
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} is repeated in {self:?}");
        value
    }

    pub(crate) fn timestamp(&self) -> i64 {
        self.header("x-timestamp").unwrap().parse().unwrap()
    }

    pub(crate) fn signature(&self) -> Signature {
        Signature::parse(self.header("x-signature").unwrap().as_bytes()).unwrap()
    }

    /// Whether the secret's holder signed just this, in the form that the nonce tells.
    pub(crate) fn is_signed(&self) -> bool {
        let request = Request {
            method: &self.method,
            target: &self.target,
            body: &self.body,
            timestamp: self.header("x-timestamp").unwrap(),
            nonce: self.header("x-nonce"),
        };
        request.sign(&secret()) == self.signature()
    }

    /// An answer to it as a node with this secret and clock signs it.
    pub(crate) fn answer(&self, status: u16, body: &[u8]) -> Vec<u8> {
        self.answer_by(&secret(), now(), status, body)
    }

    pub(crate) fn answer_by(&self, by: &Secret, at: i64, status: u16, body: &[u8]) -> Vec<u8> {
        let signature = sign_response(by, status, body, at, &self.signature());
        let headers = format!("X-Signature: {signature}\r\nX-Timestamp: {at}\r\n");
        plain(status, &headers, body)
    }
}

/// An answer without a signature, with these lines among its headers.
pub(crate) fn plain(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Seen {
        method,
        target,
        version,
        headers,
        body,
    })
}
