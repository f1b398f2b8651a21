//! An interface whose node shows another key: every configuration handed out is stale, and that stays to be seen until
//! a person has.

use node_agent::device::Device;
use protocol::PrivateKey;
use serde_json::{Value, json};

use crate::stage::{Agent, Running, Scene, eventually, key};

/// Gives the device another key, as somebody does at the machine.
fn regenerate(agent: &Agent, byte: u8) -> String {
    let device = Device::Memory(agent.device().clone());
    let index = device.index().unwrap().unwrap();
    let key = PrivateKey::from_random([byte; 32]);
    device.set_private_key(index, &key).unwrap();
    key.public_key().to_string()
}

async fn interface(scene: &Scene) -> Value {
    scene.api.get("/interfaces/1").await.ok()
}

async fn shows(scene: &Scene, key: &str) -> Value {
    eventually("the new key", async || match interface(scene).await {
        shown if shown["public_key"] == key => Ok(shown),
        shown => Err(shown.to_string()),
    })
    .await
}

async fn codes(scene: &Scene) -> Vec<Value> {
    let status = scene.api.get("/status").await.ok();
    let reasons = status["reasons"].as_array().unwrap().iter();
    reasons.map(|reason| reason["code"].clone()).collect()
}

#[tokio::test]
async fn another_key_is_shown_and_makes_configurations_stale_until_somebody_has_seen_it() {
    let stage = Running::start().await;
    let scene = Scene::new(stage.rows(), &stage.api, [Agent::guest("fra-1")]).await;
    let first = eventually("the first key", async || match interface(&scene).await {
        shown if shown["public_key"].is_string() => Ok(shown),
        shown => Err(shown.to_string()),
    })
    .await;
    assert_eq!(first["key_change"], Value::Null);
    let draft = json!({"network": "office", "name": "phone"});
    assert!(scene.api.post("/peers", draft).await.ok()["config"].is_string());
    scene.converges().await;
    assert_eq!(codes(&scene).await, [] as [Value; 0]);

    let second = regenerate(scene.agent(), 4);

    let shown = shows(&scene, &second).await;
    assert_eq!(
        shown["key_change"]["former_public_key"],
        first["public_key"]
    );
    assert!(shown["key_change"]["changed_at"].is_string());
    let node = scene.api.get("/nodes/1").await.ok();
    assert_eq!(node["interfaces"][0]["key_change"], shown["key_change"]);
    assert_eq!(codes(&scene).await, ["interface_keys_changed"]);
    let peer = scene.api.get("/peers/1").await.ok();
    assert_eq!(peer["configs"][0]["stale"], true);

    // What was handed out first stays in mind, however often it changes.
    let third = regenerate(scene.agent(), 5);
    let shown = shows(&scene, &third).await;
    assert_eq!(
        shown["key_change"]["former_public_key"],
        first["public_key"]
    );

    // Somebody who has seen another key has not seen this one.
    let path = "/interfaces/1/key-acknowledgement";
    let seen = |key: &str| json!({"public_key": key});
    scene
        .api
        .post(path, seen(&second))
        .await
        .refused_as(409, "another_key");
    scene
        .api
        .post(path, seen("x"))
        .await
        .refused_as(422, "invalid_fields");
    let tried = format!("{path}?dry_run=true");
    let tried = scene.api.post(&tried, seen(&third)).await.ok();
    assert_eq!(tried["key_change"], Value::Null);
    assert_eq!(interface(&scene).await["key_change"], shown["key_change"]);

    let done = scene.api.post(path, seen(&third)).await.ok();

    assert_eq!(done["key_change"], Value::Null);
    assert_eq!(
        done["sync"]["desired_generation"],
        shown["sync"]["desired_generation"]
    );
    assert_eq!(codes(&scene).await, [] as [Value; 0]);
    scene.api.post(path, seen(&third)).await.ok();
    let audited = "SELECT count(*) FROM audit_log WHERE action = 'interface.acknowledge_key'";
    assert_eq!(stage.count(audited).await, 1);
    // The device of the peer has what it had.
    let peer = scene.api.get("/peers/1").await.ok();
    assert_eq!(peer["configs"][0]["stale"], true);
}

#[tokio::test]
async fn a_renamed_interface_is_another_device_and_has_no_former_key() {
    let stage = crate::nodes::office().await;
    crate::nodes::add(&stage, "fra-1").await;
    stage.sql("UPDATE interfaces SET public_key = 'a', former_public_key = 'b', key_changed_at = now()").await;
    let body = json!({"public_key": key(1)});
    stage
        .api
        .post("/interfaces/1/key-acknowledgement", body)
        .await
        .refused_as(409, "another_key");

    let renamed = stage
        .api
        .patch("/interfaces/1", json!({"name": "wg7"}))
        .await
        .ok();

    assert_eq!(
        (&renamed["public_key"], &renamed["key_change"]),
        (&Value::Null, &Value::Null)
    );
}
