//! Agents that go away, at whatever moment, and come back with or without what they knew.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::stage::{Agent, Running, Scene, key};

#[tokio::test]
async fn an_agent_that_was_down_is_told_what_it_missed() {
    let controller = Running::start().await;
    let agents = [Agent::program("fra-1"), Agent::program("fra-2")];
    let scene = Scene::new(controller.rows(), &controller.api, agents).await;
    let ids = scene.peers(0..6).await;
    scene.converges().await;

    for node in &scene.nodes {
        node.agent.end();
    }
    scene.peers(6..10).await;
    scene.api.delete(&format!("/peers/{}", ids[0])).await.ok();
    scene
        .api
        .post(&format!("/peers/{}/isolation", ids[1]), json!({}))
        .await
        .ok();
    let disabled = json!({"enabled": false});
    scene
        .api
        .patch(&format!("/peers/{}", ids[2]), disabled)
        .await
        .ok();
    for node in &scene.nodes {
        node.agent.start();
    }

    scene.converges().await;
    assert_eq!(scene.count("SELECT count(*) FROM peers").await, 9);
}

#[tokio::test]
async fn an_agent_killed_before_its_answer_arrives_has_done_it_once() {
    let controller = Running::start().await;
    let agents = [Agent::program("fra-1")];
    let scene = Scene::new(controller.rows(), &controller.api, agents).await;
    scene.peers(0..3).await;
    scene.converges().await;
    let agent = Arc::clone(&scene.nodes[0].agent);
    let killer = Arc::downgrade(&agent);
    agent.wire.does(move |seen, pass| {
        let reply = pass(seen)?;
        if seen.is_write() {
            killer.upgrade()?.end();
            return None;
        }
        Some(reply)
    });

    scene.peers(3..5).await;
    while agent.wire.agent().is_some() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    agent.wire.is_honest();
    agent.start();

    scene.converges().await;
}

#[tokio::test]
async fn answers_that_are_lost_are_asked_for_again_and_change_nothing_twice() {
    let controller = Running::start().await;
    let scene = Scene::new(controller.rows(), &controller.api, [Agent::within("fra-1")]).await;
    let lost = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&lost);
    scene.agent().wire.does(move |seen, pass| {
        let reply = pass(seen)?;
        let is_lost = seen.is_write() && count.fetch_add(1, Ordering::Relaxed) < 5;
        (!is_lost).then_some(reply)
    });

    let ids = scene.peers(0..4).await;
    scene.api.delete(&format!("/peers/{}", ids[0])).await.ok();

    scene.converges().await;
    assert!(lost.load(Ordering::Relaxed) >= 5);
    assert_eq!(scene.count("SELECT count(*) FROM peers").await, 3);
}

#[tokio::test]
async fn an_agent_that_lost_its_state_and_its_device_gets_everything_again() {
    let controller = Running::start().await;
    let scene = Scene::new(
        controller.rows(),
        &controller.api,
        [Agent::program("fra-1")],
    )
    .await;
    scene.peers(0..5).await;
    scene.converges().await;

    scene.agent().end();
    scene.agent().forget();
    scene.agent().start();
    let dump = scene.agent().dump().await.unwrap();
    assert_eq!((dump.generation, dump.peers.len()), (None, 0));

    scene.converges().await;
    assert_eq!(scene.agent().dump().await.unwrap().peers.len(), 5);
}

#[tokio::test]
async fn an_agent_that_lost_its_state_takes_over_the_peers_of_its_device() {
    let controller = Running::start().await;
    let scene = Scene::new(controller.rows(), &controller.api, [Agent::within("fra-1")]).await;
    scene.peers(0..5).await;
    scene.converges().await;

    scene.agent().end();
    scene.agent().forget();
    let gone = key(0);
    scene.agent().device().foreign_remove(&gone);
    scene.agent().start();
    let dump = scene.agent().dump().await.unwrap();
    assert!(dump.peers.iter().all(|peer| peer.foreign));

    scene.converges().await;
    let dump = scene.agent().dump().await.unwrap();
    assert!(dump.peers.iter().all(|peer| !peer.foreign) && dump.peers.len() == 5);
}
