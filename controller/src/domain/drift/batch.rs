//! Cuts changes into requests that an agent takes, each with a generation of its own.
//!
//! Removals go first, so that what they free can be claimed. A peer that takes an allowed IP from one
//! that is only rewritten may come in an earlier request than that one: where there is more than one
//! request, the releases of a plan go before them all.

use protocol::PublicKey;
use protocol::wire::{Batch, PeerSpec};

use super::{DesiredPeers, Plan};

/// The contract's limits of bodies, in bytes.
const BATCH_LIMIT: usize = 1 << 20;
const FULL_SET_LIMIT: usize = 16 << 20;

/// More than the longest that JSON makes of each part: the braces and generations of a request, a
/// peer without its allowed IPs, one of these, and a key alone.
const FRAME: usize = 256;
const ENTRY: usize = 384;
const CIDR: usize = 48;
const KEY: usize = 48;

/// What changes between two generations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    pub upsert: Vec<PeerSpec>,
    pub remove: Vec<PublicKey>,
}

/// More requests are needed than there are generations to give them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the changes need the generation to rise to {raise_to}")]
pub struct TooFewGenerations {
    /// What the desired generation has to be raised to first.
    pub raise_to: i64,
}

impl Changes {
    /// The part of a plan that goes by batch: foreign peers and single writes need calls of their own.
    pub fn of(plan: &Plan, desired: &DesiredPeers) -> Self {
        let in_batch = plan.writes.iter().filter(|write| !write.single);
        let managed = plan.removals.iter().filter(|removal| !removal.foreign);
        Self {
            upsert: in_batch
                .filter_map(|write| desired.get(&write.key).map(|peer| peer.spec(write.key)))
                .collect(),
            remove: managed.map(|removal| removal.key).collect(),
        }
    }
}

/// Cuts changes into batches that lead from one generation to another, in order.
///
/// There is at least one, since the agent learns the generation from it. A peer too long for any
/// request has one of its own, which the agent then refuses.
pub fn split(changes: Changes, base: i64, desired: i64) -> Result<Vec<Batch>, TooFewGenerations> {
    let parts = fill(changes);
    let base = base.max(0);
    let count = i64::try_from(parts.len()).expect("a request holds at least one of the changes");
    if desired.saturating_sub(base) < count {
        let raise_to = base.saturating_add(count);
        return Err(TooFewGenerations { raise_to });
    }
    let last = parts.len() - 1;
    let number = |generation: i64| {
        u64::try_from(generation).expect("base is not negative and generations rise from it")
    };
    let batches = (base..).zip(parts).enumerate().map(|(n, (from, part))| {
        let to = if n == last { desired } else { from + 1 };
        Batch {
            base_generation: Some(number(from)),
            generation: number(to),
            upsert: part.upsert,
            remove: part.remove,
        }
    });
    Ok(batches.collect())
}

/// Whether everything an interface should hold fits one full set.
pub fn full_set_fits<'a>(peers: impl IntoIterator<Item = &'a PeerSpec>) -> bool {
    let bytes: usize = peers.into_iter().map(longest).sum();
    FRAME + bytes <= FULL_SET_LIMIT
}

fn fill(changes: Changes) -> Vec<Changes> {
    let mut parts = vec![Changes::default()];
    let mut used = FRAME;
    let mut room_for = |parts: &mut Vec<Changes>, bytes: usize| {
        if used + bytes > BATCH_LIMIT && used > FRAME {
            parts.push(Changes::default());
            used = FRAME;
        }
        used += bytes;
        parts.len() - 1
    };
    for key in changes.remove {
        let part = room_for(&mut parts, KEY);
        parts[part].remove.push(key);
    }
    for peer in changes.upsert {
        let part = room_for(&mut parts, longest(&peer));
        parts[part].upsert.push(peer);
    }
    parts
}

fn longest(peer: &PeerSpec) -> usize {
    ENTRY + CIDR * peer.allowed_ips.len()
}
