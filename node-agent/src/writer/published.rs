//! What is known of an interface without asking it: the ground of health, status and metrics.

use std::time::Duration;

use protocol::wire::answers::{HealthOfInterface, StatusOfInterface};
use protocol::{Digest, InterfaceName, PublicKey};

use super::{Store, Writer};
use crate::config::Interface;
use crate::device::{Device, Reading};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Up,
    Down,
    Missing,
}

impl Presence {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Missing => "missing",
        }
    }
}

/// Sums over the last reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    pub active: usize,
    pub rx_bytes: u64,
    pub tx_bytes: u64,
}

impl Totals {
    pub(super) fn of(reading: &Reading, now: i64, active: Duration) -> Self {
        let mut totals = Self::default();
        for peer in reading.peers.values() {
            let age = peer
                .latest_handshake
                .map(|at| now.saturating_sub(at).max(0).unsigned_abs());
            totals.active += usize::from(age.is_some_and(|age| age <= active.as_secs()));
            totals.rx_bytes = totals.rx_bytes.saturating_add(peer.transfer_rx);
            totals.tx_bytes = totals.tx_bytes.saturating_add(peer.transfer_tx);
        }
        totals
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Published {
    pub name: InterfaceName,
    pub backend: &'static str,
    pub presence: Presence,
    pub public_key: Option<PublicKey>,
    pub listen_port: Option<u16>,
    pub peers: usize,
    pub managed: usize,
    pub foreign: usize,
    pub generation: Option<u64>,
    /// Absent after a change until somebody asks: it costs a walk over all peers.
    pub digest: Option<Digest>,
    pub observed_at: Option<i64>,
    pub totals: Totals,
    /// Requests that were carried out, and how often the disk was waited for; since the start.
    pub writes: u64,
    pub journal_syncs: u64,
    /// Why the interface is not what it should be.
    pub problems: Vec<String>,
}

impl Published {
    pub(super) fn unknown(interface: &Interface, device: &Device) -> Self {
        Self {
            name: interface.name.clone(),
            backend: device.backend(),
            presence: Presence::Missing,
            public_key: None,
            listen_port: None,
            peers: 0,
            managed: 0,
            foreign: 0,
            generation: None,
            digest: None,
            observed_at: None,
            totals: Totals::default(),
            writes: 0,
            journal_syncs: 0,
            problems: vec![format!(
                "interface {} was not looked at yet",
                interface.name
            )],
        }
    }

    /// Counts and sums, unless there is no device they could be true of.
    fn seen<T>(&self, value: T) -> Option<T> {
        (self.presence != Presence::Missing && self.observed_at.is_some()).then_some(value)
    }

    pub(crate) fn health(&self) -> HealthOfInterface {
        HealthOfInterface {
            name: self.name.clone(),
            status: Some(self.presence.as_str().into()),
            backend: Some(self.backend.into()),
            public_key: self.public_key,
            listen_port: self.listen_port,
            peers: self.seen(self.peers),
            foreign: self.seen(self.foreign),
            generation: self.generation,
            digest: self.digest.and_then(|digest| self.seen(digest.to_string())),
            observed_at: self.observed_at,
        }
    }

    pub(crate) fn status(&self) -> StatusOfInterface {
        StatusOfInterface {
            status: self.presence.as_str().into(),
            peer_count: self.seen(self.peers),
            active_peers: self.seen(self.totals.active),
            total_rx_bytes: self.seen(self.totals.rx_bytes),
            total_tx_bytes: self.seen(self.totals.tx_bytes),
        }
    }
}

impl Writer {
    pub(super) fn publish(&mut self) {
        let mut problems = self.problems.clone();
        match &self.store {
            Store::Unreadable => problems.push(format!(
                "the journal of {} cannot be read",
                self.interface.name
            )),
            Store::Open(journal) if journal.is_broken() => {
                problems.push(format!(
                    "the journal of {} cannot be written",
                    self.interface.name
                ));
            }
            Store::Open(_) => {}
        }
        if self.index.is_none() && !self.settings.removed {
            problems.push(format!("interface {} does not exist", self.interface.name));
        }
        if self.index.is_some() && self.ledger.own_key.is_none() {
            problems.push(format!(
                "interface {} has no private key",
                self.interface.name
            ));
        }
        let published = Published {
            name: self.interface.name.clone(),
            backend: self.device.backend(),
            presence: match self.index {
                None => Presence::Missing,
                Some(_) if self.up => Presence::Up,
                Some(_) => Presence::Down,
            },
            public_key: self.ledger.own_key,
            listen_port: self.listen_port,
            peers: self.ledger.count(),
            managed: self.ledger.managed().len(),
            foreign: self.ledger.foreign_count(),
            generation: self.ledger.generation,
            digest: self.ledger.known_digest(),
            observed_at: self.observed_at,
            totals: self.totals,
            writes: self.writes,
            journal_syncs: match &self.store {
                Store::Open(journal) => journal.syncs(),
                Store::Unreadable => 0,
            },
            problems,
        };
        let mut slot = self
            .published
            .write()
            .expect("publishing is a plain assignment and cannot panic");
        *slot = std::sync::Arc::new(published);
    }
}
