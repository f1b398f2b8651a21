//! The ledger's view of the device: what a reading brings, and what has changed since another.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::iter::Peekable;

use protocol::PublicKey;

use super::{Ledger, Managed, Seen};
use crate::device::{Observed, Reading};

/// How many departures are remembered for readers that ask "what changed since".
const DEPARTURES: usize = 20_000;

/// What changed for a reader since its cursor.
pub struct Since<'a> {
    pub full: bool,
    pub changed: Vec<(&'a PublicKey, &'a Observed, Option<&'a Managed>)>,
    pub removed: Vec<PublicKey>,
}

/// Finds keys that are asked for in their order by walking beside them: to look up each key of a
/// large device would take longer than everything else that is done with it.
struct Beside<'a, V>(Peekable<btree_map::Iter<'a, PublicKey, V>>);

impl<'a, V> Beside<'a, V> {
    fn new(map: &'a BTreeMap<PublicKey, V>) -> Self {
        Self(map.iter().peekable())
    }

    fn find(&mut self, key: &PublicKey) -> Option<&'a V> {
        while self.0.next_if(|(at, _)| *at < key).is_some() {}
        self.0.next_if(|(at, _)| *at == key).map(|(_, value)| value)
    }
}

impl Ledger {
    /// Takes in what the device holds now. Returns whether any peer's configuration was news.
    pub fn observe(&mut self, reading: Reading) -> bool {
        self.own_key = reading.public_key;
        let next = self.sequence + 1;
        let mut any = false;
        let mut news = false;
        let mut foreign_news = false;
        let mut gone = Vec::new();
        let mut arrived = Vec::new();
        let mut managed = Beside::new(&self.managed);
        let mut known = self.seen.iter_mut().peekable();
        for (key, mut observed) in reading.peers {
            let managed = managed.find(&key);
            while let Some((left, _)) = known.next_if(|(at, _)| **at < key) {
                gone.push(*left);
            }
            let shared =
                managed.filter(|peer| peer.config.allowed_ips == observed.config.allowed_ips);
            if let Some(peer) = shared {
                observed.config.allowed_ips = peer.config.allowed_ips.clone();
            }
            match known.next_if(|(at, _)| **at == key) {
                Some((_, seen)) if seen.observed == observed => {}
                Some((_, seen)) => {
                    let changed = seen.observed.config != observed.config;
                    news |= changed;
                    foreign_news |= changed && managed.is_none();
                    any = true;
                    *seen = Seen {
                        observed,
                        changed: next,
                    };
                }
                None => {
                    news = true;
                    foreign_news |= managed.is_none();
                    any = true;
                    let changed = next;
                    arrived.push((key, Seen { observed, changed }));
                }
            }
        }
        gone.extend(known.map(|(left, _)| *left));
        for key in gone {
            foreign_news |= self.is_foreign(&key);
            self.seen.remove(&key);
            self.depart(key);
            news = true;
        }
        self.seen.extend(arrived);
        if any {
            self.sequence = self.sequence.max(next);
        }
        if news {
            self.digest = None;
            self.count_foreign();
        }
        if foreign_news {
            self.index_owners();
        }
        news
    }

    /// What changed after `cursor`; everything where that is not known any more.
    pub fn since(&self, cursor: Option<u64>) -> Since<'_> {
        let known = cursor.filter(|at| (self.departures_since..=self.sequence).contains(at));
        let after = known.unwrap_or(0);
        let mut managed = Beside::new(&self.managed);
        Since {
            full: known.is_none(),
            changed: self
                .seen
                .iter()
                .filter(|(_, seen)| known.is_none() || seen.changed > after)
                .map(|(key, seen)| (key, &seen.observed, managed.find(key)))
                .collect(),
            removed: match known {
                Some(at) => self
                    .departures
                    .iter()
                    .filter(|(when, key)| *when > at && !self.seen.contains_key(key))
                    .map(|(_, key)| *key)
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect(),
                None => Vec::new(),
            },
        }
    }

    pub(super) fn depart(&mut self, key: PublicKey) {
        self.sequence += 1;
        self.departures.push_back((self.sequence, key));
        if self.departures.len() > DEPARTURES
            && let Some((when, _)) = self.departures.pop_front()
        {
            self.departures_since = when;
        }
    }
}
