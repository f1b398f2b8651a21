//! A fleet under test: nodes that a controller knows, and the question whether all is as it should be.
//!
//! What should be is read from the rows anew and by other queries than the product's; what is, from each agent
//! itself, with the node's own secret; what people are shown, from the API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use protocol::PublicKey;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};

use super::{Agent, Api};

/// How long anything may take that has to come by itself.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Node {
    pub(crate) id: i64,
    pub(crate) interface: i64,
    pub(crate) agent: Arc<Agent>,
}

pub(crate) struct Scene {
    pub(crate) pool: PgPool,
    pub(crate) api: Api,
    pub(crate) nodes: Vec<Node>,
}

/// A peer as one device is to hold it: its prefixes, keepalive, and whether it has a preshared key.
type Held = BTreeMap<String, (BTreeSet<String>, i32, bool)>;

impl Scene {
    /// The network `office` of 10.8.0.0/16 on these nodes, all of them online.
    pub(crate) async fn new(
        pool: &PgPool,
        api: &Api,
        agents: impl IntoIterator<Item = Agent>,
    ) -> Self {
        let network = json!({"name": "office", "cidr_v4": "10.8.0.0/16"});
        api.post("/networks", network).await.ok();
        let mut scene = Self {
            pool: pool.clone(),
            api: api.clone(),
            nodes: Vec::new(),
        };
        for agent in agents {
            scene.add(agent, json!({})).await;
        }
        scene.is_online().await;
        scene
    }

    /// Adds a node, with these fields of its interface besides the usual ones.
    pub(crate) async fn add(&mut self, agent: Agent, interface: Value) {
        let address = agent.wire.address;
        let mut body = json!({"name": agent.name, "agent_url": format!("http://{address}"), "secret": agent.secret.reveal(),
            "interface": {"name": "wg0", "network": "office", "endpoint": "vpn.example:51820"}});
        for (name, value) in interface.as_object().unwrap() {
            body["interface"][name] = value.clone();
        }
        let node = self.api.post("/nodes", body).await.ok();
        self.nodes.push(Node {
            id: node["id"].as_i64().unwrap(),
            interface: node["interfaces"][0]["id"].as_i64().unwrap(),
            agent: Arc::new(agent),
        });
    }

    pub(crate) async fn is_online(&self) {
        let wanted = i64::try_from(self.nodes.len()).unwrap();
        let online = "SELECT count(*) FROM node_status WHERE reachability = 'online'";
        self.until(online, wanted).await;
    }

    pub(crate) fn agent(&self) -> &Agent {
        &self.nodes[0].agent
    }

    /// Makes a peer of the office with the key of that number, on any node.
    pub(crate) async fn peer(&self, number: u32) -> i64 {
        let made = self.api.post("/peers", peer(number)).await.ok();
        made["id"].as_i64().unwrap()
    }

    pub(crate) async fn peers(&self, numbers: impl IntoIterator<Item = u32>) -> Vec<i64> {
        let mut ids = Vec::new();
        for number in numbers {
            ids.push(self.peer(number).await);
        }
        ids
    }

    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// Waits for the number that a query is to answer.
    pub(crate) async fn until(&self, query: &'static str, wanted: i64) {
        eventually(query, async || match self.count(query).await {
            found if found == wanted => Ok(()),
            found => Err(format!("{found}, not {wanted}")),
        })
        .await;
    }

    /// Waits until nothing is lost, nothing is there twice, and rows, devices and API say the same.
    pub(crate) async fn converges(&self) {
        self.converges_beside(&[]).await;
    }

    /// Likewise, while these keys, which nobody asked for, are on the device of the first node.
    pub(crate) async fn converges_beside(&self, strangers: &[PublicKey]) {
        eventually("convergence", async || {
            self.rows_agree().await?;
            self.devices_agree(strangers).await
        })
        .await;
        eventually("what the API shows", async || self.api_agrees().await).await;
    }

    async fn rows_agree(&self) -> Result<(), String> {
        for (what, query) in [
            ("interfaces are behind", BEHIND),
            ("interfaces have a problem", PROBLEMS),
            ("keys are still to leave", "SELECT count(*) FROM departures"),
        ] {
            let found: i64 = self.ask(query).await?;
            if found > 0 {
                return Err(format!("{found} {what}"));
            }
        }
        // What must not be at any time.
        assert_eq!(
            self.ask(HOMELESS).await?,
            0,
            "peers without one address or without a home"
        );
        assert_eq!(
            self.ask(MISCOUNTED).await?,
            0,
            "interfaces whose peers are counted wrongly"
        );
        let deadlocks = self.ask(DEADLOCKS).await?;
        assert_eq!(deadlocks, 0, "transactions that waited for each other");
        Ok(())
    }

    async fn devices_agree(&self, strangers: &[PublicKey]) -> Result<(), String> {
        for (number, node) in self.nodes.iter().enumerate() {
            let name = &node.agent.name;
            let (wanted, generation) = self.wanted(node.interface).await?;
            let dump = node.agent.dump().await?;
            let expected = match number {
                0 => strangers,
                _ => &[],
            };
            let expected: BTreeSet<String> = expected.iter().map(PublicKey::to_string).collect();
            let (mut held, mut unknown) = (Held::new(), BTreeSet::new());
            for peer in &dump.peers {
                let key = peer.public_key.to_string();
                let ips = peer.allowed_ips.iter().map(ToString::to_string).collect();
                let keepalive = i32::from(peer.persistent_keepalive);
                if expected.contains(&key) {
                    unknown.insert(key);
                } else {
                    held.insert(key, (ips, keepalive, peer.has_preshared_key));
                }
            }
            if held != wanted || unknown != expected {
                return Err(format!(
                    "{name} holds {held:?} beside {unknown:?}\nnot {wanted:?} beside {expected:?}"
                ));
            }
            let at = dump.generation.map(|at| i64::try_from(at).unwrap());
            // One that nothing was ever sent to has none; neither has one that knows none.
            let has_generations = dump.generation.is_some();
            if has_generations && at != Some(generation) {
                return Err(format!("{name} is at {at:?}, not {generation}"));
            }
        }
        Ok(())
    }

    /// What an interface is to hold, and its generation.
    async fn wanted(&self, interface: i64) -> Result<(Held, i64), String> {
        let rows = sqlx::query(WANTED)
            .bind(interface)
            .fetch_all(&self.pool)
            .await;
        let mut held = Held::new();
        for row in rows.map_err(|err| err.to_string())? {
            let prefixes: Vec<IpNet> = row.get("prefixes");
            let prefixes = prefixes.iter().map(ToString::to_string).collect();
            held.insert(
                row.get("key"),
                (prefixes, row.get("keepalive_s"), row.get("has_psk")),
            );
        }
        let generation = "SELECT desired_generation FROM interfaces WHERE id = $1";
        let generation = sqlx::query_scalar(generation)
            .bind(interface)
            .fetch_one(&self.pool)
            .await;
        Ok((held, generation.map_err(|err| err.to_string())?))
    }

    async fn api_agrees(&self) -> Result<(), String> {
        for node in &self.nodes {
            let shown = self
                .api
                .get(&format!("/interfaces/{}", node.interface))
                .await
                .ok();
            let sync = &shown["sync"];
            if sync["applied_generation"] != sync["desired_generation"]
                || !sync["problem"].is_null()
            {
                return Err(shown.to_string());
            }
        }
        let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM peers ORDER BY id")
            .fetch_all(&self.pool)
            .await
            .unwrap();
        for id in ids {
            let peer = self.api.get(&format!("/peers/{id}")).await.ok();
            let homes = peer["placements"].as_array().unwrap();
            if homes.is_empty() || homes.iter().any(|home| home["applied"] != true) {
                return Err(peer.to_string());
            }
        }
        Ok(())
    }

    async fn ask(&self, query: &'static str) -> Result<i64, String> {
        let found = sqlx::query_scalar(query).fetch_one(&self.pool).await;
        found.map_err(|err| err.to_string())
    }
}

/// Asks again and again until the answer is yes, and fails with the last no.
pub(crate) async fn eventually<T>(what: &str, ask: impl AsyncFn() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match ask().await {
            Ok(found) => return found,
            Err(no) => assert!(began.elapsed() < PATIENCE, "{what}: {no}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The draft of a peer of the office.
pub(crate) fn peer(number: u32) -> Value {
    json!({"network": "office", "name": format!("peer-{number}"), "public_key": key(number)})
}

/// A peer's key, the same for the same number.
pub(crate) fn key(number: u32) -> PublicKey {
    let mut bytes = [9; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    protocol::PrivateKey::from_random(bytes).public_key()
}

const BEHIND: &str = "SELECT count(*) FROM interfaces JOIN interface_sync ON interface_id = id
    WHERE applied_generation <> desired_generation";

const PROBLEMS: &str = "SELECT count(*) FROM interface_sync WHERE problem IS NOT NULL";

const HOMELESS: &str = "SELECT count(*) FROM peers
    WHERE (SELECT count(*) FROM ip_allocations WHERE peer_id = peers.id) <> 1
       OR NOT EXISTS (SELECT FROM placements WHERE peer_id = peers.id)
       OR (SELECT count(*) FROM audit_log WHERE action = 'peer.create' AND object = 'peer/' || peers.id) <> 1";

const DEADLOCKS: &str = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";

const MISCOUNTED: &str = "SELECT count(*) FROM interfaces
    WHERE placed <> (SELECT count(*) FROM placements WHERE interface_id = interfaces.id)";

const WANTED: &str =
    "SELECT public_key AS key, placements.keepalive_s, psk_sealed IS NOT NULL AS has_psk,
        ARRAY(SELECT address::cidr FROM ip_allocations WHERE peer_id = peers.id
              UNION SELECT prefix FROM peer_routes WHERE peer_id = peers.id) AS prefixes
    FROM placements JOIN peers ON peers.id = peer_id
    WHERE interface_id = $1 AND enabled AND NOT expired AND isolated_at IS NULL";
