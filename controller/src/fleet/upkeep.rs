//! What has to be done now and then: peers whose time has come, memories that may be forgotten.

use std::error::Error;

use tokio_util::sync::CancellationToken;

use super::change::Call;
use super::{Result, Shared, peers, sessions};
use crate::domain::actor::Actor;
use crate::metrics::Task;
use crate::{auth, clock, db};

/// Peers taken off at once; the rest follows in the next round.
const EXPIRED_AT_ONCE: i64 = 1000;

/// Runs until it is stopped.
pub async fn run(fleet: Shared, stop: CancellationToken) {
    let mut tick = tokio::time::interval(fleet.settings.upkeep_every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        match round(&fleet).await {
            Ok(()) => fleet.metrics.did_round(Task::Upkeep, clock::now()),
            Err(err) => tracing::warn!(
                error = &err as &dyn Error,
                "upkeep failed and is tried again"
            ),
        }
    }
}

async fn round(fleet: &Shared) -> Result<()> {
    let call = Call::by(Actor::controller());
    peers::change::expire(fleet, &call, EXPIRED_AT_ONCE).await?;
    let now = clock::now();
    auth::prune(&fleet.pool, fleet.settings.answers_kept, now).await?;
    sessions::prune(fleet, now).await?;
    db::sign_in_steps::prune(&fleet.pool, now).await?;
    db::sign_in_limits::prune(&fleet.pool, now).await?;
    db::peer_sessions::prune(&fleet.pool, now - fleet.settings.peer_sessions_keep).await?;
    let forgotten = now - fleet.settings.events_keep;
    db::events::prune(&fleet.pool, forgotten).await?;
    db::deliveries::prune(&fleet.pool, forgotten).await?;
    Ok(fleet.keyring.refresh(&fleet.pool).await?)
}
