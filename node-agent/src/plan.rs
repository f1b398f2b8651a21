//! Decides what a request changes, or why it is refused. Pure: facts in, decision out.
//!
//! WireGuard itself refuses almost nothing. It moves an allowed IP to whoever claims it last,
//! keeps an interface's own key out without a word, and lets a full set empty a node. The rules it
//! does not keep are kept here, before anything reaches disk or device.

use std::collections::{BTreeMap, BTreeSet};

use protocol::wire::{Batch, FullSet, PeerSpec, PeerUpdate};
use protocol::{Cidr, PublicKey};

use crate::ledger::{Ledger, Managed};

mod owners;

use owners::{Claims, check_owners};

#[cfg(test)]
mod tests;

/// A request to change peers.
#[derive(Debug, Clone)]
pub enum Write {
    Add(PeerSpec),
    Update(PublicKey, PeerUpdate),
    Remove(PublicKey),
    Batch(Batch),
    FullSet {
        set: FullSet,
        remove_foreign: bool,
    },
    /// A full set without a generation.
    Sync {
        peers: Vec<PeerSpec>,
        allow_removals: Option<usize>,
    },
}

/// One change to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Put(PublicKey, Managed),
    Forget(PublicKey),
}

/// What a request that is not refused does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    pub changes: Vec<Change>,
    pub generation: Option<u64>,
    /// Whether the answer to an add is "created" rather than "was there".
    pub created: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("peer {0} exists with other content")]
    PeerExists(PublicKey),
    #[error("peer {0} is not known")]
    PeerUnknown(PublicKey),
    #[error("allowed IP {cidr} belongs to peer {owner}")]
    AllowedIpTaken { cidr: Cidr, owner: PublicKey },
    #[error("the interface is not at generation {}", display(*.expected))]
    GenerationMismatch { expected: Option<u64> },
    #[error("generation {0} does not follow the base it was planned against")]
    GenerationBackwards(u64),
    #[error("this would remove {count} of {managed} peers; say allow_removals to mean it")]
    MassRemoval { count: usize, managed: usize },
    #[error("peer {0} is the interface itself")]
    OwnKey(PublicKey),
    #[error("peer {0} is named twice")]
    NamedTwice(PublicKey),
    #[error("peer {0} would have expired already")]
    Expired(PublicKey),
}

fn display(generation: Option<u64>) -> String {
    generation.map_or_else(|| "none".to_owned(), |generation| generation.to_string())
}

pub fn judge(ledger: &Ledger, write: &Write, now: i64) -> Result<Decision, Refusal> {
    match write {
        Write::Add(peer) => add(ledger, peer, now),
        Write::Update(key, update) => update_peer(ledger, key, update, now),
        Write::Remove(key) => Ok(Decision {
            changes: vec![Change::Forget(*key)],
            ..Decision::default()
        }),
        Write::Batch(batch) => apply_batch(ledger, batch, now),
        Write::FullSet {
            set,
            remove_foreign,
        } => {
            full_set_may_follow(ledger, set)?;
            let mut decision =
                replace_all(ledger, &set.peers, *remove_foreign, set.allow_removals, now)?;
            decision.generation = Some(set.generation);
            Ok(decision)
        }
        Write::Sync {
            peers,
            allow_removals,
        } => replace_all(ledger, peers, false, *allow_removals, now),
    }
}

fn add(ledger: &Ledger, spec: &PeerSpec, now: i64) -> Result<Decision, Refusal> {
    let key = spec.public_key;
    let peer = managed(spec);
    check_own_key(ledger, &key)?;
    check_expiry(&key, &peer, now)?;
    let present = present(ledger, &key);
    let foreign = ledger.is_foreign(&key);
    if present
        .as_ref()
        .is_some_and(|there| !same_content(there, &peer, foreign))
    {
        return Err(Refusal::PeerExists(key));
    }
    check_owners(
        ledger,
        &Claims::of([(&key, &peer.config)]),
        &BTreeSet::new(),
    )?;
    Ok(Decision {
        created: present.is_none(),
        ..put_unless_settled(ledger, key, peer)
    })
}

fn update_peer(
    ledger: &Ledger,
    key: &PublicKey,
    update: &PeerUpdate,
    now: i64,
) -> Result<Decision, Refusal> {
    let Some(mut peer) = present(ledger, key) else {
        return Err(Refusal::PeerUnknown(*key));
    };
    if let Some(allowed_ips) = &update.allowed_ips {
        peer.config.allowed_ips = allowed_ips.clone();
    }
    if let Some(preshared_key) = &update.preshared_key {
        peer.config.preshared_key = preshared_key.clone();
    }
    if let Some(keepalive) = update.persistent_keepalive {
        peer.config.persistent_keepalive = keepalive.unwrap_or(0);
    }
    if let Some(expires_at) = update.expires_at {
        peer.expires_at = expires_at;
    }
    peer.endpoint = update.endpoint.or(peer.endpoint);
    check_own_key(ledger, key)?;
    check_expiry(key, &peer, now)?;
    check_owners(ledger, &Claims::of([(key, &peer.config)]), &BTreeSet::new())?;
    Ok(put_unless_settled(ledger, *key, peer))
}

fn put_unless_settled(ledger: &Ledger, key: PublicKey, peer: Managed) -> Decision {
    let settled = is_settled(ledger, &key, &peer);
    Decision {
        changes: (!settled)
            .then_some(Change::Put(key, peer))
            .into_iter()
            .collect(),
        ..Decision::default()
    }
}

fn apply_batch(ledger: &Ledger, batch: &Batch, now: i64) -> Result<Decision, Refusal> {
    if batch.base_generation.unwrap_or(0) != ledger.generation.unwrap_or(0) {
        return Err(Refusal::GenerationMismatch {
            expected: batch.base_generation,
        });
    }
    if batch.generation <= batch.base_generation.unwrap_or(0) {
        return Err(Refusal::GenerationBackwards(batch.generation));
    }
    let (upserts, mut leaving) = wanted(ledger, &batch.upsert, now)?;
    leaving.retain(|key| ledger.managed_peer(key).is_some());
    let mut named: BTreeSet<PublicKey> = batch.upsert.iter().map(|peer| peer.public_key).collect();
    for key in &batch.remove {
        if !named.insert(*key) {
            return Err(Refusal::NamedTwice(*key));
        }
        if ledger.managed_peer(key).is_some() {
            leaving.insert(*key);
        }
    }
    decide(ledger, &upserts, &leaving, Some(batch.generation))
}

fn full_set_may_follow(ledger: &Ledger, set: &FullSet) -> Result<(), Refusal> {
    if set.generation == 0 {
        return Err(Refusal::GenerationBackwards(set.generation));
    }
    let behind = ledger
        .generation
        .is_some_and(|current| set.generation < current);
    if behind && set.base_generation != ledger.generation {
        return Err(Refusal::GenerationMismatch {
            expected: set.base_generation,
        });
    }
    Ok(())
}

fn replace_all(
    ledger: &Ledger,
    specs: &[PeerSpec],
    remove_foreign: bool,
    allow_removals: Option<usize>,
    now: i64,
) -> Result<Decision, Refusal> {
    let (wanted, _) = wanted(ledger, specs, now)?;
    let mut leaving: BTreeSet<PublicKey> = ledger.managed().keys().copied().collect();
    if remove_foreign {
        leaving.extend(ledger.foreign());
    }
    leaving.retain(|key| !wanted.contains_key(key));
    guard(ledger, &wanted, &leaving, allow_removals)?;
    decide(ledger, &wanted, &leaving, None)
}

/// Refuses to drop many peers, or the last one, unless the caller knows how many.
fn guard(
    ledger: &Ledger,
    wanted: &BTreeMap<PublicKey, Managed>,
    leaving: &BTreeSet<PublicKey>,
    allow_removals: Option<usize>,
) -> Result<(), Refusal> {
    let managed = ledger.managed().len();
    let emptied = wanted.iter().filter(|(key, peer)| {
        let had_ips = ledger
            .managed_peer(key)
            .is_some_and(|old| !old.config.allowed_ips.is_empty());
        had_ips && peer.config.allowed_ips.is_empty()
    });
    let count = leaving.len() + emptied.count();
    let many = count > 10.max(managed / 5);
    let last = count > 0 && wanted.is_empty();
    if (many || last) && allow_removals.is_none_or(|allowed| allowed < count) {
        return Err(Refusal::MassRemoval { count, managed });
    }
    Ok(())
}

/// Reads entries into peers, and names those that have expired on the way: they are to be absent.
fn wanted(
    ledger: &Ledger,
    specs: &[PeerSpec],
    now: i64,
) -> Result<(BTreeMap<PublicKey, Managed>, BTreeSet<PublicKey>), Refusal> {
    let mut wanted = BTreeMap::new();
    let mut expired = BTreeSet::new();
    for spec in specs {
        let key = spec.public_key;
        check_own_key(ledger, &key)?;
        if wanted.contains_key(&key) || expired.contains(&key) {
            return Err(Refusal::NamedTwice(key));
        }
        let peer = managed(spec);
        if check_expiry(&key, &peer, now).is_err() {
            expired.insert(key);
        } else {
            wanted.insert(key, peer);
        }
    }
    Ok((wanted, expired))
}

fn decide(
    ledger: &Ledger,
    upserts: &BTreeMap<PublicKey, Managed>,
    leaving: &BTreeSet<PublicKey>,
    generation: Option<u64>,
) -> Result<Decision, Refusal> {
    let claims = Claims::of(upserts.iter().map(|(key, peer)| (key, &peer.config)));
    check_owners(ledger, &claims, leaving)?;
    let forgets = leaving.iter().map(|key| Change::Forget(*key));
    let puts = upserts
        .iter()
        .filter(|(key, peer)| !is_settled(ledger, key, peer))
        .map(|(key, peer)| Change::Put(*key, peer.clone()));
    Ok(Decision {
        changes: forgets.chain(puts).collect(),
        generation,
        created: false,
    })
}

/// Whether both the books and the device already say exactly this of the peer.
fn is_settled(ledger: &Ledger, key: &PublicKey, peer: &Managed) -> bool {
    ledger.managed_peer(key) == Some(peer)
        && ledger
            .observed(key)
            .is_some_and(|seen| seen.config == peer.config)
}

fn check_own_key(ledger: &Ledger, key: &PublicKey) -> Result<(), Refusal> {
    if ledger.own_key == Some(*key) {
        return Err(Refusal::OwnKey(*key));
    }
    Ok(())
}

fn check_expiry(key: &PublicKey, peer: &Managed, now: i64) -> Result<(), Refusal> {
    if peer.expires_at.is_some_and(|at| at <= now) {
        return Err(Refusal::Expired(*key));
    }
    Ok(())
}

/// The peer as it is: what was accepted for it, else what the device alone knows of it.
fn present(ledger: &Ledger, key: &PublicKey) -> Option<Managed> {
    let foreign = || {
        ledger.observed(key).map(|seen| Managed {
            config: seen.config.clone(),
            endpoint: None,
            expires_at: None,
        })
    };
    ledger.managed_peer(key).cloned().or_else(foreign)
}

/// Compares what is desired. An endpoint is a hint, so another hint is not other content; the device
/// knows nothing of an expiry, so a foreign peer may be given one while it is taken in.
fn same_content(there: &Managed, asked: &Managed, foreign: bool) -> bool {
    there.config == asked.config && (foreign || there.expires_at == asked.expires_at)
}

fn managed(spec: &PeerSpec) -> Managed {
    Managed {
        config: spec.config(),
        endpoint: spec.endpoint,
        expires_at: spec.expires_at,
    }
}
