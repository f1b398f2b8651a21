//! Moving peers to other nodes and pools, with what they keep.

use controller::domain::ids::{NetworkId, PoolId};
use controller::domain::reach::Reach;
use controller::domain::role::Scope;
use protocol::PublicKey;
use reqwest::Method;
use serde_json::{Value, json};

use super::bed_of;
use crate::stage::{Agent, Running, Scene, key, peer};

mod races;
mod refusals;

/// What happened, and what was written down of it.
const MOVED: &str = "SELECT (SELECT count(*) FROM events WHERE kind LIKE '%.moved')
    + (SELECT count(*) FROM audit_log WHERE action LIKE 'peer.move%' AND outcome = 'done')";
/// All that is told to nodes.
const GENERATIONS: &str = "SELECT sum(desired_generation)::bigint FROM interfaces";

/// The names of the nodes that a peer is on.
fn nodes(peer: &Value) -> Vec<&str> {
    let placements = peer["placements"].as_array().unwrap();
    let names = placements
        .iter()
        .map(|one| one["node_name"].as_str().unwrap());
    names.collect()
}

async fn holds(agent: &Agent, key: PublicKey) -> bool {
    let dump = agent.dump().await.unwrap();
    dump.peers.iter().any(|peer| peer.public_key == key)
}

/// The value of a line of a configuration.
fn line<'a>(config: &'a str, name: &str) -> &'a str {
    let lines = config.lines();
    let mut values = lines.filter_map(|line| line.split_once(" = "));
    values.find(|(other, _)| *other == name).unwrap().1
}

async fn pool(stage: &Running, name: &str, placement: &str, members: &[i64]) {
    let pool = json!({"name": name, "placement": placement, "members": members});
    stage.api.post("/pools", pool).await.ok();
}

#[tokio::test]
async fn a_peer_moves_with_all_it_has_and_its_old_node_lets_it_go() {
    let stage = Running::start().await;
    let agents = ["fra-1", "fra-2"].map(Agent::within);
    let scene = Scene::new(stage.rows(), &stage.api, agents).await;
    let mut body = peer(1);
    body["node"] = json!("fra-1");
    body["tags"] = json!(["lab"]);
    body["routes"] = json!(["192.168.7.0/24"]);
    body["keepalive"] = json!(21);
    let made = scene.api.post("/peers", body).await.ok();
    let path = format!("/peers/{}", made["id"]);
    scene.converges().await;
    let config = scene.api.get(&format!("{path}/config")).await.text;
    let before = scene.api.get(&path).await.ok();
    assert_eq!(before["configs"][0]["stale"], false);

    let to = json!({"node": "fra-2"});
    let tried = format!("{path}/move?dry_run=true");
    let tried = scene.api.post(&tried, to.clone()).await.ok();
    assert_eq!(nodes(&tried), ["fra-2"]);
    assert_eq!(nodes(&scene.api.get(&path).await.ok()), ["fra-1"]);
    let moved = scene.api.post(&format!("{path}/move"), to.clone()).await;
    let version = before["version"].as_i64().unwrap() + 1;
    assert_eq!(moved.header("etag"), Some(&*format!("\"{version}\"")));
    let moved = moved.ok();

    assert_eq!(nodes(&moved), ["fra-2"]);
    assert_eq!(moved["configs"][0]["stale"], true);
    assert_eq!(moved["placements"][0]["ranking"]["chosen"], 1);
    for kept in [
        "addresses",
        "public_key",
        "tags",
        "routes",
        "keepalive",
        "network",
        "pool",
    ] {
        assert_eq!(moved[kept], before[kept], "{kept}");
    }
    scene.converges().await;
    assert!(!holds(scene.agent(), key(1)).await);
    assert!(holds(&scene.nodes[1].agent, key(1)).await);
    let now = scene.api.get(&format!("{path}/config")).await.text;
    let psk = "PresharedKey";
    assert_eq!(line(&now, psk), line(&config, psk));
    assert_ne!(line(&now, "PublicKey"), line(&config, "PublicKey"));
    assert_eq!(scene.count("SELECT count(*) FROM retired_keys").await, 0);
    let told = "SELECT count(*) FROM events WHERE kind = 'peer.moved' AND data->'from'->0->>'node_name' = 'fra-1'
        AND data->'to'->0->>'node_name' = 'fra-2'";
    assert_eq!(scene.count(told).await, 1);
    let written =
        "SELECT count(*) FROM audit_log WHERE action = 'peer.move' AND before LIKE '%fra-1%'
        AND after LIKE '%fra-2%' AND after NOT LIKE '%fra-1%'";
    assert_eq!(scene.count(written).await, 1);

    let generations = scene.count(GENERATIONS).await;
    let again = scene.api.post(&format!("{path}/move"), to).await.ok();
    assert_eq!(
        (nodes(&again), &again["version"]),
        (vec!["fra-2"], &json!(version))
    );
    assert_eq!(scene.count(GENERATIONS).await, generations);
    assert_eq!(scene.count(MOVED).await, 2);
}

#[tokio::test]
async fn a_pool_places_as_it_would_a_new_peer_and_who_is_on_a_member_stays() {
    let stage = bed_of(&["fra-1", "fra-2", "fra-3"]).await;
    pool(&stage, "north", "one", &[2, 3]).await;
    for (number, node) in [(1, 1), (2, 1), (3, 2)] {
        let mut body = peer(number);
        body["node"] = json!(node);
        stage.api.post("/peers", body).await.ok();
    }

    let north = json!({"pool": "north"});
    let moved = stage.api.post("/peers/1/move", north.clone()).await.ok();
    assert_eq!((nodes(&moved), &moved["pool"]), (vec!["fra-3"], &json!(1)));
    let ranking = &moved["placements"][0]["ranking"]["named"];
    assert_eq!(ranking[0]["node_name"], "fra-3");
    assert_eq!(ranking[1]["reason"], "loaded");
    assert_eq!(ranking[2]["reason"], "not_in_pool");

    stage.api.get("/peers/3/config").await;
    let before = stage.count(GENERATIONS).await;
    let stays = stage.api.post("/peers/3/move", north.clone()).await.ok();
    assert_eq!((nodes(&stays), &stays["pool"]), (vec!["fra-2"], &json!(1)));
    let leaves = stage
        .api
        .post("/peers/3/move", json!({"pool": null}))
        .await
        .ok();
    assert_eq!(
        (nodes(&leaves), &leaves["pool"]),
        (vec!["fra-2"], &Value::Null)
    );
    assert_eq!(leaves["configs"][0]["stale"], false);
    assert_eq!(stage.count(GENERATIONS).await, before);
    let both = json!({"pool": "north", "node": "fra-2"});
    let named = stage.api.post("/peers/2/move", both).await.ok();
    assert_eq!((nodes(&named), &named["pool"]), (vec!["fra-2"], &json!(1)));
}

#[tokio::test]
async fn who_goes_everywhere_keeps_its_home_and_who_comes_back_from_there_leaves_the_others() {
    let stage = Running::start().await;
    let agents = ["fra-1", "fra-2", "fra-3"].map(Agent::within);
    let scene = Scene::new(stage.rows(), &stage.api, agents).await;
    pool(&stage, "all", "all", &[1, 2, 3]).await;
    let mut body = peer(1);
    body["node"] = json!("fra-2");
    scene.api.post("/peers", body).await.ok();
    scene.converges().await;
    let path = "/peers/1/move";
    let at_home = "SELECT desired_generation FROM interfaces WHERE node_id = 2";
    let before = scene.count(at_home).await;

    let everywhere = scene.api.post(path, json!({"pool": "all"})).await.ok();
    assert_eq!(nodes(&everywhere), ["fra-1", "fra-2", "fra-3"]);
    scene.converges().await;
    assert_eq!(scene.count(at_home).await, before);
    let sole = "SELECT count(*) FROM placements WHERE sole";
    assert_eq!(scene.count(sole).await, 0);
    let keys = "SELECT count(DISTINCT psk_sealed) FROM placements";
    assert_eq!(scene.count(keys).await, 3);

    let alone = scene
        .api
        .post(path, json!({"pool": null, "node": "fra-3"}))
        .await
        .ok();
    assert_eq!(nodes(&alone), ["fra-3"]);
    scene.converges().await;
    assert_eq!(scene.count(sole).await, 1);
    assert!(!holds(scene.agent(), key(1)).await);
    assert!(holds(&scene.nodes[2].agent, key(1)).await);
}

#[tokio::test]
async fn who_is_kept_out_moves_and_stays_kept_out() {
    let stage = Running::start().await;
    let agents = ["fra-1", "fra-2"].map(Agent::within);
    let scene = Scene::new(stage.rows(), &stage.api, agents).await;
    for number in [1, 2] {
        let mut body = peer(number);
        body["node"] = json!("fra-1");
        scene.api.post("/peers", body).await.ok();
    }
    scene.api.post("/peers/1/isolation", json!({})).await.ok();
    scene
        .api
        .patch("/peers/2", json!({"enabled": false}))
        .await
        .ok();

    for id in [1, 2] {
        let path = format!("/peers/{id}/move");
        let moved = scene.api.post(&path, json!({"node": "fra-2"})).await.ok();
        assert_eq!(
            (nodes(&moved), &moved["active"]),
            (vec!["fra-2"], &json!(false))
        );
    }
    scene.converges().await;
    for node in &scene.nodes {
        assert!(node.agent.dump().await.unwrap().peers.is_empty());
    }

    scene.api.delete("/peers/1/isolation").await.ok();
    scene.converges().await;
    assert!(holds(&scene.nodes[1].agent, key(1)).await);
}

#[tokio::test]
async fn who_is_kept_out_and_comes_back_before_the_node_was_told_is_named_to_it_once() {
    let stage = Running::start().await;
    let agents = ["fra-1", "fra-2"].map(Agent::within);
    let scene = Scene::new(stage.rows(), &stage.api, agents).await;
    let mut body = peer(1);
    body["node"] = json!("fra-1");
    scene.api.post("/peers", body).await.ok();
    scene.converges().await;
    scene.agent().wire.is_cut();

    scene
        .api
        .patch("/peers/1", json!({"enabled": false}))
        .await
        .ok();
    for node in ["fra-2", "fra-1"] {
        let to = json!({"node": node});
        scene.api.post("/peers/1/move", to).await.ok();
    }
    scene.agent().wire.is_honest();

    scene.converges().await;
    assert!(scene.agent().dump().await.unwrap().peers.is_empty());
}

#[tokio::test]
async fn a_preshared_key_that_only_the_old_node_knew_is_a_fresh_one_and_none_stays_none() {
    let stage = bed_of(&["fra-1", "fra-2"]).await;
    for number in [1, 2] {
        let mut body = peer(number);
        body["node"] = json!("fra-1");
        body["preshared_key"] = json!(number == 1);
        stage.api.post("/peers", body).await.ok();
    }
    stage
        .sql("UPDATE placements SET psk_unknown = true, psk_sealed = NULL, psk_key_id = NULL, keepalive_s = 17 WHERE peer_id = 1")
        .await;

    for id in [1, 2] {
        let path = format!("/peers/{id}/move");
        stage.api.post(&path, json!({"node": "fra-2"})).await.ok();
    }

    let fresh = "SELECT count(*) FROM placements WHERE psk_sealed IS NOT NULL AND NOT psk_unknown AND keepalive_s = 17
        AND peer_id = 1";
    assert_eq!(stage.count(fresh).await, 1);
    let none = "SELECT count(*) FROM placements WHERE psk_sealed IS NULL AND NOT psk_unknown AND peer_id = 2";
    assert_eq!(stage.count(none).await, 1);
}

#[tokio::test]
async fn whoever_is_limited_moves_peers_neither_out_of_their_part_nor_into_another() {
    let stage = bed_of(&["fra-1", "fra-2", "fra-3"]).await;
    pool(&stage, "north", "one", &[1, 2]).await;
    pool(&stage, "south", "one", &[3]).await;
    for (number, home) in [(1, "north"), (2, "south")] {
        let mut body = peer(number);
        body["pool"] = json!(home);
        stage.api.post("/peers", body).await.ok();
    }
    let generations = stage.count(GENERATIONS).await;
    let key = stage
        .limited(Scope::Write, Reach::Pool(Some(PoolId(1))))
        .await;

    for (path, wish) in [
        ("/peers/1/move", json!({"pool": "south"})),
        ("/peers/1/move", json!({"pool": null})),
        ("/peers/1/move", json!({"pool": "south", "node": "fra-3"})),
        ("/peers/2/move", json!({"pool": "north"})),
        ("/peers/2/move", json!({"node": "fra-3"})),
    ] {
        key.post(path, wish).await.refused_as(404, "not_found");
    }
    let foreign = json!({"node": "fra-3"});
    let refused = key.post("/peers/1/move", foreign).await;
    refused.refused_as(409, "not_a_member");
    let reader = stage
        .limited(Scope::Read, Reach::Pool(Some(PoolId(1))))
        .await;
    let within = json!({"node": "fra-2"});
    assert_eq!(
        reader.post("/peers/1/move", within.clone()).await.status,
        403
    );
    assert_eq!(stage.count(GENERATIONS).await, generations);
    assert_eq!(stage.count(MOVED).await, 0);

    let moved = key.post("/peers/1/move", within).await.ok();
    assert_eq!(nodes(&moved), ["fra-2"]);
    let away = json!({"name": "away", "cidr_v4": "10.9.0.0/16"});
    stage.api.post("/networks", away).await.ok();
    let other = Reach::Network(Some(NetworkId(2)));
    let other = stage.limited(Scope::Write, other).await;
    let refused = other.post("/peers/1/move", json!({"node": "fra-1"})).await;
    refused.refused_as(404, "not_found");
    let own = Reach::Network(Some(NetworkId(1)));
    let own = stage.limited(Scope::Write, own).await;
    let moved = own.post("/peers/1/move", json!({"pool": "south"})).await;
    assert_eq!(nodes(&moved.ok()), ["fra-3"]);
}

#[tokio::test]
async fn a_move_decided_upon_an_older_version_is_refused() {
    let stage = bed_of(&["fra-1", "fra-2"]).await;
    stage.api.post("/peers", peer(1)).await.ok();
    let seen = [("if-match", "\"1\"")];
    let to = |node: &str| Some(json!({"node": node}));
    let call = async |node| {
        let api = &stage.api;
        api.call(Method::POST, "/peers/1/move", to(node), &seen)
            .await
    };

    call("fra-2").await.ok();
    call("fra-1").await.refused_as(412, "version_mismatch");

    assert_eq!(nodes(&stage.api.get("/peers/1").await.ok()), ["fra-2"]);
}
