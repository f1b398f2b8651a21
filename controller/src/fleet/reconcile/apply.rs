//! One interface, from the generation that is applied to the one that is desired.

use std::error::Error;
use std::time::Duration;

use protocol::wire::Batch;
use serde_json::json;

use super::carry::{Link, Then, evidence};
use super::desired::{self, Changed};
use super::{compare, mend, singles};
use crate::agent::AgentError;
use crate::db;
use crate::db::sync::{self, Claimed};
use crate::domain::drift::{Changes, split};
use crate::fleet::{Fleet, FleetError, Kind, Refusal};
use crate::metrics::ApplyOutcome;
use crate::random;

/// Why work on an interface ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error("the controller failed")]
    Fleet(#[from] FleetError),
    /// Some peers were refused one by one; the rest is there.
    #[error("{refused} of the peers cannot be applied, the first: {first}")]
    Partly { refused: usize, first: String },
    /// Somebody else may be at work on it by now.
    #[error("the lease ended")]
    LeaseLost,
    /// What was compared is not what should be any more.
    #[error("a change was made meanwhile")]
    Moved,
}

impl From<sqlx::Error> for Stop {
    fn from(err: sqlx::Error) -> Self {
        Self::Fleet(err.into())
    }
}

/// How far an interface has come.
struct Progress {
    applied: i64,
    /// Nothing is left to do, and the lease is given back.
    released: bool,
}

/// Applies generation after generation until nothing is left to do. Tells whether the lease is given back already.
pub(super) async fn apply(link: &Link<'_>) -> Result<bool, Stop> {
    let mut applied = link.claimed.applied_generation;
    loop {
        let changed = desired::changed_since(link.fleet, link.claimed.interface, applied).await?;
        let Some(changed) = changed.filter(|changed| changed.generation > applied) else {
            return Ok(false);
        };
        lock_out(link, &changed).await?;
        link.keep().await?;
        let progress = match link.has("batch") {
            true => in_batches(link, &changed, applied).await?,
            false => one_by_one(link, &changed).await?,
        };
        if progress.released {
            return Ok(true);
        }
        applied = progress.applied;
    }
}

/// For agents that know no batches, nor what a generation is.
async fn one_by_one(link: &Link<'_>, changed: &Changed) -> Result<Progress, Stop> {
    singles::send_all(link, changed).await?;
    let booked = link.applied(changed.generation, None, Then::Release);
    Ok(Progress {
        released: booked.await?.released,
        applied: changed.generation,
    })
}

async fn in_batches(link: &Link<'_>, changed: &Changed, applied: i64) -> Result<Progress, Stop> {
    match batches(link.fleet, link.claimed, changed, applied).await? {
        Some(batches) => send(link, changed, batches).await,
        None => Ok(Progress {
            applied,
            released: false,
        }),
    }
}

/// Removes who is isolated, before and apart from everything else.
async fn lock_out(link: &Link<'_>, changed: &Changed) -> Result<(), Stop> {
    for key in &changed.isolated {
        link.agents
            .delete_peer(&link.target, &link.name, key)
            .await?;
    }
    Ok(())
}

/// The requests that lead to the desired generation; none if that has to be raised first, to make room for them.
async fn batches(
    fleet: &Fleet,
    claimed: &Claimed,
    changed: &Changed,
    applied: i64,
) -> Result<Option<Vec<Batch>>, Stop> {
    let changes = Changes {
        upsert: changed
            .present
            .iter()
            .filter(|(_, peer)| !peer.psk_unknown)
            .map(|(key, peer)| peer.spec(*key))
            .collect(),
        remove: changed.absent.clone(),
    };
    match split(changes, applied, changed.generation) {
        Ok(batches) => Ok(Some(batches)),
        Err(short) => {
            sync::raise_to(&fleet.pool, claimed.interface, short.raise_to).await?;
            Ok(None)
        }
    }
}

/// Sends batch after batch.
async fn send(link: &Link<'_>, changed: &Changed, batches: Vec<Batch>) -> Result<Progress, Stop> {
    // Before the batch that carries the generation: once that is booked nobody would send them again.
    singles::send_unknown(link, &changed.present).await?;
    let mut progress = Progress {
        applied: changed.generation,
        released: false,
    };
    let mut batches = batches.into_iter().peekable();
    while let Some(batch) = batches.next() {
        let generation =
            i64::try_from(batch.generation).map_err(|_| FleetError::Corrupt("a generation"))?;
        let then = match batches.peek() {
            Some(_) => Then::GoOn,
            None => Then::Release,
        };
        link.keep().await?;
        match link
            .agents
            .patch_peers(&link.target, &link.name, &batch)
            .await
        {
            Ok(standing) => {
                let booked = link.applied(generation, Some(evidence(&standing)?), then);
                progress.released = booked.await?.released;
            }
            Err(AgentError::Refused(refusal)) if refusal.generation_mismatch().is_some() => {
                progress.applied = mend::with(link, None).await?.generation;
                return Ok(progress);
            }
            // One bad peer must not hold up the others.
            Err(AgentError::Refused(refusal)) if refusal.is_for_content() => {
                let changes = Changes {
                    upsert: batch.upsert,
                    remove: batch.remove,
                };
                singles::send_changes(link, &changes).await?;
                // All went by themselves: what refused them together is gone, and the next attempt shows it.
                return Err(AgentError::Refused(refusal).into());
            }
            Err(err) => return Err(err.into()),
        }
    }
    Ok(progress)
}

impl Stop {
    /// Books the failure and when to try again.
    pub(super) async fn book(&self, fleet: &Fleet, claimed: &Claimed) -> Result<(), sqlx::Error> {
        if matches!(self, Self::LeaseLost | Self::Moved) {
            return Ok(());
        }
        let problem = self.problem();
        let again_in = self.again_in(fleet, claimed);
        let interface = claimed.interface;
        let text = self.to_string();
        let news = sync::failed(
            &fleet.pool,
            &fleet.instance,
            interface,
            problem,
            &text,
            again_in,
        );
        // A node that stays away is said once, when it begins.
        if news.await? {
            let object = format!("interface/{interface}");
            let told = json!({"node": claimed.node, "name": claimed.name, "problem": problem, "text": text});
            db::events::insert(
                &fleet.pool,
                "interfaces",
                "interface.problem",
                &object,
                &told,
            )
            .await?;
            tracing::warn!(error = self as &dyn Error, interface.id = %interface, interface.name = %claimed.name,
                node.id = %claimed.node, problem, "cannot apply to interface {}", claimed.name);
        }
        Ok(())
    }

    /// For whoever asked for this work and waits.
    pub(super) fn into_fleet_error(self) -> FleetError {
        match self {
            Self::Agent(err) => err.into(),
            Self::Fleet(err) => err,
            Self::Partly { .. } => {
                Refusal::new(Kind::Upstream, "peers_refused", self.to_string()).into()
            }
            Self::Moved => compare::world_moved().into(),
            Self::LeaseLost => {
                let text = "another controller is at work on this interface";
                Refusal::conflict("interface_busy", text).into()
            }
        }
    }

    /// How the metrics count it.
    pub(super) fn outcome(&self) -> ApplyOutcome {
        match self {
            Self::Agent(err) if err.is_reachability_fault() => ApplyOutcome::Unreachable,
            Self::Agent(_) | Self::Partly { .. } => ApplyOutcome::Refused,
            Self::Fleet(_) | Self::LeaseLost | Self::Moved => ApplyOutcome::Failed,
        }
    }

    fn problem(&self) -> &'static str {
        match self {
            Self::Agent(err) => err.problem(),
            Self::Fleet(_) => "controller",
            Self::Partly { .. } => "peers_refused",
            Self::LeaseLost => "lease_lost",
            Self::Moved => "world_moved",
        }
    }

    fn again_in(&self, fleet: &Fleet, claimed: &Claimed) -> Duration {
        let asked = match self {
            Self::Agent(AgentError::TooEarly { wait_s }) => {
                return Duration::from_secs(wait_s.max(&0).unsigned_abs());
            }
            Self::Agent(AgentError::Refused(refusal)) => refusal.retry_after,
            _ => None,
        };
        let failures = u32::try_from(claimed.attempts)
            .unwrap_or(0)
            .saturating_add(1);
        let jitter = f64::from(u32::from_ne_bytes(random::bytes())) / f64::from(u32::MAX);
        // Never at once, however the dice fall.
        let wait = fleet
            .settings
            .apply_backoff
            .wait(failures, 0.5 + jitter / 2.0);
        asked.map_or(wait, |asked| {
            asked.max(wait).min(fleet.settings.apply_backoff.cap)
        })
    }
}
