//! What somebody does to a device by hand, under each policy.

use std::collections::BTreeSet;

use protocol::{Cidr, PeerConfig, PublicKey};
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
