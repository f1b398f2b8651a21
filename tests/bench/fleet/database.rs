//! The controller's database, looked at from beside it: to fill it, to see when something is booked, and to measure
//! what bare statements cost there.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use controller::domain::reach::Reach;
use controller::domain::role::Scope;
use controller::fleet::api_keys::{self, NewApiKey};
use controller::keyring::{Keyring, MasterSource};
use protocol::signing::Secret;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::types::chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgPool};
use tests::simulator::identity;
use tokio::runtime::Runtime;

use super::simulator::Simulator;
use crate::sample::time;

/// How long anything is waited for.
const LIMIT: Duration = Duration::from_secs(300);

pub(crate) struct Database {
    runtime: Runtime,
    pool: PgPool,
}

impl Database {
    /// The private cluster of a controller that runs.
    pub(crate) fn connect(data_dir: &Path) -> Self {
        let folder = data_dir.join("postgres");
        let password = std::fs::read_to_string(folder.join("password")).unwrap();
        let options = PgConnectOptions::new()
            .socket(folder)
            .username("wgfleet")
            .database("wgfleet")
            .password(&password);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let connect = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(options);
        let pool = runtime.block_on(connect).unwrap();
        Self { runtime, pool }
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) fn block_on<T>(&self, task: impl Future<Output = T>) -> T {
        self.runtime.block_on(task)
    }

    pub(crate) fn version(&self) -> String {
        let version =
            sqlx::query_scalar("SELECT current_setting('server_version_num')::int / 10000");
        let major: i32 = self.block_on(version.fetch_one(&self.pool)).unwrap();
        major.to_string()
    }

    pub(crate) fn count(&self, rows: &str) -> i64 {
        let count = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {rows}")));
        self.block_on(count.fetch_one(&self.pool)).unwrap()
    }

    pub(crate) fn make_api_key(&self, master_key: &Path) -> (String, Secret) {
        self.runtime.block_on(async {
            let source = MasterSource::File(master_key.to_owned());
            let keyring = Keyring::open(&self.pool, source).await.unwrap();
            let mut tx = self.pool.begin().await.unwrap();
            let new = NewApiKey {
                name: "bench".into(),
                scope: Scope::Admin,
                reach: Reach::All,
                bearer: false,
                allowed_from: Vec::new(),
                expires_at: None,
                created_by: "bench".into(),
            };
            let created = api_keys::create(&mut tx, &keyring, &new, now());
            let created = created.await.unwrap();
            tx.commit().await.unwrap();
            (created.key.key_id.clone(), created.secret)
        })
    }

    /// Writes the peers that the simulator's nodes began with as if the controller had put them there.
    pub(crate) fn fill(&self, simulator: &Simulator, ranking: &Value) {
        if simulator.peers == 0 {
            return;
        }
        self.run(
            "CREATE TEMP TABLE given (interface_id BIGINT, name TEXT, public_key TEXT, address INET, tag TEXT)",
        );
        for node in 0..simulator.nodes.len() {
            self.give(node, simulator.peers);
        }
        for statement in FILL {
            self.run(&statement.replace("$ranking", &ranking.to_string()));
        }
        self.run("VACUUM ANALYZE");
    }

    fn give(&self, node: usize, peers: usize) {
        let (mut names, mut keys, mut addresses, mut tags) = (vec![], vec![], vec![], vec![]);
        for number in 0..peers {
            let (key, config) = identity::peer(node, number);
            let address = config.allowed_ips.iter().next().unwrap().to_string();
            names.push(peer_name(node, number));
            keys.push(key.to_string());
            addresses.push(address);
            tags.push(format!("team-{}", (node * peers + number) % 100));
        }
        let insert = sqlx::query(
            "INSERT INTO given SELECT interfaces.id, given.name, key, address::inet, tag \
             FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS given (name, key, address, tag), \
                 interfaces JOIN nodes ON nodes.id = node_id WHERE nodes.name = $1",
        );
        let insert = insert
            .bind(identity::name(node))
            .bind(names)
            .bind(keys)
            .bind(addresses)
            .bind(tags)
            .execute(&self.pool);
        self.runtime.block_on(insert).unwrap();
    }

    /// Has the nodes be asked from now on, each at another moment of a poll's period.
    pub(crate) fn enable_nodes(&self) {
        self.run("UPDATE nodes SET enabled = true");
        self.run("UPDATE node_status SET next_poll_at = now()");
    }

    pub(crate) fn disable_nodes(&self) {
        self.run("UPDATE nodes SET enabled = false");
        self.wait(
            "no poll is under way",
            "SELECT NOT EXISTS (SELECT FROM node_status WHERE leased_until > now())",
        );
    }

    /// Spreads the nodes over a poll's period, as they are once they have been asked a few times.
    pub(crate) fn spread_polls(&self, period: Duration) {
        self.run(&format!(
            "UPDATE node_status SET next_poll_at = now() + random() * interval '{} ms'",
            period.as_millis()
        ));
    }

    pub(crate) fn wait_until_online(&self, nodes: usize) {
        let online =
            format!("SELECT count(*) = {nodes} FROM node_status WHERE reachability = 'online'");
        let began = Instant::now();
        while !self.holds(&online) {
            assert!(began.elapsed() < LIMIT, "the nodes are not online");
            // Two good answers make one online.
            self.run("UPDATE node_status SET next_poll_at = now() WHERE reachability <> 'online' AND leased_until IS NULL");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Has every node be asked now, and tells how long it takes until all that they answer is booked.
    pub(crate) fn round(&self) -> Duration {
        let asked_at = now();
        let booked = "SELECT NOT EXISTS (SELECT FROM node_status \
             WHERE good_at IS NULL OR good_at < $1 OR leased_until IS NOT NULL)";
        let all = || {
            self.run("UPDATE node_status SET next_poll_at = now()");
            self.poll_until("all answers are booked", Duration::from_millis(5), || {
                let holds = sqlx::query_scalar(booked).bind(asked_at);
                self.runtime.block_on(holds.fetch_one(&self.pool)).unwrap()
            });
        };
        time(all).0
    }

    /// The peers of which something was booked since.
    pub(crate) fn peers_booked_since(&self, since: DateTime<Utc>) -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM observations WHERE changed_at >= $1");
        let count = count.bind(since).fetch_one(&self.pool);
        self.runtime.block_on(count).unwrap()
    }

    /// Waits until a peer is where it should be, as the controller books it.
    pub(crate) fn wait_until_applied(&self, peer: i64) {
        let query = "SELECT bool_and(applied_generation >= generation) FROM placements \
             JOIN interface_sync USING (interface_id) WHERE peer_id = $1";
        self.poll_until("the peer is applied", Duration::from_micros(500), || {
            let holds = sqlx::query_scalar(query).bind(peer).fetch_one(&self.pool);
            self.runtime.block_on(holds).unwrap()
        });
    }

    pub(crate) fn wait_until_all_applied(&self) {
        self.wait(
            "everything is applied",
            "SELECT NOT EXISTS (SELECT FROM interface_sync JOIN interfaces ON interfaces.id = interface_id \
             WHERE applied_generation < desired_generation)",
        );
    }

    pub(crate) fn run(&self, statement: &str) {
        let query = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&self.pool);
        self.runtime
            .block_on(query)
            .unwrap_or_else(|err| panic!("{err}: {statement}"));
    }

    fn holds(&self, question: &str) -> bool {
        let query = sqlx::query_scalar(AssertSqlSafe(question.to_owned())).fetch_one(&self.pool);
        self.runtime.block_on(query).unwrap()
    }

    fn wait(&self, what: &str, question: &str) {
        self.poll_until(what, Duration::from_millis(10), || self.holds(question));
    }

    fn poll_until(&self, what: &str, pause: Duration, mut holds: impl FnMut() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < LIMIT, "not in time: {what}");
            std::thread::sleep(pause);
        }
    }
}

/// A name as people give it; many begin alike.
fn peer_name(node: usize, number: usize) -> String {
    const DEVICES: [&str; 5] = ["laptop", "phone", "tablet", "router", "camera"];
    format!(
        "{}-{node:04}-{number:04}",
        DEVICES[(node + number) % DEVICES.len()]
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is booked bears the time of the clock"
)]
pub(crate) fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// The rows of the peers that are given, in an order that has nothing to do with their nodes.
const FILL: [&str; 5] = [
    "INSERT INTO peers (network_id, name, public_key, tags) \
     SELECT network_id, given.name, given.public_key, ARRAY[tag] \
     FROM given JOIN interfaces ON interfaces.id = interface_id ORDER BY given.public_key",
    "INSERT INTO ip_allocations (network_id, address, peer_id) \
     SELECT network_id, host(address)::inet, peers.id FROM given JOIN peers USING (public_key)",
    "INSERT INTO placements (interface_id, peer_id, keepalive_s, generation, ranking) \
     SELECT interface_id, peers.id, 25, 1, '$ranking' FROM given JOIN peers USING (public_key)",
    "UPDATE interfaces SET desired_generation = 1 WHERE id IN (SELECT interface_id FROM given)",
    "UPDATE interface_sync SET applied_generation = 1 WHERE interface_id IN (SELECT interface_id FROM given)",
];
