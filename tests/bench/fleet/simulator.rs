//! The simulated nodes, in a process of their own, and a bare client that asks them as the controller does.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use protocol::signing::Secret;
use serde_json::Value;

use super::process::Process;
use crate::http::{Connection, signed_by};
use crate::sample::time;

/// How many nodes the bare client asks at once.
const AT_ONCE: usize = 16;

pub(crate) struct Simulator {
    child: Child,
    answers: BufReader<ChildStdout>,
    pub(crate) nodes: Vec<Value>,
    pub(crate) peers: usize,
}

impl Simulator {
    /// Starts nodes with so many peers each. With a port, they listen there and at those after it.
    pub(crate) fn start(nodes: usize, peers: usize, first_port: u16) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fleet-simulator"))
            .args([nodes.to_string(), peers.to_string(), first_port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        // A node that has just started refuses writes that could be older than it.
        std::thread::sleep(Duration::from_secs(2));
        Self {
            child,
            answers,
            nodes: serde_json::from_str(&line).unwrap(),
            peers,
        }
    }

    pub(crate) fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// Has so many percent of each node's peers be heard from once.
    pub(crate) fn traffic(&mut self, percent: usize) {
        let answer = self.ask(&format!("traffic {percent}"));
        assert!(answer.starts_with("traffic "), "{answer}");
    }

    /// The same again and again.
    pub(crate) fn traffic_every(&mut self, period: Duration, percent: usize) {
        let answer = self.ask(&format!("every {} {percent}", period.as_millis()));
        assert_eq!(answer, "every");
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    /// A bare client of each node.
    pub(crate) fn connect(&self) -> Vec<Node> {
        self.nodes.iter().map(Node::connect).collect()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

/// A node as a bare client knows it: it signs, sends and receives, and looks at nothing.
pub(crate) struct Node {
    connection: Connection,
    secret: Secret,
    cursor: String,
}

impl Node {
    fn connect(described: &Value) -> Self {
        let text = |key: &str| described[key].as_str().unwrap();
        let address: SocketAddr = text("url")
            .strip_prefix("http://")
            .unwrap()
            .parse()
            .unwrap();
        Self {
            connection: Connection::open(address),
            secret: Secret::parse(text("secret")).unwrap(),
            cursor: String::new(),
        }
    }

    pub(crate) fn health(&mut self) {
        self.call("GET", "/health", b"");
    }

    /// All peers the first time, then those that changed.
    pub(crate) fn dump(&mut self) {
        let target = match self.cursor.as_str() {
            "" => "/wg/wg0/dump".to_owned(),
            cursor => format!("/wg/wg0/dump?since={cursor}"),
        };
        self.cursor = cursor(self.call("GET", &target, b""));
    }

    /// Changes peers, from one generation to the next.
    pub(crate) fn change(&mut self, batch: &[u8]) {
        self.call("PATCH", "/wg/wg0/peers", batch);
    }

    fn call(&mut self, method: &str, target: &str, body: &[u8]) -> &[u8] {
        let request = signed_by(&self.secret, method, target, body);
        self.connection.expect(200, &request)
    }
}

/// How long the bare client takes to do something with every node once.
pub(crate) fn round(nodes: &mut [Node], ask: impl Fn(&mut Node) + Sync) -> Duration {
    let part = nodes.len().div_ceil(AT_ONCE);
    let ask = &ask;
    let all = || {
        std::thread::scope(|scope| {
            for part in nodes.chunks_mut(part) {
                scope.spawn(move || part.iter_mut().for_each(ask));
            }
        });
    };
    time(all).0
}

/// Looked for in the text, so that reading JSON is not what is measured.
fn cursor(body: &[u8]) -> String {
    let text = std::str::from_utf8(body).unwrap();
    let (_, rest) = text.split_once("\"cursor\":\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}
