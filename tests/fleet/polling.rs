//! Watching nodes: real agents, their answers, and what is in the rows afterwards.

use std::time::{Duration, Instant};

use protocol::{Cidr, PeerConfig, PublicKey};
use serde_json::{Value, json};
use sqlx::PgPool;
use tests::simulator::{Fleet, Node, Plan, identity};

use crate::stage::Running;

mod drift;
mod scale;
mod sessions;
mod traffic;

const PATIENCE: Duration = Duration::from_secs(15);

/// A controller and the nodes it watches, all of one network.
struct Watched {
    controller: Running,
    sim: Fleet,
}

impl Watched {
    async fn new(nodes: usize, peers: usize) -> Self {
        let this = Self::unadded(nodes, peers).await;
        for node in this.sim.nodes() {
            this.add(node).await;
        }
        this.until_online(nodes).await;
        this
    }

    async fn unadded(nodes: usize, peers: usize) -> Self {
        let sim = tokio::task::spawn_blocking(move || {
            Fleet::start(&Plan {
                nodes,
                peers,
                look_every: Duration::from_millis(100),
                ..Plan::default()
            })
        });
        let controller = Running::start().await;
        let network = json!({"name": "office", "cidr_v4": "10.0.0.0/8"});
        controller.api.post("/networks", network).await.ok();
        Self {
            controller,
            sim: sim.await.unwrap(),
        }
    }

    async fn add(&self, node: &Node) -> Value {
        let node = node.described();
        let body = json!({"name": node.name, "agent_url": node.url, "secret": node.secret,
            "interface": {"name": "wg0", "network": "office", "endpoint": "vpn.example:51820"}});
        self.controller.api.post("/nodes", body).await.ok()
    }

    async fn until_online(&self, nodes: usize) {
        let nodes = i64::try_from(nodes).unwrap();
        self.until(
            "SELECT count(*) FROM node_status WHERE reachability = 'online'",
            nodes,
        )
        .await;
    }

    async fn count(&self, query: &'static str) -> i64 {
        count(&self.controller.fleet.pool, query).await
    }

    async fn text(&self, query: &'static str) -> Option<String> {
        sqlx::query_scalar(query)
            .fetch_one(&self.controller.fleet.pool)
            .await
            .unwrap()
    }

    async fn until(&self, query: &'static str, wanted: i64) {
        until(&self.controller.fleet.pool, query, wanted).await;
    }

    /// Waits until every node was asked at least twice from now on.
    async fn two_rounds(&self) {
        for _ in 0..2 {
            let asked = self
                .count("SELECT (extract(epoch FROM now()) * 1000)::bigint")
                .await;
            let began = Instant::now();
            while self
                .count(
                    "SELECT (extract(epoch FROM min(polled_at)) * 1000)::bigint FROM node_status",
                )
                .await
                <= asked
            {
                assert!(began.elapsed() < PATIENCE, "nobody is asked any more");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    async fn peer(&self, name: &str, key: PublicKey) -> Value {
        let body = json!({"name": name, "network": "office", "public_key": key});
        self.controller.api.post("/peers", body).await.ok()
    }

    fn node(&self) -> &Node {
        &self.sim.nodes()[0]
    }
}

async fn count(pool: &PgPool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

/// Waits for the number that a query is to answer.
async fn until(pool: &PgPool, query: &'static str, wanted: i64) {
    let began = Instant::now();
    loop {
        // Where nothing is there yet, there is no row.
        let found: Option<i64> = sqlx::query_scalar(query)
            .fetch_optional(pool)
            .await
            .unwrap();
        if found == Some(wanted) {
            return;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "{query}: {found:?}, not {wanted}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn stranger(number: u8) -> (PublicKey, PeerConfig) {
    let key = PublicKey::from_bytes([number; 32]).unwrap();
    let ip = Cidr::parse(&format!("192.0.2.{number}/32")).unwrap();
    let config = PeerConfig {
        allowed_ips: [ip].into_iter().collect(),
        ..PeerConfig::default()
    };
    (key, config)
}

fn now() -> i64 {
    controller::clock::now().timestamp()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_node_comes_online_with_its_key_and_its_addresses_known() {
    let watched = Watched::new(2, 0).await;

    let own = identity::private_key(0).public_key().to_string();
    let learned = watched
        .text("SELECT public_key FROM interfaces ORDER BY id LIMIT 1")
        .await;
    assert_eq!(learned, Some(own));
    let booked = watched
        .text("SELECT string_agg(host(address), ' ' ORDER BY address) FROM ip_allocations WHERE interface_id IS NOT NULL")
        .await;
    assert_eq!(booked.as_deref(), Some("10.0.0.1 10.0.64.1"));
    watched.two_rounds().await;
    let events = "SELECT count(*) FROM events WHERE kind = 'node.online'";
    assert_eq!(watched.count(events).await, 2);
    let audited =
        "SELECT count(*) FROM audit_log WHERE action = 'node.online' AND actor_kind = 'controller'";
    assert_eq!(watched.count(audited).await, 2);
    let told = "SELECT count(*) FROM node_status WHERE agent_version IS NOT NULL AND 'batch' = ANY(capabilities)
        AND started_at IS NOT NULL AND health->>'status' IS NOT NULL AND problem IS NULL";
    assert_eq!(watched.count(told).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_a_peer_has_already_stays_his_and_the_conflict_is_shown() {
    let watched = Watched::unadded(1, 0).await;
    sqlx::raw_sql(
        "INSERT INTO peers (network_id, name, public_key)
             SELECT id, 'phone', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=' FROM networks;
         INSERT INTO ip_allocations (network_id, address, peer_id) SELECT network_id, '10.0.0.1', id FROM peers",
    )
    .execute(&watched.controller.fleet.pool)
    .await
    .unwrap();

    watched.add(watched.node()).await;
    watched.until_online(1).await;

    let shown = watched
        .text("SELECT problem || ': ' || problem_text FROM interface_sync")
        .await;
    let shown = shown.unwrap();
    assert!(
        shown.starts_with("address_conflict: 10.0.0.1 belongs to peer"),
        "{shown}"
    );
    let holders =
        "SELECT count(*) FROM ip_allocations WHERE peer_id IS NOT NULL AND interface_id IS NULL";
    assert_eq!(watched.count(holders).await, 1);
    assert_eq!(
        watched.count("SELECT count(*) FROM ip_allocations").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_goes_away_is_offline_once() {
    let watched = Watched::new(1, 0).await;

    let Watched { controller, sim } = watched;
    tokio::task::spawn_blocking(move || drop(sim))
        .await
        .unwrap();

    let pool = &controller.fleet.pool;
    let many = "SELECT count(*) FROM node_status WHERE reachability = 'offline' AND problem = 'unreachable' AND bad_in_a_row > 4";
    until(pool, many, 1).await;
    let told = "SELECT count(*) FROM events WHERE kind = 'node.offline'";
    assert_eq!(count(pool, told).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_its_interface_is_in_error() {
    let watched = Watched::unadded(1, 0).await;
    let node = watched.node().described();
    let body = json!({"name": node.name, "agent_url": node.url, "secret": node.secret,
        "interface": {"name": "wg7", "network": "office", "endpoint": "vpn.example:51820"}});
    watched.controller.api.post("/nodes", body).await.ok();

    watched
        .until("SELECT count(*) FROM node_status WHERE reachability = 'error' AND problem = 'interface_missing'", 1)
        .await;

    let link = watched.text("SELECT link FROM interface_sync").await;
    assert_eq!(link.as_deref(), Some("missing"));
    watched.two_rounds().await;
    let told = "SELECT count(*) FROM events WHERE kind = 'node.error'";
    assert_eq!(watched.count(told).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_an_error_and_no_outage() {
    let watched = Watched::unadded(1, 0).await;
    let node = watched.node().described();
    let body = json!({"name": node.name, "agent_url": node.url, "secret": "0123456789abcdef0123456789abcdef",
        "interface": {"name": "wg0", "network": "office", "endpoint": "vpn.example:51820"}});
    watched.controller.api.post("/nodes", body).await.ok();

    watched
        .until("SELECT count(*) FROM node_status WHERE reachability = 'error' AND problem = 'wrong_secret'", 1)
        .await;

    assert_eq!(
        watched
            .count("SELECT count(*) FROM interface_sync WHERE observed_at IS NOT NULL")
            .await,
        0
    );
}
