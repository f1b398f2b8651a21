//! Finds preshared keys that differ, though a dump shows only whether there is one.
//!
//! The digest covers them. If every preshared key on the device is one that the controller should
//! know, the digest of what was dumped, with those keys filled in, is the device's or some key is
//! another. Which one remains unknown, so all are to be written; the agent touches what differs.
//! Whoever cannot be written is left out: what it has may be another key for long, and would make
//! all others suspects for as long.

use std::collections::BTreeSet;

use protocol::{Digest, PeerConfig, PublicKey};

use super::{Blocked, Facts};

/// What is known of the preshared keys that both sides have.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    Same,
    /// One or more of these differ.
    Differ(BTreeSet<PublicKey>),
    /// These may differ, and nothing tells.
    Unproven(BTreeSet<PublicKey>),
}

pub(super) fn compare(facts: &Facts<'_>, blocked: &[Blocked]) -> Hidden {
    let blocked: BTreeSet<&PublicKey> = blocked.iter().map(|blocked| &blocked.key).collect();
    let comparable: BTreeSet<PublicKey> = facts
        .desired
        .iter()
        .filter(|(key, peer)| facts.is_live(key, peer) && peer.config.preshared_key.is_some())
        .map(|(key, _)| *key)
        .filter(|key| has_psk(facts, key) && !blocked.contains(key))
        .collect();
    if comparable.is_empty() {
        return Hidden::Same;
    }
    let with_psk = facts
        .actual
        .peers
        .values()
        .filter(|seen| seen.has_preshared_key)
        .count();
    match &facts.actual.digest {
        Some(seen) if with_psk == comparable.len() => {
            if digest_with_desired(facts, &comparable).to_string() == *seen {
                Hidden::Same
            } else {
                Hidden::Differ(comparable)
            }
        }
        _ => Hidden::Unproven(comparable),
    }
}

fn has_psk(facts: &Facts<'_>, key: &PublicKey) -> bool {
    let seen = facts.actual.peers.get(key);
    seen.is_some_and(|seen| seen.has_preshared_key)
}

/// The digest that the device has if its preshared keys are the desired ones.
fn digest_with_desired(facts: &Facts<'_>, comparable: &BTreeSet<PublicKey>) -> Digest {
    let configs: Vec<(&PublicKey, PeerConfig)> = facts
        .actual
        .peers
        .iter()
        .map(|(key, seen)| {
            let desired = facts.desired.get(key).filter(|_| comparable.contains(key));
            let config = PeerConfig {
                allowed_ips: seen.allowed_ips.clone(),
                persistent_keepalive: seen.persistent_keepalive,
                preshared_key: desired.and_then(|peer| peer.config.preshared_key.clone()),
            };
            (key, config)
        })
        .collect();
    Digest::of(configs.iter().map(|(key, config)| (*key, config)))
}
