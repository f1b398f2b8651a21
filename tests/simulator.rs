//! A fleet in one process: real agents on devices in memory, at one port each, behind one HTTP server.
//!
//! Each agent is the product's own, put together as the program does it, with its own secret, key,
//! journal and writer. Only what a thousand programs would each have for themselves is shared: the
//! threads that serve HTTP, and the one that takes the machine's figures. Whoever an agent may be
//! asked by is not judged here, because all of them listen on loopback alone.
//!
//! Names, secrets, keys and peers follow from their numbers, see [`identity`], so that a fleet that
//! is started anew is the same fleet, and whoever watches it can tell what it should hold.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use node_agent::startup::Sampler;
use tempfile::TempDir;

pub mod identity;
mod node;
mod server;
mod traffic;

pub use node::{Described, Node};

use server::Server;

/// Where files are in memory, so that a thousand journals do not measure one disk.
const MEMORY: &str = "/dev/shm";

/// What a fleet is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub nodes: usize,
    /// Peers that each node remembers from the life before.
    pub peers: usize,
    /// Nodes listen at this port and those after it; at any that are free where it is 0.
    pub first_port: u16,
    /// How often a node looks at its interface and its machine when nobody asks. Nothing but the fleet
    /// changes a device in memory, so this is only for what a node says about the time between.
    pub look_every: Duration,
    /// Threads that serve HTTP for all nodes together.
    pub workers: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            nodes: 3,
            peers: 0,
            first_port: 0,
            look_every: Duration::from_secs(3600),
            workers: 2,
        }
    }
}

/// Nodes that serve until this is dropped.
pub struct Fleet {
    // In the order in which they end: nobody asks a node that is gone, no node misses its files.
    _server: Server,
    nodes: Vec<Node>,
    _folder: TempDir,
    passes: u64,
}

impl Fleet {
    /// Starts all nodes, and returns when each of them answers.
    pub fn start(plan: &Plan) -> Self {
        assert!(
            plan.nodes <= identity::MOST_NODES && plan.peers <= identity::MOST_PEERS,
            "{plan:?} is more than there are addresses for"
        );
        let folder = folder();
        let sampler = Sampler::start(folder.path().to_owned(), plan.look_every).unwrap();
        let mut nodes = Vec::with_capacity(plan.nodes);
        let mut doors = Vec::with_capacity(plan.nodes);
        for number in 0..plan.nodes {
            let listener = listen(plan.first_port, number).unwrap();
            let address = listener.local_addr().unwrap();
            let node = Node::start(number, plan, address, folder.path(), &sampler);
            doors.push((listener, node.agent()));
            nodes.push(node);
        }
        Self {
            _server: Server::start(doors, plan.workers),
            nodes,
            _folder: folder,
            passes: 0,
        }
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Has so many percent of each node's peers be heard from once, and tells how many these were.
    ///
    /// They get another endpoint, a handshake and higher counters. Each pass takes the peers after
    /// those of the last one, so that in the end it is everybody's turn.
    pub fn traffic(&mut self, percent: u8) -> usize {
        let pass = self.passes;
        self.passes += 1;
        let now = now();
        self.nodes
            .iter()
            .map(|node| traffic::pass(node.device(), percent, pass, now))
            .sum()
    }
}

fn listen(first_port: u16, number: usize) -> io::Result<TcpListener> {
    let port = match first_port {
        0 => 0,
        first => first.checked_add(u16::try_from(number).unwrap()).unwrap(),
    };
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

fn folder() -> TempDir {
    let memory = Path::new(MEMORY);
    let parent = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    tempfile::Builder::new()
        .prefix("fleet-simulator-")
        .tempdir_in(parent)
        .unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a device says when it last heard from a peer"
)]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
