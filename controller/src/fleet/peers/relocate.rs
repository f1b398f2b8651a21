//! Moving peers to another node or pool: a person says where, the database changes at once, the loop makes it so.
//!
//! A peer keeps all it has: addresses, key, tags, and its preshared key where the controller knows it. Its old interface
//! lets its key go, which is not retired. Nothing waits for the new node to have it before the old one lets it go, so
//! its device is out of touch until it has its new configuration.
//!
//! Of many, those that cannot go are left where they are; a single one is refused.

mod facts;
mod plan;
mod settle;

use std::collections::BTreeMap;

use facts::Facts;
use plan::plan;
use serde_json::{Value, json};
use settle::settle;
use sqlx::PgConnection;

use super::super::change::{Call, Change};
use super::super::{Fleet, FleetError, Refusal, Result};
use super::create::{Made, made};
use super::seen::{Seen, object};
use crate::db::placements::Home;
use crate::domain::ids::{InterfaceId, PeerId};
use crate::domain::placement::Explanation;
pub use crate::domain::relocation::Wish;

/// What becomes of a peer.
#[derive(Debug, Clone)]
pub enum Fate {
    Already,
    /// Only its pool becomes another one.
    Stays,
    Goes(Route),
    Cannot(Refusal),
}

/// Where a peer is to be, and why. None: on the members that have it already, and no others can take it.
#[derive(Debug, Clone)]
pub struct Route {
    pub interfaces: Vec<InterfaceId>,
    pub explanation: Option<Explanation>,
}

/// Moves one peer. It is returned as it is then, or would be.
pub async fn relocate(fleet: &Fleet, call: &Call, id: PeerId, wish: Wish) -> Result<Made> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let facts = Facts::hold(change.db(), &[id], wish).await?;
    if facts.peers.is_empty() {
        return Err(Refusal::missing("peer", id).into());
    }
    let before = one(made(change.db(), &[id]).await?)?;
    let object = object(id);
    call.check_version(&object, before.peer.version)?;
    let fates = plan(fleet, &facts, wish)?;
    match one(fates)? {
        Fate::Already => return Ok(before),
        Fate::Cannot(refusal) => return Err(refusal.into()),
        fate => settle(change.db(), fleet, &[(&facts.peers[0], fate)], wish).await?,
    }
    let after = one(made(change.db(), &[id]).await?)?;
    let told = json!({"peer": Seen::of(&after.peer), "from": places(&before.homes), "to": places(&after.homes)});
    change.event("peers", "peer.moved", &object, &told).await?;
    change
        .finish(
            "peer.move",
            &object,
            Some(&seen(&before)),
            Some(&seen(&after)),
        )
        .await?;
    Ok(after)
}

/// Moves those of these peers that can go, within a change. Tells who they are, and where they were and are.
pub(super) async fn part(
    db: &mut PgConnection,
    fleet: &Fleet,
    peers: &[PeerId],
    wish: Wish,
) -> Result<(Vec<PeerId>, Value, Value)> {
    let facts = Facts::hold(db, peers, wish).await?;
    let fates = plan(fleet, &facts, wish)?;
    let going: Vec<_> = facts
        .peers
        .iter()
        .zip(fates)
        .filter(|(_, fate)| matches!(fate, Fate::Stays | Fate::Goes(_)))
        .collect();
    let ids: Vec<PeerId> = going.iter().map(|(peer, _)| peer.id).collect();
    let from = facts::shown(going.iter().map(|(peer, _)| *peer));
    settle(db, fleet, &going, wish).await?;
    let to = facts::movers(db, &ids).await?;
    Ok((ids, from, facts::shown(&to)))
}

/// What would become of peers, decided as for real and not done.
#[derive(Debug)]
pub struct Preview {
    /// Of those that are there.
    pub fates: Vec<Fate>,
    /// The names of the nodes that have the interfaces.
    pub nodes: BTreeMap<InterfaceId, String>,
}

pub async fn preview(fleet: &Fleet, peers: &[PeerId], wish: Wish) -> Result<Preview> {
    let mut db = fleet.pool.acquire().await?;
    let facts = Facts::read(&mut db, peers, wish).await?;
    Ok(Preview {
        fates: plan(fleet, &facts, wish)?,
        nodes: facts.node_names(),
    })
}

/// What the audit log shows of a peer and where it is.
fn seen(made: &Made) -> Value {
    json!({"peer": Seen::of(&made.peer), "places": places(&made.homes)})
}

fn places(homes: &[Home]) -> Vec<Value> {
    let place = |home: &Home| {
        json!({"node": home.node, "node_name": home.node_name,
               "interface": home.interface, "interface_name": home.interface_name})
    };
    homes.iter().map(place).collect()
}

fn one<T>(mut several: Vec<T>) -> Result<T> {
    several
        .pop()
        .ok_or(FleetError::Corrupt("a peer that is held"))
}
