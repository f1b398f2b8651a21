//! Changing, isolating and deleting peers.
//!
//! Interfaces are told only of what concerns them: a new name raises no generation.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::super::change::{Call, Change, NOTHING};
use super::super::{Fleet, FleetError, Refusal, Result};
use super::create::{refused, route_taken, routes_apart};
use super::psk;
use super::seen::{Seen, object};
use crate::clock;
use crate::db;
use crate::db::peers::{Peer, RouteError};
use crate::domain::ids::PeerId;
use crate::domain::peer::{PeerChanges, Psk};

pub async fn change(fleet: &Fleet, call: &Call, id: PeerId, changes: &PeerChanges) -> Result<Peer> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let before = hold(change.db(), id).await?;
    let object = object(id);
    call.check_version(&object, before.version)?;
    let concerns_nodes = changes.concerns_nodes();
    if concerns_nodes {
        raise(change.db(), &[id]).await?;
    }
    if let Some(key) = changes.public_key
        && key.to_string() != before.public_key
    {
        db::placements::depart(change.db(), &[id]).await?;
        db::retired_keys::retire(change.db(), &[id]).await?;
        db::retired_keys::revive(change.db(), &[key.to_string()]).await?;
        db::observations::claim(change.db(), &[key.to_string()], &[id]).await?;
    }
    db::peers::update(change.db(), id, changes)
        .await
        .map_err(refused)?;
    if let Some(routes) = &changes.routes {
        replace_routes(change.db(), &before, routes).await?;
    }
    if let Some(wanted) = &changes.psk {
        replace_psk(change.db(), fleet, id, wanted).await?;
    }
    if concerns_nodes {
        db::placements::touch(change.db(), &[id]).await?;
    }
    let after = find(change.db(), id).await?;
    let (seen_before, seen) = (Seen::of(&before), Seen::of(&after));
    change
        .event("peers", "peer.changed", &object, &seen)
        .await?;
    change
        .finish("peer.change", &object, Some(&seen_before), Some(&seen))
        .await?;
    Ok(after)
}

/// Takes a peer's key off every node, before anything else is done there. The peer keeps all it has.
pub async fn isolate(fleet: &Fleet, call: &Call, id: PeerId) -> Result<Peer> {
    set_isolated(fleet, call, id, Some(clock::now())).await
}

/// Puts an isolated peer back.
pub async fn release(fleet: &Fleet, call: &Call, id: PeerId) -> Result<Peer> {
    set_isolated(fleet, call, id, None).await
}

async fn set_isolated(
    fleet: &Fleet,
    call: &Call,
    id: PeerId,
    at: Option<DateTime<Utc>>,
) -> Result<Peer> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let before = hold(change.db(), id).await?;
    let object = object(id);
    call.check_version(&object, before.version)?;
    if before.isolated_at.is_some() == at.is_some() {
        return Ok(before);
    }
    let homes = raise(change.db(), &[id]).await?;
    db::peers::set_isolated(change.db(), id, at).await?;
    db::placements::touch(change.db(), &[id]).await?;
    if at.is_some() {
        db::interfaces::hurry(change.db(), &homes).await?;
    }
    let after = find(change.db(), id).await?;
    let (seen_before, seen) = (Seen::of(&before), Seen::of(&after));
    let (kind, action) = match at {
        Some(_) => ("peer.isolated", "peer.isolate"),
        None => ("peer.released", "peer.release"),
    };
    change.event("peers", kind, &object, &seen).await?;
    change
        .finish(action, &object, Some(&seen_before), Some(&seen))
        .await?;
    Ok(after)
}

/// Deletes a peer. Its key stays known, and is removed wherever it is seen; its addresses rest.
pub async fn delete(fleet: &Fleet, call: &Call, id: PeerId) -> Result<()> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let before = hold(change.db(), id).await?;
    let object = object(id);
    call.check_version(&object, before.version)?;
    raise(change.db(), &[id]).await?;
    db::placements::depart(change.db(), &[id]).await?;
    db::placements::delete(change.db(), &[id]).await?;
    db::retired_keys::retire(change.db(), &[id]).await?;
    db::observations::disown(change.db(), &[id]).await?;
    db::peer_sessions::forget(change.db(), &[id]).await?;
    db::peers::delete(change.db(), &[id]).await?;
    let seen = Seen::of(&before);
    change
        .event("peers", "peer.deleted", &object, &seen)
        .await?;
    change
        .finish("peer.delete", &object, Some(&seen), NOTHING)
        .await
}

/// Takes peers whose time has come off their interfaces. Tells how many there were.
pub async fn expire(fleet: &Fleet, call: &Call, limit: i64) -> Result<usize> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let ids = db::peers::expire(change.db(), limit).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    raise(change.db(), &ids).await?;
    db::placements::touch(change.db(), &ids).await?;
    change
        .event("peers", "peers.expired", "peers", &ids)
        .await?;
    change
        .finish("peer.expire", "peers", NOTHING, Some(&ids))
        .await?;
    Ok(ids.len())
}

/// Raises the generation of every interface that these peers are on, and tells which.
pub(super) async fn raise(
    db: &mut PgConnection,
    ids: &[PeerId],
) -> Result<Vec<crate::domain::ids::InterfaceId>> {
    let homes = db::placements::homes(&mut *db, ids).await?;
    db::interfaces::raise(db, &homes).await?;
    Ok(homes)
}

async fn replace_routes(db: &mut PgConnection, peer: &Peer, routes: &[ipnet::IpNet]) -> Result<()> {
    routes_apart(db, routes).await?;
    db::peers::remove_routes(&mut *db, peer.id).await?;
    let routes: Vec<_> = routes
        .iter()
        .map(|prefix| (peer.id, peer.network, *prefix))
        .collect();
    db::peers::add_routes(db, &routes)
        .await
        .map_err(|err| match err {
            RouteError::Overlap => FleetError::from(route_taken()),
            RouteError::Db(err) => err.into(),
        })
}

async fn replace_psk(db: &mut PgConnection, fleet: &Fleet, id: PeerId, wanted: &Psk) -> Result<()> {
    for interface in db::placements::homes(&mut *db, &[id]).await? {
        let sealed = psk::seal(&fleet.keyring, interface, id, wanted);
        db::placements::set_psk(&mut *db, interface, id, sealed).await?;
    }
    Ok(())
}

async fn hold(db: &mut PgConnection, id: PeerId) -> Result<Peer> {
    let held = db::peers::lock(db, id).await?;
    Ok(held.ok_or_else(|| Refusal::missing("peer", id))?)
}

async fn find(db: &mut PgConnection, id: PeerId) -> Result<Peer> {
    let found = db::peers::find(db, id).await?;
    Ok(found.ok_or_else(|| Refusal::missing("peer", id))?)
}
