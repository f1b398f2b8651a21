//! Moves beside each other and beside what else befalls a peer.

use serde_json::json;

use super::nodes;
use crate::stage::{Agent, Running, Scene, eventually, peer};

#[tokio::test]
async fn of_forty_that_move_at_once_a_node_takes_as_many_as_it_has_room_for() {
    let stage = Running::start().await;
    let agents = ["fra-1", "fra-2"].map(Agent::within);
    let scene = Scene::new(stage.rows(), &stage.api, agents).await;
    let mut ids = Vec::new();
    for number in 0..40 {
        let mut body = peer(number);
        body["node"] = json!("fra-1");
        ids.push(scene.api.post("/peers", body).await.ok()["id"].clone());
    }
    let limit = json!({"max_peers": 10});
    let path = format!("/nodes/{}", scene.nodes[1].id);
    scene.api.patch(&path, limit).await.ok();

    let calls = ids.iter().map(|id| {
        let (api, path) = (scene.api.clone(), format!("/peers/{id}/move"));
        async move { api.post(&path, json!({"node": "fra-2"})).await }
    });
    let answers = futures_util::future::join_all(calls).await;

    let (moved, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((moved.len(), refused.len()), (10, 30));
    for answer in refused {
        assert_eq!(answer.refused(409), "no_node");
    }
    scene.converges().await;
    let there = scene.nodes[1].agent.dump().await.unwrap().peers.len();
    let left = scene.agent().dump().await.unwrap().peers.len();
    assert_eq!((there, left), (10, 30));
}

#[tokio::test]
async fn two_moves_of_one_peer_at_once_leave_it_one_home_and_one_beside_a_deletion_none() {
    let stage = Running::start().await;
    let agents = ["fra-1", "fra-2", "fra-3"].map(Agent::within);
    let scene = Scene::new(stage.rows(), &stage.api, agents).await;
    let ids = scene.peers(0..12).await;

    let moves = ids.iter().flat_map(|id| {
        let path = format!("/peers/{id}/move");
        ["fra-1", "fra-2", "fra-3"].map(|node| {
            let (api, path) = (scene.api.clone(), path.clone());
            async move { api.post(&path, json!({"node": node})).await.ok() }
        })
    });
    let gone = ids[..4].iter().map(|id| {
        let (api, path) = (scene.api.clone(), format!("/peers/{id}"));
        async move { api.patch(&path, json!({"enabled": false})).await.ok() }
    });
    let (moved, _) = futures_util::future::join(
        futures_util::future::join_all(moves),
        futures_util::future::join_all(gone),
    )
    .await;
    assert!(moved.iter().all(|peer| nodes(peer).len() == 1));
    scene.converges().await;
    assert_eq!(scene.count("SELECT count(*) FROM placements").await, 12);

    let both = ids.iter().map(|id| {
        let (api, path) = (scene.api.clone(), format!("/peers/{id}"));
        async move {
            let to = format!("{path}/move");
            let node = json!({"node": if *id % 2 == 0 { "fra-1" } else { "fra-2" }});
            futures_util::future::join(api.post(&to, node), api.delete(&path)).await
        }
    });
    for (moved, deleted) in futures_util::future::join_all(both).await {
        assert_eq!(deleted.status, 204);
        assert!([200, 404].contains(&moved.status), "{moved:?}");
    }
    scene.converges().await;
    for node in &scene.nodes {
        assert!(node.agent.dump().await.unwrap().peers.is_empty());
    }
    assert_eq!(scene.count("SELECT count(*) FROM placements").await, 0);
}

#[tokio::test]
async fn a_node_that_cannot_be_told_lets_its_peer_go_when_it_is_back() {
    let stage = Running::start().await;
    let agents = ["fra-1", "fra-2"].map(Agent::within);
    let scene = Scene::new(stage.rows(), &stage.api, agents).await;
    let mut body = peer(1);
    body["node"] = json!("fra-1");
    scene.api.post("/peers", body).await.ok();
    scene.converges().await;
    scene.agent().wire.is_cut();

    let to = json!({"node": "fra-2"});
    scene.api.post("/peers/1/move", to).await.ok();
    eventually("that the new node has it", async || {
        let peer = scene.api.get("/peers/1").await.ok();
        match peer["placements"][0]["applied"] == true {
            true => Ok(()),
            false => Err(peer.to_string()),
        }
    })
    .await;
    let old = scene.agent().dump().await.unwrap().peers.len();
    assert_eq!(old, 1);
    scene.agent().wire.is_honest();

    scene.converges().await;
    assert!(scene.agent().dump().await.unwrap().peers.is_empty());
    let there = scene.nodes[1].agent.dump().await.unwrap().peers.len();
    assert_eq!(there, 1);
}
