//! Pools whose peers live on every member: who takes peers again gets what it missed, and keeps what it has.

use serde_json::{Value, json};

use crate::nodes::{add, office};
use crate::stage::{Agent, Running, Scene, key, peer};

fn drawn(number: u32) -> Value {
    let mut body = peer(number);
    body["pool"] = json!("all");
    body
}

/// The pool `all` of these nodes.
async fn make_pool(scene: &Scene) {
    let members: Vec<i64> = scene.nodes.iter().map(|node| node.id).collect();
    let pool = json!({"name": "all", "placement": "all", "members": members});
    scene.api.post("/pools", pool).await.ok();
}

/// The numbers of the keys that a node holds.
async fn held(agent: &Agent) -> Vec<u32> {
    let dump = agent.dump().await.unwrap();
    let holds = |number: &u32| {
        let wanted = key(*number);
        dump.peers.iter().any(|peer| peer.public_key == wanted)
    };
    let held: Vec<u32> = (1..20).filter(holds).collect();
    assert_eq!(held.len(), dump.peers.len());
    held
}

#[tokio::test]
async fn who_takes_peers_again_gets_what_was_placed_meanwhile_and_lost_nothing() {
    let stage = Running::start().await;
    let agents = ["fra-1", "fra-2"].map(Agent::within);
    let scene = Scene::new(stage.rows(), &stage.api, agents).await;
    make_pool(&scene).await;
    scene.api.post("/peers", drawn(1)).await.ok();
    scene.converges().await;
    let other = &scene.nodes[1];
    let path = format!("/nodes/{}", other.id);

    for (number, no_more, again) in [
        (2, json!({"enabled": false}), json!({"enabled": true})),
        (3, json!({"weight": 0}), json!({"weight": 7})),
        (4, json!({"max_peers": 3}), json!({"max_peers": 4})),
    ] {
        let before = held(&other.agent).await;
        let kept = scene.api.patch(&path, no_more.clone()).await.ok();
        assert_eq!(kept["peers"], json!(before.len()), "{no_more}");
        let made = scene.api.post("/peers", drawn(number)).await.ok();
        assert_eq!(made["placements"].as_array().unwrap().len(), 1, "{no_more}");
        assert_eq!(held(&other.agent).await, before, "{no_more}");

        let mut tried = path.clone();
        tried.push_str("?dry_run=true");
        let tried = scene.api.patch(&tried, again.clone()).await.ok();
        assert_eq!(tried["peers"], json!(before.len() + 1), "{again}");
        let filled = scene.api.patch(&path, again).await.ok();
        assert_eq!(filled["peers"], json!(before.len() + 1));
        scene.converges().await;
        assert_eq!(held(&other.agent).await.last(), Some(&number));
    }
    assert_eq!(held(scene.agent()).await, [1, 2, 3, 4]);
    assert_eq!(held(&other.agent).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_node_with_room_for_some_gets_so_many_and_others_nothing() {
    let stage = office().await;
    let (first, second) = (add(&stage, "fra-1").await, add(&stage, "fra-2").await);
    let alone = add(&stage, "fra-3").await;
    let off = json!({"enabled": false});
    for node in [second, alone] {
        let path = format!("/nodes/{node}");
        stage.api.patch(&path, off.clone()).await.ok();
    }
    stage.sql("UPDATE node_status SET reachability = 'online'; UPDATE interface_sync SET config_at = now()").await;
    let pool = json!({"name": "all", "placement": "all", "members": [first, second]});
    stage.api.post("/pools", pool).await.ok();
    for number in 1..=3 {
        stage.api.post("/peers", drawn(number)).await.ok();
    }

    let limited = json!({"enabled": true, "max_peers": 2});
    let path = format!("/nodes/{second}");
    assert_eq!(stage.api.patch(&path, limited).await.ok()["peers"], 2);
    // No member of the pool.
    let on = json!({"enabled": true});
    let path = format!("/nodes/{alone}");
    assert_eq!(stage.api.patch(&path, on).await.ok()["peers"], 0);

    let raised = "SELECT count(*) FROM interfaces WHERE desired_generation > 0";
    assert_eq!(stage.count(raised).await, 2);
    let late = "SELECT count(*) FROM placements JOIN interfaces ON id = interface_id WHERE generation > desired_generation";
    assert_eq!(stage.count(late).await, 0);
}

#[tokio::test]
async fn a_member_gets_the_peers_of_a_network_with_the_interface_that_serves_it() {
    let stage = office().await;
    let first = add(&stage, "fra-1").await;
    stage.sql("UPDATE node_status SET reachability = 'online'; UPDATE interface_sync SET config_at = now()").await;
    let body = json!({"name": "lab", "cidr_v4": "10.9.0.0/24"});
    stage.api.post("/networks", body).await.ok();
    let body = json!({"name": "fra-2", "agent_url": "http://fra-2.example:8080",
        "interface": {"name": "wg0", "network": "lab", "endpoint": "fra-2.example:51820"}});
    let second = stage.api.post("/nodes", body).await.ok()["id"].clone();
    let pool = json!({"name": "all", "placement": "all", "members": [first, second]});
    stage.api.post("/pools", pool).await.ok();
    stage.api.post("/peers", drawn(1)).await.ok();
    assert_eq!(stage.count("SELECT count(*) FROM placements").await, 1);

    let path = format!("/nodes/{second}/interfaces");
    let body = json!({"name": "wg1", "network": "office", "endpoint": "fra-2.example:51821"});
    let made = stage.api.post(&path, body).await.ok();
    assert_eq!(made["peers"], 1);

    stage
        .sql("DELETE FROM placements WHERE interface_id = (SELECT max(id) FROM interfaces)")
        .await;
    stage
        .api
        .delete(&format!("/interfaces/{}", made["id"]))
        .await
        .ok();
    let moved = json!({"network": "office"});
    let moved = stage.api.patch("/interfaces/2", moved).await.ok();
    assert_eq!(moved["peers"], 1);
}
