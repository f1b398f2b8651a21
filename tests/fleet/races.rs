//! Many at once: callers, controllers, changes that wait.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::stage::{Agent, Answer, QUICK, Running, Scene, eventually, fresh, key, peer};

/// Less than the controller waits for an answer.
const PATIENCE: Duration = Duration::from_millis(1500);

#[tokio::test]
async fn forty_at_once_get_exactly_the_addresses_that_there_are() {
    let controller = Running::with(&QUICK.replace("rest_s = 3600", "rest_s = 0")).await;
    let mut scene = Scene::new(controller.rows(), &controller.api, []).await;
    let small = json!({"name": "small", "cidr_v4": "10.9.0.0/27"});
    scene.api.post("/networks", small).await.ok();
    let interface = json!({"network": "small", "address_v4": "10.9.0.1"});
    scene.add(Agent::within("fra-1"), interface).await;
    scene.is_online().await;

    let calls = (0..40).map(|number| {
        let api = scene.api.clone();
        let mut body = peer(number);
        body["network"] = json!("small");
        async move { api.post("/peers", body).await }
    });
    let answers = futures_util::future::join_all(calls).await;

    let (made, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (29, 11));
    for answer in refused {
        assert_eq!(answer.refused(409), "pool_exhausted");
    }
    let made: Vec<Value> = made.into_iter().map(Answer::ok).collect();
    let addresses: BTreeSet<IpAddr> = made.iter().map(address).collect();
    let hosts: BTreeSet<IpAddr> = (2..31).map(|n| IpAddr::from([10, 9, 0, n])).collect();
    assert_eq!(addresses, hosts);
    scene.converges().await;

    let freed = &made[17];
    scene
        .api
        .delete(&format!("/peers/{}", freed["id"]))
        .await
        .ok();
    let mut body = peer(77);
    body["network"] = json!("small");
    let again = scene.api.post("/peers", body).await.ok();
    assert_eq!(address(&again), address(freed));
    scene.converges().await;
}

fn address(peer: &Value) -> IpAddr {
    peer["addresses"][0].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn two_controllers_apply_no_generation_twice() {
    let db = fresh().await;
    let one = Running::on(&db.url, QUICK).await;
    let other = Running::on(&db.url, QUICK).await;
    let agents = [Agent::within("fra-1"), Agent::within("fra-2")];
    let scene = Scene::new(&db.pool, &one.api, agents).await;

    let calls = (0..60).map(|number| {
        let api = if number % 2 == 0 {
            &one.api
        } else {
            &other.api
        };
        let api = api.clone();
        async move { api.post("/peers", peer(number)).await.ok() }
    });
    // All at once, some would wait longer for a connection than the controller lets them, where the machine is slow.
    let made: Vec<_> = stream::iter(calls).buffer_unordered(16).collect().await;
    for peer in made.iter().step_by(7) {
        other
            .api
            .delete(&format!("/peers/{}", peer["id"]))
            .await
            .ok();
    }

    scene.converges().await;
    for node in &scene.nodes {
        let mut times: BTreeMap<u64, usize> = BTreeMap::new();
        for write in node.agent.wire.writes() {
            let body = write.seen.json();
            assert_eq!(write.seen.method, "PATCH", "{write:?}");
            if write.status == Some(200) {
                *times
                    .entry(body["generation"].as_u64().unwrap())
                    .or_default() += 1;
            }
        }
        assert!(!times.is_empty());
        assert!(times.values().all(|times| *times == 1), "{times:?}");
    }
}

/// Three nodes, all of them members of a pool that places everywhere.
async fn everywhere(controller: &Running) -> Scene {
    let agents = ["fra-1", "fra-2", "fra-3"].map(Agent::within);
    let scene = Scene::new(controller.rows(), &controller.api, agents).await;
    let members: Vec<i64> = scene.nodes.iter().map(|node| node.id).collect();
    let pool = json!({"name": "all", "placement": "all", "members": members});
    scene.api.post("/pools", pool).await.ok();
    scene
}

async fn peer_everywhere(scene: &Scene, number: u32) -> i64 {
    let mut body = peer(number);
    body["pool"] = json!("all");
    scene.api.post("/peers", body).await.ok()["id"]
        .as_i64()
        .unwrap()
}

#[tokio::test]
async fn an_isolation_overtakes_everything_that_waits() {
    let controller = Running::start().await;
    let scene = everywhere(&controller).await;
    let id = peer_everywhere(&scene, 0).await;
    scene.converges().await;
    let mut before = Vec::new();
    for node in &scene.nodes {
        before.push(node.agent.wire.writes().len());
        node.agent.wire.is_cut();
    }

    for number in 1..6 {
        peer_everywhere(&scene, number).await;
    }
    scene
        .api
        .post(&format!("/peers/{id}/isolation"), json!({}))
        .await
        .ok();
    peer_everywhere(&scene, 6).await;
    for node in &scene.nodes {
        node.agent.wire.is_honest();
    }

    scene.converges().await;
    for (node, before) in scene.nodes.iter().zip(before) {
        let mut writes = node.agent.wire.writes();
        let since = writes.split_off(before);
        let arrived: Vec<_> = since
            .into_iter()
            .filter(|write| write.status.is_some())
            .collect();
        let deletions = arrived
            .iter()
            .filter(|write| write.seen.method == "DELETE")
            .count();
        assert_eq!(
            (arrived[0].seen.method.as_str(), deletions),
            ("DELETE", 1),
            "{arrived:?}"
        );
        assert!(
            arrived[0].seen.target.ends_with(&encoded(0)),
            "{}",
            arrived[0].seen.target
        );
    }
}

/// A key as it stands in a path.
fn encoded(number: u32) -> String {
    let key = key(number).to_string();
    key.trim_end_matches('=')
        .replace('+', "-")
        .replace('/', "_")
}

#[tokio::test]
async fn one_isolation_is_one_deletion_on_each_node_that_has_the_peer() {
    let controller = Running::start().await;
    let scene = everywhere(&controller).await;
    let id = peer_everywhere(&scene, 0).await;
    let mut lone = peer(1);
    lone["node"] = json!("fra-2");
    let lone = scene.api.post("/peers", lone).await.ok()["id"].clone();
    scene.converges().await;

    let deletions = |number: usize| {
        let writes = scene.nodes[number].agent.wire.writes();
        writes
            .iter()
            .filter(|write| write.seen.method == "DELETE")
            .count()
    };
    scene
        .api
        .post(&format!("/peers/{lone}/isolation"), json!({}))
        .await
        .ok();
    scene.converges().await;
    assert_eq!([0, 1, 2].map(deletions), [0, 1, 0]);
    scene
        .api
        .post(&format!("/peers/{id}/isolation"), json!({}))
        .await
        .ok();
    scene.converges().await;
    assert_eq!([0, 1, 2].map(deletions), [1, 2, 1]);
}

#[tokio::test]
async fn a_new_name_is_no_business_of_the_nodes() {
    let controller = Running::start().await;
    let scene = everywhere(&controller).await;
    let id = peer_everywhere(&scene, 0).await;
    scene.converges().await;
    let asked = || {
        let passed = scene.nodes.iter().flat_map(|node| node.agent.wire.passed());
        // What polls ask is asked in any case.
        let is_poll = |target: &str| {
            target.ends_with("/health")
                || target.contains("/dump?since=")
                || target.ends_with("/config")
        };
        passed.filter(|one| !is_poll(&one.seen.target)).count()
    };
    let before = asked();

    let renamed = json!({"name": "laptop-of-ada", "notes": "blue", "tags": ["new"]});
    scene.api.patch(&format!("/peers/{id}"), renamed).await.ok();
    let polls = "SELECT count(*) FROM node_status WHERE polled_at > (SELECT updated_at + interval '1 second' FROM peers)";
    scene.until(polls, 3).await;

    assert_eq!(asked(), before);
    scene.converges().await;
}

#[tokio::test]
async fn a_change_made_while_an_interface_is_mended_is_not_taken_for_sent() {
    let controller = Running::start().await;
    let scene = Scene::new(controller.rows(), &controller.api, [Agent::within("fra-1")]).await;
    scene.peers(0..3).await;
    scene.converges().await;
    let (asked, is_asked) = mpsc::channel();
    let (go, goes) = mpsc::channel();
    let goes = Mutex::new(goes);
    scene.agent().wire.does(move |seen, pass| {
        // Intent was read before, so that what is made now is not in it.
        if seen.target.ends_with("/dump") && asked.send(()).is_ok() {
            goes.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        }
        pass(seen)
    });
    scene.agent().device().foreign_remove(&key(0));
    let is_asked = tokio::task::spawn_blocking(move || is_asked.recv().unwrap());
    is_asked.await.unwrap();

    let id = scene.peer(3).await;
    go.send(()).unwrap();

    eventually("that it is said to be applied", async || {
        let peer = scene.api.get(&format!("/peers/{id}")).await.ok();
        match peer["placements"][0]["applied"] == true {
            true => Ok(()),
            false => Err(peer.to_string()),
        }
    })
    .await;
    let held = scene.agent().dump().await.unwrap();
    let has_it = held.peers.iter().any(|peer| peer.public_key == key(3));
    assert!(has_it, "it is said to be applied, and is not there");
    scene.converges().await;
}
