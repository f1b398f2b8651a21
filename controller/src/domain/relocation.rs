//! Whether a peer moves to where somebody wants it, and between which nodes the placer then chooses.
//!
//! Nobody is disturbed without need: who lives on a member of its new pool already stays where it is, and only its pool
//! becomes another one. Which node is the best is the matter of [`placement`](super::placement).

use std::collections::{BTreeMap, BTreeSet};

use super::ids::{InterfaceId, NodeId, PoolId};
use super::placement::Placement;
use super::reach::Reach;

/// Where peers are wanted. What is not named stays as it is for each of them, as far as that goes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wish {
    /// This node and no other; none: the best placed.
    pub node: Option<NodeId>,
    /// Outer none: the pool that each has; inner none: no pool.
    pub pool: Option<Option<PoolId>>,
}

/// Where a peer is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    pub pool: Option<PoolId>,
    pub homes: Vec<(InterfaceId, NodeId)>,
}

/// What there is in the peer's network.
#[derive(Debug, Clone, Copy)]
pub struct Terrain<'a> {
    /// Of the pools that peers have, and of the one that is wanted.
    pub placements: &'a BTreeMap<PoolId, Placement>,
    pub members: &'a BTreeSet<(PoolId, NodeId)>,
    /// The nodes that serve the network.
    pub serving: &'a BTreeSet<NodeId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is where it is wanted.
    Already,
    /// Its home stays; its pool becomes another one.
    Stays,
    Goes(Bounds),
}

/// What the placer has to keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bounds {
    pub pool: Option<PoolId>,
    pub placement: Placement,
    pub node: Option<NodeId>,
}

/// Why a peer cannot go there, whoever has room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Its pool places on every member, and a node was named.
    Everywhere(PoolId),
    /// The node serves other networks alone.
    NodeElsewhere(NodeId),
    /// No member of the pool serves the network.
    PoolElsewhere(PoolId),
    NoMember(PoolId, NodeId),
}

impl Wish {
    /// Whether somebody of this reach may want it for peers within reach: who is limited to a pool neither takes peers
    /// out of it nor puts them into another.
    pub fn is_within(self, reach: Reach) -> bool {
        match (reach, self.pool) {
            (Reach::Pool(own), Some(pool)) => own.is_some() && pool == own,
            _ => true,
        }
    }

    /// Whether it names anything at all.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

pub fn decide(wish: Wish, peer: &Present, terrain: Terrain<'_>) -> Result<Verdict, Obstacle> {
    let pool = wish.pool.unwrap_or(peer.pool);
    let placement = pool.and_then(|pool| terrain.placements.get(&pool));
    let placement = placement.copied().unwrap_or(Placement::One);
    let is_member = |node: NodeId| pool.is_none_or(|pool| terrain.members.contains(&(pool, node)));
    let is_same_pool = pool == peer.pool;
    let fits = |node: NodeId| wish.node.map_or(is_member(node), |wanted| wanted == node);
    let is_there = match (placement, peer.homes.as_slice()) {
        (Placement::One, [(_, home)]) => fits(*home),
        // Its pool sees to it.
        (Placement::All, [_, ..]) => is_same_pool && wish.node.is_none(),
        _ => false,
    };
    if is_there && is_same_pool {
        return Ok(Verdict::Already);
    }
    if let Some(node) = wish.node {
        obstacle_to(node, pool, placement, terrain)?;
    } else if let Some(pool) = pool
        && !terrain.serving.iter().any(|node| is_member(*node))
    {
        return Err(Obstacle::PoolElsewhere(pool));
    }
    Ok(match is_there {
        true => Verdict::Stays,
        false => Verdict::Goes(Bounds {
            pool,
            placement,
            node: wish.node,
        }),
    })
}

fn obstacle_to(
    node: NodeId,
    pool: Option<PoolId>,
    placement: Placement,
    terrain: Terrain<'_>,
) -> Result<(), Obstacle> {
    match pool {
        Some(pool) if placement == Placement::All => Err(Obstacle::Everywhere(pool)),
        _ if !terrain.serving.contains(&node) => Err(Obstacle::NodeElsewhere(node)),
        Some(pool) if !terrain.members.contains(&(pool, node)) => {
            Err(Obstacle::NoMember(pool, node))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
