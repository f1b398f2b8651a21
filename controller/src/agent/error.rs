//! What can go wrong with an agent, told by what an operator has to do about it.
//!
//! No error holds a secret, a signature or a body. What a machine said about a failure is its source.

use std::error::Error;
use std::fmt;

use super::refusal::Refusal;

pub(super) type Source = Box<dyn Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Look at the machine, the network between, or the address.
    #[error("the agent cannot be reached: {kind}")]
    Unreachable {
        kind: Unreachable,
        source: Option<Source>,
    },
    /// Give the node's secret anew.
    #[error("the agent does not accept our signature ({code})")]
    WrongSecret { code: &'static str },
    /// Set the clock of the node, or ours.
    #[error("the agent's clock is {} of ours", apart(*seconds))]
    ClockSkew { seconds: i64 },
    /// Find out who answers there; only a third-party agent may do so without a signature.
    #[error("the answer, with status {status}, is not signed")]
    Unsigned { status: u16 },
    /// Find out who answers there: it holds another secret than ours, or answers are changed on their way.
    #[error("the answer, with status {status}, is not signed by this node for this request")]
    BadSignature { status: u16 },
    /// Correct the address.
    #[error("what answers there, with status {status}, is no agent")]
    NotAnAgent { status: u16 },
    /// Nothing: the agent has just started and takes writes in a moment.
    #[error("the agent takes no write for another {wait_s} seconds after its start")]
    TooEarly { wait_s: i64 },
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// Compare the versions of agent and controller.
    #[error("the answer cannot be read: {0}")]
    Malformed(Malformed),
    /// Send less at once.
    #[error("the request has {bytes} bytes, and the agent takes {limit}")]
    RequestTooLarge { bytes: usize, limit: usize },
    #[error("the request cannot be made: {0}")]
    Unsendable(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    Refused,
    NoRoute,
    Dns,
    Timeout,
    Tls,
    /// The connection ended before there was a whole answer.
    Reset,
    /// The agent, or what stands before it, takes no more at the moment.
    Busy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    Encoded,
    TooLarge { limit: usize },
    NotJson,
    Shape { line: usize, column: usize },
}

impl AgentError {
    /// One stable word, for a database and for programs.
    pub fn problem(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::WrongSecret { .. } => "wrong_secret",
            Self::ClockSkew { .. } => "clock_skew",
            Self::Unsigned { .. } => "unsigned",
            Self::BadSignature { .. } => "bad_signature",
            Self::NotAnAgent { .. } => "not_an_agent",
            Self::TooEarly { .. } => "too_early",
            Self::Refused(refusal) => refusal.problem(),
            Self::Malformed(_) => "malformed_answer",
            Self::RequestTooLarge { .. } => "request_too_large",
            Self::Unsendable(_) => "unsendable",
        }
    }

    /// Whether the node was not heard at all. Anything else is an answer, though maybe a wrong one.
    pub fn is_reachability_fault(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            // What stands before the agent says that it finds none.
            Self::NotAnAgent { status } => matches!(status, 502..=504),
            _ => false,
        }
    }

    /// What the agent itself said, in a signed answer.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl From<Refusal> for AgentError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

fn apart(seconds: i64) -> String {
    match seconds {
        0.. => format!("{seconds} seconds ahead"),
        _ => format!("{} seconds behind", seconds.unsigned_abs()),
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "the connection was refused",
            Self::NoRoute => "there is no way to its address",
            Self::Dns => "its name has no address",
            Self::Timeout => "it did not answer in time",
            Self::Tls => "there is no TLS connection that both sides accept",
            Self::Reset => "the connection ended before there was a whole answer",
            Self::Busy => "it takes no more requests at the moment",
        })
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoded => f.write_str("it was compressed on its way"),
            Self::TooLarge { limit } => write!(f, "it has more than {limit} bytes"),
            Self::NotJson => f.write_str("it is not JSON"),
            Self::Shape { line, column } => {
                write!(
                    f,
                    "line {line}, column {column} is not what the contract says"
                )
            }
        }
    }
}
