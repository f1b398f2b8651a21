//! Interfaces of nodes: added, changed, deleted.
//!
//! Nothing here touches a device. An interface that is added holds nothing yet but what its node's pools have on every
//! member; what it announces to peers (its endpoint) is no part of what its node is told.

use protocol::PublicKey;
use serde_json::json;
use sqlx::PgConnection;

use super::change::{Call, Change, NOTHING};
use super::peers::membership;
use super::{Fleet, FleetError, Kind, Refusal, Result};
use crate::db;
use crate::db::interfaces::{DeleteError, Interface, WriteError};
use crate::domain::ids::{InterfaceId, NetworkId, NodeId, PoolId};
use crate::domain::interface::{Changes, NewInterface};
use crate::domain::reference::Reference;

mod claims;
mod seen;

pub(super) use seen::Seen;

pub async fn create(
    fleet: &Fleet,
    call: &Call,
    node: NodeId,
    new: &NewInterface,
) -> Result<Interface> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let network = lock_network(&mut change, new).await?;
    let pools = hold_node(&mut change, node).await?;
    let id = insert(&mut change, node, network, new).await?.id;
    membership::refill(fleet, &mut change, &pools, node).await?;
    let interface = find(change.db(), id).await?;
    change
        .finish(
            "interface.create",
            &object(id),
            NOTHING,
            Some(&Seen::of(&interface)),
        )
        .await?;
    Ok(interface)
}

/// Changes an interface. Its name and its network stay as long as peers are placed on it: they would be left
/// behind on the device, or in an address space that is not theirs.
pub async fn change(
    fleet: &Fleet,
    call: &Call,
    id: InterfaceId,
    changes: &Changes,
) -> Result<Interface> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let found = find(change.db(), id).await?;
    let network = match &changes.network {
        Some(network) => resolve(change.db(), network).await?,
        None => found.network_id,
    };
    let networks = [found.network_id, network];
    let mut pools = Vec::new();
    if network != found.network_id {
        db::networks::lock_all(change.db(), &networks).await?;
        pools = hold_node(&mut change, found.node_id).await?;
    }
    let before = hold(&mut change, id, &networks).await?;
    let object = object(id);
    let renamed = changes
        .name
        .as_ref()
        .is_some_and(|name| name.as_str() != before.name);
    let moved = network != before.network_id;
    if (renamed || moved) && before.peers > 0 {
        return Err(in_use(&before).into());
    }
    if moved {
        refuse_if_last_enabled(change.db(), &before).await?;
    }
    db::interfaces::update(change.db(), id, network, changes)
        .await
        .map_err(|err| refused(err, before.node_id))?;
    claims::replace(change.db(), &before, network, changes).await?;
    if renamed || moved {
        db::peer_sessions::abandon(change.db(), &[id]).await?;
        db::interfaces::forget(change.db(), id).await?;
    }
    if moved {
        membership::refill(fleet, &mut change, &pools, before.node_id).await?;
    }
    let after = find(change.db(), id).await?;
    change
        .event("nodes", "interface.changed", &object, &Seen::of(&after))
        .await?;
    change
        .finish(
            "interface.change",
            &object,
            Some(&Seen::of(&before)),
            Some(&Seen::of(&after)),
        )
        .await?;
    Ok(after)
}

/// Deletes an interface that holds no peers. Its addresses rest; the device stays as it is.
pub async fn delete(fleet: &Fleet, call: &Call, id: InterfaceId) -> Result<()> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let network = find(change.db(), id).await?.network_id;
    let before = hold(&mut change, id, &[network]).await?;
    if before.peers > 0 {
        return Err(in_use(&before).into());
    }
    refuse_if_last_enabled(change.db(), &before).await?;
    db::peer_sessions::abandon(change.db(), &[id]).await?;
    match db::interfaces::delete(change.db(), id).await {
        Ok(()) => {}
        Err(DeleteError::InUse) => return Err(in_use(&before).into()),
        Err(DeleteError::Db(err)) => return Err(err.into()),
    }
    let object = object(id);
    change
        .event("nodes", "interface.deleted", &object, &Seen::of(&before))
        .await?;
    change
        .finish(
            "interface.delete",
            &object,
            Some(&Seen::of(&before)),
            NOTHING,
        )
        .await
}

/// Notes that a person has seen the key that an interface has now. Nothing else of it changes.
pub async fn acknowledge_key(
    fleet: &Fleet,
    call: &Call,
    id: InterfaceId,
    seen: &PublicKey,
) -> Result<Interface> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    db::interfaces::lock(change.db(), id).await?;
    let before = find(change.db(), id).await?;
    let object = object(id);
    call.check_version(&object, before.version)?;
    if before.public_key.as_ref() != Some(&seen.to_string()) {
        let text = format!("{object} has another key than that: look at it again");
        return Err(Refusal::conflict("another_key", text)
            .with(json!({"public_key": before.public_key}))
            .into());
    }
    if before.key_changed_at.is_none() {
        return Ok(before);
    }
    db::interfaces::acknowledge_key(change.db(), id).await?;
    let after = find(change.db(), id).await?;
    change
        .event("nodes", "interface.changed", &object, &Seen::of(&after))
        .await?;
    let key = |key| json!({"public_key": key});
    change
        .finish(
            "interface.acknowledge_key",
            &object,
            Some(&key(&before.former_public_key)),
            Some(&key(&after.public_key)),
        )
        .await?;
    Ok(after)
}

/// Finds the network that a new interface is to serve and takes its lock.
pub(super) async fn lock_network(change: &mut Change<'_>, new: &NewInterface) -> Result<NetworkId> {
    let network = resolve(change.db(), &new.network).await?;
    match db::networks::lock(change.db(), network).await? {
        true => Ok(network),
        false => Err(unknown_network(&new.network).into()),
    }
}

/// Adds an interface, with the event that says so. The caller holds the network's lock.
pub(super) async fn insert(
    change: &mut Change<'_>,
    node: NodeId,
    network: NetworkId,
    new: &NewInterface,
) -> Result<Interface> {
    let id = db::interfaces::insert(change.db(), node, network, new)
        .await
        .map_err(|err| refused(err, node))?;
    claims::take(change.db(), id, network, &new.ip_pools, &new.addresses).await?;
    let interface = find(change.db(), id).await?;
    change
        .event(
            "nodes",
            "interface.created",
            &object(id),
            &Seen::of(&interface),
        )
        .await?;
    Ok(interface)
}

/// Refuses to leave a network that has peers without an enabled node. The caller holds the networks' locks.
pub(super) async fn refuse_if_last(
    db: &mut PgConnection,
    node: &str,
    interfaces: &[InterfaceId],
) -> Result<()> {
    let networks = db::networks::served_last_by(db, interfaces).await?;
    if networks.is_empty() {
        return Ok(());
    }
    let text = format!(
        "node {node} is the last enabled one that serves {}, which has peers",
        networks.join(", ")
    );
    Err(Refusal::conflict("last_node_of_network", text)
        .with(json!({"node": node, "networks": networks}))
        .into())
}

async fn refuse_if_last_enabled(db: &mut PgConnection, interface: &Interface) -> Result<()> {
    if !interface.node_enabled {
        return Ok(());
    }
    refuse_if_last(db, &interface.node_name, &[interface.id]).await
}

/// Holds a node and, before it, its pools that place on all members. The caller holds the networks.
async fn hold_node(change: &mut Change<'_>, node: NodeId) -> Result<Vec<PoolId>> {
    let pools = membership::hold_pools(change, node).await?;
    db::nodes::lock(change.db(), node).await?;
    Ok(pools)
}

/// Locks networks and an interface, and reads it in the version that the caller saw.
async fn hold(
    change: &mut Change<'_>,
    id: InterfaceId,
    networks: &[NetworkId],
) -> Result<Interface> {
    db::networks::lock_all(change.db(), networks).await?;
    db::interfaces::lock(change.db(), id).await?;
    let interface = find(change.db(), id).await?;
    let object = object(id);
    change.call.check_version(&object, interface.version)?;
    if !networks.contains(&interface.network_id) {
        let text = format!("{object} moved to another network meanwhile: read it again");
        return Err(Refusal::new(Kind::Stale, "version_mismatch", text).into());
    }
    Ok(interface)
}

async fn resolve(db: &mut PgConnection, network: &Reference) -> Result<NetworkId> {
    let found = db::networks::resolve(db, network).await?;
    Ok(found.ok_or_else(|| unknown_network(network))?)
}

async fn find(db: &mut PgConnection, id: InterfaceId) -> Result<Interface> {
    let found = db::interfaces::find(db, id).await?;
    Ok(found.ok_or_else(|| Refusal::missing("interface", id))?)
}

fn object(id: InterfaceId) -> String {
    format!("interface/{id}")
}

fn unknown_network(network: &Reference) -> Refusal {
    Refusal::invalid("unknown_network", format!("there is no network {network}"))
}

fn refused(err: WriteError, node: NodeId) -> FleetError {
    match err {
        WriteError::NameTaken => {
            let text = "the node has an interface with this name";
            Refusal::conflict("name_taken", text).into()
        }
        WriteError::NoNode => Refusal::missing("node", node).into(),
        WriteError::NoNetwork => {
            Refusal::invalid("unknown_network", "there is no such network any more").into()
        }
        WriteError::Db(err) => err.into(),
    }
}

fn in_use(interface: &Interface) -> Refusal {
    let text = format!(
        "interface {} of node {} holds {} peers",
        interface.name, interface.node_name, interface.peers
    );
    Refusal::conflict("interface_in_use", text).with(json!({"peers": interface.peers}))
}
