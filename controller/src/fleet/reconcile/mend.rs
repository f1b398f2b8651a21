//! Compares an interface with what it should hold, peer by peer, and makes it so.
//!
//! For whatever a batch from one generation to the next does not cover: an agent that stands elsewhere, a device that
//! somebody touched, keys that came back. What a person chose to leave is remembered by the digest it has, so that it
//! is not compared again each time.

use std::time::{Duration, Instant};

use protocol::wire::FullSet;
use protocol::wire::answers::{DumpedPeer, InSync};

use super::apply::Stop;
use super::carry::{Link, Then, evidence};
use super::compare::{Basis, Compared, compare, plan_allowing, world_moved};
use super::desired::Changed;
use super::singles;
use crate::db::sync;
use crate::domain::drift::{Changes, DesiredPeers, DriftPolicy, Plan, full_set_fits, split};
use crate::domain::ids::InterfaceId;
use crate::fleet::{Fleet, FleetError, Refusal, adopt};

/// How often, and after which pauses, a person's order is tried while a loop is at work on the interface: it mostly is
/// for a moment only.
const ATTEMPTS: usize = 30;
const PAUSE: Duration = Duration::from_millis(100);

/// What came of it.
#[derive(Debug)]
pub struct Mended {
    /// The generation that the interface is at now.
    pub generation: i64,
    pub plan: Plan,
    /// Whether what is left of the difference is remembered: it is not looked at again while it lasts.
    pub settled: bool,
}

/// Mends one interface, unless somebody else is at work on it: then there is nothing to tell.
pub async fn mend(
    fleet: &Fleet,
    interface: InterfaceId,
    allow_removals: Option<usize>,
) -> Result<Option<Mended>, FleetError> {
    leased(fleet, interface, async |link: &Link<'_>| {
        with(link, allow_removals).await
    })
    .await
}

/// Works on one interface with its lease in hand, and books how that went; none: somebody else has the lease.
async fn leased(
    fleet: &Fleet,
    interface: InterfaceId,
    work: impl AsyncFnOnce(&Link<'_>) -> Result<Mended, Stop>,
) -> Result<Option<Mended>, FleetError> {
    let lease = fleet.settings.apply_lease;
    let leased_at = Instant::now();
    let claimed = sync::claim_one(&fleet.pool, &fleet.instance, lease, interface).await?;
    let Some(claimed) = claimed else {
        return Ok(None);
    };
    let outcome = async { work(&Link::open(fleet, &claimed, leased_at).await?).await };
    match outcome.await {
        Ok(mended) => {
            sync::release(&fleet.pool, &fleet.instance, interface).await?;
            Ok(Some(mended))
        }
        // Not a failure of the interface.
        Err(Stop::Fleet(FleetError::Refused(refusal))) => {
            sync::release(&fleet.pool, &fleet.instance, interface).await?;
            Err(refusal.into())
        }
        Err(stop) => {
            stop.book(fleet, &claimed).await?;
            Err(stop.into_fleet_error())
        }
    }
}

/// What carrying out would do now.
pub async fn try_out(
    fleet: &Fleet,
    interface: InterfaceId,
    basis: &Basis,
    allow_removals: Option<usize>,
) -> Result<Mended, FleetError> {
    let planned = plan_allowing(fleet, interface, allow_removals).await?;
    basis.check(&planned.basis)?;
    Ok(Mended {
        generation: planned.basis.desired_generation,
        plan: planned.plan,
        settled: false,
    })
}

/// Carries out what was planned, if intent and device still are what they were then.
pub async fn carry_out(
    fleet: &Fleet,
    interface: InterfaceId,
    basis: &Basis,
    allow_removals: Option<usize>,
) -> Result<Mended, FleetError> {
    for _ in 0..ATTEMPTS {
        let mended = leased(fleet, interface, async |link: &Link<'_>| {
            let compared = compare(link, allow_removals).await?;
            let still = basis.check(&compared.basis());
            still.map_err(FleetError::from)?;
            match carry(link, compared).await {
                Err(Stop::Moved) => Err(FleetError::from(world_moved()).into()),
                done => done,
            }
        });
        if let Some(mended) = mended.await? {
            return Ok(mended);
        }
        tokio::time::sleep(PAUSE).await;
    }
    let text = "somebody is at work on this interface: try again in a moment";
    Err(Refusal::conflict("interface_busy", text).into())
}

/// Compares and carries out, with the lease in hand.
pub(super) async fn with(link: &Link<'_>, allow_removals: Option<usize>) -> Result<Mended, Stop> {
    loop {
        let compared = compare(link, allow_removals).await?;
        match carry(link, compared).await {
            Err(Stop::Moved) => link.keep().await?,
            done => return done,
        }
    }
}

async fn carry(link: &Link<'_>, compared: Compared) -> Result<Mended, Stop> {
    let Compared {
        plan,
        desired,
        actual,
        policy,
        standing,
    } = compared;
    for removal in plan.removals.iter().filter(|removal| removal.foreign) {
        link.agents
            .delete_peer(&link.target, &link.name, &removal.key)
            .await?;
    }
    if let Some(advice) = plan.advice(&link.name) {
        tracing::warn!(interface.id = %link.claimed.interface, node.id = %link.claimed.node, "{advice}");
    }
    let carried = match link.has("batch") {
        true => by_batch(link, &plan, &desired, policy, standing).await?,
        false => one_by_one(link, &plan, &desired, standing).await?,
    };
    let mut unadopted = 0;
    if !plan.adoptions.is_empty() {
        let adopted = plan.adoptions.iter();
        let adopted: Vec<DumpedPeer> = adopted
            .filter_map(|key| actual.peers.get(key).cloned())
            .collect();
        unadopted = adopt::found(link.fleet, link.claimed.interface, &adopted).await?;
    }
    // What was before a removal is not to be again.
    let is_left = carried.compared.is_some() && !plan.removals.iter().any(|one| one.foreign);
    if let Some(digest) = carried.compared.filter(|_| is_left) {
        settle(link, &plan, unadopted, &digest, carried.generation).await?;
    }
    Ok(Mended {
        generation: carried.generation,
        plan,
        settled: is_left,
    })
}

/// What came of carrying a plan out.
struct Carried {
    generation: i64,
    /// The digest that was compared, if nothing was written: another one may hold what somebody did meanwhile.
    compared: Option<String>,
}

/// Leads the interface to a generation.
async fn by_batch(
    link: &Link<'_>,
    plan: &Plan,
    desired: &Changed,
    policy: DriftPolicy,
    standing: InSync,
) -> Result<Carried, Stop> {
    let at = standing.generation.map(i64::try_from).transpose();
    let at = at
        .map_err(|_| FleetError::Corrupt("a generation"))?
        .unwrap_or(0);
    let changes = Changes::of(plan, &desired.present);
    let is_there = at == desired.generation && changes == Changes::default();
    let single = single(plan, desired);
    let standing = match is_there {
        true => standing,
        false => write(link, plan, desired, policy, changes, at).await?,
    };
    singles::send_unknown(link, &single).await?;
    let generation = standing.generation.map(i64::try_from).transpose();
    let generation = generation
        .map_err(|_| FleetError::Corrupt("a generation"))?
        .unwrap_or(0);
    link.applied(generation, Some(evidence(&standing)?), Then::GoOn)
        .await?;
    Ok(Carried {
        generation,
        compared: (is_there && single.is_empty()).then_some(standing.digest),
    })
}

/// For an agent that knows no generations: what it holds tells all, and what it holds after this the next look shows.
async fn one_by_one(
    link: &Link<'_>,
    plan: &Plan,
    desired: &Changed,
    standing: InSync,
) -> Result<Carried, Stop> {
    let changes = Changes::of(plan, &desired.present);
    let single = single(plan, desired);
    let is_there = changes == Changes::default() && single.is_empty();
    for release in &plan.releases {
        singles::release(link, release).await?;
    }
    singles::send_changes(link, &changes).await?;
    singles::send_unknown(link, &single).await?;
    let seen = is_there.then(|| evidence(&standing)).transpose()?;
    link.applied(desired.generation, seen, Then::GoOn).await?;
    Ok(Carried {
        generation: desired.generation,
        compared: is_there.then_some(standing.digest),
    })
}

/// Peers that are told everything but their preshared key.
fn single(plan: &Plan, desired: &Changed) -> DesiredPeers {
    let writes = plan.writes.iter().filter(|write| write.single);
    writes
        .filter_map(|write| desired.present.get_key_value(&write.key))
        .map(|(key, peer)| (*key, peer.clone()))
        .collect()
}

/// Sends what differs, and returns where the interface stands then.
async fn write(
    link: &Link<'_>,
    plan: &Plan,
    desired: &Changed,
    policy: DriftPolicy,
    changes: Changes,
    at: i64,
) -> Result<InSync, Stop> {
    let target = room(link, desired.generation, at + 1).await?;
    if policy == DriftPolicy::Enforce
        && let Some(set) = full_set(plan, &desired.present, target, at)
    {
        return Ok(link
            .agents
            .put_peers(&link.target, &link.name, &set, false)
            .await?);
    }
    let batches = match split(changes.clone(), at, target) {
        Ok(batches) => batches,
        Err(short) => {
            let target = room(link, target, short.raise_to).await?;
            split(changes, at, target).map_err(|_| FleetError::Corrupt("a raised generation"))?
        }
    };
    // One request may move an allowed IP within itself; over several, who has it lets go first.
    for release in plan
        .releases
        .iter()
        .filter(|one| batches.len() > 1 || !one.in_batch)
    {
        singles::release(link, release).await?;
    }
    let mut standing = None;
    for batch in batches {
        standing = Some(
            link.agents
                .patch_peers(&link.target, &link.name, &batch)
                .await?,
        );
        link.keep().await?;
    }
    Ok(standing.ok_or(FleetError::Corrupt("an empty list of batches"))?)
}

/// A generation to go to: the desired one, raised where the node has seen higher ones or more are needed. One that a
/// change took meanwhile is that change's, and what is at hand lacks it.
async fn room(link: &Link<'_>, desired: i64, at_least: i64) -> Result<i64, Stop> {
    if desired >= at_least {
        return Ok(desired);
    }
    let interface = link.claimed.interface;
    match sync::raise_from(&link.fleet.pool, interface, desired, at_least).await? {
        true => Ok(at_least),
        false => Err(Stop::Moved),
    }
}

/// Everything at once, where the policy is that nothing else may be there and everything is known.
fn full_set(plan: &Plan, desired: &DesiredPeers, generation: i64, base: i64) -> Option<FullSet> {
    let everything_known = desired.values().all(|peer| !peer.psk_unknown);
    let nothing_stays =
        plan.held_back.is_none() && plan.reported.is_empty() && plan.blocked.is_empty();
    if !everything_known || !nothing_stays {
        return None;
    }
    let peers: Vec<_> = desired.iter().map(|(key, peer)| peer.spec(*key)).collect();
    full_set_fits(&peers).then(|| FullSet {
        generation: generation.unsigned_abs(),
        base_generation: Some(base.unsigned_abs()),
        peers,
        allow_removals: Some(plan.removals.len()),
    })
}

/// Remembers a difference that is left, by the digest it has.
async fn settle(
    link: &Link<'_>,
    plan: &Plan,
    unadopted: usize,
    digest: &str,
    generation: i64,
) -> Result<(), Stop> {
    let held_back: usize = plan.held_back.map_or(0, |held| held.count);
    let unknown = plan.reported.len() + held_back + unadopted;
    let unknown = i32::try_from(unknown).unwrap_or(i32::MAX);
    let interface = link.claimed.interface;
    let booked = sync::settled(&link.fleet.pool, interface, generation, digest, unknown);
    Ok(booked.await?)
}
