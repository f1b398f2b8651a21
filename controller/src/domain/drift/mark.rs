//! Whether an interface is in sync, at the cost of one line.
//!
//! Two marks are kept per interface: what it should be at, and a difference that was looked at and
//! left. Whatever matches neither is looked at in full.

use protocol::Digest;
use protocol::wire::answers::InSync;

use super::DesiredPeers;

/// A generation with the digest that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// 0 where none came yet.
    pub generation: i64,
    pub digest: String,
}

impl Mark {
    /// Whether this is what an agent says of itself.
    pub fn is_at(&self, observed: &InSync) -> bool {
        let generation = u64::try_from(self.generation);
        generation == Ok(observed.generation.unwrap_or(0)) && self.digest == observed.digest
    }
}

/// What is known of an interface when it says where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Marks<'a> {
    pub desired_generation: i64,
    pub applied_generation: i64,
    pub expected: Option<&'a Mark>,
    pub settled: Option<&'a Mark>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// A change is on its way; what the interface says is neither here nor there.
    Pending,
    InSync,
    /// Neither what it should be nor what was left as it is, as far as is known.
    Doubtful,
}

impl Marks<'_> {
    pub fn judge(&self, observed: &InSync) -> Sync {
        if self.desired_generation > self.applied_generation {
            return Sync::Pending;
        }
        let mut marks = self.expected.into_iter().chain(self.settled);
        match marks.any(|mark| mark.is_at(observed)) {
            true => Sync::InSync,
            false => Sync::Doubtful,
        }
    }
}

/// The digest of an interface that holds exactly what it should; none where a preshared key is unknown.
pub fn expected_digest(desired: &DesiredPeers, now: i64) -> Option<Digest> {
    let live = || desired.iter().filter(|(_, peer)| !peer.is_expired(now));
    let is_known = live().all(|(_, peer)| !peer.psk_unknown);
    is_known.then(|| Digest::of(live().map(|(key, peer)| (key, &peer.config))))
}
