//! A database that goes away and comes back, as it was or as it was earlier.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::postgres::PgPoolOptions;

use crate::stage::{Agent, Own, QUICK, Running, Scene, eventually, fresh, key, peer};

/// Longer with `WGFLEET_LONG=1`.
fn outage() -> Duration {
    match std::env::var("WGFLEET_LONG") {
        Ok(long) if long == "1" => Duration::from_secs(20),
        _ => Duration::from_secs(3),
    }
}

#[tokio::test]
async fn a_database_that_comes_back_finds_everybody_at_work() {
    let mut database = Own::start().await;
    let controller = Running::on(&database.url(), QUICK).await;
    let agents = [Agent::within("fra-1"), Agent::within("fra-2")];
    let pool = PgPoolOptions::new().connect_lazy(&database.url()).unwrap();
    let scene = Scene::new(&pool, &controller.api, agents).await;
    let ids = scene.peers(0..4).await;
    scene.converges().await;
    // What is on its way now can be done by the nodes, and not be booked.
    for node in &scene.nodes {
        node.agent.wire.does(|seen, pass| {
            let reply = pass(seen);
            std::thread::sleep(Duration::from_millis(300));
            reply
        });
    }
    scene.peers(4..8).await;

    database.stop().await;
    let gone = Instant::now();
    while gone.elapsed() < outage() {
        for answer in [
            scene.api.get("/peers").await,
            scene.api.post("/peers", peer(99)).await,
        ] {
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
            assert_eq!(answer.status, 503, "{answer:?}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for node in &scene.nodes {
        node.agent.wire.is_honest();
    }
    database.start_again().await;

    eventually("an answer", async || {
        match scene.api.get("/peers").await.status {
            200 => Ok(()),
            status => Err(status.to_string()),
        }
    })
    .await;
    scene.peers(8..10).await;
    scene.api.delete(&format!("/peers/{}", ids[0])).await.ok();
    scene.converges().await;
    scene.is_online().await;
    assert_eq!(scene.count("SELECT count(*) FROM peers").await, 9);
}

/// A fleet whose database is put back to where it had three peers, when its node has six of them.
async fn restored(policy: &str) -> (Running, Scene) {
    let db = fresh().await;
    let mut controller = Running::on(&db.url, QUICK).await;
    let agents = [Agent::within("fra-1")];
    let mut scene = Scene::new(&db.pool, &controller.api, agents).await;
    let interface = format!("/interfaces/{}", scene.nodes[0].interface);
    scene
        .api
        .patch(&interface, json!({"drift_policy": policy}))
        .await
        .ok();
    scene.peers(0..3).await;
    scene.converges().await;
    controller.stop().await;
    let earlier = db.copy().await;
    let controller = Running::on(&db.url, QUICK).await;
    scene.api = controller.api.clone();
    scene.peers(3..6).await;
    scene.converges().await;
    drop(controller);

    let mut controller = Running::on(&earlier.url, QUICK).await;
    scene.api = controller.api.clone();
    scene.pool = earlier.pool.clone();
    controller.db = Some(earlier);
    (controller, scene)
}

#[tokio::test]
async fn a_database_put_back_to_an_earlier_state_is_followed_where_nothing_else_may_be() {
    let (_controller, scene) = restored("enforce").await;

    scene
        .until("SELECT unknown_peers::bigint FROM interface_sync", 0)
        .await;
    scene.converges().await;
    let dump = scene.agent().dump().await.unwrap();
    assert_eq!(dump.peers.len(), 3);
    scene.peer(7).await;
    scene.converges().await;
}

#[tokio::test]
async fn a_database_put_back_to_an_earlier_state_takes_nobody_away_where_that_is_for_people() {
    let (_controller, scene) = restored("report").await;

    scene
        .until("SELECT unknown_peers::bigint FROM interface_sync", 3)
        .await;
    scene.converges_beside(&[key(3), key(4), key(5)]).await;
    let mut apart = peer(7);
    apart["address_v4"] = json!("10.8.9.9");
    scene.api.post("/peers", apart).await.ok();
    scene.converges_beside(&[key(3), key(4), key(5)]).await;
}
