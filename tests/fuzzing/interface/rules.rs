//! What must hold of a write that was judged: before it, after it, and when it is repeated.

use std::collections::{BTreeMap, BTreeSet};

use node_agent::ledger::Managed;
use node_agent::plan::{self, Change, Decision, Refusal, Write};
use protocol::wire::{Batch, FullSet, PeerSpec, PeerUpdate};
use protocol::{Cidr, PublicKey};

use super::{Before, Interface, NOW, OWN, key};

/// What a write asks for, whatever kind it is.
struct Asked<'a> {
    /// Peers it describes in full.
    wanted: BTreeMap<PublicKey, &'a PeerSpec>,
    named: BTreeSet<PublicKey>,
    /// Whether managed peers that it does not name are to go, and foreign ones too.
    replaces: bool,
    removes_foreign: bool,
    allow_removals: Option<usize>,
    generation: Option<u64>,
}

impl Interface {
    /// All rules about a write that was accepted and made.
    pub(super) fn check_accepted(&self, write: &Write, before: &Before) {
        let asked = asked(write);
        Self::check_names(write, &asked);
        self.check_generation(write, &asked, before);
        self.check_wanted(write, &asked, before);
        self.check_unnamed(&asked, before);
        self.check_owners(before);
        self.check_guard(&asked, before);
        self.check_repetition(write);
    }

    /// A refusal has its reason.
    pub(super) fn check_refusal(&self, refusal: &Refusal) {
        assert!(!refusal.to_string().is_empty());
        match refusal {
            Refusal::AllowedIpTaken { owner, .. } => assert_ne!(*owner, key(OWN)),
            Refusal::PeerUnknown(key) => {
                assert!(!self.device.contains_key(key) && self.ledger.managed_peer(key).is_none());
            }
            Refusal::PeerExists(key) => {
                assert!(self.device.contains_key(key) || self.ledger.managed_peer(key).is_some());
            }
            Refusal::OwnKey(named) => assert_eq!(*named, key(OWN)),
            Refusal::MassRemoval { count, .. } => assert!(*count > 0),
            Refusal::GenerationMismatch { .. }
            | Refusal::GenerationBackwards(_)
            | Refusal::NamedTwice(_)
            | Refusal::Expired(_) => {}
        }
    }

    fn check_generation(&self, write: &Write, asked: &Asked<'_>, before: &Before) {
        let now = self.ledger.generation;
        assert_eq!(now, asked.generation.or(before.generation));
        let was = before.generation.unwrap_or(0);
        match write {
            Write::Batch(batch) => {
                assert!(batch.generation > was && batch.base_generation.unwrap_or(0) == was);
            }
            Write::FullSet { set, .. } => {
                let follows = set.generation >= was || set.base_generation == before.generation;
                assert!(set.generation > 0 && follows);
            }
            _ => {}
        }
    }

    /// What is named twice has no one meaning.
    fn check_names(write: &Write, asked: &Asked<'_>) {
        let names = match write {
            Write::Add(_) | Write::Update(..) | Write::Remove(_) => 1,
            Write::Batch(batch) => batch.upsert.len() + batch.remove.len(),
            Write::FullSet { set, .. } => set.peers.len(),
            Write::Sync { peers, .. } => peers.len(),
        };
        assert_eq!(asked.named.len(), names, "a peer is named twice");
    }

    /// Every peer that the write describes is as described, and those it removes are gone.
    fn check_wanted(&self, write: &Write, asked: &Asked<'_>, before: &Before) {
        let managed = self.ledger.managed();
        assert!(!managed.contains_key(&key(OWN)) && !self.device.contains_key(&key(OWN)));
        for (key, spec) in &asked.wanted {
            if spec.expires_at.is_some_and(|at| at <= NOW) {
                assert!(!managed.contains_key(key), "{key} has expired");
                continue;
            }
            let peer = &managed[key];
            assert_eq!(peer.config, spec.config());
            assert_eq!(
                (peer.endpoint, peer.expires_at),
                (spec.endpoint, spec.expires_at)
            );
            assert_eq!(self.device[key], peer.config);
        }
        match write {
            Write::Update(key, update) => self.check_update(key, update, before),
            Write::Remove(key) => {
                assert!(!managed.contains_key(key) && !self.device.contains_key(key));
            }
            Write::Batch(batch) => {
                for key in &batch.remove {
                    assert!(!managed.contains_key(key));
                    let foreign = !before.managed.contains_key(key);
                    assert_eq!(
                        self.device.contains_key(key),
                        foreign && before.device.contains_key(key)
                    );
                }
            }
            Write::Add(_) | Write::FullSet { .. } | Write::Sync { .. } => {}
        }
    }

    fn check_update(&self, key: &PublicKey, update: &PeerUpdate, before: &Before) {
        let foreign = before.device.get(key).map(|config| Managed {
            config: config.clone(),
            ..Managed::default()
        });
        let mut peer = before.managed.get(key).cloned().or(foreign).unwrap();
        let config = &mut peer.config;
        config.allowed_ips = update
            .allowed_ips
            .clone()
            .unwrap_or(config.allowed_ips.clone());
        config.preshared_key = update
            .preshared_key
            .clone()
            .unwrap_or(config.preshared_key.clone());
        let keepalive = config.persistent_keepalive;
        config.persistent_keepalive = update
            .persistent_keepalive
            .map_or(keepalive, |s| s.unwrap_or(0));
        peer.expires_at = update.expires_at.unwrap_or(peer.expires_at);
        peer.endpoint = update.endpoint.or(peer.endpoint);
        assert_eq!(self.ledger.managed_peer(key), Some(&peer));
        assert_eq!(self.device[key], peer.config);
    }

    /// Nobody else loses anything: no peer, no prefix.
    fn check_unnamed(&self, asked: &Asked<'_>, before: &Before) {
        let all: BTreeSet<_> = before.managed.keys().chain(before.device.keys()).collect();
        for key in all.into_iter().filter(|key| !asked.named.contains(key)) {
            let was_managed = before.managed.contains_key(key);
            let goes = asked.replaces && (was_managed || asked.removes_foreign);
            if goes {
                assert!(!self.device.contains_key(key) && self.ledger.managed_peer(key).is_none());
            } else {
                assert_eq!(
                    self.device.get(key),
                    before.device.get(key),
                    "{key} was not named"
                );
                assert_eq!(self.ledger.managed_peer(key), before.managed.get(key));
            }
        }
        let all: BTreeSet<_> = before.device.keys().chain(&asked.named).collect();
        assert!(self.device.keys().all(|key| all.contains(key)));
    }

    /// One owner for each prefix, and the ledger knows it; none for a prefix that was given up.
    fn check_owners(&self, before: &Before) {
        let mut owners: BTreeMap<&Cidr, &PublicKey> = BTreeMap::new();
        let managed = self
            .ledger
            .managed()
            .iter()
            .map(|(key, peer)| (key, &peer.config));
        for (key, config) in managed.chain(&self.device) {
            for cidr in &config.allowed_ips {
                assert_eq!(
                    *owners.entry(cidr).or_insert(key),
                    key,
                    "{cidr} has two owners"
                );
                assert_eq!(self.ledger.owner(cidr), Some(key), "owner of {cidr}");
            }
        }
        let devices = before.device.values().chain(self.device.values());
        for cidr in devices.flat_map(|config| &config.allowed_ips) {
            let owner = owners.get(cidr).copied();
            assert_eq!(self.ledger.owner(cidr), owner, "owner of {cidr}");
        }
    }

    fn check_guard(&self, asked: &Asked<'_>, before: &Before) {
        if !asked.replaces {
            return;
        }
        let managed = self.ledger.managed();
        let gone = before
            .managed
            .keys()
            .filter(|key| !managed.contains_key(key));
        let foreign_gone = before
            .device
            .keys()
            .filter(|key| !before.managed.contains_key(key) && !self.device.contains_key(key));
        let emptied = before.managed.iter().filter(|(key, old)| {
            let now = managed.get(key).map(|peer| peer.config.allowed_ips.len());
            !old.config.allowed_ips.is_empty() && now == Some(0)
        });
        let count = gone.count() + foreign_gone.count() + emptied.count();
        let many = count > 10.max(before.managed.len() / 5);
        if many || (count > 0 && managed.is_empty()) {
            assert!(
                asked.allow_removals.is_some_and(|allowed| allowed >= count),
                "{count} peers went"
            );
        }
    }

    /// The same again is accepted and changes nothing: retries are normal.
    fn check_repetition(&self, write: &Write) {
        let again = match write {
            Write::Batch(batch) => {
                let Some(generation) = batch.generation.checked_add(1) else {
                    return;
                };
                &Write::Batch(Batch {
                    base_generation: Some(batch.generation),
                    generation,
                    ..batch.clone()
                })
            }
            write => write,
        };
        let decision = plan::judge(&self.ledger, again, NOW).unwrap();
        let forgets: &[Change] = match write {
            Write::Remove(key) => &[Change::Forget(*key)],
            _ => &[],
        };
        assert_eq!(decision.changes, forgets);
        assert!(!decision.created);
    }
}

fn asked(write: &Write) -> Asked<'_> {
    let of = |specs: &'_ [PeerSpec]| -> BTreeSet<PublicKey> {
        specs.iter().map(|spec| spec.public_key).collect()
    };
    let asked = |specs| Asked {
        named: of(specs),
        wanted: specs.iter().map(|spec| (spec.public_key, spec)).collect(),
        replaces: false,
        removes_foreign: false,
        allow_removals: None,
        generation: None,
    };
    match write {
        Write::Add(spec) => asked(std::slice::from_ref(spec)),
        Write::Update(key, _) | Write::Remove(key) => Asked {
            named: [*key].into(),
            ..asked(&[])
        },
        Write::Batch(batch) => {
            let mut asked = asked(&batch.upsert);
            asked.named.extend(&batch.remove);
            asked.generation = Some(batch.generation);
            asked
        }
        Write::FullSet {
            set:
                FullSet {
                    generation,
                    peers,
                    allow_removals,
                    ..
                },
            remove_foreign,
        } => Asked {
            replaces: true,
            removes_foreign: *remove_foreign,
            allow_removals: *allow_removals,
            generation: Some(*generation),
            ..asked(peers)
        },
        Write::Sync {
            peers,
            allow_removals,
        } => Asked {
            replaces: true,
            allow_removals: *allow_removals,
            ..asked(peers)
        },
    }
}

/// Removals come first, and no peer is changed twice.
pub(super) fn check_changes(decision: &Decision) {
    let mut seen = BTreeSet::new();
    let mut put = false;
    for change in &decision.changes {
        let key = match change {
            Change::Put(key, _) => {
                put = true;
                key
            }
            Change::Forget(key) => {
                assert!(!put, "{key} is forgotten after another was put");
                key
            }
        };
        assert!(seen.insert(key), "{key} is changed twice");
    }
}
