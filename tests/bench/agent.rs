//! The agent as it is released: a program, started as the user nobody with CAP_NET_ADMIN alone.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::device::Interface;
use crate::http::{self, Connection, signed};
use crate::peers;

/// The agent gets the environment that its unit gives it.
const UNIT: &str = include_str!("../../deploy/wgfleet-agent.service");

const NOBODY: u32 = 65534;

pub(crate) struct Agent {
    pub(crate) address: SocketAddr,
    interface: &'static str,
    folder: tempfile::TempDir,
    child: Child,
}

impl Agent {
    /// Starts an agent with one interface and the settings that are the default.
    pub(crate) fn start(interface: &Interface) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        let settings = folder.path().join("config.toml");
        fs::write(&secret, http::secret().reveal()).unwrap();
        // Free a moment ago, and nobody else takes one in a network of its own.
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let text = format!(
            "listen = \"{address}\"\nsecret_file = {secret:?}\nstate_dir = {state:?}\n\
             [[interface]]\nname = \"{name}\"\nbackend = \"{backend}\"\n",
            state = folder.path().join("state"),
            name = interface.name,
            backend = interface.backend.name(),
        );
        fs::write(&settings, text).unwrap();
        for path in [folder.path(), &secret, &settings] {
            give_away(path);
        }
        let mut child = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .args([
                "--inh-caps=-all,+net_admin",
                "--ambient-caps=-all,+net_admin",
                "--bounding-set=-all,+net_admin",
            ])
            .arg(program())
            .arg("run")
            .arg("--config")
            .arg(&settings)
            .envs(UNIT.lines().filter_map(|line| {
                let variable = line.strip_prefix("Environment=")?;
                variable.split_once('=')
            }))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until_it_serves(&mut child);
        wait_for_next_second();
        Self {
            address,
            interface: interface.name,
            folder,
            child,
        }
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn journal_length(&self) -> u64 {
        let journal = self.state_dir().join(format!("{}.journal", self.interface));
        fs::metadata(journal).unwrap().len()
    }

    /// A path below the interface.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v1/wg/{}{rest}", self.interface)
    }

    /// Makes the interface hold so many residents and nothing else.
    pub(crate) fn replace_peers(&self, count: usize) {
        let peers: Vec<_> = (0..count).map(peers::resident).collect();
        let body = serde_json::json!({
            "generation": http::now(),
            "peers": peers,
            "allow_removals": 1_000_000,
        });
        let request = signed("PUT", &self.path("/peers"), body.to_string().as_bytes());
        self.connect().expect(200, &request);
    }

    /// The bytes of a signed request that adds a peer.
    pub(crate) fn add(&self, n: usize) -> Vec<u8> {
        let body = serde_json::to_vec(&peers::newcomer(n)).unwrap();
        signed("POST", &self.path("/peers"), &body)
    }

    pub(crate) fn remove(&self, n: usize) -> Vec<u8> {
        let key = peers::newcomer(n).public_key.to_url_safe();
        signed("DELETE", &self.path(&format!("/peers/{key}")), b"")
    }

    /// A counter of this interface, as Prometheus would see it.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        let mut connection = self.connect();
        let page = connection.expect(200, &signed("GET", "/metrics", b""));
        let page = std::str::from_utf8(page).unwrap();
        let wanted = format!("{name}{{interface=\"{}\"}} ", self.interface);
        let found = page.lines().find_map(|line| line.strip_prefix(&wanted));
        found
            .unwrap_or_else(|| panic!("no {name} in the metrics"))
            .parse()
            .unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The log says when; all of it is read, so that the agent never waits for us.
fn wait_until_it_serves(child: &mut Child) {
    let (serves, served) = mpsc::channel();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if line.contains("serving") {
                serves.send(()).unwrap();
            } else if line.contains("ERROR") || line.contains("WARN") {
                eprintln!("bench: {line}");
            }
        }
    });
    let limit = Duration::from_secs(60);
    served.recv_timeout(limit).expect("the agent serves");
}

/// An agent takes no write that is as old as its start, and a second is how time is told apart.
fn wait_for_next_second() {
    let started = http::now();
    while http::now() <= started {
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn give_away(path: &Path) {
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
}

fn program() -> PathBuf {
    std::env::var_os("WGFLEET_AGENT_BIN")
        .expect("WGFLEET_AGENT_BIN names the agent; scripts/bench sets it")
        .into()
}
