//! What the members of a pool hold: where a pool places on all, a node that joins gets all of its peers, and one that
//! leaves gives them up.
//!
//! Both work inside a change that already holds the pool, so that nobody places by an older list of members. Whether
//! the node answers is no condition; a node that takes no peers, because of its weight or because it is disabled, gets
//! none by joining either.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::super::{Change, Fleet, FleetError, Refusal, Result};
use super::psk;
use crate::db::placements::membership::{self, Missing};
use crate::db::placements::{self, NewPlacement};
use crate::db::{self, interfaces};
use crate::domain::ids::{InterfaceId, NodeId, PoolId};
use crate::domain::peer::Psk;

/// Places on a node the peers that its pool has on every member.
pub async fn joined(
    fleet: &Fleet,
    change: &mut Change<'_>,
    pool: PoolId,
    node: NodeId,
) -> Result<()> {
    membership::hold(change.db(), pool).await?;
    let missing = membership::missing(change.db(), pool, node).await?;
    if missing.is_empty() || !takes(change, node, missing.len()).await? {
        return Ok(());
    }
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

/// Whether a node takes peers at all, and then so many more.
async fn takes(change: &mut Change<'_>, id: NodeId, more: usize) -> Result<bool> {
    let limited = placements::lock_limited(change.db(), &[id]).await?;
    let node = db::nodes::find(change.db(), id).await?;
    let node = node.ok_or_else(|| Refusal::missing("node", id))?;
    if !node.enabled || node.weight == 0 {
        return Ok(false);
    }
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    match limited.first() {
        Some((_, has)) if has.saturating_add(more) > i64::from(node.max_peers) => {
            let text = format!(
                "node {} takes at most {} peers, has {has}, and would get {more} more",
                node.name, node.max_peers
            );
            Err(Refusal::conflict("node_full", text)
                .with(json!({"node": id, "peers": has, "more": more, "max_peers": node.max_peers}))
                .into())
        }
        _ => Ok(true),
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
