//! What every step on one interface works with: the node, the name, the lease.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use protocol::InterfaceName;
use protocol::wire::answers::InSync;

use super::apply::Stop;
use crate::agent::{Clients, Target};
use crate::db::sync::{self, Booked, Claimed, Evidence};
use crate::fleet::{Fleet, FleetError, nodes};

pub(super) struct Link<'a> {
    pub fleet: &'a Fleet,
    pub claimed: &'a Claimed,
    pub agents: &'a Clients,
    pub target: Target,
    pub name: InterfaceName,
    /// The lease lasts from here on at least.
    leased_at: Mutex<Instant>,
}

/// Whether the lease is to be given back with what is booked, if nothing is left to do then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    Release,
}

impl<'a> Link<'a> {
    /// The lease was asked for after `leased_at`.
    pub(super) async fn open(
        fleet: &'a Fleet,
        claimed: &'a Claimed,
        leased_at: Instant,
    ) -> Result<Self, Stop> {
        let mut target = nodes::target(fleet, claimed.node).await?;
        target.timeout = target.timeout.max(fleet.settings.apply_timeout);
        Ok(Self {
            fleet,
            claimed,
            agents: &fleet.agents,
            target,
            name: InterfaceName::parse(&claimed.name)
                .map_err(|_| FleetError::Corrupt("an interface name"))?,
            leased_at: Mutex::new(leased_at),
        })
    }

    /// Whether the node's agent says that it can do this.
    pub(super) fn has(&self, capability: &str) -> bool {
        let words = &self.claimed.capabilities;
        words.iter().any(|word| word == capability)
    }

    /// Sees to it that the lease outlasts the next call twice, or stops: somebody else may be at work by now.
    pub(super) async fn keep(&self) -> Result<(), Stop> {
        let lease = self.fleet.settings.apply_lease;
        let used = self.leased_at().elapsed();
        if used + self.target.timeout * 2 <= lease {
            return Ok(());
        }
        let asked_at = Instant::now();
        let interface = self.claimed.interface;
        if !sync::renew(&self.fleet.pool, &self.fleet.instance, lease, interface).await? {
            return Err(Stop::LeaseLost);
        }
        *self.leased_at() = asked_at;
        Ok(())
    }

    fn leased_at(&self) -> MutexGuard<'_, Instant> {
        // An instant is whole, whoever panicked.
        self.leased_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Books a generation as applied, and tells where the interface should be by now.
    pub(super) async fn applied(
        &self,
        generation: i64,
        evidence: Option<Seen>,
        then: Then,
    ) -> Result<Booked, Stop> {
        let evidence = evidence.as_ref().map(|seen| Evidence {
            generation: seen.generation,
            digest: &seen.digest,
            peers: seen.peers,
        });
        let booked = sync::applied(
            &self.fleet.pool,
            &self.fleet.instance,
            self.claimed.interface,
            generation,
            evidence,
            then == Then::Release,
        );
        booked.await?.ok_or(Stop::LeaseLost)
    }
}

/// Where an interface stands, in the types that the database keeps.
pub(super) struct Seen {
    generation: Option<i64>,
    digest: String,
    peers: i32,
}

pub(super) fn evidence(standing: &InSync) -> Result<Seen, FleetError> {
    let generation = standing.generation.map(i64::try_from).transpose();
    Ok(Seen {
        generation: generation.map_err(|_| FleetError::Corrupt("a generation"))?,
        digest: standing.digest.clone(),
        peers: i32::try_from(standing.peers).unwrap_or(i32::MAX),
    })
}
