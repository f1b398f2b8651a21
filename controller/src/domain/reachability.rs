//! What a row of polls says about a node, so that one lost packet is no outage and one answer no recovery.
//!
//! A node that was disabled by a person is a matter of its row, not of polls, and unknown here: it
//! keeps the last thing that was seen of it. What follows from a state is decided elsewhere.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[cfg(test)]
mod tests;

/// What the polls say of a node.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reachability {
    /// No verdict yet.
    Pending,
    Online,
    /// Nothing answers.
    Offline,
    /// Something answers, but not as this node should.
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a reachability: pending, online, offline or error")]
pub struct ReachabilityError;

/// What came of asking a node once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    Good,
    Unreachable,
    Wrong(Wrong),
}

/// How an answer can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wrong {
    /// The node refuses what the controller signs.
    Secret,
    /// The answer is unsigned or badly signed, so it may be anybody's.
    Signature,
    /// The node lacks an interface that it should serve.
    InterfaceMissing,
    /// The answer is not what the contract says.
    Answer,
}

/// How many polls in a row make a verdict. Below 1 is as 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    pub good: i32,
    pub bad: i32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { good: 2, bad: 3 }
    }
}

/// Where a node stands between two polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub reachability: Reachability,
    pub good_in_a_row: i32,
    pub bad_in_a_row: i32,
}

impl Standing {
    /// A node that was never asked.
    pub const NEW: Self = Self {
        reachability: Reachability::Pending,
        good_in_a_row: 0,
        bad_in_a_row: 0,
    };
}

/// Where a node stands after a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub standing: Standing,
    /// What it was before, if that is now different.
    pub changed_from: Option<Reachability>,
}

/// Takes one more poll into account.
///
/// Bad polls count together, whatever was bad; the latest names the state. So a node that is offline
/// and begins to answer wrongly is in error at once: it was not reachable before and is not now.
pub fn observe(before: Standing, poll: Poll, thresholds: Thresholds) -> Verdict {
    let standing = match poll {
        Poll::Good => after_good(before, thresholds),
        Poll::Unreachable => after_bad(before, Reachability::Offline, thresholds),
        Poll::Wrong(_) => after_bad(before, Reachability::Error, thresholds),
    };
    let changed = standing.reachability != before.reachability;
    Verdict {
        standing,
        changed_from: changed.then_some(before.reachability),
    }
}

fn after_good(before: Standing, thresholds: Thresholds) -> Standing {
    let good_in_a_row = before.good_in_a_row.saturating_add(1);
    let reachability = if good_in_a_row >= thresholds.good {
        Reachability::Online
    } else {
        before.reachability
    };
    Standing {
        reachability,
        good_in_a_row,
        bad_in_a_row: 0,
    }
}

fn after_bad(before: Standing, kind: Reachability, thresholds: Thresholds) -> Standing {
    let bad_in_a_row = before.bad_in_a_row.saturating_add(1);
    let reachability = if bad_in_a_row >= thresholds.bad {
        kind
    } else {
        before.reachability
    };
    Standing {
        reachability,
        good_in_a_row: 0,
        bad_in_a_row,
    }
}

impl Reachability {
    pub fn parse(text: &str) -> Result<Self, ReachabilityError> {
        match text {
            "pending" => Ok(Self::Pending),
            "online" => Ok(Self::Online),
            "offline" => Ok(Self::Offline),
            "error" => Ok(Self::Error),
            _ => Err(ReachabilityError),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Error => "error",
        }
    }
}

impl Wrong {
    /// The name a program goes by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "wrong_secret",
            Self::Signature => "bad_signature",
            Self::InterfaceMissing => "interface_missing",
            Self::Answer => "bad_answer",
        }
    }
}

impl fmt::Display for Reachability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
