//! Who owns which prefix once a write is done. WireGuard would move it without a word.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use protocol::{Cidr, PeerConfig, PublicKey};

use super::Refusal;
use crate::ledger::{Ledger, Managed};

/// The prefixes that a write claims, each with its claimant.
pub(super) struct Claims<'a> {
    peers: BTreeMap<&'a PublicKey, &'a PeerConfig>,
    clash: Option<Refusal>,
}

impl<'a> Claims<'a> {
    pub(super) fn of(peers: impl IntoIterator<Item = (&'a PublicKey, &'a PeerConfig)>) -> Self {
        let peers: BTreeMap<_, _> = peers.into_iter().collect();
        let mut owners: HashMap<&Cidr, &PublicKey> = HashMap::new();
        let mut clash = None;
        for (key, config) in &peers {
            for cidr in &config.allowed_ips {
                if let Some(owner) = owners.insert(cidr, key) {
                    clash.get_or_insert(Refusal::AllowedIpTaken {
                        cidr: *cidr,
                        owner: *owner,
                    });
                }
            }
        }
        Self { peers, clash }
    }
}

/// Refuses a prefix that stays with somebody else once the write is done.
pub(super) fn check_owners(
    ledger: &Ledger,
    claims: &Claims<'_>,
    leaving: &BTreeSet<PublicKey>,
) -> Result<(), Refusal> {
    if let Some(clash) = &claims.clash {
        return Err(clash.clone());
    }
    for (key, config) in &claims.peers {
        // An owner that is rewritten by the same write gives the prefix up: its own claims were
        // compared with this one already.
        let keeps = |owner: &PublicKey| {
            owner != *key && !leaving.contains(owner) && !claims.peers.contains_key(owner)
        };
        for cidr in &config.allowed_ips {
            let owner = ledger.owner(cidr).filter(|owner| keeps(owner));
            if let Some(owner) =
                owner.or_else(|| robbed(ledger, key, cidr).filter(|owner| keeps(owner)))
            {
                return Err(Refusal::AllowedIpTaken {
                    cidr: *cidr,
                    owner: *owner,
                });
            }
        }
    }
    Ok(())
}

/// The managed peer whose prefix a foreign peer holds on the device. Taking the foreign one in would
/// leave the prefix with both.
fn robbed<'a>(ledger: &'a Ledger, foreign: &PublicKey, cidr: &Cidr) -> Option<&'a PublicKey> {
    if !ledger.is_foreign(foreign) {
        return None;
    }
    let claims = |peer: &Managed| peer.config.allowed_ips.iter().any(|own| own == cidr);
    ledger
        .managed()
        .iter()
        .find(|(_, peer)| claims(peer))
        .map(|(key, _)| key)
}
