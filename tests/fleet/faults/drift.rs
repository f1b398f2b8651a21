//! What somebody does to a device by hand, under each policy.

use std::collections::BTreeSet;

use protocol::{Cidr, PeerConfig, PresharedKey, PublicKey};
use serde_json::json;

use crate::stage::{Agent, Running, Scene, key};

const POLICIES: [&str; 3] = ["report", "adopt", "enforce"];

/// One node of that policy, with three peers.
async fn node(controller: &Running, policy: &str) -> Scene {
    let scene = Scene::new(controller.rows(), &controller.api, [Agent::within("fra-1")]).await;
    let interface = format!("/interfaces/{}", scene.nodes[0].interface);
    scene
        .api
        .patch(&interface, json!({"drift_policy": policy}))
        .await
        .ok();
    scene.peers(0..3).await;
    scene.converges().await;
    scene
}

/// Somebody adds a peer on the machine itself.
fn add_by_hand(scene: &Scene, key: PublicKey, ip: &str) {
    let config = PeerConfig {
        allowed_ips: [Cidr::parse(ip).unwrap()].into_iter().collect(),
        ..PeerConfig::default()
    };
    scene.agent().device().foreign_put(key, config);
}

fn keys_of(dump: &protocol::wire::answers::Dump) -> BTreeSet<PublicKey> {
    dump.peers.iter().map(|peer| peer.public_key).collect()
}

#[tokio::test]
async fn a_peer_added_by_hand_is_shown_and_left_where_people_decide() {
    let controller = Running::start().await;
    let scene = node(&controller, "report").await;
    let writes = scene.agent().wire.writes().len();

    add_by_hand(&scene, key(50), "10.8.200.1/32");

    scene
        .until("SELECT unknown_peers::bigint FROM interface_sync", 1)
        .await;
    scene.converges_beside(&[key(50)]).await;
    let shown = scene
        .api
        .get(&format!("/interfaces/{}", scene.nodes[0].interface))
        .await
        .ok();
    assert_eq!(shown["sync"]["unknown_peers"], 1);
    let sent = scene.agent().wire.writes().split_off(writes);
    for write in &sent {
        assert!(!write.seen.target.contains("/peers/"), "{write:?}");
    }
    let dump = scene.agent().dump().await.unwrap();
    assert!(keys_of(&dump).contains(&key(50)));
}

#[tokio::test]
async fn a_peer_added_by_hand_goes_where_nothing_else_may_be() {
    let controller = Running::start().await;
    let scene = node(&controller, "enforce").await;

    add_by_hand(&scene, key(50), "10.8.200.1/32");
    assert_eq!(scene.agent().dump().await.unwrap().peers.len(), 4);

    scene.converges().await;
}

#[tokio::test]
async fn too_many_added_by_hand_are_left_until_somebody_knows_the_number() {
    let controller = Running::start().await;
    let scene = node(&controller, "enforce").await;
    let strangers: Vec<PublicKey> = (50..61).map(key).collect();

    for (n, key) in strangers.iter().enumerate() {
        add_by_hand(&scene, *key, &format!("10.8.200.{n}/32"));
    }

    // One by one they may have been few; whoever came after the guard was reached stays.
    scene
        .until(
            "SELECT count(*) FROM interface_sync WHERE unknown_peers > 0",
            1,
        )
        .await;
    let left = keys_of(&scene.agent().dump().await.unwrap());
    let left: Vec<PublicKey> = strangers
        .into_iter()
        .filter(|key| left.contains(key))
        .collect();
    scene.converges_beside(&left).await;
    assert!(!left.is_empty());
}

#[tokio::test]
async fn a_key_that_was_taken_away_and_is_brought_back_by_hand_goes_under_every_policy() {
    for policy in POLICIES {
        let controller = Running::start().await;
        let scene = node(&controller, policy).await;
        let ids = scene.peers(3..6).await;
        scene.converges().await;
        scene.api.delete(&format!("/peers/{}", ids[0])).await.ok();
        scene
            .api
            .patch(&format!("/peers/{}", ids[1]), json!({"enabled": false}))
            .await
            .ok();
        scene
            .api
            .post(&format!("/peers/{}/isolation", ids[2]), json!({}))
            .await
            .ok();
        scene.converges().await;

        for number in 3..6 {
            add_by_hand(&scene, key(number), &format!("10.8.200.{number}/32"));
        }
        assert_eq!(scene.agent().dump().await.unwrap().peers.len(), 6);

        scene.converges().await;
        assert_eq!(
            scene.agent().dump().await.unwrap().peers.len(),
            3,
            "{policy}"
        );
    }
}

#[tokio::test]
async fn a_key_that_is_brought_back_again_and_again_goes_each_time() {
    let controller = Running::start().await;
    let scene = node(&controller, "report").await;
    let id = scene.peer(3).await;
    scene.converges().await;
    scene
        .api
        .post(&format!("/peers/{id}/isolation"), json!({}))
        .await
        .ok();
    scene.converges().await;

    for _ in 0..2 {
        add_by_hand(&scene, key(3), "10.8.200.3/32");
        scene.converges().await;
        // A poll sees that all is well.
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn a_peer_removed_or_changed_by_hand_is_put_right_under_every_policy() {
    for policy in POLICIES {
        let controller = Running::start().await;
        let scene = node(&controller, policy).await;

        scene.agent().device().foreign_remove(&key(0));
        add_by_hand(&scene, key(1), "10.8.77.77/32");

        scene.converges().await;
    }
}

#[tokio::test]
async fn a_peer_added_by_hand_is_adopted_as_it_is_unless_its_address_is_somebody_elses() {
    let controller = Running::start().await;
    let scene = node(&controller, "adopt").await;
    let away = format!("/peers/{}", scene.peer(3).await);
    // The device does not hold it, so that only the database knows whose the address is.
    let away = scene.api.patch(&away, json!({"enabled": false})).await.ok();
    scene.converges().await;
    let taken = away["addresses"][0].as_str().unwrap();
    let rich = PeerConfig {
        allowed_ips: ["10.8.200.1/32", "192.168.9.0/24"]
            .map(|ip| Cidr::parse(ip).unwrap())
            .into_iter()
            .collect(),
        persistent_keepalive: 25,
        preshared_key: Some(PresharedKey::from_bytes([5; 32]).unwrap()),
    };
    let device = scene.agent().device();
    let before = device.updates();

    device.foreign_put(key(50), rich);
    add_by_hand(&scene, key(51), &format!("{taken}/32"));

    scene.until(ADOPTED, 1).await;
    scene.until(UNKNOWN, 1).await;
    scene.until(BEHIND, 0).await;
    let found = format!("/peers?q={}", &key(50).to_string()[..8].replace('+', "%2B"));
    let found = scene.api.get(&found).await.ok();
    let path = format!("/peers/{}", found["items"][0]["id"]);
    let peer = scene.api.get(&path).await.ok();
    assert_eq!(peer["public_key"], key(50).to_string());
    assert_eq!(peer["addresses"], json!(["10.8.200.1"]));
    assert_eq!(peer["routes"], json!(["192.168.9.0/24"]));
    assert_eq!(peer["placements"][0]["applied"], true, "{peer}");
    let unknown = scene.api.get("/interfaces/1/unknown").await.ok();
    let unknown = unknown["items"].as_array().unwrap();
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    assert_eq!(unknown[0]["public_key"], key(51).to_string());
    assert_eq!(unknown[0]["allowed_ips"], json!([format!("{taken}/32")]));

    // Nothing was written to the device, and what it shows is what was put there.
    assert_eq!(device.updates(), before);
    let dump = scene.agent().dump().await.unwrap();
    assert_eq!(dump.peers.len(), 5);
    let held = |wanted| dump.peers.iter().find(|peer| peer.public_key == wanted);
    let adopted = held(key(50)).unwrap();
    let shown = (
        adopted.foreign,
        adopted.persistent_keepalive,
        adopted.has_preshared_key,
    );
    assert_eq!(shown, (false, 25, true));
    assert!(held(key(51)).unwrap().foreign);

    // Whose address is taken is looked at once more in the new generation, and not again and again.
    scene.until(SETTLED, 1).await;
    let told = scene.count(TOLD).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(scene.count(TOLD).await, told);
    assert_eq!(
        (scene.count(ADOPTED).await, scene.count(UNKNOWN).await),
        (1, 1)
    );
}

const ADOPTED: &str = "SELECT count(*) FROM peers WHERE name LIKE 'adopted-%'";

const UNKNOWN: &str = "SELECT unknown_peers::bigint FROM interface_sync";

const SETTLED: &str = "SELECT count(*) FROM interface_sync
    WHERE settled_generation = applied_generation AND settled_digest = observed_digest";

const TOLD: &str = "SELECT count(*) FROM audit_log WHERE action = 'peer.adopt'";

const BEHIND: &str = "SELECT count(*) FROM interfaces JOIN interface_sync ON interface_id = id
    WHERE applied_generation <> desired_generation OR problem IS NOT NULL";
