//! Interfaces that do not show what is expected of them: compared with what they should hold, then mended.
//!
//! A few at a time. One that differs again and again is left alone for longer each time: somebody is at work there.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use protocol::wire::answers::InSync;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::clock;
use crate::db;
use crate::db::sync::observed;
use crate::domain::drift::{Mark, Plan};
use crate::domain::ids::{InterfaceId, NodeId};
use crate::fleet::{Fleet, FleetError, Result, Shared, reconcile};

/// An interface that is neither as it should be nor as it was left, as far as is known.
pub(super) struct Doubt {
    pub interface: InterfaceId,
    pub name: String,
    pub node: NodeId,
    pub applied_generation: i64,
    pub observed: InSync,
}

#[derive(Clone)]
pub(super) struct Doubts {
    fleet: Shared,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    /// At work on, or waiting for a hand.
    under_way: HashSet<InterfaceId>,
    mended: HashMap<InterfaceId, Mended>,
}

/// How often an interface was mended in a row, and until when it is left alone.
#[derive(Clone, Copy)]
struct Mended {
    times: u32,
    until: DateTime<Utc>,
}

impl Doubts {
    pub(super) fn new(fleet: Shared) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(fleet.settings.poll.mend_concurrency.max(1))),
            fleet,
            tasks: TaskTracker::new(),
            known: Arc::default(),
        }
    }

    /// Sets to work on each that nobody is at work on; those beyond what there are hands for wait.
    pub(super) fn raise(&self, doubts: Vec<Doubt>) {
        for doubt in doubts {
            if !self.begin(doubt.interface) {
                continue;
            }
            let this = self.clone();
            self.tasks.spawn(async move {
                let permit = this.permits.acquire().await;
                if let Err(err) = this.settle(&doubt).await {
                    tracing::warn!(error = &err as &dyn Error, interface.id = %doubt.interface, node.id = %doubt.node,
                        "interface {} differs from what it should hold and is not mended", doubt.name);
                }
                drop(permit);
                this.known().under_way.remove(&doubt.interface);
            });
        }
    }

    pub(super) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn settle(&self, doubt: &Doubt) -> Result<()> {
        let fleet = &self.fleet;
        let Some(expected) = reconcile::expected(fleet, doubt.interface).await? else {
            return Ok(());
        };
        // A change came since; whoever applies it sees to the rest.
        if expected.generation != doubt.applied_generation {
            return Ok(());
        }
        if let Some(digest) = expected.digest {
            let mark = Mark {
                generation: expected.generation,
                digest: digest.to_string(),
            };
            observed::expect(&fleet.pool, doubt.interface, mark.generation, &mark.digest).await?;
            if mark.is_at(&doubt.observed) {
                return Ok(());
            }
        }
        self.note(doubt.interface);
        let mended = reconcile::mend(fleet, doubt.interface, None).await?;
        match mended {
            Some(mended) if mended.settled => {
                let plan = &mended.plan;
                // An agent that gives no digest is compared after every change: that is no difference.
                if plan.is_empty() && plan.reported.is_empty() {
                    self.known().mended.remove(&doubt.interface);
                }
                tell(fleet, doubt, plan).await
            }
            // What is left is seen once more, or somebody is at work on it.
            _ => Ok(()),
        }
    }

    fn begin(&self, interface: InterfaceId) -> bool {
        let now = clock::now();
        let mut known = self.known();
        let mended = known.mended.get(&interface);
        mended.is_none_or(|one| one.until <= now) && known.under_way.insert(interface)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more time, unless the last one was so long ago that it has nothing to do with this.
    fn note(&self, interface: InterfaceId) {
        let now = clock::now();
        let backoff = self.fleet.settings.poll.mend_backoff;
        let calm = TimeDelta::from_std(backoff.cap).unwrap_or(TimeDelta::MAX);
        let mut known = self.known();
        let mended = &mut known.mended;
        mended.retain(|_, one| now < one.until + calm);
        let times = mended.get(&interface).map_or(0, |one| one.times);
        // The first time it is looked at again at once.
        let pause = TimeDelta::from_std(backoff.wait(times, 1.0)).unwrap_or(TimeDelta::MAX);
        let times = times.saturating_add(1);
        let until = now + pause;
        mended.insert(interface, Mended { times, until });
    }
}

/// Says that an interface holds what nobody asked for, once for each thing that it shows.
async fn tell(fleet: &Fleet, doubt: &Doubt, plan: &Plan) -> Result<()> {
    let held_back = plan.held_back.map_or(0, |held| held.count);
    if plan.reported.is_empty() && held_back == 0 {
        return Ok(());
    }
    let data = json!({"interface": doubt.interface, "node": doubt.node, "name": doubt.name,
        "unknown_peers": plan.reported.len() + held_back});
    let object = format!("interface/{}", doubt.interface);
    db::events::insert(&fleet.pool, "nodes", "interface.drift", &object, &data)
        .await
        .map_err(FleetError::from)
}
