//! Why a poll was not good.

use crate::agent::AgentError;
use crate::domain::reachability::{Poll, Wrong};

/// For a program and for a human.
pub(super) struct Fault {
    pub poll: Poll,
    pub problem: &'static str,
    pub text: String,
}

impl Fault {
    pub(super) fn of(err: &AgentError) -> Self {
        let poll = match err {
            _ if err.is_reachability_fault() => Poll::Unreachable,
            AgentError::WrongSecret { .. } => Poll::Wrong(Wrong::Secret),
            AgentError::Unsigned { .. }
            | AgentError::BadSignature { .. }
            | AgentError::NotAnAgent { .. } => Poll::Wrong(Wrong::Signature),
            _ => Poll::Wrong(Wrong::Answer),
        };
        Self {
            poll,
            problem: err.problem(),
            text: err.to_string(),
        }
    }

    pub(super) fn malformed(what: &str) -> Self {
        Self {
            poll: Poll::Wrong(Wrong::Answer),
            problem: "malformed_answer",
            text: format!("the {what} of the node holds what the contract does not allow"),
        }
    }
}
