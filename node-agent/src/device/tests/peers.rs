//! Peers are written and read as they were meant.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

#[test]
fn everything_about_a_peer_is_read_back() {
    let Some(lab) = Lab::start() else { return };
    let private = PrivateKey::from_random([7; 32]);
    let full = PeerOp::Put {
        key: key(1),
        config: PeerConfig {
            allowed_ips: cidrs(&["10.0.0.0/24", "fd00::/64", "10.1.0.1/32"]),
            persistent_keepalive: 25,
            preshared_key: Some(preshared(3)),
        },
        replace_allowed_ips: true,
        endpoint: Endpoint::parse("192.0.2.1:51820").ok(),
    };
    let bare = put(key(2), PeerConfig::default());

    lab.device.set_private_key(lab.index(), &private).unwrap();
    lab.device.set_listen_port(lab.index(), 51999).unwrap();
    lab.apply(&[full.clone(), bare.clone()]);

    let reading = lab.read();
    assert_eq!(reading.public_key, Some(private.public_key()));
    assert_eq!(reading.listen_port, Some(51999));
    assert_eq!(reading.peers, expected(&[full, bare]));
}

#[test]
fn a_new_device_is_empty() {
    let Some(lab) = Lab::start() else { return };

    let reading = lab.read();

    assert_eq!(reading.public_key, None);
    assert!(reading.peers.is_empty());
}

#[test]
fn a_preshared_key_and_a_keepalive_can_be_taken_away_again() {
    let Some(lab) = Lab::start() else { return };
    let with = PeerConfig {
        allowed_ips: cidrs(&["10.0.0.1/32"]),
        persistent_keepalive: 25,
        preshared_key: Some(preshared(3)),
    };
    let without = config(with.allowed_ips.clone());

    lab.apply(&[put(key(1), with.clone())]);
    let before = lab.read();
    lab.apply(&[put(key(1), without.clone())]);

    assert_eq!(before.peers[&key(1)].config, with);
    assert_eq!(lab.read().peers[&key(1)].config, without);
}

#[test]
fn an_endpoint_stays_unless_another_is_given() {
    let Some(lab) = Lab::start() else { return };
    let endpoint = Endpoint::parse("[2001:db8::1]:51820").ok();
    let with = PeerOp::Put {
        key: key(1),
        config: config(cidrs(&["10.0.0.1/32"])),
        replace_allowed_ips: true,
        endpoint,
    };

    lab.apply(&[with]);
    lab.apply(&[put(key(1), config(cidrs(&["10.0.0.2/32"])))]);

    assert_eq!(lab.read().peers[&key(1)].endpoint, endpoint);
}

#[test]
fn removals_come_before_all_else_and_unknown_ones_succeed() {
    let Some(lab) = Lab::start() else { return };
    let ip = config(cidrs(&["10.0.0.1/32"]));
    lab.apply(&[put(key(1), ip.clone())]);

    lab.apply(&[
        put(key(2), ip.clone()),
        PeerOp::Remove(key(1)),
        PeerOp::Remove(key(9)),
    ]);

    assert_eq!(lab.read().peers, expected(&[put(key(2), ip)]));
}

#[test]
fn two_peers_swap_their_allowed_ips_in_one_update() {
    let Some(lab) = Lab::start() else { return };
    let (one, two) = (cidrs(&["10.0.0.1/32"]), cidrs(&["10.0.0.2/32"]));
    lab.apply(&[
        put(key(1), config(one.clone())),
        put(key(2), config(two.clone())),
    ]);

    let swapped = [put(key(1), config(two)), put(key(2), config(one))];
    lab.apply(&swapped);

    assert_eq!(lab.read().peers, expected(&swapped));
}

#[test]
fn a_peer_may_have_more_allowed_ips_than_fit_into_one_message() {
    let Some(lab) = Lab::start() else { return };
    let v4 = (0..300_u32).map(|at| numbered_cidr(1, at * 2)).collect();
    let v6 = (0..250_u32)
        .map(|at| numbered_cidr(2, at * 2 + 1))
        .collect();
    let with_psk = PeerConfig {
        preshared_key: Some(preshared(1)),
        ..config(v6)
    };
    let many = [put(key(1), config(v4)), put(key(2), with_psk)];

    lab.apply(&many);

    assert_eq!(lab.read().peers, expected(&many));

    let few = [
        put(key(1), config(cidrs(&["10.0.0.1/32"]))),
        many[1].clone(),
    ];
    lab.apply(&few);

    assert_eq!(lab.read().peers, expected(&few));
}

#[derive(Debug, Clone)]
enum Step {
    Ops(Vec<PeerOp>),
    PrivateKey(u8),
}

/// Few keys, the device's own among them, and few prefixes, so that everything meets. No private key
/// of zeros: to the real ones it is the same as none.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let keys = prop_oneof![
        (0..4_u32).prop_map(key),
        (1..3_u8).prop_map(|n| PrivateKey::from_random([n; 32]).public_key()),
    ];
    let prefixes = prop::collection::vec(0..6_u32, 0..4)
        .prop_map(|ats| ats.into_iter().map(|at| numbered_cidr(0, at)).collect());
    let put = (
        keys.clone(),
        prefixes,
        prop_oneof![Just(None), Just(Some(preshared(5)))],
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(key, allowed_ips, preshared_key, replace, reachable)| PeerOp::Put {
                key,
                config: PeerConfig {
                    allowed_ips,
                    persistent_keepalive: if replace { 0 } else { 25 },
                    preshared_key,
                },
                replace_allowed_ips: replace,
                endpoint: reachable.then(|| Endpoint::parse("192.0.2.1:51820").unwrap()),
            },
        );
    let op = prop_oneof![3 => put, 1 => keys.prop_map(PeerOp::Remove)];
    let step = prop_oneof![
        8 => prop::collection::vec(op, 1..6).prop_map(Step::Ops),
        1 => (1..3_u8).prop_map(Step::PrivateKey),
    ];
    prop::collection::vec(step, 1..8)
}

#[test]
fn the_memory_device_does_what_the_real_one_does() {
    let Some(lab) = Lab::start() else { return };
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(150)
    };

    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        lab.foreign(
            wireguard_control::DeviceUpdate::new()
                .replace_peers()
                .unset_private_key(),
        );
        let memory = Memory::new(&lab.name);
        let memory = Device::Memory(memory);
        let memory_index = memory.index().unwrap().unwrap();
        for step in steps {
            match step {
                Step::Ops(ops) => {
                    lab.apply(&ops);
                    memory.apply(memory_index, &ops).unwrap();
                }
                Step::PrivateKey(number) => {
                    let private = PrivateKey::from_random([number; 32]);
                    lab.device.set_private_key(lab.index(), &private).unwrap();
                    memory.set_private_key(memory_index, &private).unwrap();
                }
            }
            let (real, imitated) = (lab.read(), memory.read().unwrap());
            prop_assert_eq!(real.public_key, imitated.public_key);
            prop_assert_eq!(real.peers, imitated.peers);
        }
        Ok(())
    });

    outcome.unwrap();
}
