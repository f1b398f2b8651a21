//! Why a candidate did not get the peer, and why nobody did.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Candidate, Placement, Rules};
use crate::domain::reachability::Reachability;

/// What a candidate lacked, nearest to being chosen first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// As many peers per weight as the chosen one, which has the lower id.
    Tied,
    /// More peers per weight than the chosen one.
    Loaded,
    /// Another interface of the same node has the peer.
    SameNode,
    Full,
    /// Its weight is 0.
    Drained,
    Unreachable,
    Disabled,
    NotInPool,
}

/// How many candidates lacked the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tally {
    pub reason: Reason,
    pub candidates: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no node can take a peer: {}", Summary(.reasons))]
pub struct NoCandidate {
    pub reasons: Vec<Tally>,
}

/// What keeps a node of so many peers from taking one more. The most lasting obstacle is named.
pub(super) fn obstacle(candidate: &Candidate, peers: i64, rules: Rules) -> Option<Reason> {
    let is_full = candidate.max_peers > 0 && peers >= i64::from(candidate.max_peers);
    let obstacles = [
        (!candidate.pool_member, Reason::NotInPool),
        (!candidate.enabled, Reason::Disabled),
        (candidate.weight <= 0, Reason::Drained),
        (!is_within_reach(candidate, rules), Reason::Unreachable),
        (is_full, Reason::Full),
    ];
    let named = obstacles.into_iter().find(|(stands, _)| *stands);
    named.map(|(_, reason)| reason)
}

fn is_within_reach(candidate: &Candidate, rules: Rules) -> bool {
    let is_fresh = |at| rules.now - at <= rules.grace;
    rules.placement == Placement::All
        || candidate.reachability == Reachability::Online
        || candidate.good_at.is_some_and(is_fresh)
}

pub(super) fn tallies(counts: &BTreeMap<Reason, usize>) -> Vec<Tally> {
    let counted = counts.iter().filter(|(_, candidates)| **candidates > 0);
    counted
        .map(|(reason, candidates)| Tally {
            reason: *reason,
            candidates: *candidates,
        })
        .collect()
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tied => "equally loaded, and behind in order",
            Self::Loaded => "more peers per weight",
            Self::SameNode => "another interface of its node has the peer",
            Self::Full => "full",
            Self::Drained => "weight 0",
            Self::Unreachable => "not reachable",
            Self::Disabled => "disabled",
            Self::NotInPool => "not in the pool",
        })
    }
}

struct Summary<'a>(&'a [Tally]);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none serves its network");
        }
        for (n, tally) in self.0.iter().enumerate() {
            let comma = if n > 0 { ", " } else { "" };
            write!(f, "{comma}{} {}", tally.candidates, tally.reason)?;
        }
        Ok(())
    }
}
