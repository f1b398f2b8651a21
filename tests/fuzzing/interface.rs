//! An interface with some peers, on which writes are judged one after the other.
//!
//! The device is a model of WireGuard: the last claim of a prefix wins and nobody is told.

use std::collections::{BTreeMap, BTreeSet};

use node_agent::device::{Observed, PeerOp, Reading};
use node_agent::ledger::{Ledger, Managed, Touched};
use node_agent::plan::{self, Change, Decision, Write};
use protocol::{Cidr, PeerConfig, PresharedKey, PublicKey};

mod rules;

const NOW: i64 = 1_766_000_000;
const GENERATION: u64 = 7;
/// Managed peers have the keys 1 to this, each byte alike.
const MANAGED: u8 = 14;
const FOREIGN: u8 = 101;
const OWN: u8 = 200;

type Peers = BTreeMap<PublicKey, PeerConfig>;

pub(super) struct Interface {
    ledger: Ledger,
    device: Peers,
    device_at_first: Peers,
    /// What each write changed, with the generation before it.
    history: Vec<(Touched, Option<u64>)>,
}

/// What books and device said before a write.
struct Before {
    managed: BTreeMap<PublicKey, Managed>,
    device: Peers,
    generation: Option<u64>,
}

pub(super) fn key(number: u8) -> PublicKey {
    PublicKey::observed([number; 32])
}

/// Keys that stand for every kind of peer: managed, about to expire, not on the device, foreign,
/// unknown, and the interface itself.
pub(super) fn telling_keys() -> [PublicKey; 6] {
    [1, 5, MANAGED - 1, FOREIGN, 77, OWN].map(key)
}

fn peer(number: u8) -> Managed {
    let v4 = Cidr::new([10, 0, 0, number].into(), 32).unwrap();
    let net = Cidr::new([10, 1, number, 0].into(), 24).unwrap();
    let v6 = Cidr::parse(&format!("fd00::{number}/128")).unwrap();
    let preshared_key = PresharedKey::from_bytes([number; 32]).unwrap();
    Managed {
        config: PeerConfig {
            allowed_ips: match number {
                MANAGED => [].into_iter().collect(),
                1..4 => [v4, net, v6].into_iter().collect(),
                _ => [v4].into_iter().collect(),
            },
            persistent_keepalive: u16::from(number % 3) * 25,
            preshared_key: number.is_multiple_of(4).then_some(preshared_key),
        },
        endpoint: None,
        expires_at: (number == 5).then_some(NOW + 60),
    }
}

impl Interface {
    pub(super) fn empty() -> Self {
        Self::new(BTreeMap::new(), Peers::new(), None)
    }

    pub(super) fn with_peers() -> Self {
        let managed: BTreeMap<_, _> = (1..=MANAGED).map(|n| (key(n), peer(n))).collect();
        let missing = key(MANAGED - 1);
        let seen = managed.iter().filter(|(key, _)| **key != missing);
        let mut device: Peers = seen
            .map(|(key, peer)| (*key, peer.config.clone()))
            .collect();
        for number in [FOREIGN, FOREIGN + 1] {
            device.insert(key(number), peer(number).config);
        }
        Self::new(managed, device, Some(GENERATION))
    }

    fn new(managed: BTreeMap<PublicKey, Managed>, device: Peers, generation: Option<u64>) -> Self {
        let mut ledger = Ledger::new(managed, generation);
        let observed = |config: &PeerConfig| Observed {
            config: config.clone(),
            ..Observed::default()
        };
        ledger.observe(Reading {
            public_key: Some(key(OWN)),
            listen_port: Some(51820),
            peers: device
                .iter()
                .map(|(key, config)| (*key, observed(config)))
                .collect(),
        });
        Self {
            ledger,
            device_at_first: device.clone(),
            device,
            history: Vec::new(),
        }
    }

    /// Judges a write and, if it is accepted, makes it.
    pub(super) fn write(&mut self, write: &Write) {
        let decision = match plan::judge(&self.ledger, write, NOW) {
            Ok(decision) => decision,
            Err(refusal) => return self.check_refusal(&refusal),
        };
        rules::check_changes(&decision);
        let before = Before {
            managed: self.ledger.managed().clone(),
            device: self.device.clone(),
            generation: self.ledger.generation,
        };
        self.make(decision);
        self.check_accepted(write, &before);
    }

    /// Carries everything out once more in one step, takes it back, and looks whether a trace is left.
    pub(super) fn end(mut self, untouched: Self) {
        let mut joint = Touched::new();
        for (key, before) in self.history.iter().flat_map(|(touched, _)| touched) {
            joint.entry(*key).or_insert_with(|| before.clone());
        }
        for op in self.ledger.operations(&joint) {
            carry_out(&mut self.device_at_first, &op);
        }
        assert_eq!(self.device_at_first, self.device, "in one step and in many");
        let mut untouched = untouched.ledger;
        while let Some((touched, generation)) = self.history.pop() {
            self.ledger.undo(touched);
            self.ledger.generation = generation;
        }
        let mut ledger = self.ledger;
        assert_eq!(ledger.managed(), untouched.managed());
        assert!(ledger.all_observed().eq(untouched.all_observed()));
        assert_eq!(ledger.digest(), untouched.digest());
        assert_eq!(ledger.foreign_count(), untouched.foreign_count());
        assert_eq!(ledger.next_expiry(), untouched.next_expiry());
        let configs = self.device.values();
        for cidr in configs.flat_map(|config| &config.allowed_ips) {
            assert_eq!(ledger.owner(cidr), untouched.owner(cidr), "owner of {cidr}");
        }
    }

    fn make(&mut self, decision: Decision) {
        let mut touched = Touched::new();
        for change in decision.changes {
            match change {
                Change::Put(key, peer) => self.ledger.put(key, peer, &mut touched),
                Change::Forget(key) => self.ledger.forget(key, &mut touched),
            }
        }
        let generation = self.ledger.generation;
        self.ledger.generation = decision.generation.or(generation);
        for op in self.ledger.operations(&touched) {
            carry_out(&mut self.device, &op);
        }
        self.history.push((touched, generation));
        let seen = self.ledger.all_observed();
        assert!(
            seen.map(|(key, seen)| (key, &seen.config)).eq(&self.device),
            "the ledger does not know what the device holds"
        );
    }
}

fn carry_out(device: &mut Peers, op: &PeerOp) {
    match op {
        PeerOp::Remove(key) => drop(device.remove(key)),
        PeerOp::Put {
            key,
            config,
            replace_allowed_ips,
            ..
        } => {
            let claimed: BTreeSet<&Cidr> = config.allowed_ips.iter().collect();
            for other in device.values_mut() {
                let left = other
                    .allowed_ips
                    .iter()
                    .filter(|cidr| !claimed.contains(cidr));
                other.allowed_ips = left.copied().collect();
            }
            let peer = device.entry(*key).or_default();
            let kept = peer.allowed_ips.iter().filter(|_| !replace_allowed_ips);
            peer.allowed_ips = kept.chain(claimed).copied().collect();
            peer.persistent_keepalive = config.persistent_keepalive;
            peer.preshared_key = config.preshared_key.clone();
        }
    }
}
