//! Giving addresses out of a network's ranges.
//!
//! Whoever calls this holds the network's lock, so two callers never look for the same address; that no address has
//! two holders is the database's own promise besides.

use std::net::IpAddr;
use std::num::NonZeroU16;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use serde_json::json;
use sqlx::PgConnection;

use super::{Refusal, Result};
use crate::db::{allocations, ranges};
use crate::domain::address::range::Range;
use crate::domain::address::rest::{self, Resting};
use crate::domain::address::search::Search;
use crate::domain::ids::{InterfaceId, NetworkId, RangeId};

/// How many taken addresses are read at once: one read for nearly every search, and none that is felt.
const WINDOW: NonZeroU16 = NonZeroU16::new(512).expect("not zero");

/// The ranges of one network, and what of them nobody gets.
pub struct Book {
    network: NetworkId,
    ranges: Vec<ranges::Range>,
    reserved: Vec<IpNet>,
}

impl Book {
    pub async fn open(db: &mut PgConnection, network: NetworkId) -> Result<Self> {
        Ok(Self {
            network,
            ranges: ranges::of_network(&mut *db, network).await?,
            reserved: ranges::reserved(db, network).await?,
        })
    }

    /// The network's own prefixes, IPv4 first.
    pub fn prefixes(&self) -> impl Iterator<Item = IpNet> {
        self.own().map(|range| range.prefix)
    }

    /// The ranges that a peer of this interface draws from: its pool where it has one of the family.
    pub fn ranges_for(&self, interface: Option<InterfaceId>) -> Vec<RangeId> {
        let pool_of = |own: &ranges::Range| {
            let of_family = |range: &&ranges::Range| {
                interface.is_some()
                    && range.interface == interface
                    && range.prefix.addr().is_ipv4() == own.prefix.addr().is_ipv4()
            };
            self.ranges.iter().find(of_family)
        };
        self.own()
            .map(|own| pool_of(own).unwrap_or(own).id)
            .collect()
    }

    /// Refuses an address that no peer of this network may have. Whether it is taken is another question.
    pub fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        let own = self.own().find(|range| range.prefix.contains(&address));
        let Some(own) = own else {
            let text = format!("{address} is in none of the network's prefixes");
            return Err(Refusal::invalid("address_outside", text));
        };
        // Asked for by name, an address of some interface's pool may be had: a pool only guides.
        Range::new(own.prefix, &self.reserved)
            .check(address)
            .map_err(|err| Refusal::invalid("address_unusable", format!("{address} {err}")))
    }

    /// Finds free addresses, as many as wanted, and remembers where the next search goes on.
    pub async fn find(
        &self,
        db: &mut PgConnection,
        range: RangeId,
        wanted: usize,
        rest: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Vec<IpAddr>> {
        let row = self.range(range)?;
        let range = Range::new(row.prefix, &self.withheld(row));
        let rested_since = rest::rested_since(now, rest);
        let mut search = Search::new(&range, row.next, wanted, WINDOW);
        while let Some(question) = search.question() {
            let limit = i64::from(question.limit.get());
            let taken = allocations::taken(
                &mut *db,
                self.network,
                question.from,
                question.until,
                limit,
                rested_since,
            );
            search.answer(&taken.await?);
        }
        let outcome = search.outcome();
        let mut found = outcome.addresses;
        if found.len() < wanted {
            let missing = wanted - found.len();
            found.extend(self.wake(&mut *db, row, &range, missing).await?);
        }
        if found.len() < wanted {
            return Err(exhausted(row.prefix, wanted, found.len()).into());
        }
        ranges::move_next(db, row.id, outcome.next).await?;
        Ok(found)
    }

    /// Addresses that still rest, the longest rested first: nothing else is free.
    async fn wake(
        &self,
        db: &mut PgConnection,
        row: &ranges::Range,
        range: &Range,
        wanted: usize,
    ) -> Result<Vec<IpAddr>> {
        // Some of those that rest may lie where nobody gets any.
        let limit = i64::try_from(wanted)
            .unwrap_or(i64::MAX)
            .saturating_mul(2)
            .max(64);
        let resting = allocations::resting(db, self.network, row.prefix, limit).await?;
        let resting: Vec<Resting> = resting
            .into_iter()
            .map(|(address, released_at)| Resting {
                address,
                released_at,
            })
            .collect();
        Ok(rest::reuse(range, &resting, wanted))
    }

    fn own(&self) -> impl Iterator<Item = &ranges::Range> {
        self.ranges.iter().filter(|range| range.interface.is_none())
    }

    fn range(&self, id: RangeId) -> Result<&ranges::Range> {
        let found = self.ranges.iter().find(|range| range.id == id);
        Ok(found.ok_or_else(|| Refusal::missing("address range", id))?)
    }

    /// What is not given out of a range: what nobody gets, and out of the network's own prefix also what is kept
    /// for the interfaces with a pool.
    fn withheld(&self, row: &ranges::Range) -> Vec<IpNet> {
        let pools = self
            .ranges
            .iter()
            .filter(|range| row.interface.is_none() && range.interface.is_some())
            .map(|range| range.prefix);
        self.reserved.iter().copied().chain(pools).collect()
    }
}

fn exhausted(prefix: IpNet, wanted: usize, found: usize) -> Refusal {
    let text = match wanted {
        1 => format!("no address in {prefix} is free"),
        _ => format!("only {found} of {wanted} addresses in {prefix} are free"),
    };
    Refusal::conflict("pool_exhausted", text).with(json!({"range": prefix, "free": found}))
}
