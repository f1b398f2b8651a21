use protocol::wire::answers::InSync;
use protocol::{AllowedIps, Cidr, Digest, InterfaceName, PresharedKey};

use super::*;

mod batch;
mod marks;
mod node;
mod properties;

use node::Node;

const NOW: i64 = 1_766_000_000;

fn key(n: u8) -> PublicKey {
    PublicKey::from_bytes([n; 32]).unwrap()
}

fn ips(hosts: &[u8]) -> AllowedIps {
    let host = |n: &u8| Cidr::new([10, 0, 0, *n].into(), 32).unwrap();
    hosts.iter().map(host).collect()
}

fn config(hosts: &[u8]) -> PeerConfig {
    PeerConfig {
        allowed_ips: ips(hosts),
        ..PeerConfig::default()
    }
}

fn psk(n: u8) -> Option<PresharedKey> {
    Some(PresharedKey::from_bytes([n; 32]).unwrap())
}

fn desired(peers: &[(u8, &[u8])]) -> DesiredPeers {
    let desired = |(n, hosts): &(u8, &[u8])| {
        let peer = Desired {
            config: config(hosts),
            ..Desired::default()
        };
        (key(*n), peer)
    };
    peers.iter().map(desired).collect()
}

/// A question about a node, with nothing special about it.
#[derive(Debug)]
struct Case {
    desired: DesiredPeers,
    node: Node,
    forbidden: BTreeSet<PublicKey>,
    policy: DriftPolicy,
    allow_removals: Option<usize>,
}

impl Case {
    fn new(desired: DesiredPeers, node: Node) -> Self {
        Self {
            desired,
            node,
            forbidden: BTreeSet::new(),
            policy: DriftPolicy::Report,
            allow_removals: None,
        }
    }

    fn plan(&self) -> Plan {
        plan(&Facts {
            desired: &self.desired,
            actual: &self.node.actual(),
            forbidden: &self.forbidden,
            policy: self.policy,
            allow_removals: self.allow_removals,
            agent_expires: true,
            now: NOW,
        })
    }
}

#[test]
fn a_node_that_shows_nothing_gets_everything_written_and_loses_nothing() {
    for policy in [
        DriftPolicy::Report,
        DriftPolicy::Adopt,
        DriftPolicy::Enforce,
    ] {
        let case = Case {
            policy,
            forbidden: BTreeSet::from([key(9)]),
            ..Case::new(desired(&[(1, &[1]), (2, &[2])]), Node::default())
        };

        let plan = case.plan();

        let missing = |n| Write {
            key: key(n),
            differs: vec![Difference::Missing],
            single: false,
        };
        let expected = Plan {
            writes: vec![missing(1), missing(2)],
            ..Plan::default()
        };
        assert_eq!(plan, expected);
    }
}

#[test]
fn a_forbidden_key_that_something_put_back_goes_with_advice() {
    let mut node = Node::default();
    node.holds_foreign(1, config(&[1]));
    node.holds(2, config(&[2]));
    let forbidden = BTreeSet::from([key(1), key(2)]);
    let case = Case {
        forbidden,
        ..Case::new(desired(&[]), node)
    };

    let interface = InterfaceName::parse("wg7").unwrap();

    let plan = case.plan();

    let keys: Vec<(PublicKey, bool)> = plan
        .removals
        .iter()
        .map(|removal| (removal.key, removal.foreign))
        .collect();
    assert_eq!(keys, [(key(1), true), (key(2), false)]);
    assert_eq!(plan.brought_back().collect::<Vec<_>>(), [&key(1)]);
    let advice = plan.advice(&interface).unwrap();
    assert!(
        advice.contains("wg-quick@wg7") && advice.contains("SaveConfig"),
        "{advice}"
    );
    assert_eq!(Plan::default().advice(&interface), None);
}

#[test]
fn unknown_peers_are_left_adopted_or_removed_as_the_policy_says() {
    let mut node = Node::default();
    node.holds(1, config(&[1]));
    node.holds_foreign(5, config(&[5]));
    let mut case = Case::new(desired(&[(1, &[1])]), node);

    let left = case.plan();
    assert!(left.is_empty());
    assert_eq!(left.reported, [key(5)]);

    case.policy = DriftPolicy::Adopt;
    assert_eq!(case.plan().adoptions, [key(5)]);

    case.policy = DriftPolicy::Enforce;
    let removed = case.plan();
    let removal = Removal {
        key: key(5),
        why: Why::Unknown,
        foreign: true,
    };
    assert_eq!(removed.removals, [removal]);
    assert_eq!(removed.brought_back().count(), 0);
}

#[test]
fn the_guard_holds_unknown_peers_back_unless_their_number_is_known() {
    let holding = |desired_peers: u8, unknown: u8| {
        let mut node = Node::default();
        for n in 1..=desired_peers + unknown {
            node.holds(n, config(&[n]));
        }
        let wanted = (1..=desired_peers).map(|n| {
            (
                key(n),
                Desired {
                    config: config(&[n]),
                    ..Desired::default()
                },
            )
        });
        Case {
            policy: DriftPolicy::Enforce,
            ..Case::new(wanted.collect(), node)
        }
    };
    let removed = |case: &Case| case.plan().removals.len();

    assert_eq!(removed(&holding(1, 10)), 10);
    assert_eq!(removed(&holding(80, 20)), 20);

    let mut many = holding(9, 11);
    let plan = many.plan();
    assert_eq!(
        plan.held_back,
        Some(HeldBack {
            count: 11,
            held: 20
        })
    );
    assert_eq!((plan.removals.len(), plan.reported.len()), (0, 11));
    many.allow_removals = Some(10);
    assert_eq!(removed(&many), 0);
    many.allow_removals = Some(11);
    assert_eq!(removed(&many), 11);

    assert_eq!(
        holding(0, 1).plan().held_back,
        Some(HeldBack { count: 1, held: 1 })
    );
}

#[test]
fn an_address_that_an_unknown_peer_has_is_named_and_not_fought_over() {
    let mut node = Node::default();
    node.holds_foreign(5, config(&[1]));
    let mut case = Case::new(desired(&[(1, &[1]), (2, &[2])]), node);

    for policy in [DriftPolicy::Report, DriftPolicy::Adopt] {
        case.policy = policy;
        let plan = case.plan();
        let allowed_ip = *ips(&[1]).iter().next().unwrap();
        assert_eq!(
            plan.blocked,
            [Blocked {
                key: key(1),
                allowed_ip,
                owner: key(5)
            }]
        );
        assert_eq!(plan.writes.len(), 1);
        assert_eq!((plan.adoptions.len(), plan.reported.len()), (0, 1));
    }

    case.policy = DriftPolicy::Enforce;
    let plan = case.plan();
    assert_eq!(
        (plan.blocked.len(), plan.writes.len(), plan.removals.len()),
        (0, 2, 1)
    );
}

#[test]
fn a_key_that_only_the_node_knows_is_kept_and_its_loss_is_told() {
    let mut case = Case::new(desired(&[(1, &[1]), (2, &[2]), (3, &[3])]), Node::default());
    for peer in case.desired.values_mut() {
        peer.psk_unknown = true;
    }
    case.node.holds(
        1,
        PeerConfig {
            preshared_key: psk(7),
            ..config(&[9])
        },
    );
    case.node.holds(2, config(&[2]));

    let plan = case.plan();

    let write = Write {
        key: key(1),
        differs: vec![Difference::AllowedIps],
        single: true,
    };
    assert_eq!(plan.writes, [write]);
    assert_eq!(plan.psk_lost, [key(2), key(3)]);
    assert_eq!(Changes::of(&plan, &case.desired), Changes::default());
}

#[test]
fn a_preshared_key_that_differs_is_found_by_the_digest_alone() {
    let with = |n| PeerConfig {
        preshared_key: psk(n),
        ..config(&[1])
    };
    let mut case = Case::new(desired(&[(1, &[1])]), Node::default());
    case.desired.get_mut(&key(1)).unwrap().config = with(7);
    case.node.holds(1, with(7));
    assert_eq!(case.plan(), Plan::default());

    case.node.holds(1, with(8));
    assert_eq!(case.plan().writes[0].differs, [Difference::PresharedKey]);

    case.node.holds_foreign(
        5,
        PeerConfig {
            preshared_key: psk(9),
            ..config(&[5])
        },
    );
    let unsure = case.plan();
    assert!(unsure.is_empty());
    assert_eq!(unsure.unproven, [key(1)]);
}

#[test]
fn who_cannot_be_written_makes_nobody_a_suspect() {
    let with = |n, hosts: &[u8]| PeerConfig {
        preshared_key: psk(n),
        ..config(hosts)
    };
    let mut case = Case::new(desired(&[(1, &[1]), (2, &[2])]), Node::default());
    case.desired.get_mut(&key(1)).unwrap().config = with(7, &[1]);
    case.desired.get_mut(&key(2)).unwrap().config = with(7, &[2]);
    case.node.holds(1, with(8, &[]));
    case.node.holds(2, with(7, &[2]));
    case.node.holds_foreign(5, config(&[1]));

    let plan = case.plan();

    assert_eq!(plan.blocked[0].key, key(1));
    assert_eq!(plan.writes, []);
    assert_eq!(plan.unproven, [key(2)]);
}

#[test]
fn an_expired_peer_goes_and_is_not_missed() {
    let mut case = Case::new(desired(&[(1, &[1]), (2, &[2])]), Node::default());
    for peer in case.desired.values_mut() {
        peer.expires_at = Some(NOW);
    }
    case.node.holds(1, config(&[1]));

    let plan = case.plan();

    assert_eq!(
        plan.removals,
        [Removal {
            key: key(1),
            why: Why::Expired,
            foreign: false
        }]
    );
    assert_eq!(plan.writes, []);
}

#[test]
fn what_the_database_could_not_hold_is_not_adopted() {
    let mut node = Node::default();
    node.holds_foreign(1, config(&[1]));
    let zero = PublicKey::observed([0; 32]);
    node.peers.insert(zero, node.peers[&key(1)].clone());
    node.peers.get_mut(&zero).unwrap().config = config(&[2]);
    node.peers.get_mut(&key(1)).unwrap().expires_at = Some(NOW);
    let case = Case {
        policy: DriftPolicy::Adopt,
        ..Case::new(desired(&[]), node)
    };

    let plan = case.plan();

    assert_eq!(
        (plan.adoptions.len(), plan.reported),
        (0, vec![zero, key(1)])
    );
}

#[test]
fn an_agent_without_expiries_is_not_told_of_them_again_and_again() {
    let mut case = Case::new(desired(&[(1, &[1])]), Node::default());
    case.desired.get_mut(&key(1)).unwrap().expires_at = Some(NOW + 60);
    case.node.holds(1, config(&[1]));
    let facts = Facts {
        desired: &case.desired,
        actual: &case.node.actual(),
        forbidden: &case.forbidden,
        policy: case.policy,
        allow_removals: None,
        agent_expires: false,
        now: NOW,
    };

    assert_eq!(plan(&facts), Plan::default());
    assert_eq!(case.plan().writes[0].differs, [Difference::Expiry]);
}

#[test]
fn a_peer_with_an_unknown_key_lets_go_before_another_takes_its_address() {
    let mut case = Case::new(desired(&[(1, &[2]), (2, &[1])]), Node::default());
    case.desired.get_mut(&key(1)).unwrap().psk_unknown = true;
    case.node.holds(
        1,
        PeerConfig {
            preshared_key: psk(7),
            ..config(&[1])
        },
    );
    case.node.holds(2, config(&[2]));

    let plan = case.plan();

    let release = |n, in_batch| Release {
        key: key(n),
        keeps: ips(&[]),
        in_batch,
    };
    assert_eq!(plan.releases, [release(1, false), release(2, true)]);
}
