//! Writes down, each minute, what was added to the totals of observations, and sums it up into hours and days.
//!
//! Every step is one short transaction that can end at any moment and be done again: an interface has its sample of a
//! span or has none, a span is summed up or is not. The steps are one controller's at a time, by a lock that lasts as
//! long as a transaction; a controller that finds it taken leaves the round to the other. Polls are never waited for,
//! and wait themselves no longer than a few interfaces take.
//!
//! What was added while no controller ran belongs to the span in which it is found. A peer without traffic has no row,
//! an interface always has one: a span without it is one that nobody saw, not one without traffic.

use std::error::Error;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgPool, Postgres, Transaction};
use tokio_util::sync::CancellationToken;

use super::{Result, Shared};
use crate::clock;
use crate::db::samples::{self, Span, partitions};
use crate::domain::tier::{Rules, Tier, floor};
use crate::metrics::Task;

/// Interfaces that are written down at once: so much is kept from polls meanwhile.
const INTERFACES_AT_ONCE: i64 = 50;

/// A handshake is renewed every two minutes, and is of no use after three; five seconds for getting here.
const FRESH: TimeDelta = TimeDelta::seconds(185);

/// How long to leave the database alone when it fails.
const PAUSE: Duration = Duration::from_secs(5);

/// Runs until it is stopped.
pub async fn run(fleet: Shared, stop: CancellationToken) {
    let rules = fleet.settings.samples;
    loop {
        let pause = match round(&fleet.pool, &rules, clock::now()).await {
            Ok(()) => {
                fleet.metrics.did_round(Task::Samples, clock::now());
                until_next(clock::now(), rules.every)
            }
            Err(err) => {
                tracing::warn!(
                    error = &err as &dyn Error,
                    "samples failed and are tried again"
                );
                PAUSE
            }
        };
        if stop
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_none()
        {
            return;
        }
    }
}

/// All that is to be done at this moment, or as much as another controller leaves.
pub async fn round(pool: &PgPool, rules: &Rules, now: DateTime<Utc>) -> Result<()> {
    if !make_partitions(pool, rules, now).await? {
        return Ok(());
    }
    take(pool, rules, now).await?;
    roll_up(pool, rules, Tier::Minute, Tier::Hour).await?;
    roll_up(pool, rules, Tier::Hour, Tier::Day).await?;
    drop_partitions(pool, rules, now).await
}

fn until_next(now: DateTime<Utc>, every: TimeDelta) -> Duration {
    let next = floor(now, every) + every;
    // Never longer than a span; what does not fit is not waited for.
    (next - now).to_std().unwrap_or(Duration::ZERO)
}

/// A transaction in which nobody else writes samples; none if somebody does.
///
/// It is ended in so many words even where nothing was done: one that is only dropped may hold the lock a while longer.
async fn begin(pool: &PgPool) -> Result<Option<Transaction<'static, Postgres>>> {
    let mut tx = pool.begin().await?;
    if samples::try_lock(&mut tx).await? {
        return Ok(Some(tx));
    }
    tx.rollback().await?;
    Ok(None)
}

/// Whether all partitions are there that this moment needs. False: another controller is at it, whatever it is at.
async fn make_partitions(pool: &PgPool, rules: &Rules, now: DateTime<Utc>) -> Result<bool> {
    for tier in Tier::ALL {
        let Some(mut tx) = begin(pool).await? else {
            return Ok(false);
        };
        let there = partitions::list(&mut tx, tier).await?;
        for partition in tier.needed(now, rules) {
            if !there.contains(&partition) {
                partitions::make(&mut tx, partition).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(true)
}

/// Takes the samples of the span that ended last, unless that is done.
async fn take(pool: &PgPool, rules: &Rules, now: DateTime<Utc>) -> Result<()> {
    let until = floor(now, rules.every);
    let span = Span {
        at: until - rules.every,
        until,
    };
    loop {
        let Some(mut tx) = begin(pool).await? else {
            return Ok(());
        };
        // Asked each time: another controller may have come further in between.
        let upto = samples::progress(&mut *tx, Tier::Minute).await?;
        if upto.is_some_and(|upto| upto >= until) {
            warn_of_clock(upto, until + rules.every);
            return Ok(tx.rollback().await?);
        }
        let some = samples::missing(&mut tx, span.at, INTERFACES_AT_ONCE).await?;
        if some.is_empty() {
            samples::set_progress(&mut *tx, Tier::Minute, until).await?;
        } else {
            samples::take(&mut tx, span, FRESH, &some).await?;
        }
        tx.commit().await?;
    }
}

/// Samples go on where they were when the clock is there again.
fn warn_of_clock(upto: Option<DateTime<Utc>>, expected: DateTime<Utc>) {
    if let Some(upto) = upto.filter(|upto| *upto > expected) {
        tracing::warn!(%upto, "no samples are taken before {upto}: the clock was put back");
    }
}

/// Sums up the spans of a tier that are complete.
async fn roll_up(pool: &PgPool, rules: &Rules, fine: Tier, coarse: Tier) -> Result<()> {
    let Some(mut tx) = begin(pool).await? else {
        return Ok(());
    };
    let Some(complete) = samples::progress(&mut *tx, fine).await? else {
        return Ok(tx.rollback().await?);
    };
    let from = samples::progress(&mut *tx, coarse).await?;
    let until = floor(complete, coarse.span(rules));
    if from.is_some_and(|from| from >= until) {
        return Ok(tx.rollback().await?);
    }
    match coarse {
        Tier::Day => samples::roll_up_hours(&mut tx, from, until).await?,
        Tier::Minute | Tier::Hour => samples::roll_up_minutes(&mut tx, from, until).await?,
    }
    samples::set_progress(&mut *tx, coarse, until).await?;
    Ok(tx.commit().await?)
}

async fn drop_partitions(pool: &PgPool, rules: &Rules, now: DateTime<Utc>) -> Result<()> {
    for (tier, next) in [
        (Tier::Minute, Some(Tier::Hour)),
        (Tier::Hour, Some(Tier::Day)),
        (Tier::Day, None),
    ] {
        let Some(mut tx) = begin(pool).await? else {
            return Ok(());
        };
        let needed_from = match next {
            Some(coarse) => samples::progress(&mut *tx, coarse).await?,
            None => Some(now),
        };
        // Nothing was summed up yet: everything is still needed.
        let Some(needed_from) = needed_from else {
            tx.rollback().await?;
            continue;
        };
        for partition in partitions::list(&mut tx, tier).await? {
            if partition.is_over(now, needed_from, rules) {
                partitions::drop(&mut tx, partition).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(())
}
