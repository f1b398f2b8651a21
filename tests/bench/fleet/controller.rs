//! The controller as it is released: `wgfleet serve` on a Postgres of its own, asked over its API.
//!
//! Everything has its default but the port, the folder, and how often nodes are polled.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::api::Api;
use super::database::Database;
use super::process::Process;
use super::simulator::Simulator;

const START_LIMIT: Duration = Duration::from_secs(60);
/// What is not worth a warning costs time to write.
const QUIET: &str = "warn";
pub(crate) const NETWORK: &str = "bench";
/// Longer than a benchmark takes: nodes are asked when the benchmark says so.
pub(crate) const SELDOM: Duration = Duration::from_secs(3600);

pub(crate) struct Controller {
    pub(crate) database: Database,
    pub(crate) api: Api,
    address: SocketAddr,
    child: Child,
    folder: tempfile::TempDir,
}

impl Controller {
    /// On a new database, with an empty network.
    pub(crate) fn start(poll_every: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Postgres refuses root and gets another user, who has to get there.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let child = serve(folder.path(), address, poll_every, QUIET);
        let data_dir = data_dir(folder.path());
        let database = Database::connect(&data_dir);
        let api = Api::new(address, &database, &data_dir.join("master.key"));
        let mut controller = Self {
            database,
            api,
            address,
            child,
            folder,
        };
        let network = json!({"name": NETWORK, "cidr_v4": "10.0.0.0/8"});
        controller.api.send(201, "POST", "/networks", &network);
        controller
    }

    /// Ends it in good order and starts it on what it left.
    pub(crate) fn restart(&mut self, poll_every: Duration) {
        self.restart_with_log(poll_every, QUIET);
    }

    /// The same, and it says more of what it does.
    pub(crate) fn restart_with_log(&mut self, poll_every: Duration, filter: &str) {
        self.end();
        self.child = serve(self.folder.path(), self.address, poll_every, filter);
        self.database = Database::connect(&data_dir(self.folder.path()));
        self.api.reconnect();
    }

    /// Adds the simulator's nodes. Nobody asks them until they are enabled.
    pub(crate) fn add_nodes(&mut self, simulator: &Simulator) {
        for node in &simulator.nodes {
            let draft = json!({
                "name": node["name"], "agent_url": node["url"], "secret": node["secret"], "enabled": false,
                "interface": {"name": node["interface"], "network": NETWORK, "endpoint": "192.0.2.1:51820"},
            });
            self.api.send(201, "POST", "/nodes", &draft);
        }
    }

    /// Adds nodes and the peers that they begin with, and returns when all are online and known.
    pub(crate) fn adopt(&mut self, simulator: &Simulator) {
        self.add_nodes(simulator);
        self.fill(simulator);
        self.database.enable_nodes();
        self.database.wait_until_online(simulator.nodes.len());
    }

    /// Writes the peers that the nodes of the simulator begin with.
    pub(crate) fn fill(&self, simulator: &Simulator) {
        self.database.fill(simulator, &ranking());
    }

    pub(crate) fn node_count(&self) -> usize {
        usize::try_from(self.database.count("nodes")).unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that it said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub(crate) fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// The processes of its Postgres.
    pub(crate) fn postgres(&self) -> Postgres {
        let pid = data_dir(self.folder.path()).join("postgres");
        let clusters = fs::read_dir(pid).unwrap();
        let pid = clusters
            .filter_map(|entry| {
                fs::read_to_string(entry.unwrap().path().join("postmaster.pid")).ok()
            })
            .find_map(|text| text.lines().next()?.parse().ok());
        Postgres(Process(pid.unwrap()))
    }

    fn end(&mut self) {
        let pid = i32::try_from(self.child.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log"));
            eprintln!("the controller said:\n{}", log.unwrap_or_default());
        }
        self.end();
    }
}

pub(crate) struct Postgres(Process);

impl Postgres {
    /// Of the processes that run now; those that come and go in between are counted with their parent.
    pub(crate) fn processor_s(&self) -> f64 {
        let children = self.0.children();
        let of_children: f64 = children.iter().map(|child| child.processor_s()).sum();
        self.0.processor_s() + of_children
    }

    /// The shared memory once, and what each process has for itself.
    pub(crate) fn own_mb(&self) -> f64 {
        let children = self.0.children();
        let of_children: f64 = children.iter().map(|child| child.own_mb()).sum();
        self.0.resident_mb() + of_children
    }
}

fn data_dir(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn serve(folder: &Path, address: SocketAddr, poll_every: Duration, filter: &str) -> Child {
    let settings = folder.join("config.toml");
    let text = format!(
        "listen = \"{address}\"\ndata_dir = {:?}\nlog = \"{filter}\"\n[poll]\nevery_ms = {}\n",
        data_dir(folder),
        poll_every.as_millis()
    );
    fs::write(&settings, text).unwrap();
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .unwrap();
    // It ends with the benchmark, however that ends.
    let child = Command::new("setpriv")
        .args(["--pdeathsig", "TERM"])
        .arg(program())
        .arg("serve")
        .arg("--config")
        .arg(&settings)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let began = Instant::now();
    while !super::api::is_ready(address) {
        assert!(
            began.elapsed() < START_LIMIT,
            "the controller does not start"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    child
}

fn program() -> PathBuf {
    let variable = "WGFLEET_BIN";
    std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} names no controller"))
        .into()
}

/// What the controller keeps with a peer about its choice of a node, where there are ten to choose from.
fn ranking() -> Value {
    let named = |n: i64| {
        json!({"interface": n, "node": n, "node_name": format!("node-{n:04}"), "peers": 250, "weight": 100,
            "max_peers": 0, "reachability": "online", "silent_s": 4, "reason": (n > 1).then_some("tied")})
    };
    let named: Vec<Value> = (1..=10).map(named).collect();
    json!({"placement": "one", "chosen": 1, "named": named, "others": [{"reason": "tied", "candidates": 990}]})
}
