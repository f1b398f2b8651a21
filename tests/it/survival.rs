//! What is left after the agent ended, the interface vanished, or a lease ran out.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bed::{Backend, Bed, encode, ip, key, now, peer, peers, public_key};

mod disk;
mod journal;

const SECOND: Duration = Duration::from_secs(1);

/// An interface at generation 7 with ten peers of different kinds.
fn holding_ten() -> Bed {
    let bed = Bed::start();
    let mut all = peers(1..=10);
    all[0]["preshared_key"] = json!("WGUQw8lQx/h7nNsJj8shlbgShp2jr3u4jXHBWsPILsU=");
    all[1]["persistent_keepalive"] = json!(25);
    all[2]["endpoint"] = json!("192.0.2.1:7");
    all[3]["allowed_ips"] = json!(["fd00::4/128", "10.20.0.0/16"]);
    all[4]["allowed_ips"] = json!([]);
    let set = json!({ "generation": 7, "peers": all });
    assert_eq!(bed.full_set(&set).status, 200);
    bed
}

fn lease(n: u32, expires_at: i64) -> Value {
    let mut lease = peer(n, &[&ip(n)]);
    lease["expires_at"] = json!(expires_at);
    lease
}

/// The state but for counters, which begin anew with a device.
fn lasting(bed: &Bed) -> crate::bed::State {
    let mut state = bed.state();
    for peer in state.dump["peers"].as_array_mut().unwrap() {
        peer["transfer_tx"] = json!(0);
    }
    // A device that was made anew listens wherever there was room.
    state.config["config"]["listen_port"] = Value::Null;
    state
}

#[test]
fn a_restart_changes_nothing() {
    let mut bed = holding_ten();
    bed.hand.put_foreign(&public_key(50), &[&ip(50)]);
    let before = lasting(&bed);

    bed.restart();

    assert_eq!(lasting(&bed), before);
    assert_eq!(bed.health()["status"], "ok");
}

#[test]
fn a_restart_does_not_touch_a_device_that_is_as_it_should_be() {
    if !Bed::only_on(&[Backend::Memory]) {
        return;
    }
    let mut bed = holding_ten();
    bed.delete(&key(9));
    let updates = bed.hand.memory.updates();

    bed.restart();
    std::thread::sleep(SECOND);

    assert_eq!(bed.hand.memory.updates(), updates);
}

#[test]
fn what_changed_while_the_agent_was_away_is_put_right() {
    let mut bed = holding_ten();
    let before = lasting(&bed);

    bed.stop();
    bed.hand.remove(&public_key(2));
    bed.hand.put_foreign(&public_key(1), &["10.66.0.0/16"]);
    bed.run();

    assert_eq!(lasting(&bed), before);
}

#[test]
fn an_agent_that_was_killed_comes_back_with_all_it_confirmed() {
    if !Bed::only_on(&[Backend::Userspace, Backend::Kernel]) {
        return;
    }
    let mut bed = holding_ten();
    bed.delete(&key(1));
    bed.add(&key(11), &[&ip(11)]);
    let before = lasting(&bed);

    bed.kill();
    bed.hand.vanish();
    bed.hand.come_back();
    bed.run();

    assert_eq!(lasting(&bed), before);
}

#[test]
fn an_interface_that_vanished_is_restored_when_it_returns() {
    let bed = holding_ten();
    let before = lasting(&bed);

    bed.hand.vanish();
    Bed::within(SECOND, "the loss to be noticed", || {
        bed.health()["status"] == "degraded"
    });
    bed.hand.come_back();

    Bed::within(SECOND, "the peers to be back", || {
        bed.hand.peers().len() == 10
    });
    Bed::within(SECOND, "health", || bed.health()["status"] == "ok");
    assert_eq!(lasting(&bed), before);
}

#[test]
fn an_interface_that_gets_its_key_later_is_well_then_and_seen_going_down() {
    let bed = holding_ten();
    bed.hand.vanish();
    Bed::within(SECOND, "the loss to be noticed", || {
        bed.health()["status"] == "degraded"
    });

    bed.hand.begin_to_come_back();
    Bed::within(SECOND, "the peers to be back", || {
        bed.hand.peers().len() == 10
    });
    bed.hand.finish();

    Bed::within(SECOND, "health", || {
        let health = bed.health();
        (&health["status"], &health["interfaces"][0]["status"]) == (&json!("ok"), &json!("up"))
    });
    bed.hand.take_down();
    Bed::within(3 * SECOND, "the link to be seen down", || {
        bed.health()["interfaces"][0]["status"] == "down"
    });
}

#[test]
fn without_the_interface_nothing_is_answered_but_removals() {
    let bed = holding_ten();
    let remembered = bed.remembered();
    bed.hand.vanish();

    let set = json!({ "generation": 8, "peers": peers(1..=9) });
    let batch =
        json!({ "base_generation": 7, "generation": 8, "upsert": peers([20]), "remove": [key(3)] });
    for refused in [
        bed.add(&key(20), &[&ip(20)]),
        bed.update(&key(1), &json!({ "persistent_keepalive": 1 })),
        bed.batch(&batch),
        bed.full_set(&set),
        bed.client
            .put(&bed.path("/config"), &json!({ "mtu": 1400 })),
        bed.client.get(&bed.path("/dump")),
        bed.client.get(&bed.path("/digest")),
        bed.client.get(&bed.path("/config")),
    ] {
        assert_eq!(refused.code(), (503, "interface_missing".into()));
        assert!(refused.header("Retry-After").is_some());
    }
    assert_eq!(bed.remembered(), remembered);
    let health = bed.health();
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["interfaces"][0]["status"], "missing");
    assert_eq!(health["interfaces"][0]["peers"], Value::Null);

    assert_eq!(bed.delete(&key(3)).status, 200);
    assert_eq!(bed.delete(&key(77)).status, 200);
    bed.hand.come_back();

    Bed::within(SECOND, "the others to be back", || {
        bed.hand.peers().len() == 9
    });
    assert!(!bed.hand.peers().contains_key(&public_key(3)));
}

#[test]
fn a_peer_removed_while_the_interface_was_away_goes_although_it_returns_with_it() {
    let mut bed = holding_ten();
    bed.hand.vanish();
    assert_eq!(bed.delete(&key(3)).status, 200);

    bed.stop();
    bed.hand.come_back();
    bed.hand.put_foreign(&public_key(3), &[&ip(3)]);
    bed.hand.put_foreign(&public_key(50), &[&ip(50)]);
    bed.run();

    let held = bed.hand.peers();
    assert!(!held.contains_key(&public_key(3)));
    assert!(held.contains_key(&public_key(50)));
    assert_eq!(held.len(), 10);
}

#[test]
fn a_lease_ends_without_anybody_asking() {
    let bed = holding_ten();
    let ends = now() + 2;
    let body = lease(30, ends);
    assert_eq!(bed.client.post(&bed.path("/peers"), &body).status, 201);
    assert!(bed.hand.peers().contains_key(&public_key(30)));

    Bed::within(4 * SECOND, "the lease to end", || {
        !bed.hand.peers().contains_key(&public_key(30))
    });

    assert!(now() >= ends);
    Bed::within(SECOND, "the disk to forget", || {
        !bed.remembered().peers.contains_key(&public_key(30))
    });
    assert_eq!(bed.peers().len(), 10);
    assert_eq!(bed.digest()["generation"], 7);
}

#[test]
fn a_lease_that_ran_out_while_the_agent_was_away_is_not_restored() {
    let mut bed = holding_ten();
    let ends = now() + 2;
    bed.client.post(&bed.path("/peers"), &lease(30, ends));
    bed.stop();
    assert!(bed.hand.peers().contains_key(&public_key(30)));
    Bed::within(4 * SECOND, "the time to come", || now() >= ends);

    bed.run();

    assert!(!bed.hand.peers().contains_key(&public_key(30)));
    bed.stop();
    bed.hand.vanish();
    bed.hand.come_back();
    bed.run();
    assert_eq!(bed.hand.peers().len(), 10);
    assert_eq!(bed.remembered().peers.len(), 10);
}

#[test]
fn a_lease_is_prolonged_and_made_permanent() {
    let bed = Bed::start();
    let soon = now() + 2;
    for n in 1..=2 {
        bed.client.post(&bed.path("/peers"), &lease(n, soon));
    }

    let longer = bed.update(&key(1), &json!({ "expires_at": soon + 1000 }));
    let permanent = bed.update(&key(2), &json!({ "expires_at": null }));
    assert_eq!((longer.status, permanent.status), (200, 200));

    Bed::within(4 * SECOND, "the time to come", || now() > soon);
    std::thread::sleep(SECOND / 4);
    assert_eq!(bed.hand.peers().len(), 2);
    assert_eq!(bed.dump()["peers"].as_array().unwrap().len(), 2);
}

#[test]
fn a_lease_that_is_over_is_not_given() {
    let bed = holding_ten();
    let before = bed.state();

    let over = lease(30, now() - 1);
    let added = bed.client.post(&bed.path("/peers"), &over);
    let path = bed.path(&format!("/peers/{}", encode(&key(1))));
    let updated = bed.client.put(&path, &json!({ "expires_at": now() - 1 }));

    for refused in [added, updated] {
        assert_eq!(refused.code(), (422, "expired".into()));
    }
    assert_eq!(bed.state(), before);
}
