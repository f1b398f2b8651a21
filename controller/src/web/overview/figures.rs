//! The figures over the whole fleet that the overview draws.
//!
//! Some of them are counted over every peer there is, so they are kept for a moment, and counted side by side.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use crate::db::fleetwide::{self, Carried, PoolFill};
use crate::domain::ids::NetworkId;
use crate::fleet::usage::{PrefixUse, of_prefix};
use crate::fleet::{Fleet, Result, status};
use crate::web::pictures::histogram::{Ages, CLASSES};
use crate::web::pictures::throughput::{Measured, Rates};

const DAY_H: i64 = 24;

#[derive(Debug)]
pub(in crate::web) struct Figures {
    pub status: status::Status,
    /// Hour by hour, of the last day.
    pub day: Vec<Measured>,
    /// In the last span that was written down.
    pub now: Option<Now>,
    pub ages: Ages,
    /// The fullest first.
    pub pools: Vec<PoolFill>,
    pub fullest: Option<Network>,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::web) struct Now {
    pub rates: Rates,
    /// Peers with a fresh handshake.
    pub active: u64,
}

#[derive(Debug)]
pub(in crate::web) struct Network {
    pub id: NetworkId,
    pub name: String,
    pub used: PrefixUse,
}

pub(super) async fn count(fleet: &Fleet, now: DateTime<Utc>) -> Result<Figures> {
    let pool = &fleet.pool;
    let every = fleet.settings.samples.every;
    // The hours that are not summed up yet are those of the last two at most.
    let carried = fleetwide::carried(
        pool,
        now - TimeDelta::hours(DAY_H),
        now - TimeDelta::hours(2),
    );
    let moments = CLASSES
        .iter()
        .rev()
        .map(|(end, _)| now - TimeDelta::seconds(*end));
    let moments: Vec<DateTime<Utc>> = moments.collect();
    let heavy = async { Ok(fleetwide::handshakes(pool, &moments).await?) };
    let light = async { Ok((carried.await?, fleetwide::pool_fills(pool, None).await?)) };
    let all = tokio::try_join!(heavy, light, fullest(fleet, now), status::read(fleet));
    let (classes, (carried, mut pools), fullest, status) = all?;
    let (hours, minutes): (Vec<Carried>, Vec<Carried>) =
        carried.iter().partition(|one| one.is_hour);
    pools.sort_by(|one, other| fullness(other).total_cmp(&fullness(one)));
    Ok(Figures {
        status,
        day: day(now, every, &hours, &minutes),
        now: latest(now, every, &minutes),
        ages: ages(&classes),
        pools,
        fullest,
    })
}

async fn fullest(fleet: &Fleet, now: DateTime<Utc>) -> Result<Option<Network>> {
    let Some(found) = fleetwide::fullest_network(&fleet.pool).await? else {
        return Ok(None);
    };
    let (network, prefix) = (found.network, found.prefix);
    Ok(Some(Network {
        used: of_prefix(fleet, network, prefix, &found.reserved, now).await?,
        id: network,
        name: found.name,
    }))
}

fn fullness(pool: &PoolFill) -> f64 {
    match pool.capacity {
        Some(capacity) if capacity > 0 => pool.peers as f64 / capacity as f64,
        _ => 0.0,
    }
}

/// What was carried in each hour of the last day. An hour that nobody saw is a gap.
fn day(
    now: DateTime<Utc>,
    every: TimeDelta,
    hours: &[Carried],
    minutes: &[Carried],
) -> Vec<Measured> {
    let hour = TimeDelta::hours(1);
    let Ok(last) = now.duration_trunc(hour) else {
        return Vec::new();
    };
    let measured = |back: i64| {
        let at = last - hour * i32::try_from(back).unwrap_or(i32::MAX);
        let whole = hours.iter().find(|one| one.at == at);
        let rates = whole.map(|one| rates(one.rx, one.tx, hour)).or_else(|| {
            let inside = minutes
                .iter()
                .filter(|one| one.at >= at && one.at < at + hour);
            let seen = inside.clone().count();
            let sum = |of: fn(&Carried) -> i64| inside.clone().map(of).sum::<i64>();
            let span = every * i32::try_from(seen).unwrap_or(i32::MAX);
            (seen > 0).then(|| rates(sum(|one| one.rx), sum(|one| one.tx), span))
        });
        Measured { at, rates }
    };
    (0..DAY_H).rev().map(measured).collect()
}

/// None: what was written down last is too old to be called now, or does not say who was there.
fn latest(now: DateTime<Utc>, every: TimeDelta, minutes: &[Carried]) -> Option<Now> {
    let last = minutes.last().filter(|last| now - last.at < every * 4)?;
    Some(Now {
        rates: rates(last.rx, last.tx, every),
        active: last.active?.unsigned_abs(),
    })
}

/// Bytes of a span as bits per second.
fn rates(rx: i64, tx: i64, span: TimeDelta) -> Rates {
    let seconds = span.as_seconds_f64().max(1.0);
    Rates {
        received: rx as f64 * 8.0 / seconds,
        sent: tx as f64 * 8.0 / seconds,
    }
}

/// The database counts from the oldest on, the picture from the youngest.
fn ages(classes: &[(Option<i32>, i64)]) -> Ages {
    let mut ages = Ages::default();
    for (class, peers) in classes {
        let peers = peers.unsigned_abs();
        let class = class.map(|class| usize::try_from(class).unwrap_or(0));
        match class.map(|class| CLASSES.len().checked_sub(class)) {
            None => ages.never = peers,
            Some(Some(class)) if class < CLASSES.len() => ages.within[class] = peers,
            Some(_) => ages.older = peers,
        }
    }
    ages
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: TimeDelta = TimeDelta::minutes(1);

    fn carried(at: DateTime<Utc>, rx: i64) -> Carried {
        Carried {
            is_hour: false,
            at,
            rx,
            tx: 0,
            active: Some(3),
        }
    }

    #[test]
    fn an_hour_is_taken_whole_or_from_its_minutes_or_is_a_gap() {
        let last = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let now = last + TimeDelta::minutes(30);
        let hours = [carried(last - TimeDelta::hours(2), 450)];
        let minutes = [carried(last + MINUTE, 15), carried(last + MINUTE * 2, 45)];

        let day = day(now, MINUTE, &hours, &minutes);

        let received: Vec<Option<f64>> = day
            .iter()
            .map(|one| one.rates.map(|rates| rates.received))
            .collect();
        assert_eq!(received.len(), 24);
        assert_eq!(received[21..], [Some(1.0), None, Some(4.0)]);
        assert!(received[..21].iter().all(Option::is_none));
    }

    #[test]
    fn what_was_written_down_long_ago_is_not_now() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();

        assert_eq!(
            latest(now, MINUTE, &[carried(now - MINUTE, 60)])
                .unwrap()
                .active,
            3
        );
        assert!(latest(now, MINUTE, &[carried(now - MINUTE * 5, 60)]).is_none());
        assert!(latest(now, MINUTE, &[]).is_none());
    }

    #[test]
    fn classes_of_the_database_are_those_of_the_picture() {
        let classes = [(Some(7), 5), (Some(1), 2), (Some(0), 3), (None, 4)];

        let ages = ages(&classes);

        assert_eq!(
            (ages.within[0], ages.within[6], ages.older, ages.never),
            (5, 2, 3, 4)
        );
        assert_eq!(ages.total(), 14);
    }
}
