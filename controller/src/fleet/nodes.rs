//! Nodes: added, changed, deleted.
//!
//! Whether a node can be reached is no condition for any of it: the rows are what should be, and the loops see
//! to it. A disabled node, and one of weight 0, keeps its placements; they leave only when peers are moved. Once it
//! takes peers again it gets those that its pools have on every member.

use serde_json::json;
use sqlx::PgConnection;

use super::change::{Call, Change, NOTHING};
use super::peers::membership;
use super::{Fleet, FleetError, Refusal, Result, interfaces};
use crate::db;
use crate::db::interfaces::Interface;
use crate::db::nodes::{DeleteError, Node, WriteError};
use crate::domain::ids::{InterfaceId, NodeId};
use crate::domain::interface::NewInterface;
use crate::domain::node::{Changes, NewNode};

mod connection;
mod secrets;
mod seen;
mod target;

pub use connection::{Untried, test, test_untried};
pub use secrets::{NewSecret, replace_secret};
use seen::{Seen, SeenWhole};
pub use target::{target, targets};

/// A node as it was added.
pub struct Added {
    pub node: Node,
    pub interfaces: Vec<Interface>,
    /// The secret that was made up for it, to be shown this once.
    pub generated: Option<protocol::signing::Secret>,
}

pub async fn create(
    fleet: &Fleet,
    call: &Call,
    new: &NewNode,
    secret: NewSecret,
    interface: Option<&NewInterface>,
) -> Result<Added> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    // The network's lock comes before all others.
    let served = match interface {
        Some(interface) => Some((
            interfaces::lock_network(&mut change, interface).await?,
            interface,
        )),
        None => None,
    };
    let id = db::nodes::insert(change.db(), new).await.map_err(taken)?;
    let generated = secrets::give(fleet, &mut change, id, secret).await?;
    let mut added = Vec::new();
    if let Some((network, interface)) = served {
        added.push(interfaces::insert(&mut change, id, network, interface).await?);
    }
    let node = find(change.db(), id).await?;
    let object = object(id);
    change
        .event("nodes", "node.created", &object, &Seen::of(&node))
        .await?;
    let seen = SeenWhole::of(&node, &added);
    change
        .finish("node.create", &object, NOTHING, Some(&seen))
        .await?;
    Ok(Added {
        node,
        interfaces: added,
        generated,
    })
}

pub async fn change(fleet: &Fleet, call: &Call, id: NodeId, changes: &Changes) -> Result<Node> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let may_take_more = changes.may_take_more();
    let pools = match may_take_more {
        true => {
            hold_networks(change.db(), id).await?;
            membership::hold_pools(&mut change, id).await?
        }
        false => Vec::new(),
    };
    let before = hold(&mut change, id).await?;
    let object = object(id);
    db::nodes::update(change.db(), id, changes)
        .await
        .map_err(taken)?;
    if may_take_more {
        membership::refill(fleet, &mut change, &pools, id).await?;
    }
    let after = find(change.db(), id).await?;
    if after.enabled && (!before.enabled || after.agent_url != before.agent_url) {
        db::nodes::poll_now(change.db(), id).await?;
    }
    change
        .event("nodes", "node.changed", &object, &Seen::of(&after))
        .await?;
    change
        .finish(
            "node.change",
            &object,
            Some(&Seen::of(&before)),
            Some(&Seen::of(&after)),
        )
        .await?;
    if after.agent_url != before.agent_url {
        fleet.agents.forget(id);
    }
    Ok(after)
}

/// Deletes a node that holds no peers, with its interfaces.
///
/// The last enabled node of a network that has peers stays, even if they are all elsewhere: they could not be
/// moved anywhere any more. Nothing is said to the machine.
pub async fn delete(fleet: &Fleet, call: &Call, id: NodeId) -> Result<()> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    hold_networks(change.db(), id).await?;
    db::interfaces::lock_of_node(change.db(), id).await?;
    let before = hold(&mut change, id).await?;
    if before.peers > 0 {
        return Err(in_use(&before).into());
    }
    let interfaces = db::interfaces::of_nodes(change.db(), &[id]).await?;
    let ids: Vec<InterfaceId> = interfaces.iter().map(|interface| interface.id).collect();
    if before.enabled {
        interfaces::refuse_if_last(change.db(), &before.name, &ids).await?;
    }
    db::peer_sessions::abandon(change.db(), &ids).await?;
    match db::nodes::delete(change.db(), id).await {
        Ok(()) => {}
        Err(DeleteError::InUse) => return Err(in_use(&before).into()),
        Err(DeleteError::Db(err)) => return Err(err.into()),
    }
    let object = object(id);
    let seen = SeenWhole::of(&before, &interfaces);
    change
        .event("nodes", "node.deleted", &object, &Seen::of(&before))
        .await?;
    change
        .finish("node.delete", &object, Some(&seen), NOTHING)
        .await?;
    fleet.agents.forget(id);
    Ok(())
}

/// Locks the networks that a node serves, which comes before all other locks.
async fn hold_networks(db: &mut PgConnection, id: NodeId) -> Result<()> {
    let serving = db::interfaces::of_nodes(&mut *db, &[id]).await?;
    let networks: Vec<_> = serving
        .iter()
        .map(|interface| interface.network_id)
        .collect();
    Ok(db::networks::lock_all(db, &networks).await?)
}

/// Locks a node and reads it, in the version that the caller saw.
async fn hold(change: &mut Change<'_>, id: NodeId) -> Result<Node> {
    db::nodes::lock(change.db(), id).await?;
    let node = find(change.db(), id).await?;
    change.call.check_version(&object(id), node.version)?;
    Ok(node)
}

async fn find(db: &mut PgConnection, id: NodeId) -> Result<Node> {
    let found = db::nodes::find(db, id).await?;
    Ok(found.ok_or_else(|| Refusal::missing("node", id))?)
}

fn object(id: NodeId) -> String {
    format!("node/{id}")
}

fn taken(err: WriteError) -> FleetError {
    match err {
        WriteError::NameTaken => {
            Refusal::conflict("name_taken", "a node with this name exists").into()
        }
        WriteError::AgentUrlTaken => {
            let text = "a node with this agent URL exists";
            Refusal::conflict("agent_url_taken", text).into()
        }
        WriteError::Db(err) => err.into(),
    }
}

fn in_use(node: &Node) -> Refusal {
    let text = format!("node {} holds {} peers", node.name, node.peers);
    Refusal::conflict("node_in_use", text).with(json!({"peers": node.peers}))
}
