//! What the members of a pool hold: where a pool places on all, a node that joins gets all of its peers, and one that
//! leaves gives them up.
//!
//! All of it works inside a change that already holds the pool, so that nobody places by an older list of members.
//! Whether the node answers is no condition; a node that takes no peers, because of its weight or because it is
//! disabled, gets none by joining either. It gets them when it takes peers again; what it has it keeps until then.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::super::{Change, Fleet, FleetError, Kind, Refusal, Result};
use super::psk;
use crate::db::nodes::Node;
use crate::db::placements::membership::{self, Missing};
use crate::db::placements::{self, NewPlacement};
use crate::db::{self, interfaces};
use crate::domain::ids::{InterfaceId, NodeId, PoolId};
use crate::domain::peer::Psk;

/// Places on a node the peers that its pool has on every member. Refused where it has no room for all of them.
pub async fn joined(
    fleet: &Fleet,
    change: &mut Change<'_>,
    pool: PoolId,
    node: NodeId,
) -> Result<()> {
    let missing = missing(change, pool, node).await?;
    if missing.is_empty() {
        return Ok(());
    }
    match room(change, node).await? {
        None => Ok(()),
        Some(room) if missing.len() > room.free => Err(room.refuse(missing.len()).into()),
        Some(_) => place(fleet, change, &missing).await,
    }
}

/// Holds the pools that place on all members and have this one, for [`refill`]. Nodes are held after pools.
pub async fn hold_pools(change: &mut Change<'_>, node: NodeId) -> Result<Vec<PoolId>> {
    let pools = membership::pools(change.db(), node).await?;
    for pool in &pools {
        db::pools::lock(change.db(), *pool).await?;
    }
    Ok(pools)
}

/// Places on a node that may take more than before what its pools have on every member, as far as it has room: a new
/// peer does not wait for a full member either.
///
/// The caller holds the networks that the node serves, these pools, and the node.
pub async fn refill(
    fleet: &Fleet,
    change: &mut Change<'_>,
    held: &[PoolId],
    node: NodeId,
) -> Result<()> {
    for pool in membership::pools(change.db(), node).await? {
        if !held.contains(&pool) {
            let text = format!("node {node} joined pool {pool} meanwhile: try again");
            return Err(Refusal::new(Kind::Stale, "version_mismatch", text).into());
        }
        let mut missing = missing(change, pool, node).await?;
        if missing.is_empty() {
            continue;
        }
        let room = room(change, node).await?;
        missing.truncate(room.map_or(0, |room| room.free));
        place(fleet, change, &missing).await?;
    }
    Ok(())
}

/// Takes a pool's peers off a node that leaves it. Refused where it was the last one that has them.
pub async fn left(change: &mut Change<'_>, pool: PoolId, node: NodeId) -> Result<()> {
    membership::hold(change.db(), pool).await?;
    let homes = membership::held_by(change.db(), pool, node).await?;
    if homes.is_empty() {
        return Ok(());
    }
    interfaces::raise(change.db(), &homes).await?;
    membership::take_off(change.db(), pool, &homes).await?;
    let homeless = membership::homeless(change.db(), pool).await?;
    if homeless > 0 {
        let text = format!("{homeless} peers would be on no node at all");
        return Err(Refusal::conflict("last_member", text)
            .with(json!({"peers": homeless}))
            .into());
    }
    Ok(())
}

/// What a node should have and has not. Its pool's peers are held from here on.
async fn missing(change: &mut Change<'_>, pool: PoolId, node: NodeId) -> Result<Vec<Missing>> {
    membership::hold(change.db(), pool).await?;
    Ok(membership::missing(change.db(), pool, node).await?)
}

async fn place(fleet: &Fleet, change: &mut Change<'_>, missing: &[Missing]) -> Result<()> {
    let homes: BTreeSet<InterfaceId> = missing.iter().map(|one| one.interface).collect();
    let homes: Vec<InterfaceId> = homes.into_iter().collect();
    let generations = interfaces::raise(change.db(), &homes).await?;
    let generations: BTreeMap<InterfaceId, i64> = generations.into_iter().collect();
    let placements: Vec<NewPlacement> = missing
        .iter()
        .map(|one| placement(fleet, one, &generations))
        .collect::<Result<_>>()?;
    Ok(placements::insert(change.db(), &placements).await?)
}

/// How many more peers a node takes.
struct Room {
    node: Node,
    has: i64,
    free: usize,
}

/// The room of a node that takes peers at all. It is held, if it has a limit.
async fn room(change: &mut Change<'_>, id: NodeId) -> Result<Option<Room>> {
    let limited = placements::lock_limited(change.db(), &[id]).await?;
    let node = db::nodes::find(change.db(), id).await?;
    let node = node.ok_or_else(|| Refusal::missing("node", id))?;
    if !node.enabled || node.weight == 0 {
        return Ok(None);
    }
    Ok(Some(match limited.first() {
        Some((_, has)) => {
            let free = i64::from(node.max_peers).saturating_sub(*has).max(0);
            let free = usize::try_from(free).unwrap_or(usize::MAX);
            Room {
                node,
                has: *has,
                free,
            }
        }
        None => Room {
            has: node.peers,
            free: usize::MAX,
            node,
        },
    }))
}

impl Room {
    fn refuse(&self, more: usize) -> Refusal {
        let (node, has) = (&self.node, self.has);
        let text = format!(
            "node {} takes at most {} peers, has {has}, and would get {more} more",
            node.name, node.max_peers
        );
        Refusal::conflict("node_full", text)
            .with(json!({"node": node.id, "peers": has, "more": more, "max_peers": node.max_peers}))
    }
}

fn placement(
    fleet: &Fleet,
    one: &Missing,
    generations: &BTreeMap<InterfaceId, i64>,
) -> Result<NewPlacement> {
    let wanted = match one.has_psk {
        true => Psk::Fresh,
        false => Psk::None,
    };
    let generation = generations.get(&one.interface);
    Ok(NewPlacement {
        interface: one.interface,
        peer: one.peer,
        sole: false,
        psk: psk::seal(&fleet.keyring, one.interface, one.peer, &wanted),
        psk_unknown: false,
        keepalive_s: 0,
        generation: *generation.ok_or(FleetError::Corrupt("an interface that was just held"))?,
        ranking: None,
    })
}
