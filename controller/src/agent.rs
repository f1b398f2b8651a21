//! The signed client of the node agents.
//!
//! It signs what it sends, believes only what is signed, and says of a failure what an operator has
//! to do about it. It keeps no state but what dates and form each node takes, which its answers
//! tell again: when a node is asked, how often, and what of, others decide.
//!
//! It follows no redirect, uses no proxy, asks for no compression and speaks HTTP/1.1: anything that
//! changes a request or an answer on its way makes its signature wrong.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use protocol::signing::Secret;
use reqwest::header::HeaderValue;
use tokio::sync::Semaphore;

use crate::domain::agent_url::AgentUrl;
use crate::domain::ids::NodeId;

mod answer;
mod connection;
mod diagnosis;
mod endpoints;
mod error;
mod exchange;
mod paths;
mod refusal;
mod reply;

pub use connection::{SetupError, Tls};
pub use diagnosis::{Check, Checked, Diagnosis, Learnt, Outcome};
pub use error::{AgentError, Malformed, Unreachable};
pub use refusal::Refusal;

/// A node as it is called: where it is, and what proves who is calling.
#[derive(Debug, Clone)]
pub struct Target {
    pub node: NodeId,
    pub url: AgentUrl,
    pub secret: Arc<Secret>,
    /// Picks one of the secrets that the agent has; without it the agent tries what it has.
    pub key_id: Option<String>,
    /// A third-party agent that cannot sign its answers: they are believed as they come.
    pub legacy: bool,
    /// For one request and its whole answer.
    pub timeout: Duration,
}

/// How all agents are called.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many requests may be under way at once, over all nodes. Those that wait for their turn
    /// are not timed yet.
    pub concurrency: usize,
    pub tls: Tls,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 256,
            tls: Tls::default(),
        }
    }
}

/// The clients of all agents: one pool of connections for the process. Clones share it.
#[derive(Clone)]
pub struct Clients {
    shared: Arc<Shared>,
    request_id: Option<HeaderValue>,
}

struct Shared {
    http: reqwest::Client,
    permits: Semaphore,
    learned: Mutex<HashMap<NodeId, Learned>>,
}

/// What a node's own answers said about how it takes requests.
#[derive(Debug, Clone, Copy, Default)]
struct Learned {
    clock_offset_s: Option<i64>,
    /// A third-party agent that knows only the first form of a signature, the one without a nonce.
    first_form: bool,
}

impl Clients {
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        Ok(Self {
            shared: Arc::new(Shared {
                http: connection::client(&settings.tls)?,
                permits: Semaphore::new(settings.concurrency),
                learned: Mutex::new(HashMap::new()),
            }),
            request_id: None,
        })
    }

    /// The same clients, naming in each call the request on whose behalf it is made.
    ///
    /// The id is for logs alone: one that no header can carry is not sent.
    #[must_use]
    pub fn on_behalf_of(&self, request_id: &str) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            request_id: HeaderValue::from_str(request_id).ok(),
        }
    }

    /// How far a node's clock is ahead of ours, as its last signed answer has it.
    pub fn clock_offset_s(&self, node: NodeId) -> Option<i64> {
        self.learned(node).clock_offset_s
    }

    /// Forgets what was learned of a node, such as one that was removed or got another address.
    pub fn forget(&self, node: NodeId) {
        self.with_learned(|learned| learned.remove(&node));
    }

    fn learned(&self, node: NodeId) -> Learned {
        self.with_learned(|learned| learned.get(&node).copied().unwrap_or(Learned::UNKNOWN))
    }

    fn learn(&self, node: NodeId, change: impl FnOnce(&mut Learned)) {
        self.with_learned(|learned| change(learned.entry(node).or_insert(Learned::UNKNOWN)));
    }

    fn with_learned<T>(&self, use_it: impl FnOnce(&mut HashMap<NodeId, Learned>) -> T) -> T {
        let mut learned = self
            .shared
            .learned
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        use_it(&mut learned)
    }
}

impl Learned {
    const UNKNOWN: Self = Self {
        clock_offset_s: None,
        first_form: false,
    };
}
