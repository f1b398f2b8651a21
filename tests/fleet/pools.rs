//! Pools over the API: members by hand, and peers that hold a pool.

use reqwest::Method;
use serde_json::{Value, json};

use crate::nodes::{add, office, place_a_peer};
use crate::stage::Running;

mod everywhere;

/// Two nodes and a pool with the first of them.
async fn stage() -> Running {
    let stage = office().await;
    add(&stage, "fra-1").await;
    add(&stage, "fra-2").await;
    let body = json!({"name": "North", "members": [1]});
    let pool = stage.api.post("/pools", body).await.ok();
    assert_eq!(
        (&pool["name"], &pool["placement"]),
        (&json!("north"), &json!("one"))
    );
    stage
}

async fn members(stage: &Running) -> Value {
    stage.api.get("/pools/1").await.ok()["members"].clone()
}

#[tokio::test]
async fn members_join_and_leave_by_hand_and_repetition_writes_nothing() {
    let stage = stage().await;

    let joined = stage
        .api
        .call(Method::PUT, "/pools/1/members/2", None, &[])
        .await
        .ok();
    assert_eq!(
        (&joined["members"], &joined["version"]),
        (&json!([1, 2]), &json!(2))
    );
    let again = stage
        .api
        .call(Method::PUT, "/pools/1/members/2", None, &[])
        .await
        .ok();
    assert_eq!(again["version"], 2);
    stage
        .api
        .call(Method::PUT, "/pools/1/members/9", None, &[])
        .await
        .refused_as(404, "not_found");
    let left = stage.api.delete("/pools/1/members/1").await.ok();
    assert_eq!(left["members"], json!([2]));
    stage.api.delete("/pools/1/members/1").await.ok();

    let changes = "SELECT count(*) FROM audit_log WHERE action = 'pool.change'";
    assert_eq!(stage.count(changes).await, 2);
}

#[tokio::test]
async fn members_are_replaced_as_a_whole_or_not_at_all() {
    let stage = stage().await;

    let changed = stage
        .api
        .patch("/pools/1", json!({"members": [2]}))
        .await
        .ok();
    assert_eq!(changed["members"], json!([2]));
    stage
        .api
        .patch("/pools/1", json!({"members": [1, 9]}))
        .await
        .refused_as(422, "unknown_node");
    assert_eq!(members(&stage).await, json!([2]));
    stage
        .api
        .post("/pools", json!({"name": "south", "members": [9]}))
        .await
        .refused_as(422, "unknown_node");
    assert_eq!(stage.count("SELECT count(*) FROM pools").await, 1);
}

#[tokio::test]
async fn a_pool_that_peers_name_is_neither_deleted_nor_placed_otherwise() {
    let stage = stage().await;
    place_a_peer(&stage).await;
    stage.sql("UPDATE peers SET pool_id = 1").await;

    let answer = stage.api.delete("/pools/1").await;
    assert_eq!(answer.json()["details"]["peers"], 1);
    answer.refused_as(409, "pool_in_use");
    stage
        .api
        .patch("/pools/1", json!({"placement": "all"}))
        .await
        .refused_as(409, "pool_in_use");
    assert_eq!(stage.api.get("/pools/1").await.ok()["placement"], "one");

    stage.sql("UPDATE peers SET pool_id = NULL").await;
    stage
        .api
        .patch("/pools/1", json!({"placement": "all"}))
        .await
        .ok();
    stage.api.delete("/pools/1").await.ok();
    assert_eq!(stage.count("SELECT count(*) FROM pool_members").await, 0);
}

#[tokio::test]
async fn a_pool_is_changed_only_by_who_saw_it() {
    let stage = stage().await;
    stage
        .api
        .post("/pools", json!({"name": "south"}))
        .await
        .ok();

    let stale = stage
        .api
        .call(
            Method::PUT,
            "/pools/1/members/2",
            None,
            &[("if-match", "\"7\"")],
        )
        .await;
    stale.refused_as(412, "version_mismatch");
    assert_eq!(members(&stage).await, json!([1]));
    stage
        .api
        .patch("/pools/1", json!({"name": "south"}))
        .await
        .refused_as(409, "name_taken");
    let tried = stage
        .api
        .call(Method::PUT, "/pools/1/members/2?dry_run=true", None, &[])
        .await
        .ok();
    assert_eq!(tried["members"], json!([1, 2]));
    assert_eq!(members(&stage).await, json!([1]));
    let found = stage.api.get("/pools?q=OUT").await.ok();
    assert_eq!(found["items"][0]["name"], "south");
}
