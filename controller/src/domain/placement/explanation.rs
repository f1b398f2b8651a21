//! What is kept with a peer of why it lives where it does.
//!
//! It is stored once per peer, so it stays small whatever the size of the fleet: the nearest
//! candidates in full, the others counted by what they lacked.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Candidate, Placement, Reason, Tally};
use crate::domain::ids::{InterfaceId, NodeId};
use crate::domain::reachability::Reachability;

/// How many candidates an explanation names.
pub(super) const NAMED: usize = 10;

/// A candidate as it was when the choice was made. Its score is `peers` per `weight`, the lower the better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ranked {
    pub interface: InterfaceId,
    pub node: NodeId,
    pub node_name: String,
    pub peers: i64,
    pub weight: i32,
    /// 0 is no limit.
    pub max_peers: i32,
    pub reachability: Reachability,
    /// Seconds since its last good answer; null where there never was one, and where it is online.
    pub silent_s: Option<i64>,
    /// What it lacked; null if it was chosen.
    pub reason: Option<Reason>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    pub placement: Placement,
    /// How many interfaces were chosen.
    pub chosen: usize,
    /// At most ten: for `one` the best in order; for `all` the members that were left out come first.
    pub named: Vec<Ranked>,
    /// Those that are not named and were not chosen.
    pub others: Vec<Tally>,
}

impl Ranked {
    pub(super) fn new(
        candidate: &Candidate,
        peers: i64,
        silent_s: Option<i64>,
        reason: Option<Reason>,
    ) -> Self {
        Self {
            interface: candidate.interface,
            node: candidate.node,
            node_name: candidate.node_name.clone(),
            peers,
            weight: candidate.weight,
            max_peers: candidate.max_peers,
            reachability: candidate.reachability,
            silent_s,
            reason,
        }
    }
}
