//! Networks: made, changed, deleted.

mod readdress;

use ipnet::IpNet;
use serde::Serialize;
use serde_json::json;
use sqlx::{PgConnection, PgExecutor};

use super::change::{Call, Change, NOTHING};
use super::{Fleet, FleetError, Refusal, Result};
use crate::db;
use crate::db::networks::{DeleteError, Holding, InsertError, Network};
use crate::db::ranges;
use crate::domain::ids::NetworkId;
use crate::domain::network::{Changes, NewNetwork};

pub async fn create(fleet: &Fleet, call: &Call, new: &NewNetwork) -> Result<Network> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let id = db::networks::insert(change.db(), new)
        .await
        .map_err(name_taken)?;
    for prefix in &new.prefixes {
        add_prefix(change.db(), id, *prefix).await?;
    }
    let network = find(change.db(), id).await?;
    let object = object(id);
    change
        .event("networks", "network.created", &object, &Seen::of(&network))
        .await?;
    change
        .finish(
            "network.create",
            &object,
            NOTHING,
            Some(&Seen::of(&network)),
        )
        .await?;
    Ok(network)
}

pub async fn change(
    fleet: &Fleet,
    call: &Call,
    id: NetworkId,
    changes: &Changes,
) -> Result<Network> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    db::networks::lock(change.db(), id).await?;
    let before = find(change.db(), id).await?;
    let object = object(id);
    call.check_version(&object, before.version)?;
    db::networks::update(change.db(), id, changes)
        .await
        .map_err(name_taken)?;
    let prefixes = changes.prefixes(&before.prefixes);
    if prefixes != before.prefixes {
        readdress::readdress(fleet, &mut change, &before, &prefixes).await?;
    }
    let after = find(change.db(), id).await?;
    change
        .event("networks", "network.changed", &object, &Seen::of(&after))
        .await?;
    change
        .finish(
            "network.change",
            &object,
            Some(&Seen::of(&before)),
            Some(&Seen::of(&after)),
        )
        .await?;
    Ok(after)
}

/// Gives a network a prefix that nobody else has or routes.
async fn add_prefix(db: &mut PgConnection, id: NetworkId, prefix: IpNet) -> Result<()> {
    // Asked before the constraint decides, so that the refusal can name the other network.
    let others = ranges::overlapping(&mut *db, prefix).await?;
    if let Some((name, other)) = others.first() {
        let text = format!("{prefix} overlaps {other} of network {name}");
        return Err(Refusal::conflict("prefix_overlaps", text)
            .with(json!({"prefix": prefix, "other": other, "network": name}))
            .into());
    }
    let routes = db::peers::routes::overlapping(&mut *db, None, &[prefix]).await?;
    if let Some((peer, route)) = routes.first() {
        let text = format!("{prefix} overlaps {route}, which is behind peer {peer}");
        return Err(Refusal::conflict("prefix_overlaps_route", text)
            .with(json!({"prefix": prefix, "route": route, "peer": peer}))
            .into());
    }
    match ranges::insert(db, id, None, prefix).await {
        Ok(()) => Ok(()),
        Err(ranges::InsertError::Overlap) => {
            let text = format!("{prefix} overlaps another network's prefix");
            Err(Refusal::conflict("prefix_overlaps", text).into())
        }
        Err(ranges::InsertError::Second) => {
            let text = "a network has at most one prefix of each family";
            Err(Refusal::invalid("two_prefixes_of_a_family", text).into())
        }
        Err(ranges::InsertError::Db(err)) => Err(err.into()),
    }
}

/// Deletes a network that nothing belongs to, and with it its prefixes.
pub async fn delete(fleet: &Fleet, call: &Call, id: NetworkId) -> Result<()> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    db::networks::lock(change.db(), id).await?;
    let before = find(change.db(), id).await?;
    let object = object(id);
    call.check_version(&object, before.version)?;
    let holding = holding(change.db(), id).await?;
    if holding.peers > 0 || holding.interfaces > 0 {
        return Err(in_use(&before, holding).into());
    }
    match db::networks::delete(change.db(), id).await {
        Ok(()) => {}
        Err(DeleteError::InUse) => return Err(in_use(&before, holding).into()),
        Err(DeleteError::Db(err)) => return Err(err.into()),
    }
    change
        .event("networks", "network.deleted", &object, &Seen::of(&before))
        .await?;
    change
        .finish("network.delete", &object, Some(&Seen::of(&before)), NOTHING)
        .await
}

/// What audit and events show of a network.
#[derive(Serialize)]
struct Seen<'a> {
    name: &'a str,
    domain_suffix: &'a str,
    prefixes: &'a [IpNet],
    dns: &'a [IpNet],
    mtu: Option<i32>,
    keepalive_s: i32,
}

impl<'a> Seen<'a> {
    fn of(network: &'a Network) -> Self {
        Self {
            name: &network.name,
            domain_suffix: &network.domain_suffix,
            prefixes: &network.prefixes,
            dns: &network.dns,
            mtu: network.mtu,
            keepalive_s: network.keepalive_s,
        }
    }
}

async fn find(db: &mut PgConnection, id: NetworkId) -> Result<Network> {
    let found = db::networks::find(db, id).await?;
    Ok(found.ok_or_else(|| Refusal::missing("network", id))?)
}

/// How much a network holds that is there.
pub async fn holding(db: impl PgExecutor<'_>, id: NetworkId) -> Result<Holding> {
    let found = db::networks::holdings(db, &[id]).await?;
    let found = found.into_iter().next();
    Ok(found.ok_or_else(|| Refusal::missing("network", id))?)
}

fn object(id: NetworkId) -> String {
    format!("network/{id}")
}

fn name_taken(err: InsertError) -> FleetError {
    match err {
        InsertError::NameTaken => {
            Refusal::conflict("name_taken", "a network with this name exists").into()
        }
        InsertError::Db(err) => err.into(),
    }
}

fn in_use(network: &Network, holding: Holding) -> Refusal {
    let Holding {
        peers, interfaces, ..
    } = holding;
    let text = format!(
        "network {} holds {peers} peers and {interfaces} interfaces",
        network.name
    );
    Refusal::conflict("network_in_use", text)
        .with(json!({"peers": peers, "interfaces": interfaces}))
}
