//! The whole way: a network, nodes with real agents, a peer that is on the node the controller chose, and gone again.

use std::time::Duration;

use serde_json::json;
use tests::simulator::{Fleet, Plan};

use crate::stage::Running;

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

#[tokio::test]
async fn a_peer_is_on_the_node_that_was_chosen_and_gone_when_deleted() {
    let stage = Running::start().await;
    let api = &stage.api;
    let agents = tokio::task::spawn_blocking(|| Fleet::start(&Plan::default()))
        .await
        .unwrap();
    api.post(
        "/networks",
        json!({"name": "office", "cidr_v4": "10.0.0.0/8"}),
    )
    .await
    .ok();
    for node in agents.nodes() {
        let node = node.described();
        let draft = json!({
            "name": node.name, "agent_url": node.url, "secret": node.secret,
            "interface": {"name": node.interface, "network": "office", "endpoint": "192.0.2.1:51820"},
        });
        api.post("/nodes", draft).await.ok();
    }
    eventually("three nodes online", async || {
        let nodes = api.get("/nodes?state=online").await.ok();
        nodes["items"].as_array().unwrap().len() == 3
    })
    .await;

    let made = api
        .post("/peers", json!({"network": "office", "name": "laptop"}))
        .await
        .ok();
    let path = format!("/peers/{}", made["id"]);
    eventually("the peer is applied", async || {
        let peer = api.get(&path).await.ok();
        peer["placements"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["applied"] == true)
    })
    .await;
    let key = made["public_key"].as_str().unwrap().to_owned();
    assert_eq!(holders(&agents, &key), 1);

    api.delete(&path).await.ok();
    eventually("the key is gone", async || holders(&agents, &key) == 0).await;
    tokio::task::spawn_blocking(move || drop(agents))
        .await
        .unwrap();
}

/// How many devices hold a key, as they themselves show it.
fn holders(agents: &Fleet, key: &str) -> usize {
    let holds = |node: &&tests::simulator::Node| {
        let device = node_agent::device::Device::Memory(node.device().clone());
        let reading = device.read().unwrap();
        reading.peers.iter().any(|peer| peer.0.to_string() == key)
    };
    agents.nodes().iter().filter(holds).count()
}
