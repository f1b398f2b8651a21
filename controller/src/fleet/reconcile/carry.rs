//! What every step on one interface works with: the node, the name, the lease.

use protocol::InterfaceName;
use protocol::wire::answers::InSync;

use super::apply::Stop;
use crate::agent::{Clients, Target};
use crate::db::sync::{self, Claimed, Evidence};
use crate::fleet::{Fleet, FleetError, nodes};

pub(super) struct Link<'a> {
    pub fleet: &'a Fleet,
    pub claimed: &'a Claimed,
    pub agents: &'a Clients,
    pub target: Target,
    pub name: InterfaceName,
}

impl<'a> Link<'a> {
    pub(super) async fn open(fleet: &'a Fleet, claimed: &'a Claimed) -> Result<Self, Stop> {
        let mut target = nodes::target(fleet, claimed.node).await?;
        target.timeout = target.timeout.max(fleet.settings.apply_timeout);
        Ok(Self {
            fleet,
            claimed,
            agents: &fleet.agents,
            target,
            name: InterfaceName::parse(&claimed.name)
                .map_err(|_| FleetError::Corrupt("an interface name"))?,
        })
    }

    /// Whether the node's agent says that it can do this.
    pub(super) fn has(&self, capability: &str) -> bool {
        let words = &self.claimed.capabilities;
        words.iter().any(|word| word == capability)
    }

    /// Keeps the lease, or stops: somebody else may be at work by now.
    pub(super) async fn keep(&self) -> Result<(), Stop> {
        let lease = self.fleet.settings.apply_lease;
        let interface = self.claimed.interface;
        match sync::renew(&self.fleet.pool, &self.fleet.instance, lease, interface).await? {
            true => Ok(()),
            false => Err(Stop::LeaseLost),
        }
    }

    /// Books a generation as applied.
    pub(super) async fn applied(
        &self,
        generation: i64,
        evidence: Option<Seen>,
    ) -> Result<(), Stop> {
        let mut tx = self.fleet.pool.begin().await?;
        let evidence = evidence.as_ref().map(|seen| Evidence {
            generation: seen.generation,
            digest: &seen.digest,
            peers: seen.peers,
        });
        let interface = self.claimed.interface;
        let booked = sync::applied(
            &mut tx,
            &self.fleet.instance,
            interface,
            generation,
            evidence,
        );
        if !booked.await? {
            return Err(Stop::LeaseLost);
        }
        Ok(tx.commit().await?)
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
