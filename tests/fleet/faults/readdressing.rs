//! Controllers that die while a network gets another prefix: every peer has moved or none has, and the nodes follow.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::controllers::{Chance, seed};
use crate::stage::{Agent, QUICK, Scene, Served, TestDb, eventually, fresh, peer};

const PEERS: u32 = 40;
const OLD: &str = "10.8.0.0/16";
const NEW: &str = "10.20.0.0/16";
const DEATHS: u32 = 6;

/// A fleet of peers whose devices follow a change of address, and the controller that is to die.
struct Stage {
    controller: Served,
    scene: Scene,
    db: TestDb,
}

impl Stage {
    async fn new() -> Self {
        let db = fresh().await;
        let controller = Served::start(&db.url, QUICK).await;
        let api = controller.caller(&db.pool).await;
        let agents = ["fra-1", "fra-2"].map(Agent::within);
        let scene = Scene::new(&db.pool, &api, agents).await;
        for number in 0..PEERS {
            let mut draft = peer(number);
            draft["kind"] = json!("managed");
            scene.api.post("/peers", draft).await.ok();
        }
        scene.converges().await;
        Self {
            controller,
            scene,
            db,
        }
    }

    /// Asks for another prefix; whoever asks may never hear what came of it.
    fn ask(&self, prefix: &str) -> tokio::task::JoinHandle<bool> {
        let api = self.scene.api.clone();
        let body = Some(json!({"cidr_v4": prefix}));
        tokio::spawn(async move {
            let answer = api.try_call(Method::PATCH, "/networks/1", body, &[]).await;
            answer.is_ok_and(|answer| answer.status == 200)
        })
    }

    async fn begins_anew(&mut self) {
        self.controller.start_again().await;
        self.scene.api = self.scene.api.at(&self.controller.base());
    }

    async fn prefix(&self) -> String {
        let network = self.scene.api.get("/networks/1").await.ok();
        network["cidr_v4"].as_str().unwrap().to_owned()
    }

    /// Waits until nodes and rows agree, with every peer in this prefix after so many changes of it.
    async fn stands(&self, prefix: &str, changes: i64) {
        self.scene.converges().await;
        assert_eq!(self.prefix().await, prefix);
        let held: Vec<(i64, bool)> = sqlx::query_as(
            "SELECT peer_id, address <<= $1::cidr FROM ip_allocations WHERE peer_id IS NOT NULL",
        )
        .bind(prefix)
        .fetch_all(&self.db.pool)
        .await
        .unwrap();
        assert_eq!(held.len(), PEERS as usize);
        assert!(held.iter().all(|(_, lies_in)| *lies_in), "{held:?}");
        assert_eq!(
            self.scene.count("SELECT count(*) FROM peers").await,
            i64::from(PEERS)
        );
        for written_down in [
            "SELECT count(*) FROM audit_log WHERE action = 'network.change'",
            "SELECT count(*) FROM events WHERE kind = 'network.readdressed'",
            "SELECT version - 1 FROM networks",
        ] {
            assert_eq!(
                self.scene.count(written_down).await,
                changes,
                "{written_down}"
            );
        }
        let chain = self.scene.api.get("/audit/verification").await.ok();
        assert_eq!(chain["ok"], true, "{chain}");
    }
}

#[tokio::test]
async fn a_change_of_prefix_that_was_cut_off_before_its_end_has_moved_nobody() {
    let mut stage = Stage::new().await;
    let mut hold = stage.db.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM audit_head FOR UPDATE")
        .execute(&mut *hold)
        .await
        .unwrap();

    let asked = stage.ask(NEW);
    eventually("the change waits for the end of the chain", async || {
        match stage.scene.count(WAITING).await {
            0 => Err("nobody waits"),
            _ => Ok(()),
        }
        .map_err(str::to_owned)
    })
    .await;
    stage.controller.kill();
    assert!(!asked.await.unwrap());
    hold.rollback().await.unwrap();
    stage.begins_anew().await;

    stage.stands(OLD, 0).await;
    assert!(stage.ask(NEW).await.unwrap());
    stage.stands(NEW, 1).await;
}

#[tokio::test]
async fn a_change_of_prefix_that_few_nodes_knew_of_reaches_all_of_them() {
    let mut stage = Stage::new().await;
    let [one, other] = &stage.scene.nodes[..] else {
        panic!("two nodes");
    };
    // The first does as it is told and nobody hears of it; the other is told nothing.
    one.agent.wire.does(|seen, pass| {
        let reply = pass(seen)?;
        (!seen.is_write()).then_some(reply)
    });
    other
        .agent
        .wire
        .does(|seen, pass| if seen.is_write() { None } else { pass(seen) });
    let before = one.agent.wire.writes().len();

    assert!(stage.ask(NEW).await.unwrap());
    eventually("the first node is told", async || {
        match one.agent.wire.writes().len() {
            after if after > before => Ok(()),
            _ => Err("not yet".to_owned()),
        }
    })
    .await;
    stage.controller.kill();
    for node in &stage.scene.nodes {
        node.agent.wire.is_honest();
    }
    stage.begins_anew().await;

    stage.stands(NEW, 1).await;
}

#[tokio::test]
async fn changes_of_prefix_killed_at_whatever_moment_move_everybody_or_nobody() {
    let seed = seed();
    println!("WGFLEET_SEED={seed}");
    let mut chance = Chance(seed);
    let mut stage = Stage::new().await;
    let (mut here, mut changes) = (OLD, 0);

    for _ in 0..DEATHS {
        let there = if here == OLD { NEW } else { OLD };
        let asked = stage.ask(there);
        tokio::time::sleep(Duration::from_micros(chance.below(150_000).into())).await;
        stage.controller.kill();
        let is_done = asked.await.unwrap();
        stage.begins_anew().await;

        let has_moved = stage.prefix().await == there;
        assert!(has_moved || !is_done, "what was confirmed is undone");
        if has_moved {
            (here, changes) = (there, changes + 1);
        }
        stage.stands(here, changes).await;
    }
}

/// Who waits for a lock in this database.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";
