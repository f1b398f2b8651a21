//! Pools: made, changed, deleted, and who is a member by hand.
//!
//! Where a pool places on one of its members, a node that joins or leaves moves no peer; moving them is a flow of its
//! own. Where it places on all, the node gets or gives up its peers with the same change.

use serde::Serialize;
use serde_json::json;
use sqlx::PgConnection;

use super::change::{Call, Change, NOTHING};
use super::peers::membership;
use super::{Fleet, FleetError, Refusal, Result};
use crate::db;
use crate::db::pools::{DeleteError, Pool, WriteError};
use crate::domain::ids::{NodeId, PoolId};
use crate::domain::pool::{Changes, NewPool};

pub async fn create(fleet: &Fleet, call: &Call, new: &NewPool) -> Result<Pool> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let id = db::pools::insert(change.db(), new)
        .await
        .map_err(name_taken)?;
    db::pools::insert_members(change.db(), id, &new.members).await?;
    let pool = find(change.db(), id).await?;
    refuse_unknown(&pool, &new.members)?;
    let object = object(id);
    change
        .event("pools", "pool.created", &object, &Seen::of(&pool))
        .await?;
    change
        .finish("pool.create", &object, NOTHING, Some(&Seen::of(&pool)))
        .await?;
    Ok(pool)
}

/// Changes a pool. How it places its peers stays as long as there are any.
pub async fn change(fleet: &Fleet, call: &Call, id: PoolId, changes: &Changes) -> Result<Pool> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let before = hold(&mut change, id).await?;
    let placement = changes.placement.map(|placement| placement.as_str());
    if placement.is_some_and(|placement| placement != before.placement) && before.peers > 0 {
        return Err(in_use(&before).into());
    }
    if let Some(members) = &changes.members {
        let gone: Vec<NodeId> = before
            .members
            .iter()
            .copied()
            .filter(|node| !members.contains(node))
            .collect();
        db::pools::delete_members(change.db(), id, &gone).await?;
        db::pools::insert_members(change.db(), id, members).await?;
        // First those that come, so that no peer is without a home in between.
        for node in members.iter().filter(|node| !before.members.contains(node)) {
            membership::joined(fleet, &mut change, id, *node).await?;
        }
        for node in gone {
            membership::left(&mut change, id, node).await?;
        }
    }
    write(change, &before, changes).await
}

/// Makes a node a member; one that is already stays one, and nothing is written.
pub async fn add_member(fleet: &Fleet, call: &Call, id: PoolId, node: NodeId) -> Result<Pool> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let before = hold(&mut change, id).await?;
    if before.members.contains(&node) {
        return Ok(before);
    }
    if !db::nodes::lock(change.db(), node).await? {
        return Err(Refusal::missing("node", node).into());
    }
    db::pools::insert_members(change.db(), id, &[node]).await?;
    membership::joined(fleet, &mut change, id, node).await?;
    write(change, &before, &Changes::default()).await
}

/// Takes a node out. One that is no member is out already.
pub async fn remove_member(fleet: &Fleet, call: &Call, id: PoolId, node: NodeId) -> Result<Pool> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let before = hold(&mut change, id).await?;
    if !before.members.contains(&node) {
        return Ok(before);
    }
    db::pools::delete_members(change.db(), id, &[node]).await?;
    membership::left(&mut change, id, node).await?;
    write(change, &before, &Changes::default()).await
}

/// Deletes a pool that no peer names.
pub async fn delete(fleet: &Fleet, call: &Call, id: PoolId) -> Result<()> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let before = hold(&mut change, id).await?;
    if before.peers > 0 {
        return Err(in_use(&before).into());
    }
    match db::pools::delete(change.db(), id).await {
        Ok(()) => {}
        Err(DeleteError::InUse) => return Err(in_use(&before).into()),
        Err(DeleteError::Db(err)) => return Err(err.into()),
    }
    let object = object(id);
    change
        .event("pools", "pool.deleted", &object, &Seen::of(&before))
        .await?;
    change
        .finish("pool.delete", &object, Some(&Seen::of(&before)), NOTHING)
        .await
}

/// Writes the pool's row, whose members have changed already, and all that goes with it.
async fn write(mut change: Change<'_>, before: &Pool, changes: &Changes) -> Result<Pool> {
    db::pools::update(change.db(), before.id, changes)
        .await
        .map_err(name_taken)?;
    let after = find(change.db(), before.id).await?;
    refuse_unknown(&after, changes.members.as_deref().unwrap_or(&[]))?;
    let object = object(before.id);
    change
        .event("pools", "pool.changed", &object, &Seen::of(&after))
        .await?;
    change
        .finish(
            "pool.change",
            &object,
            Some(&Seen::of(before)),
            Some(&Seen::of(&after)),
        )
        .await?;
    Ok(after)
}

/// What audit and events show of a pool.
#[derive(Serialize)]
struct Seen<'a> {
    name: &'a str,
    placement: &'a str,
    description: &'a str,
    members: &'a [NodeId],
}

impl<'a> Seen<'a> {
    fn of(pool: &'a Pool) -> Self {
        Self {
            name: &pool.name,
            placement: &pool.placement,
            description: &pool.description,
            members: &pool.members,
        }
    }
}

/// Locks a pool and reads it, in the version that the caller saw.
async fn hold(change: &mut Change<'_>, id: PoolId) -> Result<Pool> {
    db::pools::lock(change.db(), id).await?;
    let pool = find(change.db(), id).await?;
    change.call.check_version(&object(id), pool.version)?;
    Ok(pool)
}

async fn find(db: &mut PgConnection, id: PoolId) -> Result<Pool> {
    let found = db::pools::find(db, id).await?;
    Ok(found.ok_or_else(|| Refusal::missing("pool", id))?)
}

/// Refuses members that did not become any, because there are no such nodes.
fn refuse_unknown(pool: &Pool, wanted: &[NodeId]) -> Result<()> {
    match wanted.iter().find(|node| !pool.members.contains(node)) {
        Some(node) => {
            Err(Refusal::invalid("unknown_node", format!("there is no node {node}")).into())
        }
        None => Ok(()),
    }
}

fn object(id: PoolId) -> String {
    format!("pool/{id}")
}

fn name_taken(err: WriteError) -> FleetError {
    match err {
        WriteError::NameTaken => {
            Refusal::conflict("name_taken", "a pool with this name exists").into()
        }
        WriteError::Db(err) => err.into(),
    }
}

fn in_use(pool: &Pool) -> Refusal {
    let text = format!("{} peers name pool {}", pool.peers, pool.name);
    Refusal::conflict("pool_in_use", text).with(json!({"peers": pool.peers}))
}
