//! Controllers that die at any moment, and ones that begin anew.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::stage::{Agent, QUICK, Scene, Served, eventually, fresh, peer};

const CHANGES: u32 = 200;
const DEATHS: u32 = 8;

#[tokio::test]
async fn a_controller_that_begins_anew_writes_to_no_node() {
    let db = fresh().await;
    let mut controller = Served::start(&db.url, QUICK).await;
    let api = controller.caller(&db.pool).await;
    let agents = [Agent::within("fra-1"), Agent::within("fra-2")];
    let mut scene = Scene::new(&db.pool, &api, agents).await;
    scene.peers(0..6).await;
    scene.converges().await;
    let writes = || {
        scene
            .nodes
            .iter()
            .map(|node| node.agent.wire.writes().len())
    };
    let before: Vec<usize> = writes().collect();

    controller.kill();
    controller.start_again().await;
    for _ in 0..3 {
        is_polled(&scene).await;
    }

    assert_eq!(writes().collect::<Vec<_>>(), before);
    scene.api = api.at(&controller.base());
    scene.converges().await;
}

/// Waits until every node was asked once more.
async fn is_polled(scene: &Scene) {
    let since: chrono::DateTime<chrono::Utc> = sqlx::query_scalar("SELECT now()")
        .fetch_one(&scene.pool)
        .await
        .unwrap();
    eventually("a poll of every node", async || {
        let query = sqlx::query_scalar("SELECT count(*) FROM node_status WHERE polled_at <= $1")
            .bind(since);
        match query.fetch_one(&scene.pool).await.unwrap() {
            0_i64 => Ok(()),
            left => Err(format!("{left} were not asked")),
        }
    })
    .await;
}

/// What a caller knows of a peer that he made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    There,
    Gone,
    /// Nobody answered: it was done or it was not.
    Unknown,
}

#[tokio::test]
async fn a_controller_killed_in_the_midst_of_changes_loses_and_doubles_none() {
    let seed = seed();
    println!("WGFLEET_SEED={seed}");
    let mut chance = Chance(seed);
    let db = fresh().await;
    let mut controller = Served::start(&db.url, QUICK).await;
    let api = controller.caller(&db.pool).await;
    let agents = ["fra-1", "fra-2", "fra-3"].map(Agent::within);
    let mut scene = Scene::new(&db.pool, &api, agents).await;
    let deaths: BTreeSet<u32> = (0..DEATHS).map(|_| chance.below(CHANGES)).collect();
    let mut book: BTreeMap<u32, Known> = BTreeMap::new();
    let mut ids: BTreeMap<u32, i64> = BTreeMap::new();

    for number in 0..CHANGES {
        let known: Vec<(u32, i64)> = ids.iter().map(|(number, id)| (*number, *id)).collect();
        let subject = (!known.is_empty())
            .then(|| known[chance.below(known.len().try_into().unwrap()) as usize]);
        let (method, path, body) = match (chance.below(10), subject) {
            (0 | 1, Some((_, id))) => (Method::DELETE, format!("/peers/{id}"), None),
            (2, Some((_, id))) => (
                Method::POST,
                format!("/peers/{id}/isolation"),
                Some(json!({})),
            ),
            (3, Some((_, id))) => (
                Method::PATCH,
                format!("/peers/{id}"),
                Some(json!({"enabled": false})),
            ),
            (4, Some((_, id))) => (
                Method::PATCH,
                format!("/peers/{id}"),
                Some(json!({"routes": [format!("192.168.{number}.0/24")]})),
            ),
            _ => (Method::POST, "/peers".to_owned(), Some(peer(number))),
        };
        let (creates, deletes) = (path == "/peers", method == Method::DELETE);
        let api = scene.api.clone();
        let call = tokio::spawn(async move { api.try_call(method, &path, body, &[]).await });
        if deaths.contains(&number) {
            tokio::time::sleep(Duration::from_micros(chance.below(40_000).into())).await;
            controller.kill();
            controller.start_again().await;
            scene.api = scene.api.at(&controller.base());
        }
        let answer = call.await.unwrap();
        let is_done = answer.as_ref().is_ok_and(|answer| answer.status < 300);
        if !deaths.contains(&number) {
            assert!(is_done, "{answer:?}");
        }
        match (creates, deletes, is_done) {
            (true, _, true) => {
                let id = answer.unwrap().json()["id"].as_i64().unwrap();
                ids.insert(number, id);
                book.insert(number, Known::There);
            }
            (true, _, false) => drop(book.insert(number, Known::Unknown)),
            (_, true, _) => {
                let (number, _) = subject.unwrap();
                ids.remove(&number);
                book.insert(number, if is_done { Known::Gone } else { Known::Unknown });
            }
            _ => {}
        }
    }

    scene.converges().await;
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM peers")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    for (number, known) in &book {
        let found = names
            .iter()
            .filter(|name| **name == format!("peer-{number}"))
            .count();
        let fits = match known {
            Known::There => found == 1,
            Known::Gone => found == 0,
            Known::Unknown => found <= 1,
        };
        assert!(
            fits,
            "peer-{number} is {known:?} and was found {found} times"
        );
    }
    let made = i64::try_from(book.len()).unwrap();
    assert!(
        scene
            .count("SELECT count(*) FROM audit_log WHERE action = 'peer.create'")
            .await
            <= made
    );
}

/// The same numbers for the same seed.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, end: u32) -> u32 {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(end)).unwrap()
    }
}

/// Named, to repeat a run that failed, or another each time.
pub(super) fn seed() -> u64 {
    match std::env::var("WGFLEET_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => u64::from_ne_bytes(controller::random::bytes()) | 1,
    }
}
