//! The plain map that an agent is compared with: what was accepted, and what the device holds.
//!
//! Written from the contract alone and as simply as it goes. Peers are numbers.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{Cidr, Digest, Endpoint, PeerConfig, PresharedKey, PublicKey};

use crate::bed::public_key;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Content {
    pub(super) config: PeerConfig,
    pub(super) endpoint: Option<Endpoint>,
}

pub(super) type Peers = BTreeMap<u32, Content>;

/// A request as it goes over the wire.
#[derive(Debug, Clone)]
pub(super) enum Request {
    Add(u32, Content),
    Update(u32, Update),
    Remove(u32),
    Batch {
        base: Option<u64>,
        generation: u64,
        upsert: Vec<(u32, Content)>,
        remove: Vec<u32>,
    },
    FullSet {
        base: Option<u64>,
        generation: u64,
        peers: Vec<(u32, Content)>,
        allow: Option<usize>,
        remove_foreign: bool,
    },
    Sync {
        peers: Vec<(u32, Content)>,
        allow: Option<usize>,
    },
}

#[derive(Debug, Clone, Default)]
pub(super) struct Update {
    pub(super) allowed_ips: Option<Vec<String>>,
    pub(super) preshared_key: Option<Option<PresharedKey>>,
    pub(super) keepalive: Option<u16>,
}

/// Status and code of an answer.
pub(super) type Verdict = (u16, &'static str);

const OK: &str = "none";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Books {
    pub(super) managed: Peers,
    pub(super) device: Peers,
    pub(super) generation: Option<u64>,
    /// Whether there is an interface.
    pub(super) present: bool,
    /// Peers that were removed at some time.
    pub(super) departed: BTreeSet<u32>,
}

impl Books {
    pub(super) fn new() -> Self {
        Self {
            managed: Peers::new(),
            device: Peers::new(),
            generation: None,
            present: true,
            departed: BTreeSet::new(),
        }
    }

    pub(super) fn is_foreign(&self, n: u32) -> bool {
        self.device.contains_key(&n) && !self.managed.contains_key(&n)
    }

    pub(super) fn digest(&self) -> String {
        let keyed: Vec<(PublicKey, &PeerConfig)> = self
            .device
            .iter()
            .map(|(n, content)| (public_key(*n), &content.config))
            .collect();
        Digest::of(keyed.iter().map(|(key, config)| (key, *config))).to_string()
    }

    /// Carries a request out, unless something speaks against it: then any of that may be the answer.
    pub(super) fn apply(&mut self, request: &Request) -> Vec<Verdict> {
        let against = self.objections(request);
        if !against.is_empty() {
            return against;
        }
        let created = matches!(request, Request::Add(n, _) if !self.is_known(*n));
        match request {
            Request::Add(n, content) => self.put(*n, content),
            Request::Update(n, update) => {
                let content = self.updated(*n, update);
                self.put(*n, &content);
            }
            Request::Remove(n) => self.forget(*n),
            Request::Batch {
                generation,
                upsert,
                remove,
                ..
            } => {
                self.generation = Some(*generation);
                let gone: Vec<u32> = remove
                    .iter()
                    .filter(|n| self.managed.contains_key(n))
                    .copied()
                    .collect();
                self.replace(&gone, upsert);
            }
            Request::FullSet {
                generation,
                peers,
                remove_foreign,
                ..
            } => {
                self.generation = Some(*generation);
                let gone = self.leaving(peers, *remove_foreign);
                self.replace(&gone, peers);
            }
            Request::Sync { peers, .. } => {
                let gone = self.leaving(peers, false);
                self.replace(&gone, peers);
            }
        }
        vec![(if created { 201 } else { 200 }, OK)]
    }

    fn objections(&self, request: &Request) -> Vec<Verdict> {
        if !self.present {
            return match request {
                Request::Remove(_) => Vec::new(),
                _ => vec![(503, "interface_missing")],
            };
        }
        let mut against = Vec::new();
        match request {
            Request::Remove(_) => {}
            Request::Add(n, content) => {
                let there = self.managed.get(n).or_else(|| self.device.get(n));
                if there.is_some_and(|there| there.config != content.config) {
                    against.push((409, "peer_exists"));
                }
                against.extend(self.taken(&[(*n, content.clone())], &[]));
            }
            Request::Update(n, _) if !self.is_known(*n) => against.push((404, "peer_unknown")),
            Request::Update(n, update) => {
                against.extend(self.taken(&[(*n, self.updated(*n, update))], &[]));
            }
            Request::Batch {
                base,
                generation,
                upsert,
                remove,
            } => {
                if base.unwrap_or(0) != self.generation.unwrap_or(0) {
                    against.push((409, "generation_mismatch"));
                }
                if *generation <= base.unwrap_or(0) {
                    against.push((422, "generation_backwards"));
                }
                let named = upsert.iter().map(|(n, _)| n).chain(remove);
                against.extend(named_twice(named));
                let gone: Vec<u32> = remove
                    .iter()
                    .filter(|n| self.managed.contains_key(n))
                    .copied()
                    .collect();
                against.extend(self.taken(upsert, &gone));
            }
            Request::FullSet {
                base,
                generation,
                peers,
                allow,
                remove_foreign,
            } => {
                if self.generation.is_some_and(|now| *generation < now) && *base != self.generation
                {
                    against.push((409, "generation_mismatch"));
                }
                if *generation == 0 {
                    against.push((422, "generation_backwards"));
                }
                against.extend(self.against_set(peers, *allow, *remove_foreign));
            }
            Request::Sync { peers, allow } => {
                against.extend(self.against_set(peers, *allow, false))
            }
        }
        against
    }

    fn against_set(
        &self,
        peers: &[(u32, Content)],
        allow: Option<usize>,
        remove_foreign: bool,
    ) -> Vec<Verdict> {
        let gone = self.leaving(peers, remove_foreign);
        let emptied = peers.iter().filter(|(n, content)| {
            let had = self.managed.get(n);
            content.config.allowed_ips.is_empty()
                && had.is_some_and(|had| !had.config.allowed_ips.is_empty())
        });
        let count = gone.len() + emptied.count();
        let many = count > 10.max(self.managed.len() / 5) || (count > 0 && peers.is_empty());
        let mut against = Vec::new();
        if many && allow.is_none_or(|allow| allow < count) {
            against.push((409, "mass_removal"));
        }
        against.extend(named_twice(peers.iter().map(|(n, _)| n)));
        against.extend(self.taken(peers, &gone));
        against
    }

    /// Whether a claimed prefix would stay with somebody else.
    fn taken(&self, claims: &[(u32, Content)], gone: &[u32]) -> Option<Verdict> {
        let claimants: BTreeMap<u32, &Content> = claims.iter().map(|(n, c)| (*n, c)).collect();
        let mut owners: BTreeMap<Cidr, u32> = BTreeMap::new();
        let foreign = self.device.iter().filter(|(n, _)| self.is_foreign(**n));
        for (n, content) in self.managed.iter().chain(foreign) {
            if !claimants.contains_key(n) && !gone.contains(n) {
                owners.extend(content.config.allowed_ips.iter().map(|cidr| (*cidr, *n)));
            }
        }
        for (n, content) in claimants {
            for cidr in &content.config.allowed_ips {
                if owners.insert(*cidr, n).is_some() {
                    return Some((409, "allowed_ip_taken"));
                }
            }
        }
        None
    }

    fn leaving(&self, peers: &[(u32, Content)], remove_foreign: bool) -> Vec<u32> {
        let stays = |n: &u32| peers.iter().any(|(named, _)| named == n);
        let foreign = self.device.keys().filter(|n| self.is_foreign(**n));
        let foreign = foreign.filter(|_| remove_foreign);
        self.managed
            .keys()
            .chain(foreign)
            .filter(|n| !stays(n))
            .copied()
            .collect()
    }

    fn is_known(&self, n: u32) -> bool {
        self.managed.contains_key(&n) || self.device.contains_key(&n)
    }

    fn updated(&self, n: u32, update: &Update) -> Content {
        let mut content = match self.managed.get(&n) {
            Some(managed) => managed.clone(),
            None => Content {
                config: self.device[&n].config.clone(),
                endpoint: None,
            },
        };
        if let Some(texts) = &update.allowed_ips {
            content.config.allowed_ips = cidrs(texts);
        }
        if let Some(preshared_key) = &update.preshared_key {
            content.config.preshared_key = preshared_key.clone();
        }
        if let Some(keepalive) = update.keepalive {
            content.config.persistent_keepalive = keepalive;
        }
        content
    }

    fn replace(&mut self, gone: &[u32], peers: &[(u32, Content)]) {
        for n in gone {
            self.forget(*n);
        }
        for (n, content) in peers {
            self.put(*n, content);
        }
    }

    fn put(&mut self, n: u32, content: &Content) {
        self.managed.insert(n, content.clone());
        self.put_on_device(n, content);
    }

    /// An endpoint is a hint: where a peer was heard from, or hinted at before, stands.
    pub(super) fn put_on_device(&mut self, n: u32, content: &Content) {
        let before = self.device.remove(&n).and_then(|held| held.endpoint);
        let held = Content {
            config: content.config.clone(),
            endpoint: before.or(content.endpoint),
        };
        self.device.insert(n, held);
    }

    fn forget(&mut self, n: u32) {
        self.managed.remove(&n);
        self.device.remove(&n);
        self.departed.insert(n);
    }

    pub(super) fn vanish(&mut self) {
        self.present = false;
        self.device.clear();
    }

    /// What was accepted is put back, on a device that kept its peers or on an empty one.
    pub(super) fn restore(&mut self, device_is_new: bool) {
        if device_is_new {
            self.device.clear();
        }
        if self.present {
            for (n, content) in self.managed.clone() {
                self.put_on_device(n, &content);
            }
        }
    }

    /// Peers and prefixes that a request has to do with: two without anything in common may come
    /// in either order.
    pub(super) fn footprint(&self, request: &Request) -> BTreeSet<String> {
        let names = request.names();
        let held = names
            .iter()
            .flat_map(|n| self.managed.get(n).into_iter().chain(self.device.get(n)));
        let prefixes = held.chain(request.contents()).flat_map(|content| {
            let cidrs = content.config.allowed_ips.iter();
            cidrs.map(Cidr::to_string).collect::<Vec<_>>()
        });
        let updated = match request {
            Request::Update(_, update) => update.allowed_ips.clone().unwrap_or_default(),
            _ => Vec::new(),
        };
        let updated = updated.iter().map(|t| Cidr::parse(t).unwrap().to_string());
        let batch = matches!(request, Request::Batch { .. }).then(|| "a batch".to_owned());
        names
            .iter()
            .map(u32::to_string)
            .chain(prefixes)
            .chain(updated)
            .chain(batch)
            .collect()
    }
}

impl Request {
    pub(super) fn names(&self) -> Vec<u32> {
        match self {
            Self::Add(n, _) | Self::Update(n, _) | Self::Remove(n) => vec![*n],
            Self::Batch { upsert, remove, .. } => upsert
                .iter()
                .map(|(n, _)| *n)
                .chain(remove.clone())
                .collect(),
            Self::FullSet { peers, .. } | Self::Sync { peers, .. } => {
                peers.iter().map(|(n, _)| *n).collect()
            }
        }
    }

    fn contents(&self) -> Vec<&Content> {
        match self {
            Self::Add(_, content) => vec![content],
            Self::Update(..) | Self::Remove(_) => Vec::new(),
            Self::Batch { upsert: peers, .. }
            | Self::FullSet { peers, .. }
            | Self::Sync { peers, .. } => peers.iter().map(|(_, content)| content).collect(),
        }
    }
}

fn named_twice<'a>(names: impl Iterator<Item = &'a u32>) -> Option<Verdict> {
    let mut seen = BTreeSet::new();
    let mut names = names;
    names
        .any(|n| !seen.insert(*n))
        .then_some((422, "named_twice"))
}

pub(super) fn cidrs(texts: &[String]) -> protocol::AllowedIps {
    texts
        .iter()
        .map(|text| Cidr::parse(text).unwrap())
        .collect()
}
