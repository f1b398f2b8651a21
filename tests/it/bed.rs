//! What a test lies on: one agent, one interface, a client that signs, and a hand in the device itself.
//!
//! On userspace and kernel WireGuard the agent is the program, started as the user nobody with
//! CAP_NET_ADMIN alone, and the hand is wg(8) and ip(8). In memory it is the same agent within this
//! process, and the hand is the device's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use node_agent::state::Remembered;
use protocol::signing::Secret;
use protocol::{InterfaceName, PublicKey};
use serde_json::Value;

mod client;
mod far;
mod flow;
mod hand;
mod host;
mod names;
mod process;
mod tls;
mod wire;

pub(crate) use client::{Client, Draft, Response, parse};
pub(crate) use far::Far;
pub(crate) use flow::Flow;
pub(crate) use hand::{Hand, Held, run};
pub(crate) use host::{Host, Started, agent, give_away, is_root, unprivileged};
pub(crate) use names::{
    awkward_keys, encode, ip, key, now, own_key, peer, peers, private_key, public_key, secret,
    wait_for_next_second,
};
pub(crate) use process::Process;
pub(crate) use tls::{Authority, TlsClient, put};
pub(crate) use wire::Wire;

pub(crate) const SECRET: &str = "correct horse battery staple 0123456789";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Memory,
    Userspace,
    Kernel,
}

impl Backend {
    pub(crate) fn chosen() -> Self {
        match std::env::var("WGFLEET_BACKEND").as_deref() {
            Ok("userspace") => Self::Userspace,
            Ok("kernel") => Self::Kernel,
            Ok("memory") | Err(_) => Self::Memory,
            Ok(other) => panic!("WGFLEET_BACKEND={other} is not memory, userspace or kernel"),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Userspace => "userspace",
            Self::Kernel => "kernel",
        }
    }
}

/// How an agent is set up; the rest of its file is the same for all.
pub(crate) struct Setup {
    /// Lines before the tables of the file.
    pub(crate) keys: String,
    pub(crate) timing: String,
    pub(crate) limits: String,
    pub(crate) interface: String,
    /// Run the program even where the agent could live in this process.
    pub(crate) program: bool,
    /// Begin without the interface.
    pub(crate) absent: bool,
    /// Variables for the program.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) listen: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            keys: String::new(),
            timing: "observe_s = 1\nwatch_ms = 50\nretry_ms = 50\nsample_s = 1".into(),
            limits: String::new(),
            interface: String::new(),
            program: false,
            absent: false,
            environment: Vec::new(),
            listen: "127.0.0.1:0".into(),
        }
    }
}

/// One agent with one interface, `wg0` in the eyes of the test whatever it is called.
pub(crate) struct Bed {
    pub(crate) client: Client,
    pub(crate) hand: Hand,
    pub(crate) name: InterfaceName,
    pub(crate) backend: Backend,
    pub(crate) setup: Setup,
    folder: tempfile::TempDir,
    host: Option<Host>,
}

impl Bed {
    pub(crate) fn start() -> Self {
        Self::with(Setup::default())
    }

    pub(crate) fn with(setup: Setup) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let backend = Backend::chosen();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = InterfaceName::parse(&format!("t{}x{number}", std::process::id())).unwrap();
        let folder = tempfile::tempdir().unwrap();
        host::give_away(folder.path());
        let hand = Hand::new(backend, &name);
        match setup.absent {
            true => hand.vanish(),
            false => hand.make(),
        }
        let mut bed = Self {
            client: Client::new("127.0.0.1:1".parse().unwrap()),
            hand,
            name,
            backend,
            setup,
            folder,
            host: None,
        };
        bed.run();
        bed
    }

    /// Starts the agent again on what the last one left.
    pub(crate) fn run(&mut self) {
        self.write_settings();
        let host = if self.is_program() {
            Host::program(&self.settings_path(), &self.setup.environment)
        } else {
            Host::within(&self.settings_path(), &self.hand)
        };
        self.client = Client {
            address: host.address,
            // An agent takes no write that is as old as its start, or as what its disk remembers.
            not_before: now().max(self.client.not_before) + 1,
            ..self.client.clone()
        };
        self.host = Some(host);
    }

    /// Whether the agent is a program of its own.
    pub(crate) fn is_program(&self) -> bool {
        self.setup.program || self.backend != Backend::Memory
    }

    /// Ends the agent in good order, and returns what a program logged.
    pub(crate) fn stop(&mut self) -> String {
        self.host.take().unwrap().stop()
    }

    /// Waits for a program that ends by itself, and returns its exit status and what it logged.
    pub(crate) fn wait(&mut self, limit: Duration) -> (Option<i32>, String) {
        self.host.take().unwrap().wait(limit)
    }

    /// Ends the agent as a power cut would. Only where it is a program.
    pub(crate) fn kill(&mut self) {
        self.take_host().kill();
    }

    /// Hands the agent over to whoever ends it at a moment of his own.
    pub(crate) fn take_host(&mut self) -> Host {
        self.host.take().unwrap()
    }

    pub(crate) fn restart(&mut self) {
        self.stop();
        self.run();
    }

    /// Puts another secret where the settings say it is, as an operator at the machine does.
    pub(crate) fn replace_secret(&mut self, text: &str) {
        let file = self.folder.path().join("secret");
        fs::write(&file, text).unwrap();
        host::give_away(&file);
        self.client.secret = Secret::parse(text).unwrap();
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.client.address
    }

    /// The process id of the agent, where it is a program.
    pub(crate) fn pid(&self) -> u32 {
        self.host.as_ref().unwrap().pid()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.state_dir().join(format!("{}.journal", self.name))
    }

    pub(crate) fn settings_path(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    pub(crate) fn write_settings(&self) {
        let secret = self.folder.path().join("secret");
        if !secret.exists() {
            fs::write(&secret, format!("{SECRET}\n")).unwrap();
            host::give_away(&secret);
        }
        let text = format!(
            "listen = \"{listen}\"\nsecret_file = {secret:?}\nstate_dir = {state:?}\n{keys}\n\
             [timing]\n{timing}\n[limits]\n{limits}\n\
             [[interface]]\nname = \"{name}\"\nbackend = \"{backend}\"\n{interface}\n",
            listen = self.setup.listen,
            state = self.state_dir(),
            keys = self.setup.keys,
            timing = self.setup.timing,
            limits = self.setup.limits,
            name = self.name,
            backend = self.backend.name(),
            interface = self.setup.interface,
        );
        fs::write(self.settings_path(), text).unwrap();
        host::give_away(&self.settings_path());
    }

    /// Says whether this test applies, and if not, why.
    pub(crate) fn only_on(backends: &[Backend]) -> bool {
        let applies = backends.contains(&Backend::chosen());
        if !applies {
            println!("skipped: this is about {backends:?}");
        }
        applies
    }

    /// Everything that a refused request must leave as it was.
    pub(crate) fn state(&self) -> State {
        let mut dump = self.dump();
        dump.as_object_mut().unwrap().remove("cursor").unwrap();
        State {
            dump,
            digest: self.digest(),
            config: self.get("/config"),
            device: self.hand.peers(),
            disk: self.remembered(),
        }
    }

    /// What a restart would find, without what only concerns the order of requests.
    pub(crate) fn remembered(&self) -> Remembered {
        let journal = fs::read(self.journal()).unwrap();
        let replayed = node_agent::state::replay(&journal).unwrap();
        Remembered {
            leaving: BTreeSet::new(),
            latest_request: None,
            ..replayed.memory
        }
    }

    /// A path below the interface.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v1/wg/{}{rest}", self.name)
    }

    pub(crate) fn get(&self, rest: &str) -> Value {
        let response = self.client.get(&self.path(rest));
        assert_eq!(response.status, 200, "{response:?}");
        response.json()
    }

    pub(crate) fn dump(&self) -> Value {
        self.get("/dump")
    }

    pub(crate) fn digest(&self) -> Value {
        self.get("/digest")
    }

    /// Everything that a refused request must leave as it was: what the agent says, and what is.
    pub(crate) fn standing(&self) -> (Value, BTreeMap<PublicKey, Held>) {
        (self.digest(), self.hand.peers())
    }

    /// The peers of a dump by key, with their allowed IPs.
    pub(crate) fn peers(&self) -> Vec<(String, Vec<String>)> {
        let dump = self.dump();
        let peers = dump["peers"].as_array().unwrap();
        let texts = |value: &Value| {
            value
                .as_array()
                .unwrap()
                .iter()
                .map(|ip| ip.as_str().unwrap().to_owned())
                .collect()
        };
        peers
            .iter()
            .map(|peer| {
                (
                    peer["public_key"].as_str().unwrap().to_owned(),
                    texts(&peer["allowed_ips"]),
                )
            })
            .collect()
    }

    pub(crate) fn add(&self, key: &str, ips: &[&str]) -> Response {
        self.client.post(
            &self.path("/peers"),
            &serde_json::json!({ "public_key": key, "allowed_ips": ips }),
        )
    }

    pub(crate) fn delete(&self, key: &str) -> Response {
        self.client
            .delete(&self.path(&format!("/peers/{}", encode(key))))
    }

    pub(crate) fn update(&self, key: &str, body: &Value) -> Response {
        self.client
            .put(&self.path(&format!("/peers/{}", encode(key))), body)
    }

    pub(crate) fn batch(&self, body: &Value) -> Response {
        self.client.patch(&self.path("/peers"), body)
    }

    pub(crate) fn full_set(&self, body: &Value) -> Response {
        self.client.put(&self.path("/peers"), body)
    }

    /// Calls a path below the interface that takes no body.
    pub(crate) fn post(&self, rest: &str) -> Response {
        self.client.call("POST", &self.path(rest), b"")
    }

    pub(crate) fn health(&self) -> Value {
        let response = self.client.get("/v1/health");
        assert_eq!(response.status, 200, "{response:?}");
        response.json()
    }

    /// Waits for what the agent does on its own account.
    pub(crate) fn within(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + limit;
        while !holds() {
            assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What the agent says, what the device holds and what the disk remembers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) dump: Value,
    pub(crate) digest: Value,
    pub(crate) config: Value,
    pub(crate) device: BTreeMap<PublicKey, Held>,
    pub(crate) disk: Remembered,
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Some(host) = self.host.take() {
            // A daemon that the agent started ends with it only in good order.
            match self.backend == Backend::Userspace && self.setup.absent {
                true => drop(host.stop()),
                false => host.end(),
            }
        }
        self.hand.unmake();
    }
}
