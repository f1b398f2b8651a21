//! Looks at an interface and plans what makes it hold what it should. It sends nothing but reads.

use std::collections::BTreeSet;
use std::time::Instant;

use protocol::PublicKey;
use protocol::wire::answers::InSync;

use super::apply::Stop;
use super::carry::Link;
use super::desired::{self, Changed};
use crate::clock;
use crate::db;
use crate::db::peers::Known;
use crate::db::sync;
use crate::domain::drift::{self, Actual, DriftPolicy, Facts, Plan};
use crate::domain::ids::InterfaceId;
use crate::fleet::{Fleet, FleetError, Refusal};

/// What would be done about an interface, and what that rests on.
#[derive(Debug)]
pub struct Planned {
    pub plan: Plan,
    pub basis: Basis,
}

/// The intent and the device that a plan was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    pub desired_generation: i64,
    pub observed_digest: String,
}

impl Basis {
    /// Refuses to go on from what no longer is.
    pub(super) fn check(&self, now: &Self) -> Result<(), Refusal> {
        if self == now {
            return Ok(());
        }
        Err(world_moved())
    }
}

pub(super) fn world_moved() -> Refusal {
    let text = "what should be or what is has changed since the plan was made: make another one";
    Refusal::conflict("world_moved", text)
}

/// Plans for one interface. Nothing is sent but reads, and nobody is kept from working on it.
pub async fn plan(fleet: &Fleet, interface: InterfaceId) -> Result<Planned, FleetError> {
    plan_allowing(fleet, interface, None).await
}

/// The same, where a person said how many unknown peers may be removed at once.
pub(super) async fn plan_allowing(
    fleet: &Fleet,
    interface: InterfaceId,
    allow_removals: Option<usize>,
) -> Result<Planned, FleetError> {
    let seen = sync::look(&fleet.pool, interface).await?;
    let seen = seen.ok_or_else(|| Refusal::missing("interface", interface))?;
    let planned = async {
        let link = Link::open(fleet, &seen, Instant::now()).await?;
        let compared = compare(&link, allow_removals).await?;
        let basis = compared.basis();
        let plan = compared.plan;
        Ok::<_, Stop>(Planned { plan, basis })
    };
    planned.await.map_err(Stop::into_fleet_error)
}

/// An interface beside what it should hold.
pub(super) struct Compared {
    pub plan: Plan,
    pub desired: Changed,
    pub actual: Actual,
    pub policy: DriftPolicy,
    pub standing: InSync,
}

impl Compared {
    pub(super) fn basis(&self) -> Basis {
        Basis {
            desired_generation: self.desired.generation,
            observed_digest: self.standing.digest.clone(),
        }
    }
}

pub(super) async fn compare(
    link: &Link<'_>,
    allow_removals: Option<usize>,
) -> Result<Compared, Stop> {
    let fleet = link.fleet;
    // Intent is read before the device: what changes in between is a generation of its own.
    let desired = desired::changed_since(fleet, link.claimed.interface, -1).await?;
    let desired = desired.ok_or(Stop::LeaseLost)?;
    let dump = link.agents.dump(&link.target, &link.name, None).await?;
    let standing = InSync {
        generation: dump.generation,
        digest: drift::shown(&dump),
        peers: dump.peers.len(),
    };
    let actual = Actual::of(dump).map_err(|_| FleetError::Corrupt("a full dump"))?;
    let forbidden = forbidden(fleet, &desired, &actual).await?;
    let policy = DriftPolicy::parse(&link.claimed.drift_policy)
        .map_err(|_| FleetError::Corrupt("interfaces.drift_policy"))?;
    let plan = drift::plan(&Facts {
        desired: &desired.present,
        actual: &actual,
        forbidden: &forbidden,
        policy,
        allow_removals,
        agent_expires: link.has("expires_at"),
        now: clock::now().timestamp(),
    });
    Ok(Compared {
        plan,
        desired,
        actual,
        policy,
        standing,
    })
}

/// Keys that the device holds and must not: of peers that are deleted, disabled, isolated, expired or elsewhere.
async fn forbidden(
    fleet: &Fleet,
    desired: &Changed,
    actual: &Actual,
) -> Result<BTreeSet<PublicKey>, Stop> {
    let seen: Vec<String> = actual
        .peers
        .keys()
        .filter(|key| !desired.present.contains_key(key))
        .map(PublicKey::to_string)
        .collect();
    if seen.is_empty() {
        return Ok(BTreeSet::new());
    }
    let Known { peers, retired } = db::peers::known(&fleet.pool, &seen).await?;
    let keys = peers.iter().chain(&retired).map(|key| desired::key(key));
    Ok(keys.collect::<Result<_, _>>()?)
}
