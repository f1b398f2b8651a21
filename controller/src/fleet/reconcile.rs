//! Makes every interface hold what it should: claims those whose desired generation is ahead and brings them there.
//!
//! The rows are the queue and the retry: a lease keeps two controllers off one interface, a lost lease or a crash
//! leaves the work where it was, and a notification only makes it sooner. One task per interface at a time.

mod apply;
mod carry;
mod compare;
mod desired;
mod mend;
mod singles;

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::PgListener;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use compare::{Basis, Planned, plan};
pub(in crate::fleet) use desired::expected;
pub use mend::{Mended, carry_out, mend, try_out};

use carry::Link;

use super::{Fleet, Result, Shared};
use crate::clock;
use crate::db::sync::{self, Claimed};
use crate::domain::ids::InterfaceId;
use crate::metrics::{ApplyLabels, ApplyOutcome, Task};

/// The channel that a raised generation is announced on.
const CHANNEL: &str = "wgfleet_generations";

/// How long to leave the database alone when it fails.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs until it is stopped, then waits for what is under way.
pub async fn run(fleet: Shared, stop: CancellationToken) {
    let hands = Hands::new(fleet.settings.apply_concurrency);
    while !stop.is_cancelled() {
        let listening = async {
            match listen(&fleet, &hands).await {
                Ok(never) => match never {},
                Err(err) => {
                    tracing::warn!(
                        error = &err as &dyn Error,
                        "the reconcile loop lost the database"
                    );
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        stop.run_until_cancelled(listening).await;
    }
    hands.tasks.close();
    hands.tasks.wait().await;
}

/// Who works: so many tasks at once, each on an interface of its own.
struct Hands {
    permits: Arc<Semaphore>,
    /// Fewer than this are not worth a search while others are at work.
    enough: usize,
    /// One of them is free again.
    freed: Arc<Notify>,
    tasks: TaskTracker,
}

impl Hands {
    fn new(count: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(count)),
            enough: count.div_ceil(4),
            freed: Arc::new(Notify::new()),
            tasks: TaskTracker::new(),
        }
    }

    fn are_enough(&self) -> bool {
        self.permits.available_permits() >= self.enough
    }
}

/// Waits for announcements, and looks at everything now and then: announcements are lost while nobody listens.
async fn listen(fleet: &Shared, hands: &Hands) -> Result<std::convert::Infallible> {
    let mut listener = PgListener::connect_with(&fleet.pool).await?;
    listener.listen(CHANNEL).await?;
    let mut tick = tokio::time::interval(fleet.settings.apply_tick);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // Whether there may be something to do that was not taken.
    let mut more = false;
    loop {
        tokio::select! {
            announced = listener.recv() => {
                let mut raised: BTreeSet<InterfaceId> = announced?.payload().parse().into_iter().collect();
                // Many may have come at once; they are one claim.
                while let Some(another) = listener.next_buffered() {
                    raised.extend(another.payload().parse::<InterfaceId>());
                }
                let raised: Vec<InterfaceId> = raised.into_iter().collect();
                more |= claim(fleet, hands, Some(&raised)).await?;
            }
            () = hands.freed.notified(), if more => {
                if hands.are_enough() {
                    more = claim(fleet, hands, None).await?;
                }
            }
            _ = tick.tick() => {
                more = claim(fleet, hands, None).await?;
                fleet.metrics.did_round(Task::Reconcile, clock::now());
            }
        }
    }
}

/// Takes as many interfaces as there are hands for, and sets to work on them. Tells whether there may be more.
async fn claim(fleet: &Shared, hands: &Hands, only: Option<&[InterfaceId]>) -> Result<bool> {
    let mut permits = Vec::new();
    while let Ok(permit) = Arc::clone(&hands.permits).try_acquire_owned() {
        permits.push(permit);
    }
    if permits.is_empty() {
        return Ok(true);
    }
    let lease = fleet.settings.apply_lease;
    let limit = i64::try_from(permits.len()).unwrap_or(i64::MAX);
    let leased_at = Instant::now();
    let claimed = match only {
        Some(ids) => sync::claim_of(&fleet.pool, &fleet.instance, lease, ids, limit).await?,
        None => sync::claim(&fleet.pool, &fleet.instance, lease, limit).await?,
    };
    // Who was announced and is not taken may be somebody's work right now, who may just have looked for the last time.
    let is_more =
        claimed.len() == permits.len() || only.is_some_and(|ids| claimed.len() < ids.len());
    for (one, permit) in claimed.into_iter().zip(permits) {
        let fleet = Arc::clone(fleet);
        let freed = Arc::clone(&hands.freed);
        hands.tasks.spawn(async move {
            work(&fleet, one, leased_at).await;
            drop(permit);
            freed.notify_one();
        });
    }
    Ok(is_more)
}

/// Brings one claimed interface to where it should be, and books how that went.
async fn work(fleet: &Fleet, claimed: Claimed, leased_at: Instant) {
    let interface = claimed.interface;
    let started = Instant::now();
    let applied = async {
        let link = Link::open(fleet, &claimed, leased_at).await?;
        apply::apply(&link).await
    };
    let applied = applied.await;
    let outcome = match &applied {
        Ok(_) => {
            let took = started.elapsed().as_secs_f64();
            fleet.metrics.apply_seconds.observe(took);
            ApplyOutcome::Applied
        }
        Err(stop) => stop.outcome(),
    };
    let labels = ApplyLabels { outcome };
    fleet.metrics.apply_outcomes.get_or_create(&labels).inc();
    let booked = match applied {
        Ok(true) => Ok(()),
        Ok(false) => sync::release(&fleet.pool, &fleet.instance, interface).await,
        Err(stop) => stop.book(fleet, &claimed).await,
    };
    if let Err(err) = booked {
        // The lease ends by itself, and the work is found again.
        tracing::warn!(error = &err as &dyn Error, interface.id = %interface, "cannot book how applying went");
    }
}
