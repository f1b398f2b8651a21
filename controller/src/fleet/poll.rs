//! Watches the nodes: asks each one every few seconds how it is and what changed, and books the answers.
//!
//! The rows are the timetable. Any number of controllers share it: a lease gives each node to one of them at a time,
//! and a report whose lease ended is dropped. Many reports are booked with few statements, by one task.
//!
//! Nothing here tells a node anything. What differs from what should be goes to `doubts`, which has it mended.

mod ask;
mod book;
mod doubts;
mod learn;
mod news;
mod peers;
mod sessions;
mod verdict;

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Fleet, FleetError, Refusal, Result, Shared, nodes};
use crate::agent::Target;
use crate::clock;
use crate::db::node_status::{self, Due};
use crate::db::sync::observed::{self, Watched};
use crate::domain::backoff::Backoff;
use crate::domain::ids::NodeId;
use crate::domain::reachability::Thresholds;
use crate::domain::watch::Rhythm;
use crate::metrics::{PollLabels, PollOutcome, Task};
use ask::Answers;
use doubts::Doubts;
use verdict::Verdict;

/// How often the timetable is looked at.
const TICK: Duration = Duration::from_millis(200);

/// How long to leave the database alone when it fails.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub struct Settings {
    pub rhythm: Rhythm,
    pub thresholds: Thresholds,
    /// How many nodes are asked at once.
    pub concurrency: usize,
    /// For all that one node is asked at a time. Longer than its answers may take together.
    pub lease: Duration,
    /// How often a node's key and addresses are read again.
    pub learn_every: TimeDelta,
    /// How far a clock may be off before somebody is told.
    pub clock_tolerance_s: i64,
    /// How many interfaces are compared or mended at once.
    pub mend_concurrency: usize,
    /// How long an interface is left alone that differs again and again.
    pub mend_backoff: Backoff,
}

/// One node that is to be asked, with all that asking and judging need.
struct Round {
    due: Due,
    /// Why it cannot be called, else.
    target: Result<Target>,
    interfaces: Vec<Watched>,
}

/// Runs until it is stopped, then waits for what is under way.
pub async fn run(fleet: Shared, stop: CancellationToken) {
    let settings = &fleet.settings.poll;
    let (send, verdicts) = mpsc::channel(book::MOST);
    let doubts = Doubts::new(Arc::clone(&fleet));
    let booking = tokio::spawn(book::run(Arc::clone(&fleet), verdicts, doubts.clone()));
    let hands = Hands::new(settings.concurrency, send);
    while !stop.is_cancelled() {
        let turn = turn(&fleet, &hands).await;
        if turn.is_ok() {
            fleet.metrics.did_round(Task::Poll, clock::now());
        }
        match turn {
            Ok(true) => {
                stop.run_until_cancelled(hands.freed.notified()).await;
            }
            Ok(false) => {
                stop.run_until_cancelled(tokio::time::sleep(TICK)).await;
            }
            Err(err) => {
                tracing::warn!(
                    error = &err as &dyn Error,
                    "the poll loop cannot find out whose turn it is"
                );
                stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            }
        }
    }
    hands.finish().await;
    if let Err(err) = booking.await {
        tracing::error!(error = &err as &dyn Error, "the poll loop's booking failed");
    }
    doubts.finish().await;
}

/// Who asks: so many nodes at once.
struct Hands {
    permits: Arc<Semaphore>,
    /// Fewer than this are not worth a statement while others are under way.
    enough: usize,
    /// One of them is free again.
    freed: Arc<Notify>,
    tasks: TaskTracker,
    send: mpsc::Sender<Verdict>,
}

impl Hands {
    fn new(count: usize, send: mpsc::Sender<Verdict>) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(count.max(1))),
            enough: count.div_ceil(4),
            freed: Arc::new(Notify::new()),
            tasks: TaskTracker::new(),
            send,
        }
    }

    async fn finish(self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Takes nodes whose time has come and sets to work on them. Tells whether more may wait than there are hands.
async fn turn(fleet: &Shared, hands: &Hands) -> Result<bool> {
    let free = hands.permits.available_permits();
    if free < hands.enough {
        return Ok(true);
    }
    let rounds = claim(fleet, free).await?;
    let is_more = rounds.len() == free;
    for round in rounds {
        // Counted above, and nobody else takes any.
        let Ok(permit) = Arc::clone(&hands.permits).try_acquire_owned() else {
            return Ok(true);
        };
        let fleet = Arc::clone(fleet);
        let send = hands.send.clone();
        let freed = Arc::clone(&hands.freed);
        hands.tasks.spawn(async move {
            work(&fleet, round, &send).await;
            drop(permit);
            freed.notify_one();
        });
    }
    Ok(is_more)
}

async fn claim(fleet: &Fleet, limit: usize) -> Result<Vec<Round>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let lease = fleet.settings.poll.lease;
    let due = node_status::claim(&fleet.pool, &fleet.instance, lease, limit).await?;
    let ids: Vec<NodeId> = due.iter().map(|one| one.node).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut targets: HashMap<NodeId, Result<Target>> =
        nodes::targets(fleet, &ids).await?.into_iter().collect();
    let mut interfaces: HashMap<NodeId, Vec<Watched>> = HashMap::new();
    for one in observed::watched(&fleet.pool, &ids).await? {
        interfaces.entry(one.node).or_default().push(one);
    }
    let round = |due: Due| Round {
        target: match targets.remove(&due.node) {
            Some(target) => target,
            None => Err(Refusal::missing("active secret of node", &due.name).into()),
        },
        // One without any serves nothing yet.
        interfaces: interfaces.remove(&due.node).into_iter().flatten().collect(),
        due,
    };
    Ok(due.into_iter().map(round).collect())
}

/// Asks one node and hands over what came of it.
async fn work(fleet: &Fleet, round: Round, send: &mpsc::Sender<Verdict>) {
    if let Err(err @ (FleetError::Db(_) | FleetError::Keyring(_))) = &round.target {
        // Our own trouble says nothing of the node, which is due again when the lease ends.
        tracing::warn!(error = err as &dyn Error, node.id = %round.due.node, "cannot call node {}", round.due.name);
        return;
    }
    // Who takes longer than his lease is nobody's witness.
    let longest = fleet.settings.poll.lease.mul_f64(0.8);
    let Ok(answers) = tokio::time::timeout(longest, ask::ask(fleet, &round)).await else {
        tracing::warn!(node.id = %round.due.node, "node {} took longer than its lease", round.due.name);
        return;
    };
    count(fleet, &answers);
    let verdict = verdict::of(&fleet.settings.poll, round, answers);
    if send.send(verdict).await.is_err() {
        tracing::debug!("nobody books any more: the controller is stopping");
    }
}

fn count(fleet: &Fleet, answers: &Answers) {
    let outcome = match &answers.health {
        Some(Ok(_)) => PollOutcome::Good,
        Some(Err(_)) => PollOutcome::Bad,
        // Nobody was asked.
        None => return,
    };
    let labels = PollLabels { outcome };
    let seconds = fleet.metrics.poll_seconds.get_or_create(&labels);
    seconds.observe(answers.took.as_secs_f64());
}
