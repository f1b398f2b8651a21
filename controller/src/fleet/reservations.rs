//! Reservations: parts of a network that nobody gets.

use ipnet::IpNet;
use serde::Serialize;
use serde_json::json;

use super::change::{Call, Change, NOTHING};
use super::{Fleet, Refusal, Result};
use crate::db;
use crate::db::reservations::{InsertError, Reservation};
use crate::domain::address::prefix as prefixes;
use crate::domain::ids::{NetworkId, ReservationId};

/// How many addresses in use a refusal names.
const NAMED: i64 = 20;

/// Reserves a part of a network in which no address is in use.
pub async fn create(
    fleet: &Fleet,
    call: &Call,
    network: NetworkId,
    prefix: IpNet,
    reason: &str,
) -> Result<Reservation> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    // Whoever gives addresses out holds this too.
    hold(&mut change, network).await?;
    let found = db::networks::find(change.db(), network).await?;
    let found = found.ok_or_else(|| Refusal::missing("network", network))?;
    let own = &found.prefixes;
    if !own.iter().any(|own| prefixes::inside(prefix, *own)) {
        let text = format!(
            "{prefix} is in none of the prefixes of network {}",
            found.name
        );
        return Err(Refusal::invalid("prefix_outside", text).into());
    }
    let (held, count) =
        db::allocations::book::held_within(change.db(), network, prefix, NAMED).await?;
    if count > 0 {
        let text = format!("{count} addresses in {prefix} are in use");
        return Err(Refusal::conflict("addresses_in_use", text)
            .with(json!({"prefix": prefix, "count": count, "addresses": held}))
            .into());
    }
    let id = db::reservations::insert(change.db(), network, prefix, reason).await;
    let id = id.map_err(|err| match err {
        InsertError::Overlap => {
            let text = format!("{prefix} overlaps another reservation");
            Refusal::conflict("reservation_overlaps", text).into()
        }
        InsertError::Db(err) => super::FleetError::from(err),
    })?;
    let made = Reservation {
        id,
        prefix,
        reason: reason.to_owned(),
    };
    let object = object(network);
    change
        .event("networks", "reservation.created", &object, &Seen::of(&made))
        .await?;
    change
        .finish(
            "reservation.create",
            &object,
            NOTHING,
            Some(&Seen::of(&made)),
        )
        .await?;
    Ok(made)
}

pub async fn delete(
    fleet: &Fleet,
    call: &Call,
    network: NetworkId,
    id: ReservationId,
) -> Result<()> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    hold(&mut change, network).await?;
    let gone = db::reservations::delete(change.db(), network, id).await?;
    let gone = gone.ok_or_else(|| Refusal::missing("reservation", id))?;
    let object = object(network);
    change
        .event("networks", "reservation.deleted", &object, &Seen::of(&gone))
        .await?;
    change
        .finish(
            "reservation.delete",
            &object,
            Some(&Seen::of(&gone)),
            NOTHING,
        )
        .await
}

/// What audit and events show of a reservation.
#[derive(Serialize)]
struct Seen<'a> {
    id: ReservationId,
    prefix: IpNet,
    reason: &'a str,
}

impl<'a> Seen<'a> {
    fn of(reservation: &'a Reservation) -> Self {
        Self {
            id: reservation.id,
            prefix: reservation.prefix,
            reason: &reservation.reason,
        }
    }
}

async fn hold(change: &mut Change<'_>, network: NetworkId) -> Result<()> {
    match db::networks::lock(change.db(), network).await? {
        true => Ok(()),
        false => Err(Refusal::missing("network", network).into()),
    }
}

fn object(network: NetworkId) -> String {
    format!("network/{network}")
}
