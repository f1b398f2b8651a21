//! Events told to receivers outside: each event once for each receiver, in signed requests, until it is taken.
//!
//! Two steps, each of which may end at any moment. First a receiver's new events become deliveries, and the receiver's
//! place among the events moves on, in one transaction (`spread`). Then due deliveries are claimed with a lease and
//! sent (`send`). What was claimed by a controller that died is due again when the lease ends. So nothing is lost, and
//! nothing is sent again once its success is written down; a receiver whose answer got lost gets the same bytes again
//! and knows them by the event's id.
//!
//! Any number of controllers share the work through the rows. A receiver that hangs holds up only itself: of each,
//! only a few deliveries are under way at once, and there is no limit that all share. The order in which deliveries
//! arrive is not promised; events have an order of their own by their ids.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Result, Shared};
use crate::clock;
use crate::db::deliveries;
use crate::metrics::Task;

pub mod change;
mod send;
mod spread;

use send::Sender;

/// What inserted events are announced on.
const CHANNEL: &str = "wgfleet_events";

/// How long to leave the database alone when it fails.
const PAUSE: Duration = Duration::from_secs(1);

/// Deliveries to one receiver that are under way at once.
const AT_ONCE: i64 = 4;

/// How much longer than an attempt a lease lasts: the time to write down how it went.
const BOOKING: Duration = Duration::from_secs(10);

/// Runs until it is stopped, then waits for what is under way.
pub async fn run(fleet: Shared, stop: CancellationToken) {
    let sender = match Sender::new(&fleet.settings) {
        Ok(sender) => Arc::new(sender),
        Err(err) => {
            tracing::error!(error = &err as &dyn Error, "events are not delivered");
            return;
        }
    };
    let tasks = TaskTracker::new();
    while !stop.is_cancelled() {
        let listening = async {
            match listen(&fleet, &sender, &tasks).await {
                Ok(never) => match never {},
                Err(err) => {
                    tracing::warn!(
                        error = &err as &dyn Error,
                        "the delivery of events was interrupted"
                    );
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        stop.run_until_cancelled(listening).await;
    }
    tasks.close();
    tasks.wait().await;
}

/// Waits for events, and looks now and then: for what is due again, and for what was announced while nobody listened.
async fn listen(fleet: &Shared, sender: &Arc<Sender>, tasks: &TaskTracker) -> Result<Infallible> {
    let mut listener = PgListener::connect_with(&fleet.pool).await?;
    listener.listen(CHANNEL).await?;
    let mut tick = tokio::time::interval(fleet.settings.webhook_tick);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = Arc::new(Notify::new());
    loop {
        tokio::select! {
            announced = listener.recv() => {
                announced?;
                while listener.next_buffered().is_some() {}
                while spread::one(&fleet.pool).await? {}
            }
            _ = tick.tick() => {
                while spread::one(&fleet.pool).await? {}
                fleet.metrics.did_round(Task::Webhooks, clock::now());
            }
            () = ended.notified() => {}
        }
        let lease = fleet.settings.webhook_timeout.saturating_add(BOOKING);
        for claimed in deliveries::claim(&fleet.pool, lease, AT_ONCE).await? {
            let (fleet, sender, ended) =
                (Arc::clone(fleet), Arc::clone(sender), Arc::clone(&ended));
            tasks.spawn(async move {
                if let Err(err) = sender.deliver(&fleet, &claimed).await {
                    // The lease ends by itself, and the delivery is due again.
                    tracing::warn!(
                        error = &err as &dyn Error,
                        webhook.id = %claimed.webhook,
                        "cannot carry out a delivery, or book how it went"
                    );
                }
                ended.notify_one();
            });
        }
    }
}
