//! Chooses the node, or nodes, for a peer and says why.
//!
//! The fewest peers per unit of weight win; ties go to the lowest node, then interface, so the same
//! facts always give the same answer. Load and latency play no part: they are known late and swing,
//! and a placement stays for months. Counts come from the database, not from nodes: a silent node
//! must not look empty. Peers that are placed already are never looked at, so a lost node moves its own alone.
//!
//! Placement on `one` wants a node that answers, or did a moment ago. Placement on `all` is what
//! should be on every member, so a member that is offline takes the peer when it returns. Weight 0,
//! `enabled` and the limit of peers are said by people and hold for both.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{InterfaceId, NodeId};
use super::reachability::Reachability;

mod explanation;
mod placer;
mod reason;
mod standing;

#[cfg(test)]
mod tests;

pub use explanation::{Explanation, Ranked};
pub use placer::{Choice, Placer};
pub use reason::{NoCandidate, Reason, Tally};

/// On how many members of its pool a peer lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    One,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a placement: one or all")]
pub struct PlacementError;

/// An interface that serves the peer's network, with what is known of its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub interface: InterfaceId,
    pub node: NodeId,
    pub node_name: String,
    pub enabled: bool,
    pub reachability: Reachability,
    /// When the node last answered well; nobody looks where it is online.
    pub good_at: Option<DateTime<Utc>>,
    /// 0 takes no new peers.
    pub weight: i32,
    /// 0 is no limit.
    pub max_peers: i32,
    /// Placements over all interfaces of the node.
    pub node_peers: i64,
    /// True for everyone where the peer has no pool.
    pub pool_member: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    pub placement: Placement,
    /// How long after its last good answer a node still counts as reachable.
    pub grace: TimeDelta,
    pub now: DateTime<Utc>,
}

/// Everybody who was considered: the chosen first, then whoever came nearest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    pub chosen: Vec<InterfaceId>,
    pub ranked: Vec<Ranked>,
    pub explanation: Explanation,
}

/// Places one peer. For many at once, a [`Placer`] gives the same answers in less time.
pub fn rank(candidates: &[Candidate], rules: Rules) -> Result<Ranking, NoCandidate> {
    let mut placer = Placer::new(candidates, rules);
    let ranked = placer.ranked();
    let choice = placer.place()?;
    Ok(Ranking {
        chosen: choice.chosen,
        ranked,
        explanation: choice.explanation,
    })
}

impl Placement {
    pub fn parse(text: &str) -> Result<Self, PlacementError> {
        match text {
            "one" => Ok(Self::One),
            "all" => Ok(Self::All),
            _ => Err(PlacementError),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::All => "all",
        }
    }
}
