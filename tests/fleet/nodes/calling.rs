//! How nodes are called: their secrets, replaced by hand, and the test of a connection.

use controller::domain::ids::NodeId;
use controller::fleet::nodes;
use serde_json::json;

use super::{SECRET, add, office, whole};
use crate::agent_client::{self, node::Node};

#[tokio::test]
async fn a_replaced_secret_is_the_only_one() {
    let stage = office().await;
    let id = add(&stage, "fra-1").await;
    let other = add(&stage, "fra-2").await;
    let path = format!("/nodes/{id}/secret");

    let node = stage
        .api
        .post(&path, json!({"secret": SECRET, "key_id": "2026"}))
        .await
        .ok();

    assert_eq!(
        (&node["key_id"], &node["version"]),
        (&json!("2026"), &json!(2))
    );
    let target = nodes::target(&stage.fleet, NodeId(id)).await.unwrap();
    assert_eq!(target.secret.reveal(), SECRET);
    assert_eq!(target.key_id.as_deref(), Some("2026"));
    // The same again is the same, and another node may not have it.
    stage.api.post(&path, json!({"secret": SECRET})).await.ok();
    let taken = stage
        .api
        .post(&format!("/nodes/{other}/secret"), json!({"secret": SECRET}))
        .await;
    taken.refused_as(409, "secret_taken");
    assert_eq!(stage.count("SELECT count(*) FROM node_secrets").await, 2);
    assert!(nodes::target(&stage.fleet, NodeId(other)).await.is_ok());
}

#[tokio::test]
async fn targets_of_many_nodes_are_read_at_once_and_the_gone_are_left_out() {
    let stage = office().await;
    let one = add(&stage, "fra-1").await;
    let mut slow = whole("fra-2");
    slow["timeout_ms"] = json!(1500);
    let other = stage.api.post("/nodes", slow).await.ok()["id"].clone();
    let other = other.as_i64().unwrap();

    let wanted = [NodeId(other), NodeId(one), NodeId(99)];
    let targets = nodes::targets(&stage.fleet, &wanted).await.unwrap();
    let targets: Vec<_> = targets
        .into_iter()
        .map(|(_, target)| target.unwrap())
        .collect();

    let found: Vec<i64> = targets.iter().map(|target| target.node.0).collect();
    assert_eq!(found, [one, other]);
    assert_eq!(targets[0].timeout, stage.fleet.settings.agent_timeout);
    assert_eq!(targets[1].timeout.as_millis(), 1500);
    assert_eq!(targets[0].key_id, None, "an agent tries what it has");
}

#[tokio::test]
async fn a_test_names_what_is_wrong_and_changes_nothing() {
    let stage = office().await;
    let mut body = whole("fra-1");
    body["agent_url"] = json!("http://127.0.0.1:1");
    stage.api.post("/nodes", body).await.ok();

    let saved = stage.api.post("/nodes/1/test", json!({})).await.ok();
    let draft = json!({"agent_url": "http://127.0.0.1:1", "secret": SECRET, "interface": "wg0"});
    let untried = stage.api.post("/nodes/test", draft).await.ok();

    for diagnosis in [saved, untried] {
        assert_eq!(diagnosis["ok"], false);
        assert_eq!(diagnosis["problem"], "unreachable");
    }
    assert_eq!(stage.api.get("/nodes/1").await.ok()["version"], 1);
    stage
        .api
        .post("/nodes/9/test", json!({}))
        .await
        .refused_as(404, "not_found");
}

#[tokio::test]
async fn a_test_of_a_node_that_is_well_says_so_and_tells_what_it_learnt() {
    let stage = office().await;
    let agent = Node::start();
    let mut body = whole("fra-1");
    body["agent_url"] = json!(agent.target.url.as_str());
    body["secret"] = json!(agent_client::SECRET);
    stage.api.post("/nodes", body).await.ok();

    let found = stage.api.post("/nodes/1/test", json!({})).await.ok();
    let missing = json!({"interface": "wg9"});
    let missing = stage.api.post("/nodes/1/test", missing).await.ok();
    let other =
        json!({"agent_url": agent.target.url.as_str(), "secret": SECRET, "interface": "wg0"});
    let other = stage.api.post("/nodes/test", other).await.ok();

    assert_eq!(found["ok"], true, "{found}");
    assert_eq!(found["learnt"]["interfaces"], json!(["wg0"]));
    assert_eq!(missing["problem"], "interface_missing", "{missing}");
    assert_eq!(other["problem"], "wrong_secret", "{other}");
}
