//! Books verdicts, many at once: one transaction for what all of them say, so that no number is written twice.
//!
//! Nothing is booked whose lease ended, and nothing of an interface that meanwhile became another one.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::time::Duration;

use protocol::wire::answers::InSync;
use tokio::sync::mpsc::Receiver;

use super::doubts::{Doubt, Doubts};
use super::verdict::{Sighting, Verdict};
use super::{learn, news, peers};
use crate::db;
use crate::db::node_status;
use crate::db::sync::observed::{self, Held, Sight};
use crate::domain::drift::{Mark, Marks, Sync};
use crate::domain::ids::{InterfaceId, NodeId};
use crate::domain::reachability::Reachability;
use crate::fleet::{Fleet, Result, Shared};

/// How many verdicts are booked together, and how long the first of them waits at most for so many.
pub(super) const MOST: usize = 128;
const LINGER: Duration = Duration::from_millis(100);

/// Runs until nobody is left who could send a verdict.
pub(super) async fn run(fleet: Shared, mut verdicts: Receiver<Verdict>, doubts: Doubts) {
    let mut batch = Vec::with_capacity(MOST);
    while gather(&mut verdicts, &mut batch).await {
        match book_twice(&fleet, &batch).await {
            Ok(found) => doubts.raise(found),
            // The leases end by themselves, and the nodes are asked again.
            Err(err) => {
                tracing::warn!(
                    error = &err as &dyn Error,
                    "cannot book what {} nodes answered",
                    batch.len()
                );
            }
        }
        batch.clear();
    }
}

/// Waits for a verdict and for others to go with it, until there are enough. False: nobody is left to send one.
async fn gather(verdicts: &mut Receiver<Verdict>, batch: &mut Vec<Verdict>) -> bool {
    if verdicts.recv_many(batch, MOST).await == 0 {
        return false;
    }
    let linger = tokio::time::sleep(LINGER);
    tokio::pin!(linger);
    while batch.len() < MOST {
        let room = MOST - batch.len();
        tokio::select! {
            received = verdicts.recv_many(batch, room) => {
                if received == 0 {
                    break;
                }
            }
            () = &mut linger => break,
        }
    }
    true
}

/// A peer that is deleted at this very moment, or a deadlock, is gone at the second attempt.
async fn book_twice(fleet: &Fleet, batch: &[Verdict]) -> Result<Vec<Doubt>> {
    match book(fleet, batch).await {
        Ok(found) => Ok(found),
        Err(err) => {
            tracing::debug!(error = &err as &dyn Error, "booking is tried again");
            book(fleet, batch).await
        }
    }
}

async fn book(fleet: &Fleet, batch: &[Verdict]) -> Result<Vec<Doubt>> {
    // A node comes online in the transaction after the one in which its addresses are known.
    let conflicts = learn::learn(fleet, batch).await?;
    let mut tx = fleet.pool.begin().await?;
    let reports: Vec<_> = batch.iter().map(|one| one.report.clone()).collect();
    let booked = node_status::book(&mut *tx, &fleet.instance, &reports).await?;
    let booked: HashSet<NodeId> = booked.into_iter().collect();
    let verdicts: Vec<&Verdict> = batch
        .iter()
        .filter(|one| booked.contains(&one.report.node))
        .collect();
    let held = hold(&mut tx, &verdicts).await?;
    let sightings: Vec<(&Verdict, &Sighting)> = verdicts
        .iter()
        .flat_map(|verdict| verdict.interfaces.iter().map(|one| (*verdict, one)))
        .filter(|(_, one)| held.contains_key(&one.watched.id))
        .collect();
    let mut told = news::of_nodes(&verdicts);
    told.extend(peers::book(&mut tx, &sightings).await?);
    let sights: Vec<Sight> = sightings
        .iter()
        .map(|(verdict, one)| sight(verdict, one))
        .collect();
    if !sights.is_empty() {
        observed::saw(&mut *tx, &sights).await?;
    }
    let conflicts: Vec<_> = conflicts
        .into_iter()
        .filter(|(interface, _)| held.contains_key(interface))
        .collect();
    if !conflicts.is_empty() {
        observed::show_conflicts(&mut *tx, &conflicts).await?;
    }
    for node in back_online(&verdicts) {
        db::sync::retry_now(&mut *tx, node).await?;
    }
    news::tell(&mut tx, &verdicts, told).await?;
    tx.commit().await?;
    let doubtful = sightings
        .iter()
        .filter_map(|(verdict, one)| doubt(verdict, one, held.get(&one.watched.id)?));
    Ok(doubtful.collect())
}

async fn hold(
    db: &mut sqlx::PgConnection,
    verdicts: &[&Verdict],
) -> Result<HashMap<InterfaceId, Held>> {
    let seen = verdicts.iter().flat_map(|verdict| &verdict.interfaces);
    let asked: Vec<_> = seen
        .map(|one| {
            (
                one.watched.id,
                one.watched.network,
                one.watched.name.as_str(),
            )
        })
        .collect();
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let held = observed::hold(db, &asked).await?;
    Ok(held.into_iter().map(|one| (one.id, one)).collect())
}

fn sight(verdict: &Verdict, one: &Sighting) -> Sight {
    Sight {
        interface: one.watched.id,
        link: one.link,
        standing: one.held.as_ref().map(|held| held.standing.clone()),
        config_at: one.addresses.as_ref().map(|_| verdict.report.polled_at),
    }
}

fn back_online<'a>(verdicts: &'a [&Verdict]) -> impl Iterator<Item = NodeId> + 'a {
    let is_back = |one: &&&Verdict| {
        one.changed_from.is_some() && one.report.standing.reachability == Reachability::Online
    };
    verdicts
        .iter()
        .filter(is_back)
        .map(|verdict| verdict.report.node)
}

/// Whether an interface is to be looked at more closely.
fn doubt(verdict: &Verdict, one: &Sighting, held: &Held) -> Option<Doubt> {
    let standing = &one.held.as_ref()?.standing;
    let is_online =
        verdict.report.good && verdict.report.standing.reachability == Reachability::Online;
    // What was applied while the node was asked may be in the answer or not.
    let is_settled = one.watched.applied_generation == held.applied_generation;
    if !is_online || !is_settled {
        return None;
    }
    let mark = |generation: Option<i64>, digest: &Option<String>| {
        Some(Mark {
            generation: generation?,
            digest: digest.clone()?,
        })
    };
    let generation = match verdict.has_generations {
        true => standing.generation,
        // Such an agent never says one; what it holds tells all.
        false => Some(held.applied_generation),
    };
    let observed = InSync {
        generation: generation.map(i64::unsigned_abs),
        digest: standing.digest.clone(),
        peers: 0,
    };
    let marks = Marks {
        desired_generation: one.watched.desired_generation.max(held.desired_generation),
        applied_generation: held.applied_generation,
        expected: mark(held.expected_generation, &held.expected_digest).as_ref(),
        settled: mark(held.settled_generation, &held.settled_digest).as_ref(),
    }
    .judge(&observed);
    match marks {
        Sync::Doubtful => Some(Doubt {
            interface: one.watched.id,
            name: one.watched.name.clone(),
            node: verdict.report.node,
            applied_generation: held.applied_generation,
            observed,
        }),
        Sync::Pending | Sync::InSync => None,
    }
}
