//! Handshakes that come and stop, and the sessions that are made of them.

use chrono::{DateTime, TimeDelta, Utc};
use protocol::PublicKey;
use serde_json::{Value, json};

use super::{Watched, count, now, stranger, until};
use crate::stage::{QUICK, Running};

const OPEN: &str = "SELECT count(*) FROM peer_sessions WHERE disconnected_at IS NULL";
const ENDED: &str = "SELECT count(*) FROM peer_sessions WHERE disconnected_at IS NOT NULL";
const DISCONNECTED: &str = "SELECT count(*) FROM events WHERE kind = 'peer.disconnected'";
const SILENT: &str = "SELECT count(*) FROM node_status WHERE reachability = 'offline'";

/// One node with one peer that it holds and never heard of.
async fn with_a_peer() -> (Watched, PublicKey) {
    let watched = Watched::new(1, 0).await;
    let (key, _) = stranger(1);
    watched.peer("phone", key).await;
    let held = "SELECT count(*) FROM observations WHERE peer_id IS NOT NULL";
    watched.until(held, 1).await;
    (watched, key)
}

impl Watched {
    /// The peer has a handshake, and counters since its node holds it.
    fn hear(&self, key: &PublicKey, handshake: i64, rx: u64, tx: u64) {
        let endpoint = protocol::Endpoint::parse("198.51.100.7:4711").unwrap();
        self.node()
            .device()
            .set_observed(key, Some(endpoint), Some(handshake), rx, tx);
    }

    async fn sessions(&self) -> Vec<Value> {
        let page = self.controller.api.get("/peers/1/sessions").await.ok();
        page["items"].as_array().unwrap().clone()
    }

    async fn event(&self, kind: &str) -> Value {
        let path = format!("/events?kind={kind}");
        let page = self.controller.api.get(&path).await.ok();
        page["items"].as_array().unwrap().last().unwrap()["data"].clone()
    }

    /// Nobody answers where the node is looked for.
    async fn loses_its_node(&self) {
        self.moves_to("http://127.0.0.1:1").await;
        self.until(SILENT, 1).await;
    }

    async fn moves_to(&self, url: &str) {
        let api = &self.controller.api;
        api.patch("/nodes/1", json!({"agent_url": url})).await.ok();
    }
}

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

fn second(unix: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(unix, 0).unwrap()
}

/// A node's clock is read off its answers, to a second.
fn is_about(value: &Value, unix: i64) -> bool {
    (moment(value) - second(unix)).abs() <= TimeDelta::seconds(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lasts_from_its_first_handshake_to_its_last_and_knows_what_it_carried() {
    let (watched, key) = with_a_peer().await;
    let began = now() - 183;
    watched.hear(&key, began, 1000, 10);
    watched.until(OPEN, 1).await;
    let connected = watched.event("peer.connected").await;
    assert_eq!(connected["endpoint"], "198.51.100.7:4711");

    watched.hear(&key, began + 6, 5000, 70);
    let carried = "SELECT rx_total FROM observations";
    watched.until(carried, 5000).await;
    let open = watched.sessions().await;
    watched.until(ENDED, 1).await;

    assert_eq!(
        (&open[0]["state"], &open[0]["rx"]),
        (&json!("open"), &json!(5000))
    );
    let ended = watched.sessions().await;
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["state"], "ended");
    assert!(is_about(&ended[0]["connected_at"], began), "{ended:?}");
    assert!(
        is_about(&ended[0]["disconnected_at"], began + 6),
        "{ended:?}"
    );
    assert_eq!(
        (&ended[0]["rx"], &ended[0]["tx"]),
        (&json!(5000), &json!(70))
    );
    let told = watched.event("peer.disconnected").await;
    assert_eq!(told["session"], connected["session"]);
    assert_eq!((&told["rx"], &told["tx"]), (&json!(5000), &json!(70)));
    assert!(
        (5..=7).contains(&told["seconds"].as_i64().unwrap()),
        "{told}"
    );
    let at = "SELECT extract(epoch FROM at)::bigint FROM events WHERE kind = 'peer.disconnected'";
    assert!(watched.count(at).await <= began + 6 + 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_between_two_sessions_belongs_to_neither_and_none_counts_twice() {
    let (watched, key) = with_a_peer().await;
    let first = now() - 182;
    watched.hear(&key, first, 1000, 10);
    watched.until(OPEN, 1).await;
    watched.until(ENDED, 1).await;

    // Nobody answers what the node sends to where the peer was.
    watched.hear(&key, first, 1000, 300);
    watched
        .until("SELECT tx_total FROM observations", 300)
        .await;
    watched.hear(&key, now(), 1500, 400);
    watched.until(OPEN, 1).await;
    watched.node().device().foreign_remove(&key);

    watched.until(ENDED, 2).await;
    let sessions = watched.sessions().await;
    let carried: Vec<_> = sessions
        .iter()
        .map(|one| (&one["rx"], &one["tx"]))
        .collect();
    assert_eq!(
        carried,
        [(&json!(500), &json!(100)), (&json!(1000), &json!(10))]
    );
    assert_eq!(watched.count(DISCONNECTED).await, 2);

    // The controller puts it back, and its counters begin anew.
    let held = "SELECT count(*) FROM observations WHERE gone_at IS NULL";
    watched.until(held, 1).await;
    watched.hear(&key, now(), 40, 4);
    watched.until(OPEN, 1).await;
    let third = &watched.sessions().await[0];
    assert_eq!((&third["rx"], &third["tx"]), (&json!(40), &json!(4)));
    let overlaps = "SELECT count(*) FROM peer_sessions AS a JOIN peer_sessions AS b ON a.id < b.id
        WHERE a.disconnected_at > b.connected_at";
    assert_eq!(watched.count(overlaps).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_silent_node_a_session_is_unknown_and_ends_only_when_it_is_heard_that_it_did() {
    let (watched, key) = with_a_peer().await;
    let last = now() - 178;
    watched.hear(&key, last, 100, 10);
    watched.until(OPEN, 1).await;
    watched.loses_its_node().await;

    while now() < last + 188 {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }

    let silent = watched.sessions().await;
    assert_eq!(silent[0]["state"], "unknown");
    assert_eq!(
        (&silent[0]["disconnected_at"], &silent[0]["seconds"]),
        (&json!(null), &json!(null))
    );
    assert!(moment(&silent[0]["seen_at"]) < second(last + 188));
    assert_eq!(watched.count(OPEN).await, 1);
    assert_eq!(watched.count(DISCONNECTED).await, 0);

    watched.moves_to(&watched.node().described().url).await;

    watched.until(ENDED, 1).await;
    let ended = watched.sessions().await;
    assert!(is_about(&ended[0]["disconnected_at"], last), "{ended:?}");
    assert_eq!(ended[0]["seconds"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_that_is_alive_when_its_node_is_heard_again() {
    let (watched, key) = with_a_peer().await;
    let began = now() - 182;
    watched.hear(&key, began, 100, 10);
    watched.until(OPEN, 1).await;
    watched.loses_its_node().await;

    watched.hear(&key, now(), 900, 90);
    while now() < began + 188 {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    watched.moves_to(&watched.node().described().url).await;

    watched
        .until("SELECT rx_total FROM observations", 900)
        .await;
    watched.two_rounds().await;
    let sessions = watched.sessions().await;
    assert_eq!(sessions.len(), 1);
    assert!(is_about(&sessions[0]["connected_at"], began));
    assert_eq!(
        (&sessions[0]["state"], &sessions[0]["rx"]),
        (&json!("open"), &json!(900))
    );
    assert_eq!(watched.count(DISCONNECTED).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_outlives_the_controller_that_saw_it_begin() {
    let (mut watched, key) = with_a_peer().await;
    let began = now() - 180;
    watched.hear(&key, began, 100, 10);
    watched.until(OPEN, 1).await;

    watched.controller.stop().await;
    watched.hear(&key, began + 4, 700, 70);
    let url = watched.controller.db.as_ref().unwrap().url.clone();
    let again = Running::on(&url, QUICK).await;
    let old = std::mem::replace(&mut watched.controller, again);

    watched.until(ENDED, 1).await;
    assert_eq!(watched.count(OPEN).await, 0);
    let told = watched.event("peer.disconnected").await;
    assert_eq!((&told["rx"], &told["tx"]), (&json!(700), &json!(70)));
    assert_eq!(
        watched
            .count("SELECT count(*) FROM events WHERE kind = 'peer.connected'")
            .await,
        1
    );
    drop(old);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_there_when_a_node_is_first_seen_did_not_come_just_now() {
    let (watched, key) = with_a_peer().await;
    let api = &watched.controller.api;
    api.patch("/nodes/1", json!({"enabled": false})).await.ok();
    // Whoever asks at this moment has an answer by then.
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    let unseen =
        "DELETE FROM observations; UPDATE interface_sync SET observed_at = NULL, cursor = NULL";
    sqlx::raw_sql(unseen)
        .execute(&watched.controller.fleet.pool)
        .await
        .unwrap();
    watched.hear(&key, now(), 90_000, 9_000);

    api.patch("/nodes/1", json!({"enabled": true})).await.ok();

    watched.until(OPEN, 1).await;
    watched.two_rounds().await;
    let session = &watched.sessions().await[0];
    assert_eq!((&session["rx"], &session["tx"]), (&json!(0), &json!(0)));
    assert_eq!(
        watched
            .count("SELECT count(*) FROM events WHERE kind = 'peer.connected'")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stays_when_a_node_is_retired_and_goes_with_its_peer() {
    let (watched, key) = with_a_peer().await;
    watched.hear(&key, now(), 100, 10);
    watched.until(OPEN, 1).await;
    let api = &watched.controller.api;
    let pool = &watched.controller.fleet.pool;
    api.post("/nodes", json!({"name": "spare", "agent_url": "http://127.0.0.1:2", "secret": "0123456789abcdefghijklmnopqrstuv",
        "interface": {"name": "wg0", "network": "office", "endpoint": "vpn.example:51820"}})).await.ok();
    watched.loses_its_node().await;
    sqlx::query("DELETE FROM placements")
        .execute(pool)
        .await
        .unwrap();

    api.delete("/nodes/1").await.ok();

    let session = &watched.sessions().await[0];
    assert_eq!(
        (&session["state"], &session["rx"]),
        (&json!("ended"), &json!(100))
    );
    assert_eq!(
        session["node_name"],
        watched.node().described().name.as_str()
    );
    api.delete("/peers/1").await.ok();
    assert_eq!(count(pool, "SELECT count(*) FROM peer_sessions").await, 0);
    api.get("/peers/1/sessions")
        .await
        .refused_as(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_ended_long_ago_are_forgotten_and_open_ones_never() {
    let sections = format!("{QUICK}[upkeep]\nevery_ms = 50\n[peer_sessions]\nkeep_d = 2\n");
    let stage = Running::with(&sections).await;
    let network = json!({"name": "office", "cidr_v4": "10.0.0.0/8"});
    stage.api.post("/networks", network).await.ok();
    let insert = "WITH one AS (INSERT INTO peers (network_id, name, public_key) VALUES (1, 'phone', repeat('A', 43) || '=') RETURNING id)
        INSERT INTO peer_sessions (peer_id, interface_id, node_id, node_name, public_key, connected_at, rx_from, tx_from,
            disconnected_at, rx, tx)
        SELECT one.id, n, 1, 'fra-1', 'k', now() - interval '9 days', 0, 0, until, 0 * extract(epoch FROM until),
            0 * extract(epoch FROM until)
        FROM one, (VALUES (1, now() - interval '49 hours'), (2, now() - interval '47 hours'), (3, NULL)) AS given (n, until)";
    sqlx::query(insert)
        .execute(&stage.fleet.pool)
        .await
        .unwrap();

    until(&stage.fleet.pool, "SELECT count(*) FROM peer_sessions", 2).await;

    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(count(&stage.fleet.pool, OPEN).await, 1);
    assert_eq!(count(&stage.fleet.pool, ENDED).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_in_touch_already_when_they_become_a_peer_has_a_session_at_once() {
    let watched = Watched::new(1, 0).await;
    let (key, config) = stranger(1);
    watched.node().device().foreign_put(key, config);
    let held = "SELECT count(*) FROM observations WHERE peer_id IS NULL";
    watched.until(held, 1).await;
    watched.hear(&key, now(), 1000, 10);
    let heard = "SELECT count(*) FROM observations WHERE handshake_at IS NOT NULL";
    watched.until(heard, 1).await;
    assert_eq!(watched.count(OPEN).await, 0, "a stranger has none");

    watched.peer("phone", key).await;

    assert_eq!(watched.count(OPEN).await, 1);
    let connected = "SELECT count(*) FROM events WHERE kind = 'peer.connected'";
    assert_eq!(watched.count(connected).await, 0, "nobody came just now");
    let online = watched.controller.api.get("/peers/1/sessions").await.ok();
    assert_eq!(online["items"][0]["rx"], 0, "counted from here");
}
