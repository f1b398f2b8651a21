//! What may happen to an agent, drawn from a seed, and how a request is put on the wire.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::{Endpoint, PeerConfig, PresharedKey};
use serde_json::{Value, json};

use super::books::{Books, Content, Request, Update, cidrs};
use crate::bed::{Bed, encode, key};

/// Peers from this number on are those that a foreign hand may add as well.
pub(super) const FOREIGN_FROM: u32 = 12;
const PEERS: u32 = 17;

#[derive(Debug, Clone)]
pub(super) enum Step {
    Request(Plan),
    /// Requests all at once.
    Burst(Vec<Plan>),
    /// Requests all at once, and the end of the agent in the midst of them.
    Crash {
        burst: Vec<Plan>,
        after_us: u64,
        torn: bool,
    },
    Restart,
    DumpSince,
    ForeignPut(u32),
    ForeignRemove(u32),
    Vanish,
    Return,
}

/// A request whose generations depend on where the agent will be by then.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    request: Request,
    /// Added to the current generation, for base and new.
    base: i64,
    new: i64,
}

impl Plan {
    pub(super) fn resolve(&self, books: &Books) -> Request {
        let now = books.generation.unwrap_or(0);
        let at = |offset: i64| now.saturating_add_signed(offset);
        let mut request = self.request.clone();
        match &mut request {
            Request::Batch {
                base, generation, ..
            } => {
                *base = Some(at(self.base)).filter(|base| *base != 0);
                *generation = at(self.new);
            }
            Request::FullSet {
                base, generation, ..
            } => {
                *base = (self.base == 0).then_some(now).filter(|base| *base != 0);
                *generation = at(self.new);
            }
            _ => {}
        }
        request
    }
}

/// A small generator of numbers (splitmix64): the same seed gives the same steps for ever.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end)).unwrap()
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    pub(super) fn step(&mut self) -> Step {
        match self.below(40) {
            0..=21 => Step::Request(self.plan(true)),
            22..=24 => Step::Burst(self.burst()),
            25..=26 => Step::Crash {
                burst: self.burst(),
                after_us: u64::from(self.below(15_000)),
                torn: self.one_in(2),
            },
            27 => Step::Restart,
            28..=30 => Step::DumpSince,
            31..=34 => Step::ForeignPut(self.foreign_peer()),
            35 => Step::ForeignRemove(self.peer()),
            36 => Step::Vanish,
            _ => Step::Return,
        }
    }

    fn burst(&mut self) -> Vec<Plan> {
        (0..2 + self.below(7)).map(|_| self.plan(false)).collect()
    }

    fn plan(&mut self, whole_sets_too: bool) -> Plan {
        let request = match self.below(if whole_sets_too { 20 } else { 14 }) {
            0..=5 => {
                let n = self.peer();
                Request::Add(n, self.content_of(n))
            }
            6..=7 => Request::Update(self.peer(), self.update()),
            8..=10 => Request::Remove(self.peer()),
            11..=15 => Request::Batch {
                base: None,
                generation: 0,
                upsert: self.peers(5),
                remove: (0..self.below(3)).map(|_| self.peer()).collect(),
            },
            16..=18 => Request::FullSet {
                base: None,
                generation: 0,
                peers: self.peers(14),
                allow: self.allow(),
                remove_foreign: self.one_in(3),
            },
            _ => Request::Sync {
                peers: self.peers(14),
                allow: self.allow(),
            },
        };
        Plan {
            request,
            base: if self.one_in(8) { -1 } else { 0 },
            new: i64::from(self.below(4)) - i64::from(self.one_in(6)),
        }
    }

    fn peer(&mut self) -> u32 {
        self.below(PEERS)
    }

    fn foreign_peer(&mut self) -> u32 {
        FOREIGN_FROM + self.below(PEERS - FOREIGN_FROM)
    }

    fn allow(&mut self) -> Option<usize> {
        (!self.one_in(3)).then(|| self.below(20) as usize)
    }

    /// Mostly different peers with prefixes of their own.
    fn peers(&mut self, most: u32) -> Vec<(u32, Content)> {
        let mut peers: Vec<(u32, Content)> = Vec::new();
        for _ in 0..self.below(most + 1) {
            let n = self.peer();
            if self.one_in(30) || peers.iter().all(|(named, _)| *named != n) {
                let content = self.content_of(n);
                peers.push((n, content));
            }
        }
        peers
    }

    fn content_of(&mut self, n: u32) -> Content {
        if n >= FOREIGN_FROM && self.one_in(2) {
            return foreign_content(n);
        }
        // Always the same hint for a peer: which of two was taken is not to be seen.
        let endpoint = format!("192.0.2.{}:1000", 1 + n);
        Content {
            config: PeerConfig {
                allowed_ips: cidrs(&self.allowed_ips(n)),
                persistent_keepalive: if self.one_in(3) { 25 } else { 0 },
                preshared_key: self.preshared_key(),
            },
            endpoint: [0, 4, 8]
                .contains(&n)
                .then(|| Endpoint::new(endpoint.parse().unwrap()).unwrap()),
        }
    }

    fn allowed_ips(&mut self, n: u32) -> Vec<String> {
        let n = if self.one_in(12) { self.peer() } else { n };
        let all = [
            format!("10.0.{n}.7/24"),
            format!("10.0.{n}.1/32"),
            format!("fd00:{n:x}::1/64"),
        ];
        all.into_iter().filter(|_| !self.one_in(3)).collect()
    }

    fn preshared_key(&mut self) -> Option<PresharedKey> {
        let n = self.below(4);
        let byte = u8::try_from(n).unwrap();
        PresharedKey::from_bytes([byte; 32]).ok()
    }

    fn update(&mut self) -> Update {
        let n = self.peer();
        Update {
            allowed_ips: self.one_in(2).then(|| self.allowed_ips(n)),
            preshared_key: self.one_in(2).then(|| self.preshared_key()),
            keepalive: self.one_in(2).then_some(5),
        }
    }
}

/// What the foreign hand gives a peer.
pub(super) fn foreign_content(n: u32) -> Content {
    Content {
        config: PeerConfig {
            allowed_ips: cidrs(&[foreign_prefix(n)]),
            ..PeerConfig::default()
        },
        endpoint: None,
    }
}

pub(super) fn foreign_prefix(n: u32) -> String {
    format!("10.200.{n}.0/24")
}

/// Method, target and body.
pub(super) fn on_the_wire(bed: &Bed, request: &Request) -> (&'static str, String, Vec<u8>) {
    let of = |n: &u32| bed.path(&format!("/peers/{}", encode(&key(*n))));
    let entries = |peers: &[(u32, Content)]| -> Vec<Value> {
        let entry = |(n, content): &(u32, Content)| entry(*n, content);
        peers.iter().map(entry).collect()
    };
    let (method, target, body) = match request {
        Request::Add(n, content) => ("POST", bed.path("/peers"), entry(*n, content)),
        Request::Update(n, update) => ("PUT", of(n), update_body(update)),
        Request::Remove(n) => return ("DELETE", of(n), Vec::new()),
        Request::Batch {
            base,
            generation,
            upsert,
            remove,
        } => {
            let remove: Vec<String> = remove.iter().map(|n| key(*n)).collect();
            let body = json!({
                "base_generation": base, "generation": generation,
                "upsert": entries(upsert), "remove": remove,
            });
            ("PATCH", bed.path("/peers"), body)
        }
        Request::FullSet {
            base,
            generation,
            peers,
            allow,
            remove_foreign,
        } => {
            let body = json!({
                "base_generation": base, "generation": generation,
                "peers": entries(peers), "allow_removals": allow,
            });
            let query = if *remove_foreign {
                "?foreign=remove"
            } else {
                ""
            };
            ("PUT", bed.path(&format!("/peers{query}")), body)
        }
        Request::Sync { peers, allow } => {
            let body =
                json!({ "config": STANDARD.encode(wg_syntax(peers)), "allow_removals": allow });
            ("POST", bed.path("/syncconf"), body)
        }
    };
    (method, target, body.to_string().into_bytes())
}

fn entry(n: u32, content: &Content) -> Value {
    let config = &content.config;
    let mut entry = json!({ "public_key": key(n), "allowed_ips": config.allowed_ips });
    if config.persistent_keepalive != 0 {
        entry["persistent_keepalive"] = config.persistent_keepalive.into();
    }
    if let Some(preshared_key) = &config.preshared_key {
        entry["preshared_key"] = preshared_key.reveal().into();
    }
    if let Some(endpoint) = &content.endpoint {
        entry["endpoint"] = endpoint.to_string().into();
    }
    entry
}

fn update_body(update: &Update) -> Value {
    let mut body = json!({});
    if let Some(allowed_ips) = &update.allowed_ips {
        body["allowed_ips"] = json!(allowed_ips);
    }
    if let Some(preshared_key) = &update.preshared_key {
        body["preshared_key"] = json!(preshared_key.as_ref().map(PresharedKey::reveal));
    }
    if let Some(keepalive) = update.keepalive {
        body["persistent_keepalive"] = keepalive.into();
    }
    body
}

fn wg_syntax(peers: &[(u32, Content)]) -> String {
    let mut text = String::from("# written by hand\n");
    for (n, content) in peers {
        let config = &content.config;
        let ips: Vec<String> = config.allowed_ips.iter().map(|c| c.to_string()).collect();
        text += &format!("[Peer]\nPublicKey = {}\n", key(*n));
        if !ips.is_empty() {
            text += &format!("AllowedIPs = {}\n", ips.join(", "));
        }
        if let Some(preshared_key) = &config.preshared_key {
            text += &format!("PresharedKey = {}\n", preshared_key.reveal());
        }
        if config.persistent_keepalive != 0 {
            text += &format!("PersistentKeepalive = {}\n", config.persistent_keepalive);
        }
        if let Some(endpoint) = &content.endpoint {
            text += &format!("Endpoint = {endpoint}\n");
        }
    }
    text
}
