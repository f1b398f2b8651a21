//! What one interface should hold, and what its device was last seen to hold, side by side.
//!
//! Pure bookkeeping: no clock, no disk, no device. The writer changes the ledger as if a commit had
//! already succeeded and takes the change back where it did not; so each request of a group is
//! judged against what its predecessors leave behind.
//!
//! Managed peers are those accepted over the API. A peer that only the device knows is foreign:
//! it is shown, it owns its allowed IPs, and nothing here removes it unasked.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use protocol::{Cidr, Digest, Endpoint, PeerConfig, PublicKey};

use crate::device::{Observed, PeerOp};

mod observation;

pub use observation::Since;

/// A peer that was accepted over the API.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Managed {
    pub config: PeerConfig,
    /// Where to reach the peer until it is heard from. Never compared: the device knows better.
    pub endpoint: Option<Endpoint>,
    pub expires_at: Option<i64>,
}

/// A peer as the device was last seen to hold it, and when that last changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub observed: Observed,
    changed: u64,
}

/// What a peer was before a change, so that the change can be taken back.
#[derive(Debug, Clone, Default)]
pub struct Before {
    // Boxed, since a full set of new peers has nothing before.
    pub managed: Option<Box<Managed>>,
    pub seen: Option<Box<Seen>>,
}

/// The peers that a change touched, as they were before it.
pub type Touched = BTreeMap<PublicKey, Before>;

#[derive(Debug, Default)]
pub struct Ledger {
    managed: BTreeMap<PublicKey, Managed>,
    seen: BTreeMap<PublicKey, Seen>,
    owners: HashMap<Cidr, PublicKey>,
    pub generation: Option<u64>,
    pub own_key: Option<PublicKey>,
    sequence: u64,
    departures: VecDeque<(u64, PublicKey)>,
    departures_since: u64,
    digest: Option<Digest>,
    foreign: usize,
    expiries: BTreeSet<(i64, PublicKey)>,
}

impl Ledger {
    pub fn new(managed: BTreeMap<PublicKey, Managed>, generation: Option<u64>) -> Self {
        let expiries = managed
            .iter()
            .filter_map(|(key, peer)| Some((peer.expires_at?, *key)))
            .collect();
        let mut ledger = Self {
            managed,
            generation,
            expiries,
            ..Self::default()
        };
        ledger.index_owners();
        ledger
    }

    pub fn managed(&self) -> &BTreeMap<PublicKey, Managed> {
        &self.managed
    }

    pub fn managed_peer(&self, key: &PublicKey) -> Option<&Managed> {
        self.managed.get(key)
    }

    pub fn observed(&self, key: &PublicKey) -> Option<&Observed> {
        self.seen.get(key).map(|seen| &seen.observed)
    }

    pub fn all_observed(&self) -> impl Iterator<Item = (&PublicKey, &Observed)> {
        self.seen.iter().map(|(key, seen)| (key, &seen.observed))
    }

    pub fn is_foreign(&self, key: &PublicKey) -> bool {
        self.seen.contains_key(key) && !self.managed.contains_key(key)
    }

    pub fn foreign(&self) -> impl Iterator<Item = &PublicKey> {
        self.seen
            .keys()
            .filter(|key| !self.managed.contains_key(key))
    }

    pub fn count(&self) -> usize {
        self.seen.len()
    }

    pub fn foreign_count(&self) -> usize {
        self.foreign
    }

    /// The peer that holds this very prefix, managed or foreign.
    pub fn owner(&self, cidr: &Cidr) -> Option<&PublicKey> {
        self.owners.get(cidr)
    }

    pub fn next_expiry(&self) -> Option<i64> {
        self.expiries.first().map(|(at, _)| *at)
    }

    pub fn expired(&self, now: i64) -> Vec<PublicKey> {
        self.expiries
            .iter()
            .take_while(|(at, _)| *at <= now)
            .map(|(_, key)| *key)
            .collect()
    }

    pub fn cursor(&self) -> u64 {
        self.sequence
    }

    /// The digest of what the device holds; computed once per change.
    pub fn digest(&mut self) -> Digest {
        *self.digest.get_or_insert_with(|| {
            Digest::of(
                self.seen
                    .iter()
                    .map(|(key, seen)| (key, &seen.observed.config)),
            )
        })
    }

    /// The digest, if nothing changed since it was last asked for.
    pub fn known_digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Makes a peer managed with this content, as if the device held it already.
    pub fn put(&mut self, key: PublicKey, peer: Managed, touched: &mut Touched) {
        self.remember(&key, touched);
        self.foreign -= usize::from(self.is_foreign(&key));
        self.disown(&key);
        for cidr in &peer.config.allowed_ips {
            self.owners.insert(*cidr, key);
        }
        self.sequence += 1;
        let before = self.seen.remove(&key).map(|seen| seen.observed);
        if before
            .as_ref()
            .is_none_or(|observed| observed.config != peer.config)
        {
            self.digest = None;
        }
        let asked = Observed {
            config: peer.config.clone(),
            endpoint: peer.endpoint,
            ..Observed::default()
        };
        let observed = match before {
            Some(seen) => Observed {
                config: asked.config,
                endpoint: seen.endpoint.or(asked.endpoint),
                ..seen
            },
            None => asked,
        };
        let changed = self.sequence;
        self.seen.insert(key, Seen { observed, changed });
        self.set_managed(key, Some(peer));
    }

    /// Forgets a peer, managed or foreign, as if the device had let it go already.
    pub fn forget(&mut self, key: PublicKey, touched: &mut Touched) {
        self.remember(&key, touched);
        self.foreign -= usize::from(self.is_foreign(&key));
        self.disown(&key);
        self.set_managed(key, None);
        if self.seen.remove(&key).is_some() {
            self.digest = None;
            self.depart(key);
        }
    }

    /// Takes a change back.
    pub fn undo(&mut self, touched: Touched) {
        for key in touched.keys() {
            self.disown(key);
        }
        self.digest = None;
        self.sequence += 1;
        for (key, before) in touched {
            self.set_managed(key, before.managed.map(|managed| *managed));
            match before.seen {
                Some(mut seen) => {
                    seen.changed = self.sequence;
                    self.seen.insert(key, *seen);
                }
                None => {
                    if self.seen.remove(&key).is_some() {
                        self.depart(key);
                    }
                }
            }
        }
        self.count_foreign();
        self.index_owners();
    }

    /// The fewest changes that make the device hold what the ledger now says of the touched peers.
    ///
    /// Removals come first: an allowed IP that moves must have left its former peer. A removal is
    /// always sent, even where the device was not seen to hold the peer: the view may be old, and
    /// a key that must go has to go.
    pub fn operations(&self, touched: &Touched) -> Vec<PeerOp> {
        let removals = touched
            .keys()
            .filter(|key| !self.managed.contains_key(key))
            .map(|key| PeerOp::Remove(*key));
        let puts = touched.iter().filter_map(|(key, before)| {
            let peer = self.managed.get(key)?;
            difference(key, peer, before.seen.as_ref().map(|seen| &seen.observed))
        });
        removals.chain(puts).collect()
    }

    fn set_managed(&mut self, key: PublicKey, peer: Option<Managed>) {
        if let Some(at) = self.managed.get(&key).and_then(|old| old.expires_at) {
            self.expiries.remove(&(at, key));
        }
        match peer {
            Some(peer) => {
                if let Some(at) = peer.expires_at {
                    self.expiries.insert((at, key));
                }
                self.managed.insert(key, peer);
            }
            None => {
                self.managed.remove(&key);
            }
        }
    }

    fn count_foreign(&mut self) {
        self.foreign = self.foreign().count();
    }

    fn remember(&self, key: &PublicKey, touched: &mut Touched) {
        touched.entry(*key).or_insert_with(|| Before {
            managed: self.managed.get(key).cloned().map(Box::new),
            seen: self.seen.get(key).cloned().map(Box::new),
        });
    }

    fn disown(&mut self, key: &PublicKey) {
        let managed = self.managed.get(key).map(|peer| &peer.config.allowed_ips);
        let seen = self
            .seen
            .get(key)
            .map(|seen| &seen.observed.config.allowed_ips);
        for cidr in managed.into_iter().chain(seen).flatten() {
            if self.owners.get(cidr) == Some(key) {
                self.owners.remove(cidr);
            }
        }
    }

    /// A foreign peer's claim stands above a managed one's: the device holds the prefix there.
    fn index_owners(&mut self) {
        self.owners.clear();
        for (key, peer) in &self.managed {
            self.owners
                .extend(peer.config.allowed_ips.iter().map(|cidr| (*cidr, *key)));
        }
        for (key, seen) in &self.seen {
            if !self.managed.contains_key(key) {
                let cidrs = &seen.observed.config.allowed_ips;
                self.owners.extend(cidrs.iter().map(|cidr| (*cidr, *key)));
            }
        }
    }
}

/// The change that makes a device hold `peer`, if it does not already.
pub fn difference(key: &PublicKey, peer: &Managed, observed: Option<&Observed>) -> Option<PeerOp> {
    let endpoint = peer
        .endpoint
        .filter(|_| observed.is_none_or(|seen| seen.endpoint.is_none()));
    let same = observed.is_some_and(|seen| seen.config == peer.config);
    if same && endpoint.is_none() {
        return None;
    }
    let same_ips = observed.is_some_and(|seen| seen.config.allowed_ips == peer.config.allowed_ips);
    Some(PeerOp::Put {
        key: *key,
        config: peer.config.clone(),
        replace_allowed_ips: !same_ips,
        endpoint,
    })
}
