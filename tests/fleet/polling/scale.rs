//! What watching a large fleet costs, from a process of its own. Only where `WGFLEET_TEST_SCALE` says how many nodes
//! and peers each: `1000x250`. Figures of one machine: nothing passes or fails by them.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use controller::keyring::{Column, Place};
use sqlx::PgPool;
use tests::simulator::identity;

use super::count;
use crate::stage::Running;

const SETTINGS: &str = "[poll]\nevery_ms = 10000\ntimeout_ms = 5000\n[apply]\ntick_ms = 1000\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_round_over_a_large_fleet_fits_into_its_period() {
    let Ok(size) = std::env::var("WGFLEET_TEST_SCALE") else {
        println!("skipped: WGFLEET_TEST_SCALE does not say how large the fleet is");
        return;
    };
    let (nodes, peers) = size.split_once('x').unwrap();
    let (nodes, peers): (usize, usize) = (nodes.parse().unwrap(), peers.parse().unwrap());
    let mut sim = Simulator::start(nodes, peers);
    let mut controller = Running::with(SETTINGS).await;
    let pool = controller.fleet.pool.clone();
    let began = Instant::now();
    fill(&controller, &sim, nodes, peers).await;
    say("rows are there", began.elapsed());

    let began = Instant::now();
    sqlx::query("UPDATE nodes SET enabled = true")
        .execute(&pool)
        .await
        .unwrap();
    wait(
        &pool,
        "SELECT count(*) FROM node_status WHERE reachability = 'online'",
        nodes,
    )
    .await;
    say("all online", began.elapsed());
    wait(&pool, "SELECT count(*) FROM observations", nodes * peers).await;
    wait(
        &pool,
        "SELECT count(*) FROM interface_sync WHERE expected_digest = observed_digest",
        nodes,
    )
    .await;
    say("all peers seen, all in sync", began.elapsed());
    let cost = |what: &str, before: Cost, after: Cost, wall: Duration| {
        let share = |used: f64| 100.0 * used / wall.as_secs_f64();
        println!(
            "{what}: controller {:.1} %, Postgres {:.1} % of a processor over {:.1} s",
            share(after.own - before.own),
            share(after.postgres - before.postgres),
            wall.as_secs_f64()
        );
    };

    // Everybody at once, from a standstill.
    for percent in [0, 10, 10] {
        sim.say(&format!("traffic {percent}"));
        let (before, began) = (Cost::now(&pool).await, Instant::now());
        sqlx::query("UPDATE node_status SET next_poll_at = now(), leased_until = NULL, leased_by = NULL, polled_at = NULL").execute(&pool).await.unwrap();
        wait(
            &pool,
            "SELECT count(*) FROM node_status WHERE polled_at IS NOT NULL",
            nodes,
        )
        .await;
        let took = began.elapsed();
        cost(
            &format!("a round over all, {percent} % of the peers changed"),
            before,
            Cost::now(&pool).await,
            took,
        );
    }

    sim.say("every 10000 10");
    tokio::time::sleep(Duration::from_secs(20)).await;
    let (before, began) = (Cost::now(&pool).await, Instant::now());
    let mut oldest = 0;
    while began.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let age = count(
            &pool,
            "SELECT (1000 * extract(epoch FROM max(now() - polled_at)))::bigint FROM node_status",
        )
        .await;
        oldest = oldest.max(age);
    }
    cost(
        "steadily, 10 % of the peers each period",
        before,
        Cost::now(&pool).await,
        began.elapsed(),
    );
    println!("the oldest answer was {oldest} ms old");
    println!(
        "mended: {}",
        count(
            &pool,
            "SELECT count(*) FROM interface_sync WHERE settled_digest IS NOT NULL"
        )
        .await
    );
    controller.stop().await;
}

fn say(what: &str, took: Duration) {
    println!("{what} after {:.1} s", took.as_secs_f64());
}

async fn wait(pool: &PgPool, query: &'static str, wanted: usize) {
    let began = Instant::now();
    while count(pool, query).await != i64::try_from(wanted).unwrap() {
        assert!(began.elapsed() < Duration::from_secs(300), "{query}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Rows as if all this had been there for long: nodes that are not asked yet, peers that are applied.
async fn fill(controller: &Running, sim: &Simulator, nodes: usize, peers: usize) {
    let fleet = &controller.fleet;
    let mut tx = fleet.pool.begin().await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO networks (name) VALUES ('office');
         INSERT INTO address_ranges (network_id, prefix, next) SELECT id, '10.0.0.0/8', '10.0.0.2' FROM networks",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    for number in 0..nodes {
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO nodes (name, agent_url, enabled) VALUES ($1, $2, false) RETURNING id",
        )
        .bind(identity::name(number))
        .bind(&sim.urls[number])
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        let secret = identity::secret(number);
        let plain = secret.reveal().as_bytes();
        let place = Place::new(Column::NodeSecret, format!("{id}/initial"));
        let sealed = fleet.keyring.seal(&place, plain);
        sqlx::query("INSERT INTO node_secrets (node_id, key_id, state, sealed, data_key_id, fingerprint) VALUES ($1, 'initial', 'active', $2, $3, $4)")
            .bind(id).bind(&sealed.bytes).bind(sealed.data_key_id.0).bind(fleet.keyring.fingerprint(plain).as_slice())
            .execute(&mut *tx).await.unwrap();
        sqlx::query("INSERT INTO node_status (node_id) VALUES ($1)")
            .bind(id)
            .execute(&mut *tx)
            .await
            .unwrap();
        let interface: i64 = sqlx::query_scalar(
            "INSERT INTO interfaces (node_id, network_id, name, endpoint_host, endpoint_port, desired_generation)
             SELECT $1, id, 'wg0', 'vpn.example', 51820, 1 FROM networks RETURNING id",
        ).bind(id).fetch_one(&mut *tx).await.unwrap();
        sqlx::query("INSERT INTO interface_sync (interface_id, applied_generation) VALUES ($1, 1)")
            .bind(interface)
            .execute(&mut *tx)
            .await
            .unwrap();
        let (mut keys, mut ips, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for peer in 0..peers {
            let (key, config) = identity::peer(number, peer);
            keys.push(key.to_string());
            ips.push(config.allowed_ips.iter().next().unwrap().to_string());
            names.push(format!("peer-{number}-{peer}"));
        }
        sqlx::query(
            "WITH made AS (
                 INSERT INTO peers (network_id, name, public_key)
                 SELECT networks.id, given.name, given.key FROM networks, unnest($2::text[], $3::text[]) AS given (name, key)
                 RETURNING id, network_id, public_key
             ), addressed AS (
                 INSERT INTO ip_allocations (network_id, address, peer_id)
                 SELECT network_id, given.ip::inet, made.id FROM made JOIN unnest($3::text[], $4::text[]) AS given (key, ip) ON key = public_key
             )
             INSERT INTO placements (interface_id, peer_id, keepalive_s, generation) SELECT $1, id, 25, 1 FROM made",
        ).bind(interface).bind(&names).bind(&keys).bind(&ips).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    sqlx::raw_sql("ANALYZE").execute(&fleet.pool).await.unwrap();
}

/// Processor seconds so far.
#[derive(Clone, Copy)]
struct Cost {
    own: f64,
    postgres: f64,
}

impl Cost {
    async fn now(pool: &PgPool) -> Self {
        let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
            .fetch_one(pool)
            .await
            .unwrap();
        let postmaster = stat(backend).0;
        let children = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            fs::metadata(format!("/proc/{pid}")).ok()?;
            let (parent, ticks) = try_stat(pid)?;
            (parent == postmaster).then_some(ticks)
        });
        Self {
            own: stat(i32::try_from(std::process::id()).unwrap()).1,
            postgres: children.sum(),
        }
    }
}

fn stat(pid: i32) -> (i32, f64) {
    try_stat(pid).unwrap()
}

/// The parent of a process and the seconds that it used.
fn try_stat(pid: i32) -> Option<(i32, f64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().ok()? + fields[12].parse::<f64>().ok()?;
    Some((fields[1].parse().ok()?, ticks / 100.0))
}

struct Simulator {
    child: Child,
    stdin: ChildStdin,
    answers: BufReader<ChildStdout>,
    urls: Vec<String>,
}

impl Simulator {
    fn start(nodes: usize, peers: usize) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fleet-simulator"))
            .args([nodes.to_string(), peers.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let listed: Vec<serde_json::Value> = serde_json::from_str(&line).unwrap();
        let urls = listed
            .iter()
            .map(|one| one["url"].as_str().unwrap().to_owned());
        Self {
            urls: urls.collect(),
            stdin: child.stdin.take().unwrap(),
            answers,
            child,
        }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
