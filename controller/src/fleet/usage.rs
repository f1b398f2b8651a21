//! How full the prefixes of a network are, and when they will be.

use std::collections::BTreeMap;
use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;

use super::{Fleet, FleetError, Result};
use crate::db::allocations::book;
use crate::db::allocations::map::{self, Square};
use crate::domain::address::parts::{self, part_size};
use crate::domain::address::prefix::overlap;
use crate::domain::address::range::Range;
use crate::domain::address::rest;
use crate::domain::address::usage::Usage;
use crate::domain::ids::NetworkId;

/// What a forecast looks back on.
pub const WINDOW: TimeDelta = TimeDelta::days(7);

/// One prefix of a network.
#[derive(Debug)]
pub struct PrefixUse {
    pub prefix: IpNet,
    pub usage: Usage,
    /// If it goes on as in the last days; none: not in a century.
    pub time_to_full: Option<TimeDelta>,
    /// What of it is drawn: all, but of IPv6 only the corner where everything lies.
    pub drawn: IpNet,
    /// How it lies there; nothing where that is no picture.
    pub parts: Vec<Part>,
}

#[derive(Debug)]
pub struct Part {
    pub prefix: IpNet,
    pub used: u64,
    pub size: u64,
    pub is_reserved: bool,
}

/// Looks at one prefix, of whose network these parts are reserved.
pub async fn of_prefix(
    fleet: &Fleet,
    network: NetworkId,
    prefix: IpNet,
    reserved: &[IpNet],
    now: DateTime<Utc>,
) -> Result<PrefixUse> {
    let rested_since = rest::rested_since(now, fleet.settings.address_rest);
    let from = now - WINDOW;
    let pool = &fleet.pool;
    let corner = corner(fleet, network, prefix).await?;
    let (counts, parts) = match corner {
        Some(corner) => {
            let size = part_size(corner);
            let squares = map::squares(pool, network, corner, size, reserved, rested_since, from);
            let squares = squares.await?;
            (sum(&squares), drawn(corner, &squares, reserved))
        }
        None => {
            let counts = book::count(pool, network, prefix, rested_since, from).await?;
            (counts, Vec::new())
        }
    };
    let number = |count: i64| u64::try_from(count).map_err(|_| FleetError::Corrupt("a count"));
    let range = Range::new(prefix, reserved);
    let usage = Usage::new(&range, number(counts.used)?, number(counts.resting)?);
    Ok(PrefixUse {
        prefix,
        time_to_full: usage.time_to_full(counts.growth, WINDOW),
        usage,
        drawn: corner.unwrap_or(prefix),
        parts,
    })
}

/// What of a prefix is drawn, and holds all that anybody has of it. A prefix of IPv6 in which nobody has anything, or
/// whose ends are both in use, is not.
async fn corner(fleet: &Fleet, network: NetworkId, prefix: IpNet) -> Result<Option<IpNet>> {
    let IpNet::V6(v6) = prefix else {
        return Ok(Some(prefix));
    };
    Ok(match map::extent(&fleet.pool, network, prefix).await? {
        Some((IpAddr::V6(first), IpAddr::V6(last))) => {
            parts::corner(v6, first, last).map(IpNet::V6)
        }
        _ => None,
    })
}

fn sum(squares: &[Square]) -> book::Counts {
    let total = |of: fn(&Square) -> i64| squares.iter().map(of).sum();
    book::Counts {
        used: total(|square| square.used),
        resting: total(|square| square.resting),
        growth: total(|square| square.growth),
    }
}

fn drawn(prefix: IpNet, squares: &[Square], reserved: &[IpNet]) -> Vec<Part> {
    let used: BTreeMap<i64, i64> = squares
        .iter()
        .map(|square| (square.at, square.used))
        .collect();
    let size = part_size(prefix).unsigned_abs();
    let part = |(at, part): (i64, IpNet)| Part {
        prefix: part,
        used: used.get(&at).map_or(0, |used| used.unsigned_abs()),
        size,
        is_reserved: reserved.iter().any(|other| overlap(*other, part)),
    };
    (0..).zip(parts::parts(prefix)).map(part).collect()
}
