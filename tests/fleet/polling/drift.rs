//! Nodes that hold something else than they should.

use serde_json::json;

use super::{Watched, stranger};
use crate::stage::{QUICK, Running};

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_reported_once_and_nothing_is_done_to_them() {
    let watched = Watched::new(1, 0).await;
    let device = watched.node().device();
    let before = device.updates();
    let (key, config) = stranger(1);

    device.foreign_put(key, config);

    watched
        .until("SELECT unknown_peers::bigint FROM interface_sync", 1)
        .await;
    watched.two_rounds().await;
    let drift = "SELECT count(*) FROM events WHERE kind = 'interface.drift'";
    assert_eq!(watched.count(drift).await, 1);
    assert_eq!(device.updates(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_that_left_by_themselves_are_counted_no_more() {
    let watched = Watched::new(1, 0).await;
    let device = watched.node().device();
    let (key, config) = stranger(1);
    let unknown = "SELECT unknown_peers::bigint FROM interface_sync";
    device.foreign_put(key, config);
    watched.until(unknown, 1).await;

    device.foreign_remove(&key);

    watched.until(unknown, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_that_turns_out_to_be_a_peer_from_elsewhere_is_removed() {
    let watched = Watched::new(2, 0).await;
    let (key, config) = stranger(1);
    let nodes = watched.sim.nodes();
    nodes[0].device().foreign_put(key, config);
    watched
        .until("SELECT max(unknown_peers)::bigint FROM interface_sync", 1)
        .await;

    let other = nodes[1].described().name.clone();
    let body = json!({"name": "phone", "network": "office", "public_key": key, "node": other});
    watched.controller.api.post("/peers", body).await.ok();

    watched
        .until(
            "SELECT count(*) FROM observations WHERE gone_at IS NOT NULL",
            1,
        )
        .await;
    watched
        .until(
            "SELECT count(*) FROM observations WHERE gone_at IS NULL AND peer_id IS NOT NULL",
            1,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_on_a_node_is_put_back_without_being_asked() {
    let watched = Watched::new(1, 0).await;
    let (key, _) = stranger(1);
    watched.peer("phone", key).await;
    watched
        .until(
            "SELECT count(*) FROM observations WHERE gone_at IS NULL AND peer_id IS NOT NULL",
            1,
        )
        .await;

    watched.node().device().foreign_remove(&key);

    watched
        .until(
            "SELECT count(*) FROM observations WHERE gone_at IS NOT NULL",
            1,
        )
        .await;
    watched
        .until(
            "SELECT count(*) FROM observations WHERE gone_at IS NULL AND peer_id IS NOT NULL",
            1,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_of_an_interface_that_was_emptied_are_known_to_be_gone() {
    let watched = Watched::new(1, 0).await;
    let (key, _) = stranger(1);
    watched.peer("phone", key).await;
    let there = "SELECT count(*) FROM observations WHERE gone_at IS NULL";
    watched.until(there, 1).await;

    let peer = "SELECT id FROM peers";
    let path = format!("/peers/{}", watched.count(peer).await);
    watched.controller.api.delete(&path).await.ok();

    watched.until(there, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_controller_writes_to_no_node() {
    let mut watched = Watched::new(2, 0).await;
    let (key, _) = stranger(1);
    let (other, config) = stranger(2);
    watched.node().device().foreign_put(other, config);
    watched.peer("phone", key).await;
    watched
        .until(
            "SELECT count(*) FROM observations WHERE peer_id IS NOT NULL",
            1,
        )
        .await;
    watched.two_rounds().await;
    let updates = |watched: &Watched| -> Vec<u64> {
        let nodes = watched.sim.nodes().iter();
        nodes.map(|node| node.device().updates()).collect()
    };
    let before = updates(&watched);

    watched.controller.stop().await;
    let url = watched.controller.db.as_ref().unwrap().url.clone();
    let again = Running::on(&url, QUICK).await;
    let old = std::mem::replace(&mut watched.controller, again);
    watched.two_rounds().await;
    watched.two_rounds().await;

    assert_eq!(updates(&watched), before);
    assert_eq!(
        watched
            .count("SELECT count(*) FROM events WHERE kind = 'node.online'")
            .await,
        2
    );
    drop(old);
}
