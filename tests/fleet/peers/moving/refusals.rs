//! Where a peer cannot go, and that it then stays as it was.

use serde_json::{Value, json};

use super::{GENERATIONS, MOVED, bed_of, nodes, pool};
use crate::stage::{Running, peer};

/// Peer 1 of pool `north` on its first member, peer 2 of pool `all`; a node of another network, with a pool of its own.
async fn furnished() -> Running {
    let stage = bed_of(&["fra-1", "fra-2", "fra-3"]).await;
    let away = json!({"name": "away", "cidr_v4": "10.9.0.0/16"});
    stage.api.post("/networks", away).await.ok();
    let node = json!({"name": "oslo", "agent_url": "http://oslo.example:8080",
        "interface": {"name": "wg0", "network": "away", "endpoint": "oslo.example:51820"}});
    stage.api.post("/nodes", node).await.ok();
    pool(&stage, "north", "one", &[1, 2]).await;
    pool(&stage, "all", "all", &[1, 2]).await;
    pool(&stage, "far", "one", &[4]).await;
    for (number, home) in [(1, "north"), (2, "all")] {
        let mut body = peer(number);
        body["pool"] = json!(home);
        stage.api.post("/peers", body).await.ok();
    }
    stage
}

/// Whether all is as it was.
async fn state(stage: &Running) -> (Vec<Value>, i64, i64) {
    let mut peers = Vec::new();
    for id in [1, 2] {
        peers.push(stage.api.get(&format!("/peers/{id}")).await.ok());
    }
    (
        peers,
        stage.count(GENERATIONS).await,
        stage.count(MOVED).await,
    )
}

#[tokio::test]
async fn what_cannot_go_together_is_refused_by_name_and_nothing_moves() {
    let stage = furnished().await;
    let before = state(&stage).await;

    for (id, wish, status, code, names) in [
        (
            1,
            json!({"node": "oslo"}),
            409,
            "node_elsewhere",
            ["oslo", "office"],
        ),
        (
            1,
            json!({"pool": null, "node": "oslo"}),
            409,
            "node_elsewhere",
            ["oslo", "office"],
        ),
        (
            1,
            json!({"pool": "far"}),
            409,
            "pool_elsewhere",
            ["far", "office"],
        ),
        (
            1,
            json!({"pool": "far", "node": "oslo"}),
            409,
            "node_elsewhere",
            ["oslo", "office"],
        ),
        (
            1,
            json!({"node": "fra-3"}),
            409,
            "not_a_member",
            ["fra-3", "north"],
        ),
        (
            1,
            json!({"pool": "far", "node": "fra-3"}),
            409,
            "not_a_member",
            ["fra-3", "far"],
        ),
        (
            2,
            json!({"node": "fra-1"}),
            409,
            "placed_everywhere",
            ["pool all", "every"],
        ),
        (
            1,
            json!({"pool": "all", "node": "fra-1"}),
            409,
            "placed_everywhere",
            ["pool all", "every"],
        ),
        (1, json!({}), 422, "nowhere_named", ["node", "pool"]),
    ] {
        let answer = stage
            .api
            .post(&format!("/peers/{id}/move"), wish.clone())
            .await;
        let text = answer.refused_as(status, code);
        assert!(
            names.iter().all(|name| text.contains(name)),
            "{wish}: {text}"
        );
        assert_eq!(state(&stage).await, before, "{wish}");
    }
    for (wish, field) in [
        (json!({"node": "nowhere"}), "node"),
        (json!({"pool": 77}), "pool"),
        (json!({"pool": "no pool"}), "pool"),
    ] {
        let problem = stage.api.post("/peers/1/move", wish).await.problem(422);
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    let wrong = json!({"node": "fra-2", "network": "away"});
    assert!([400, 422].contains(&stage.api.post("/peers/1/move", wrong).await.status));
    let unknown = stage.api.post("/peers/99/move", json!({"node": 1})).await;
    unknown.refused_as(404, "not_found");
    assert_eq!(state(&stage).await, before);
}

#[tokio::test]
async fn a_node_that_would_take_no_new_peer_takes_none_that_moves() {
    let stage = furnished().await;
    let path = "/nodes/2";

    for (change, reason, back) in [
        (
            json!({"enabled": false}),
            "disabled",
            json!({"enabled": true}),
        ),
        (json!({"weight": 0}), "drained", json!({"weight": 100})),
        // It has the peer of all members already.
        (json!({"max_peers": 1}), "full", json!({"max_peers": 0})),
    ] {
        stage.api.patch(path, change).await.ok();
        let before = state(&stage).await;
        let to = json!({"node": "fra-2"});
        let problem = stage.api.post("/peers/1/move", to).await.problem(409);
        assert_eq!(problem["code"], "no_node", "{problem}");
        let reasons = json!([{"reason": reason, "candidates": 1}]);
        assert_eq!(problem["details"]["reasons"], reasons);
        assert_eq!(state(&stage).await, before, "{reason}");
        stage.api.patch(path, back).await.ok();
    }
}

#[tokio::test]
async fn a_node_that_is_out_of_reach_takes_none_that_moves() {
    let stage = furnished().await;
    stage
        .sql("UPDATE node_status SET reachability = 'offline', good_at = now() - interval '1 day' WHERE node_id = 2")
        .await;
    let before = state(&stage).await;
    let to = json!({"node": "fra-2"});
    let problem = stage.api.post("/peers/1/move", to).await.problem(409);
    let reasons = json!([{"reason": "unreachable", "candidates": 1}]);
    assert_eq!(problem["details"]["reasons"], reasons);
    assert_eq!(state(&stage).await, before);
}

#[tokio::test]
async fn a_full_node_keeps_the_peers_that_come_back_from_everywhere_to_it() {
    let stage = furnished().await;
    stage
        .api
        .patch("/nodes/1", json!({"max_peers": 2}))
        .await
        .ok();

    let alone = json!({"pool": "north", "node": "fra-1"});
    let moved = stage.api.post("/peers/2/move", alone).await.ok();

    assert_eq!(nodes(&moved), ["fra-1"]);
    let placed = "SELECT sum(placed)::bigint FROM interfaces";
    assert_eq!(stage.count(placed).await, 2);
}
