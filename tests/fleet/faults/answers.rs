//! Answers that cannot be believed, and one that is signed and says that nobody is there.

use std::collections::BTreeSet;

use protocol::signing::{Secret, sign_response};
use serde_json::{Value, json};

use crate::agent_client::stranger::Seen;
use crate::stage::{Agent, Reply, Running, Scene, now};

/// Peers that were there before, an answer that is tampered with while more is asked, and honesty again.
async fn survives(tamper: impl Fn(&Agent) -> Box<dyn Fn(&Seen, Reply) -> Reply + Send + Sync>) {
    let controller = Running::start().await;
    let scene = Scene::new(controller.rows(), &controller.api, [Agent::within("fra-1")]).await;
    let ids = scene.peers(0..3).await;
    scene.converges().await;
    let applied = scene
        .count("SELECT applied_generation FROM interface_sync")
        .await;

    let tampered = tamper(scene.agent());
    scene
        .agent()
        .wire
        .does(move |seen, pass| Some(tampered(seen, pass(seen)?)));
    scene.peers(3..5).await;
    scene.api.delete(&format!("/peers/{}", ids[0])).await.ok();
    scene.until("SELECT count(*) FROM node_status WHERE reachability = 'error' AND problem IN ('unsigned', 'bad_signature')", 1).await;

    assert_eq!(
        scene
            .count("SELECT applied_generation FROM interface_sync")
            .await,
        applied
    );
    let waiting = scene.count(
        "SELECT count(*) FROM interface_sync WHERE problem IN ('unsigned', 'bad_signature')",
    );
    assert_eq!(waiting.await, 1);
    scene.agent().wire.is_honest();
    scene.converges().await;
    scene.is_online().await;
    assert_eq!(scene.count("SELECT count(*) FROM peers").await, 4);
}

#[tokio::test]
async fn answers_without_a_signature_are_none() {
    survives(|_| Box::new(|_, reply| reply.unsigned())).await;
}

#[tokio::test]
async fn answers_signed_by_another_node_are_none() {
    let other = Secret::parse("another node's secret, 32 bytes and more").unwrap();
    survives(move |_| {
        let other = other.clone();
        Box::new(move |seen, reply| reply.signed_by(&other, now(), seen))
    })
    .await;
}

#[tokio::test]
async fn a_node_that_shows_nobody_loses_nobody() {
    let controller = Running::start().await;
    let scene = Scene::new(controller.rows(), &controller.api, [Agent::within("fra-1")]).await;
    let enforce = json!({"drift_policy": "enforce"});
    let interface = format!("/interfaces/{}", scene.nodes[0].interface);
    scene.api.patch(&interface, enforce).await.ok();
    scene.peers(0..4).await;
    scene.converges().await;
    let observed = "SELECT count(*) FROM observations WHERE gone_at IS NULL";
    scene.until(observed, 4).await;
    let writes = scene.agent().wire.writes().len();

    let secret = scene.agent().secret.clone();
    scene.agent().wire.does(move |seen, pass| {
        let mut reply = pass(seen)?;
        if !seen.target.contains("/dump") {
            return Some(reply);
        }
        let mut dump: Value = serde_json::from_slice(&reply.body).unwrap();
        dump["peers"] = json!([]);
        dump["digest"] = json!(protocol::Digest::of(std::iter::empty()).to_string());
        dump["full"] = json!(true);
        reply.body = dump.to_string().into_bytes();
        Some(reply.signed_by(&secret, now(), seen))
    });
    scene
        .until(
            "SELECT count(*) FROM observations WHERE gone_at IS NOT NULL",
            4,
        )
        .await;
    scene.peer(4).await;
    scene.until(NOBODY_BEHIND, 0).await;

    let writes = scene.agent().wire.writes().split_off(writes);
    assert!(!writes.is_empty(), "what is missing is sent");
    for write in writes {
        assert_eq!(taken_away(&write.seen), BTreeSet::new(), "{write:?}");
    }
    assert_eq!(
        scene
            .count("SELECT count(*) FROM ip_allocations WHERE peer_id IS NOT NULL")
            .await,
        5
    );
    assert_eq!(scene.agent().dump().await.unwrap().peers.len(), 5);
    scene.agent().wire.is_honest();
    scene.converges().await;
}

const NOBODY_BEHIND: &str =
    "SELECT count(*) FROM interfaces JOIN interface_sync ON interface_id = id
    WHERE applied_generation <> desired_generation";

/// The keys that a write takes off the node: those that it names, and those of five that a full set leaves out.
fn taken_away(write: &Seen) -> BTreeSet<String> {
    let keys = |list: &Value| -> BTreeSet<String> {
        let key = |entry: &Value| {
            entry
                .as_str()
                .or(entry["public_key"].as_str())
                .unwrap()
                .to_owned()
        };
        list.as_array().into_iter().flatten().map(key).collect()
    };
    match write.method.as_str() {
        "DELETE" => [write.target.clone()].into(),
        "PATCH" => keys(&write.json()["remove"]),
        "PUT" if write.target.ends_with("/peers") => {
            let all: BTreeSet<String> = (0..4)
                .map(|number| crate::stage::key(number).to_string())
                .collect();
            all.difference(&keys(&write.json()["peers"]))
                .cloned()
                .collect()
        }
        _ => BTreeSet::new(),
    }
}

impl Reply {
    /// The same as a node with this secret and clock signs it.
    pub(super) fn signed_by(self, secret: &Secret, at: i64, seen: &Seen) -> Self {
        let signature = sign_response(secret, self.status, &self.body, at, &seen.signature());
        let mut reply = self.unsigned();
        reply
            .headers
            .push(("x-signature".into(), signature.to_string()));
        reply.headers.push(("x-timestamp".into(), at.to_string()));
        reply
    }
}
