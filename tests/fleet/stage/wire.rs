//! What lies between the controller and one node: it notes what passes, and does to it what a test asks for.
//!
//! Its address stays while the agent behind it goes and comes. It holds no secret: whoever wants to lie
//! in the node's name brings the node's secret along.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::agent_client::stranger::{self, Seen, Stranger};

/// Longer than any answer takes that is still waited for.
const LONGEST: Duration = Duration::from_secs(20);

/// An answer as the agent gave it.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// One request, and the status of what the agent answered; none if it never got there.
#[derive(Debug, Clone)]
pub(crate) struct Passed {
    pub(crate) seen: Seen,
    pub(crate) status: Option<u16>,
}

/// Passes a request on and returns what the agent answers; none if there is no agent.
pub(crate) type Pass<'a> = &'a dyn Fn(&Seen) -> Option<Reply>;

/// What is done to a request: it may be passed on or not, and what is returned is what the caller gets.
type Deed = dyn Fn(&Seen, Pass<'_>) -> Option<Reply> + Send + Sync;

pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    ends: Arc<Ends>,
}

struct Ends {
    agent: Mutex<Option<SocketAddr>>,
    deed: Mutex<Arc<Deed>>,
    passed: Mutex<Vec<Passed>>,
}

impl Wire {
    pub(crate) fn new() -> Self {
        let ends = Arc::new(Ends {
            agent: Mutex::new(None),
            deed: Mutex::new(Arc::new(|seen, pass| pass(seen))),
            passed: Mutex::new(Vec::new()),
        });
        let behind = Arc::clone(&ends);
        let stranger = Stranger::serving(move |_, seen, stream| behind.serve(seen, stream));
        Self {
            address: stranger.address,
            ends,
        }
    }

    pub(crate) fn lead_to(&self, agent: Option<SocketAddr>) {
        *self.ends.agent.lock().unwrap() = agent;
    }

    pub(crate) fn agent(&self) -> Option<SocketAddr> {
        *self.ends.agent.lock().unwrap()
    }

    /// From now on this is done to each request.
    pub(crate) fn does(
        &self,
        deed: impl Fn(&Seen, Pass<'_>) -> Option<Reply> + Send + Sync + 'static,
    ) {
        *self.ends.deed.lock().unwrap() = Arc::new(deed);
    }

    /// From now on everything passes as it is.
    pub(crate) fn is_honest(&self) {
        self.does(|seen, pass| pass(seen));
    }

    /// From now on nothing passes.
    pub(crate) fn is_cut(&self) {
        self.does(|_, _| None);
    }

    /// All that passed, or was to.
    pub(crate) fn passed(&self) -> Vec<Passed> {
        self.ends.passed.lock().unwrap().clone()
    }

    /// All that was to change something on the node.
    pub(crate) fn writes(&self) -> Vec<Passed> {
        let mut passed = self.passed();
        passed.retain(|one| one.seen.is_write());
        passed
    }
}

impl Seen {
    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// Its body, of a request that has one.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Ends {
    fn serve(&self, seen: &Seen, stream: &mut TcpStream) {
        let place = {
            let mut passed = self.passed.lock().unwrap();
            passed.push(Passed {
                seen: seen.clone(),
                status: None,
            });
            passed.len() - 1
        };
        let pass = |seen: &Seen| {
            let reply = self.forward(seen)?;
            self.passed.lock().unwrap()[place].status = Some(reply.status);
            Some(reply)
        };
        let deed = Arc::clone(&self.deed.lock().unwrap());
        if let Some(reply) = deed(seen, &pass) {
            // Whoever waited for it may have given up.
            drop(stream.write_all(&reply.bytes()));
        }
    }

    fn forward(&self, seen: &Seen) -> Option<Reply> {
        let agent = (*self.agent.lock().unwrap())?;
        let mut stream = TcpStream::connect(agent).ok()?;
        stream.set_read_timeout(Some(LONGEST)).unwrap();
        let mut request = format!("{} {} {}\r\n", seen.method, seen.target, seen.version);
        for (name, value) in &seen.headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        stream.write_all(&seen.body).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Reply::parse(&answer)
    }
}

impl Reply {
    pub(crate) fn new(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
        }
    }

    /// None: it was cut short.
    fn parse(answer: &[u8]) -> Option<Self> {
        let end = answer.windows(4).position(|part| part == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&answer[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let body = answer[end + 4..].to_vec();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, length)| length.parse().unwrap());
        (body.len() == length).then_some(Self {
            status,
            headers,
            body,
        })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let own = ["content-length", "connection"];
        let headers: String = self
            .headers
            .iter()
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        stranger::plain(self.status, &headers, &self.body)
    }

    /// The same without a signature.
    pub(crate) fn unsigned(mut self) -> Self {
        self.headers
            .retain(|(name, _)| name != "x-signature" && name != "x-timestamp");
        self
    }
}
