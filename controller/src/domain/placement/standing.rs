//! The order of those who can take a peer, without a fraction that could be rounded.

use std::cmp::Ordering;

use crate::domain::ids::{InterfaceId, NodeId};

/// An eligible candidate among the others, the best one first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) peers: i64,
    /// Above 0: a candidate of weight 0 is not eligible.
    pub(super) weight: i32,
    pub(super) node: NodeId,
    pub(super) interface: InterfaceId,
    /// Where the candidate is found.
    pub(super) index: usize,
}

impl Standing {
    /// Compares peers / weight by multiplying crosswise.
    pub(super) fn compare_load(&self, other: &Self) -> Ordering {
        let cross = |peers: i64, weight: i32| i128::from(peers) * i128::from(weight);
        cross(self.peers, other.weight).cmp(&cross(other.peers, self.weight))
    }
}

impl Ord for Standing {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare_load(other)
            .then_with(|| (self.node, self.interface).cmp(&(other.node, other.interface)))
    }
}

impl PartialOrd for Standing {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Standing {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Standing {}
