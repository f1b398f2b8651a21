//! Interfaces that somebody deletes under their agent.

use node_agent::device::Device;
use serde_json::json;

use crate::stage::{Agent, Running, Scene, set_up};

#[tokio::test]
async fn an_interface_that_vanished_has_everything_when_it_is_there_again() {
    let controller = Running::start().await;
    let scene = Scene::new(controller.rows(), &controller.api, [Agent::guest("fra-1")]).await;
    let ids = scene.peers(0..4).await;
    scene.converges().await;

    scene.agent().device().vanish();
    scene.peers(4..6).await;
    scene.api.delete(&format!("/peers/{}", ids[0])).await.ok();
    scene
        .api
        .post(&format!("/peers/{}/isolation", ids[1]), json!({}))
        .await
        .ok();
    scene.until("SELECT count(*) FROM node_status WHERE reachability = 'error' AND problem = 'interface_missing'", 1).await;
    scene.until("SELECT count(*) FROM interface_sync WHERE link = 'missing' AND problem = 'interface_missing'", 1).await;
    scene.agent().device().come_back();
    set_up(scene.agent().device());

    scene.converges().await;
    scene.is_online().await;
    assert_eq!(scene.agent().dump().await.unwrap().peers.len(), 4);
}

#[tokio::test]
async fn an_interface_that_its_agent_makes_is_made_again_with_everything() {
    let controller = Running::start().await;
    let scene = Scene::new(controller.rows(), &controller.api, [Agent::within("fra-1")]).await;
    let ids = scene.peers(0..4).await;
    scene.converges().await;
    let index = || {
        Device::Memory(scene.agent().device().clone())
            .index()
            .unwrap()
    };
    let before = index();

    scene.agent().device().vanish();
    scene.peers(4..6).await;
    scene
        .api
        .post(&format!("/peers/{}/isolation", ids[1]), json!({}))
        .await
        .ok();

    scene.converges().await;
    assert_ne!(index(), before);
    assert_eq!(scene.agent().dump().await.unwrap().peers.len(), 5);
}
