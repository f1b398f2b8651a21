//! Decides what makes an interface hold what it should, from what it holds.
//!
//! Under every policy the desired peers are made true and forbidden keys go. The policy is about the
//! rest: keys that no desired state contains and nobody forbade. Intent is never changed from here;
//! a node that shows nothing gets everything written and loses nothing.
//!
//! A dump tells whether a peer has a preshared key, never which; `psk` says what the digest adds to that.

use std::collections::{BTreeMap, BTreeSet};

use protocol::wire::PeerSpec;
use protocol::wire::answers::{Dump, DumpedPeer};
use protocol::{Digest, PeerConfig, PublicKey};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mod batch;
mod decide;
mod guard;
mod mark;
mod plan;
mod psk;

#[cfg(test)]
mod tests;

pub use batch::{Changes, TooFewGenerations, full_set_fits, split};
pub use decide::plan;
pub use guard::HeldBack;
pub use mark::{Mark, Marks, Sync, expected_digest};
pub use plan::{Blocked, Difference, Plan, Release, Removal, Why, Write};

/// What to do with peers that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftPolicy {
    /// Show them; a person adopts or removes them.
    Report,
    /// Make them peers of the controller.
    Adopt,
    /// Remove them, within the guard.
    Enforce,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a drift policy: report, adopt or enforce")]
pub struct DriftPolicyError;

/// A peer as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desired {
    pub config: PeerConfig,
    /// Unix seconds from which on it should not be.
    pub expires_at: Option<i64>,
    /// It has a preshared key that only the node knows; `config` then has none.
    pub psk_unknown: bool,
}

pub type DesiredPeers = BTreeMap<PublicKey, Desired>;

/// Everything that a device holds, as one answer showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actual {
    pub peers: BTreeMap<PublicKey, DumpedPeer>,
    /// None where the agent does not know digests.
    pub digest: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the dump holds only what changed, so what it leaves out is unknown")]
pub struct PartialDump;

/// What a decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub desired: &'a DesiredPeers,
    pub actual: &'a Actual,
    /// Keys that must not be on this interface: deleted, disabled, isolated, or at home elsewhere.
    /// A key that is desired as well is forbidden.
    pub forbidden: &'a BTreeSet<PublicKey>,
    pub policy: DriftPolicy,
    /// How many unknown peers a person said may be removed at once.
    pub allow_removals: Option<usize>,
    /// Whether the agent keeps expiries; else it neither takes nor shows them.
    pub agent_expires: bool,
    /// Unix seconds.
    pub now: i64,
}

impl Facts<'_> {
    /// Whether a desired peer should be there now.
    fn is_live(&self, key: &PublicKey, peer: &Desired) -> bool {
        !self.forbidden.contains(key) && !peer.is_expired(self.now)
    }
}

impl Desired {
    /// The peer in full, as a batch, a full set or an add names it.
    pub fn spec(&self, key: PublicKey) -> PeerSpec {
        let config = self.config.clone();
        PeerSpec {
            public_key: key,
            allowed_ips: config.allowed_ips,
            preshared_key: config.preshared_key,
            persistent_keepalive: Some(config.persistent_keepalive),
            endpoint: None,
            expires_at: self.expires_at,
        }
    }

    fn is_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

impl Actual {
    pub fn of(dump: Dump) -> Result<Self, PartialDump> {
        if dump.full == Some(false) {
            return Err(PartialDump);
        }
        let by_key = |peer: DumpedPeer| (peer.public_key, peer);
        Ok(Self {
            peers: dump.peers.into_iter().map(by_key).collect(),
            digest: dump.digest,
        })
    }
}

/// By what it is told whether a device still shows the same: its digest, or, where an agent gives none, a hash of what
/// it showed. That covers no preshared keys, so it equals no digest.
pub fn shown(dump: &Dump) -> String {
    if let Some(digest) = &dump.digest {
        return digest.clone();
    }
    let configs = dump.peers.iter().map(|peer| {
        let config = PeerConfig {
            allowed_ips: peer.allowed_ips.clone(),
            persistent_keepalive: peer.persistent_keepalive,
            preshared_key: None,
        };
        (peer.public_key, peer.has_preshared_key, config)
    });
    let (with, without): (Vec<_>, Vec<_>) = configs.partition(|(_, has_psk, _)| *has_psk);
    let digest = |part: &[(PublicKey, bool, PeerConfig)]| {
        Digest::of(part.iter().map(|(key, _, config)| (key, config)))
    };
    format!("shown-{}-{}", digest(&with), digest(&without))
}

impl DriftPolicy {
    pub fn parse(text: &str) -> Result<Self, DriftPolicyError> {
        match text {
            "report" => Ok(Self::Report),
            "adopt" => Ok(Self::Adopt),
            "enforce" => Ok(Self::Enforce),
            _ => Err(DriftPolicyError),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Adopt => "adopt",
            Self::Enforce => "enforce",
        }
    }
}
