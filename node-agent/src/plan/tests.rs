use protocol::PeerConfig;

use super::*;
use crate::device::{Observed, PeerOp, Reading};
use crate::ledger::Touched;

mod owners;
mod properties;

type Peers = BTreeMap<PublicKey, PeerConfig>;

const NOW: i64 = 1_766_000_000;

fn key(n: u8) -> PublicKey {
    PublicKey::from_bytes([n; 32]).unwrap()
}

fn cidr(n: u8) -> Cidr {
    Cidr::new([10, 0, 0, n].into(), 32).unwrap()
}

fn spec(n: u8, ips: &[u8]) -> PeerSpec {
    PeerSpec {
        public_key: key(n),
        allowed_ips: ips.iter().map(|n| cidr(*n)).collect(),
        preshared_key: None,
        persistent_keepalive: None,
        endpoint: None,
        expires_at: None,
    }
}

fn reading(peers: &Peers) -> Reading {
    let observed = |config: &PeerConfig| Observed {
        config: config.clone(),
        ..Observed::default()
    };
    Reading {
        public_key: Some(key(200)),
        listen_port: Some(51820),
        peers: peers
            .iter()
            .map(|(key, config)| (*key, observed(config)))
            .collect(),
    }
}

/// A ledger that manages what its device holds.
fn ledger_of(peers: &Peers, generation: Option<u64>) -> Ledger {
    let managed = peers.iter().map(|(key, config)| {
        let peer = Managed {
            config: config.clone(),
            ..Managed::default()
        };
        (*key, peer)
    });
    let mut ledger = Ledger::new(managed.collect(), generation);
    ledger.observe(reading(peers));
    ledger
}

fn ledger(specs: &[PeerSpec]) -> Ledger {
    ledger_of(
        &specs
            .iter()
            .map(|spec| (spec.public_key, spec.config()))
            .collect(),
        None,
    )
}

fn enter(ledger: &mut Ledger, decision: Decision) -> Touched {
    let mut touched = Touched::new();
    for change in decision.changes {
        match change {
            Change::Put(key, peer) => ledger.put(key, peer, &mut touched),
            Change::Forget(key) => ledger.forget(key, &mut touched),
        }
    }
    ledger.generation = decision.generation.or(ledger.generation);
    touched
}

/// What a kernel makes of operations: the last claim of a prefix wins, and nobody is told.
fn kernel(mut peers: Peers, ops: &[PeerOp]) -> Peers {
    for op in ops {
        match op {
            PeerOp::Remove(key) => drop(peers.remove(key)),
            PeerOp::Put {
                key,
                config,
                replace_allowed_ips,
                ..
            } => {
                let claimed: BTreeSet<Cidr> = config.allowed_ips.iter().copied().collect();
                for other in peers.values_mut() {
                    other.allowed_ips = other
                        .allowed_ips
                        .iter()
                        .copied()
                        .filter(|ip| !claimed.contains(ip))
                        .collect();
                }
                let peer = peers.entry(*key).or_default();
                let kept = peer
                    .allowed_ips
                    .iter()
                    .copied()
                    .filter(|_| !replace_allowed_ips);
                peer.allowed_ips = kept.chain(claimed).collect();
                peer.persistent_keepalive = config.persistent_keepalive;
                peer.preshared_key = config.preshared_key.clone();
            }
        }
    }
    peers
}

#[test]
fn an_add_is_created_once_and_confirmed_again() {
    let mut ledger = ledger(&[]);
    let write = Write::Add(spec(1, &[1]));

    let first = judge(&ledger, &write, NOW).unwrap();
    assert!(first.created);
    enter(&mut ledger, first);

    assert_eq!(judge(&ledger, &write, NOW), Ok(Decision::default()));
    let other = judge(&ledger, &Write::Add(spec(1, &[2])), NOW);
    assert_eq!(other, Err(Refusal::PeerExists(key(1))));
}

#[test]
fn a_foreign_peer_is_taken_in_by_adding_the_same() {
    let mut ledger = Ledger::default();
    ledger.observe(reading(&[(key(1), spec(1, &[1]).config())].into()));

    let decision = judge(&ledger, &Write::Add(spec(1, &[1])), NOW).unwrap();
    let touched = enter(&mut ledger, decision);

    assert_eq!(ledger.operations(&touched), []);
    assert_eq!(ledger.foreign_count(), 0);
}

#[test]
fn a_key_is_named_once() {
    let ledger = ledger(&[]);
    let batch = |upsert: Vec<PeerSpec>, remove: Vec<PublicKey>| {
        judge(
            &ledger,
            &Write::Batch(Batch {
                base_generation: None,
                generation: 1,
                upsert,
                remove,
            }),
            NOW,
        )
    };

    let twice = Err(Refusal::NamedTwice(key(1)));
    assert_eq!(batch(vec![spec(1, &[]), spec(1, &[])], vec![]), twice);
    assert_eq!(batch(vec![spec(1, &[])], vec![key(1)]), twice);
    assert_eq!(batch(vec![], vec![key(1), key(1)]), twice);
}

#[test]
fn generations_go_forward_unless_the_current_one_is_named() {
    let at_seven = ledger_of(&Peers::new(), Some(7));
    let batch = |base: Option<u64>, generation: u64| {
        let batch = Batch {
            base_generation: base,
            generation,
            upsert: vec![],
            remove: vec![],
        };
        judge(&at_seven, &Write::Batch(batch), NOW).map(|decision| decision.generation)
    };
    let set = |base: Option<u64>, generation: u64| {
        let set = FullSet {
            generation,
            base_generation: base,
            peers: vec![],
            allow_removals: None,
        };
        judge(
            &at_seven,
            &Write::FullSet {
                set,
                remove_foreign: false,
            },
            NOW,
        )
        .map(|decision| decision.generation)
    };

    assert_eq!(batch(Some(7), 8), Ok(Some(8)));
    assert_eq!(batch(Some(7), 100), Ok(Some(100)));
    assert_eq!(batch(Some(7), 7), Err(Refusal::GenerationBackwards(7)));
    assert_eq!(
        batch(Some(6), 8),
        Err(Refusal::GenerationMismatch { expected: Some(6) })
    );
    assert_eq!(
        batch(None, 8),
        Err(Refusal::GenerationMismatch { expected: None })
    );
    assert_eq!(set(None, 7), Ok(Some(7)));
    assert_eq!(
        set(None, 6),
        Err(Refusal::GenerationMismatch { expected: None })
    );
    assert_eq!(set(Some(7), 3), Ok(Some(3)));
    assert_eq!(
        set(Some(5), 3),
        Err(Refusal::GenerationMismatch { expected: Some(5) })
    );
}

#[test]
fn the_guard_lets_ten_or_a_fifth_go_and_never_the_last() {
    let set_of = |range: std::ops::RangeInclusive<u8>| -> Vec<PeerSpec> {
        range.map(|n| spec(n, &[n])).collect()
    };
    let drop_to = |managed: u8, left: Vec<PeerSpec>, allow: Option<usize>| {
        let write = Write::Sync {
            peers: left,
            allow_removals: allow,
        };
        judge(&ledger(&set_of(1..=managed)), &write, NOW).map(drop)
    };
    let refused = |count, managed| Err(Refusal::MassRemoval { count, managed });

    assert_eq!(drop_to(20, set_of(1..=10), None), Ok(()));
    assert_eq!(drop_to(20, set_of(1..=9), None), refused(11, 20));
    assert_eq!(drop_to(20, set_of(1..=9), Some(10)), refused(11, 20));
    assert_eq!(drop_to(20, set_of(1..=9), Some(11)), Ok(()));
    assert_eq!(drop_to(100, set_of(1..=80), None), Ok(()));
    assert_eq!(drop_to(104, set_of(1..=83), None), refused(21, 104));
    assert_eq!(drop_to(1, vec![], None), refused(1, 1));
    assert_eq!(drop_to(0, vec![], None), Ok(()));
    let emptied = (1..=11).map(|n| spec(n, &[])).collect();
    assert_eq!(drop_to(11, emptied, None), refused(11, 11));
}

#[test]
fn foreign_peers_stay_unless_they_are_named() {
    let mut ledger = Ledger::default();
    ledger.observe(reading(&[(key(1), spec(1, &[1]).config())].into()));
    let set = |remove_foreign| {
        let set = FullSet {
            generation: 1,
            base_generation: None,
            peers: vec![spec(2, &[2])],
            allow_removals: None,
        };
        judge(
            &ledger,
            &Write::FullSet {
                set,
                remove_foreign,
            },
            NOW,
        )
        .unwrap()
        .changes
        .len()
    };

    assert_eq!(set(false), 1);
    assert_eq!(set(true), 2);
    let batch = Batch {
        base_generation: None,
        generation: 1,
        upsert: vec![],
        remove: vec![key(1)],
    };
    assert_eq!(
        judge(&ledger, &Write::Batch(batch), NOW).unwrap().changes,
        []
    );
    let remove = judge(&ledger, &Write::Remove(key(1)), NOW).unwrap();
    assert_eq!(remove.changes, [Change::Forget(key(1))]);
}

#[test]
fn the_interface_is_no_peer_of_its_own() {
    let ledger = ledger(&[]);

    assert_eq!(
        judge(&ledger, &Write::Add(spec(200, &[1])), NOW),
        Err(Refusal::OwnKey(key(200)))
    );
}

#[test]
fn an_expired_peer_is_refused_alone_and_left_out_of_a_set() {
    let ledger = ledger(&[spec(1, &[1])]);
    let expired = PeerSpec {
        expires_at: Some(NOW),
        ..spec(1, &[1])
    };
    let batch = Batch {
        base_generation: None,
        generation: 1,
        upsert: vec![expired.clone()],
        remove: vec![],
    };

    assert!(matches!(
        judge(
            &ledger,
            &Write::Add(PeerSpec {
                public_key: key(2),
                ..expired
            }),
            NOW
        ),
        Err(Refusal::Expired(_))
    ));
    let decision = judge(&ledger, &Write::Batch(batch), NOW).unwrap();

    assert_eq!(decision.changes, [Change::Forget(key(1))]);
}

#[test]
fn an_update_replaces_what_it_names_and_keeps_the_rest() {
    let ledger = ledger(&[PeerSpec {
        persistent_keepalive: Some(25),
        ..spec(1, &[1])
    }]);
    let update: PeerUpdate = serde_json::from_str(r#"{"allowed_ips":["10.0.0.9/32"]}"#).unwrap();

    let decision = judge(&ledger, &Write::Update(key(1), update), NOW).unwrap();

    let [Change::Put(_, peer)] = decision.changes.as_slice() else {
        panic!("{decision:?}")
    };
    assert_eq!(peer.config.allowed_ips, spec(1, &[9]).allowed_ips);
    assert_eq!(peer.config.persistent_keepalive, 25);
    let unknown = judge(&ledger, &Write::Update(key(2), PeerUpdate::default()), NOW);
    assert_eq!(unknown, Err(Refusal::PeerUnknown(key(2))));
}
