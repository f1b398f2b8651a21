//! What holds for every plan: carried out, it leads to what should be, and no further.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use super::node::Held;
use super::*;

/// Raw peers by number: hosts, keepalive, preshared key, expiry, and one flag to use at will.
type Raw = BTreeMap<u8, (Vec<u8>, u16, u8, u8, bool)>;

fn raw() -> impl Strategy<Value = Raw> {
    let peer = (
        vec(1u8..24, 0..4),
        0u16..2,
        0u8..3,
        0u8..6,
        prop::bool::weighted(0.3),
    );
    btree_map(1u8..14, peer, 0..12)
}

/// Gives every host to the first who asks, as both the database and a kernel do.
fn configs(raw: Raw) -> impl Iterator<Item = (PublicKey, PeerConfig, Option<i64>, bool)> {
    let mut taken = BTreeSet::new();
    raw.into_iter()
        .map(move |(n, (hosts, keepalive, secret, expiry, flag))| {
            let own: Vec<u8> = hosts
                .into_iter()
                .filter(|host| taken.insert(*host))
                .collect();
            let config = PeerConfig {
                persistent_keepalive: keepalive,
                preshared_key: if secret > 0 { psk(100 + secret) } else { None },
                ..config(&own)
            };
            let expires_at = match expiry {
                0 => Some(NOW - 1),
                1 => Some(NOW + 60),
                _ => None,
            };
            (key(n), config, expires_at, flag)
        })
}

fn desired_of(raw: Raw) -> DesiredPeers {
    let peer =
        |(key, mut config, expires_at, psk_unknown): (PublicKey, PeerConfig, Option<i64>, bool)| {
            if psk_unknown {
                config.preshared_key = None;
            }
            (
                key,
                Desired {
                    config,
                    expires_at,
                    psk_unknown,
                },
            )
        };
    configs(raw).map(peer).collect()
}

fn node_of(raw: Raw) -> Node {
    let held = |(key, config, expires_at, foreign): (PublicKey, PeerConfig, Option<i64>, bool)| {
        let expires_at = if foreign { None } else { expires_at };
        (
            key,
            Held {
                config,
                expires_at,
                foreign,
            },
        )
    };
    Node {
        peers: configs(raw).map(held).collect(),
    }
}

prop_compose! {
    fn case()(
        wanted in raw(),
        holds in raw(),
        forbidden in btree_set(1u8..14, 0..4),
        policy in prop_oneof![Just(DriftPolicy::Report), Just(DriftPolicy::Adopt), Just(DriftPolicy::Enforce)],
        allow_removals in proptest::option::of(0usize..14),
    ) -> Case {
        Case {
            forbidden: forbidden.into_iter().map(key).collect(),
            policy,
            allow_removals,
            ..Case::new(desired_of(wanted), node_of(holds))
        }
    }
}

/// Everything a plan says about keys that stay as they are.
fn let_be(plan: &Plan) -> BTreeSet<PublicKey> {
    let blocked = plan.blocked.iter().map(|blocked| blocked.key);
    let told = plan.reported.iter().chain(&plan.adoptions).copied();
    blocked.chain(told).collect()
}

fn live(case: &Case) -> impl Iterator<Item = (&PublicKey, &Desired)> {
    let is_live = |(key, peer): &(&PublicKey, &Desired)| {
        !case.forbidden.contains(*key) && peer.expires_at.is_none_or(|at| at > NOW)
    };
    case.desired.iter().filter(is_live)
}

/// What the database says once a plan's adoptions are in it.
fn adopt(case: &mut Case, plan: &Plan) {
    for key in &plan.adoptions {
        let held = &case.node.peers[key];
        let adopted = Desired {
            config: PeerConfig {
                preshared_key: None,
                ..held.config.clone()
            },
            expires_at: held.expires_at,
            psk_unknown: held.config.preshared_key.is_some(),
        };
        case.desired.insert(*key, adopted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_plan_carried_out_leads_to_what_should_be(mut case in case(), batches: bool) {
        let before = case.node.clone();
        let plan = case.plan();

        case.node.carry_out(&plan, &case.desired, batches);

        let blocked: BTreeSet<PublicKey> = plan.blocked.iter().map(|blocked| blocked.key).collect();
        for (key, peer) in live(&case).filter(|(key, _)| !blocked.contains(*key)) {
            let Some(held) = case.node.peers.get(key) else {
                prop_assert!(plan.psk_lost.contains(key) && !before.peers.contains_key(key));
                continue;
            };
            prop_assert_eq!(&held.config.allowed_ips, &peer.config.allowed_ips);
            prop_assert_eq!(held.config.persistent_keepalive, peer.config.persistent_keepalive);
            prop_assert_eq!((held.expires_at, held.foreign), (peer.expires_at, false));
            if peer.psk_unknown {
                prop_assert_eq!(&held.config.preshared_key, &before.peers[key].config.preshared_key);
            } else if !plan.unproven.contains(key) {
                prop_assert_eq!(&held.config.preshared_key, &peer.config.preshared_key);
            }
        }
    }

    #[test]
    fn a_forbidden_key_never_remains(mut case in case(), batches: bool) {
        let plan = case.plan();

        case.node.carry_out(&plan, &case.desired, batches);

        prop_assert!(case.forbidden.iter().all(|key| !case.node.peers.contains_key(key)));
    }

    #[test]
    fn after_a_plan_there_is_nothing_left_to_plan(mut case in case(), batches: bool) {
        let first = case.plan();
        case.node.carry_out(&first, &case.desired, batches);
        adopt(&mut case, &first);

        // Taking an adopted peer in and finding a preshared key that an unknown peer hid are second steps.
        // Which key it is that differs remains unknown, so whoever has one is written then.
        let second = case.plan();
        let is_suspected = |write: &Write| {
            !first.unproven.is_empty() && write.differs == [Difference::PresharedKey]
        };
        let is_second_step = |write: &Write| first.adoptions.contains(&write.key) || is_suspected(write);
        prop_assert!(second.writes.iter().all(is_second_step), "{second:?}");
        case.node.carry_out(&second, &case.desired, batches);

        let third = case.plan();
        prop_assert!(third.is_empty(), "{third:?}");
        if first.adoptions.is_empty() && first.unproven.is_empty() {
            prop_assert!(second.is_empty(), "{second:?}");
        }
    }

    #[test]
    fn nothing_is_planned_without_drift(wanted in raw(), policy in case().prop_map(|case| case.policy)) {
        let desired = desired_of(wanted);
        let mut node = Node::default();
        for (key, peer) in desired.iter().filter(|(_, peer)| peer.expires_at.is_none_or(|at| at > NOW)) {
            let mut config = peer.config.clone();
            if peer.psk_unknown {
                config.preshared_key = psk(200);
            }
            node.peers.insert(*key, Held { config, expires_at: peer.expires_at, foreign: false });
        }
        let is_provable = desired.values().all(|peer| !peer.psk_unknown);

        let plan = Case { policy, ..Case::new(desired, node) }.plan();

        prop_assert!(plan.is_empty(), "{plan:?}");
        prop_assert!(plan.unproven.is_empty() || !is_provable);
    }

    #[test]
    fn the_guard_lets_no_more_than_its_limit_through(case in case()) {
        let plan = case.plan();

        let gone = plan.removals.iter().filter(|removal| removal.why == Why::Unknown).count();
        let held = case.node.peers.len();
        let is_meant = case.allow_removals.is_some_and(|allowed| allowed >= gone);
        prop_assert!(gone <= 10.max(held / 5) || is_meant);
        prop_assert!(gone == 0 || case.policy == DriftPolicy::Enforce);
        prop_assert!(gone == 0 || live(&case).next().is_some() || is_meant);
        if let Some(held_back) = plan.held_back {
            prop_assert_eq!((gone, held_back.held), (0, held));
            prop_assert_eq!(plan.reported.len(), held_back.count);
        }
    }

    #[test]
    fn nobody_is_touched_whom_the_plan_does_not_name(mut case in case(), batches: bool) {
        let before = case.node.clone();
        let plan = case.plan();

        case.node.carry_out(&plan, &case.desired, batches);

        let released: BTreeSet<PublicKey> = plan.releases.iter().map(|release| release.key).collect();
        for key in let_be(&plan).difference(&released) {
            prop_assert_eq!(case.node.peers.get(key), before.peers.get(key));
        }
        let named: BTreeSet<PublicKey> = plan.removals.iter().map(|removal| removal.key)
            .chain(plan.writes.iter().map(|write| write.key))
            .chain(released)
            .collect();
        for (key, held) in before.peers.iter().filter(|(key, _)| !named.contains(*key)) {
            prop_assert_eq!(case.node.peers.get(key), Some(held));
        }
    }

    #[test]
    fn a_stored_plan_is_read_back_whole_and_holds_no_secret(case in case()) {
        let plan = case.plan();

        let json = serde_json::to_string(&plan).unwrap();

        prop_assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
        for secret in [psk(101), psk(102)].into_iter().flatten() {
            prop_assert!(!json.contains(&secret.reveal()));
        }
    }
}
