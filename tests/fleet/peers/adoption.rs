//! Peers that a node carries already: shown, adopted without a touch on the wire, removed; and plans for interfaces.

use std::time::Duration;

use serde_json::{Value, json};
use tests::simulator::{Fleet, Plan, identity};

use crate::stage::Running;

/// A controller and a real agent that carries three peers of a life before.
async fn stage() -> (Running, Fleet) {
    let plan = Plan {
        nodes: 1,
        peers: 3,
        ..Plan::default()
    };
    let nodes = Fleet::start(&plan);
    let node = nodes.nodes()[0].described().clone();
    let stage = Running::start().await;
    let network = json!({"name": "office", "cidr_v4": "10.0.0.0/18"});
    stage.api.post("/networks", network).await.ok();
    let body = json!({
        "name": node.name, "agent_url": node.url, "secret": node.secret,
        "interface": {"name": "wg0", "network": "office", "endpoint": "192.0.2.1:51820"},
    });
    stage.api.post("/nodes", body).await.ok();
    (stage, nodes)
}

/// Asks until the answer is as wanted.
async fn until(stage: &Running, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..200 {
        last = stage.api.get(path).await.ok();
        if wanted(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} stays {last}");
}

fn has(count: usize) -> impl Fn(&Value) -> bool {
    move |page| page["items"].as_array().unwrap().len() == count
}

#[tokio::test]
async fn adopted_peers_keep_all_they_have_and_the_device_is_not_touched() {
    let (stage, nodes) = stage().await;
    until(&stage, "/interfaces/1/unknown", has(3)).await;
    let device = nodes.nodes()[0].device();
    let before = device.updates();
    let (key, _) = identity::peer(0, 1);

    let body = json!({"names": {key.to_string(): "ada-laptop"}, "tags": ["old"]});
    let answer = stage.api.post("/interfaces/1/adoptions", body).await.ok();

    assert_eq!(answer["adopted"].as_array().unwrap().len(), 3);
    assert_eq!(answer["left"], json!([]));
    let peer = stage.api.get("/peers?q=ada-laptop").await.ok();
    assert_eq!(peer["items"][0]["addresses"], json!(["10.0.0.3"]));
    assert_eq!(peer["items"][0]["public_key"], key.to_string());
    let path = format!("/peers/{}", peer["items"][0]["id"]);
    until(&stage, &path, |peer| {
        peer["placements"][0]["applied"] == true
    })
    .await;
    until(&stage, "/interfaces/1/unknown", has(0)).await;
    let plan = stage.api.get("/interfaces/1/plan").await.ok();
    assert_eq!(plan["empty"], true, "{plan}");
    assert_eq!(device.updates(), before);
}

#[tokio::test]
async fn a_key_whose_address_is_taken_is_named_and_nobody_is_adopted() {
    let (stage, _nodes) = stage().await;
    until(&stage, "/interfaces/1/unknown", has(3)).await;
    until(&stage, "/nodes/1", |node| node["state"] == "online").await;
    let body = json!({"network": "office", "name": "phone", "address_v4": "10.0.0.3"});
    stage.api.post("/peers", body).await.ok();
    let (key, _) = identity::peer(0, 1);

    let refused = stage.api.post("/interfaces/1/adoptions", json!({})).await;

    assert_eq!(refused.status, 409, "{}", refused.text);
    let rows = refused.json()["details"]["rows"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(
        (&rows[0]["key"], &rows[0]["code"]),
        (&json!(key.to_string()), &json!("address_taken"))
    );
    let peers = stage.api.get("/peers").await.ok();
    assert_eq!(peers["items"].as_array().unwrap().len(), 1);

    let partial = json!({"partial": true});
    let answer = stage
        .api
        .post("/interfaces/1/adoptions", partial)
        .await
        .ok();

    assert_eq!(answer["adopted"].as_array().unwrap().len(), 2);
    assert_eq!(answer["left"][0]["code"], "address_taken");
}

#[tokio::test]
async fn an_unknown_peer_is_removed_from_its_node_and_a_known_one_is_not() {
    let (stage, _nodes) = stage().await;
    let page = until(&stage, "/interfaces/1/unknown", has(3)).await;
    let one = page["items"][0]["public_key"].clone();
    let two = page["items"][1]["public_key"].clone();
    let adopt = json!({"keys": [two]});
    stage.api.post("/interfaces/1/adoptions", adopt).await.ok();
    let delete = async |keys: Value| {
        let body = Some(json!({"keys": keys}));
        let path = "/interfaces/1/unknown";
        stage
            .api
            .call(reqwest::Method::DELETE, path, body, &[])
            .await
    };

    assert_eq!(delete(json!([one, two])).await.refused(409), "unknown_key");
    assert_eq!(delete(json!([one])).await.status, 204);

    until(&stage, "/interfaces/1/unknown", has(1)).await;
    let peers = stage.api.get("/peers").await.ok();
    assert_eq!(peers["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_plan_is_not_carried_out_once_the_world_has_moved() {
    let (stage, nodes) = stage().await;
    until(&stage, "/interfaces/1/unknown", has(3)).await;
    let kept = stage.api.post("/interfaces/1/plans", Value::Null).await;
    let kept = kept.ok();
    assert_eq!(kept["steps"]["reported"].as_array().unwrap().len(), 3);
    let path = format!("/plans/{}/application", kept["id"]);
    let (key, _) = identity::peer(0, 0);
    // In one motion: the agent may look in between, and the world would move once more.
    nodes.nodes()[0].device().foreign_put(
        key,
        protocol::PeerConfig {
            persistent_keepalive: 7,
            ..identity::peer(0, 0).1
        },
    );

    let refused = stage.api.post(&path, json!({})).await;

    assert_eq!(refused.refused(409), "world_moved");
    let again = stage
        .api
        .post("/interfaces/1/plans", Value::Null)
        .await
        .ok();
    let path = format!("/plans/{}/application", again["id"]);
    let applied = stage.api.post(&path, json!({})).await.ok();
    assert_eq!(applied["steps"]["removals"], json!([]));
    assert_eq!(
        stage.api.post(&path, json!({})).await.refused(409),
        "plan_applied"
    );
}
