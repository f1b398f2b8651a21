//! Deleting nodes: never from under their peers, and never the last one of a network.

use std::time::Duration;

use serde_json::json;

use super::{add, office, place_a_peer, whole};

#[tokio::test]
async fn a_node_that_holds_peers_is_disabled_but_not_deleted() {
    let stage = office().await;
    let id = add(&stage, "fra-1").await;
    add(&stage, "fra-2").await;
    place_a_peer(&stage).await;
    let path = format!("/nodes/{id}");

    let answer = stage.api.delete(&path).await;
    assert_eq!(answer.json()["details"]["peers"], 1);
    answer.refused_as(409, "node_in_use");
    let disabled = stage.api.patch(&path, json!({"enabled": false})).await.ok();

    assert_eq!(disabled["peers"], 1);
    assert_eq!(stage.count("SELECT count(*) FROM placements").await, 1);
    assert_eq!(stage.count("SELECT count(*) FROM nodes").await, 2);
}

#[tokio::test]
async fn the_last_enabled_node_of_a_network_with_peers_stays() {
    let stage = office().await;
    let id = add(&stage, "fra-1").await;
    place_a_peer(&stage).await;
    stage.sql("DELETE FROM placements").await;
    let path = format!("/nodes/{id}");

    let text = stage
        .api
        .delete(&path)
        .await
        .refused_as(409, "last_node_of_network");
    assert!(text.contains("office"), "{text}");
    let interface = stage.api.get(&path).await.ok()["interfaces"][0]["id"].clone();
    stage
        .api
        .delete(&format!("/interfaces/{interface}"))
        .await
        .refused_as(409, "last_node_of_network");
    let other = add(&stage, "fra-2").await;
    stage
        .api
        .patch(&format!("/nodes/{other}"), json!({"enabled": false}))
        .await
        .ok();
    stage
        .api
        .delete(&path)
        .await
        .refused_as(409, "last_node_of_network");

    stage
        .api
        .patch(&format!("/nodes/{other}"), json!({"enabled": true}))
        .await
        .ok();
    stage.api.delete(&path).await.ok();
    assert_eq!(stage.count("SELECT count(*) FROM nodes").await, 1);
}

#[tokio::test]
async fn the_last_two_nodes_of_a_network_cannot_go_at_once() {
    let stage = office().await;
    let (one, other) = (add(&stage, "fra-1").await, add(&stage, "fra-2").await);
    place_a_peer(&stage).await;
    stage.sql("DELETE FROM placements").await;
    // Whoever holds the end of the audit log keeps all others from their last step.
    let mut held = stage.db.as_ref().unwrap().pool.begin().await.unwrap();
    sqlx::query("SELECT FROM audit_head FOR UPDATE")
        .execute(&mut *held)
        .await
        .unwrap();

    let (path, other_path) = (format!("/nodes/{one}"), format!("/nodes/{other}"));
    let let_go = async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN
                       (SELECT pid FROM pg_stat_activity WHERE datname = current_database())";
        while stage.count(waiting).await < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        held.rollback().await.unwrap();
    };
    let (one, other, ()) = tokio::join!(
        stage.api.delete(&path),
        stage.api.delete(&other_path),
        let_go
    );

    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
    assert_eq!(stage.count("SELECT count(*) FROM nodes").await, 1);
}

#[tokio::test]
async fn a_node_goes_with_its_interfaces_and_its_addresses_rest() {
    let stage = office().await;
    let mut body = whole("fra-1");
    body["interface"]["ip_pool_v4"] = json!("10.8.1.0/24");
    body["interface"]["address_v4"] = json!("10.8.1.1");
    let id = stage.api.post("/nodes", body).await.ok()["id"].clone();

    stage.api.delete(&format!("/nodes/{id}")).await.ok();

    stage
        .api
        .get(&format!("/nodes/{id}"))
        .await
        .refused_as(404, "not_found");
    assert_eq!(stage.count("SELECT count(*) FROM interfaces").await, 0);
    assert_eq!(stage.count("SELECT count(*) FROM node_secrets").await, 0);
    let resting = "SELECT count(*) FROM ip_allocations WHERE released_at IS NOT NULL";
    assert_eq!(stage.count(resting).await, 1);
    let pools = "SELECT count(*) FROM address_ranges WHERE interface_id IS NOT NULL";
    assert_eq!(stage.count(pools).await, 0);
}
