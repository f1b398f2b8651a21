//! Pools as people ask for them: named sets of nodes.

use super::ids::NodeId;
use super::names::Label;
use super::placement::Placement;

/// A pool to be made.
#[derive(Debug, Clone)]
pub struct NewPool {
    pub name: Label,
    pub placement: Placement,
    pub description: String,
    pub members: Vec<NodeId>,
}

/// What to replace; the rest stays.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub name: Option<Label>,
    pub placement: Option<Placement>,
    pub description: Option<String>,
    pub members: Option<Vec<NodeId>>,
}
