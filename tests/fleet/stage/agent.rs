//! A node: the agent itself, in this process or as the program, with one WireGuard device in memory.
//!
//! In this process the device outlives the agent, as one in the kernel does, and a test can reach it. The
//! program loses its device with its life, as a machine that restarts does. The controller meets both over a
//! [`Wire`], so that a node keeps its address; what a test asks a node itself does not go over it.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use node_agent::config::Config;
use node_agent::device::{Device, Memory};
use node_agent::startup::{Assembled, Door, Stopper};
use protocol::signing::{Request, Secret, Signature, verify_response};
use protocol::wire::answers::Dump;
use protocol::{InterfaceName, PrivateKey};

use super::folder;
use super::program::{Program, built};
use super::wire::Wire;

pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) secret: Secret,
    pub(crate) wire: Wire,
    /// Of an agent in this process.
    device: Option<Memory>,
    life: Mutex<Option<Life>>,
    folder: tempfile::TempDir,
}

enum Life {
    Within {
        stopper: Stopper,
        thread: JoinHandle<()>,
    },
    Program(Program),
}

impl Agent {
    /// In this process, serving.
    pub(crate) fn within(name: &str) -> Self {
        let device = Memory::new(&wg0());
        Self::new(name, Some(device), MADE)
    }

    /// In this process, serving, on an interface that somebody else makes.
    pub(crate) fn guest(name: &str) -> Self {
        let device = Memory::new(&wg0());
        set_up(&device);
        Self::new(name, Some(device), "")
    }

    /// The program, serving.
    pub(crate) fn program(name: &str) -> Self {
        Self::new(name, None, MADE)
    }

    fn new(name: &str, device: Option<Memory>, interface: &str) -> Self {
        let secret = hex::encode(controller::random::bytes::<32>());
        let folder = folder();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("secret"), format!("{secret}\n")).unwrap();
        fs::create_dir(path("state")).unwrap();
        let text = format!(
            "listen = \"127.0.0.1:0\"\nallow_root = true\nsecret_file = {:?}\nstate_dir = {:?}\n\
             [timing]\nobserve_s = 1\nwatch_ms = 50\nretry_ms = 50\n\
             [[interface]]\nname = \"wg0\"\nbackend = \"memory\"\n{interface}",
            path("secret"),
            path("state"),
        );
        fs::write(path("config.toml"), text).unwrap();
        for file in ["secret", "config.toml"] {
            fs::set_permissions(path(file), fs::Permissions::from_mode(0o600)).unwrap();
        }
        let agent = Self {
            name: name.to_owned(),
            secret: Secret::parse(&secret).unwrap(),
            wire: Wire::new(),
            device,
            life: Mutex::new(None),
            folder,
        };
        agent.start();
        agent
    }

    /// The device of an agent in this process.
    pub(crate) fn device(&self) -> &Memory {
        self.device
            .as_ref()
            .expect("a program keeps its device to itself")
    }

    /// Begins to serve, again or for the first time.
    pub(crate) fn start(&self) {
        let mut life = self.life.lock().unwrap();
        assert!(life.is_none(), "{} runs", self.name);
        let (started, address) = match &self.device {
            Some(device) => self.start_within(device),
            None => self.start_program(),
        };
        self.wire.lead_to(Some(address));
        *life = Some(started);
    }

    fn start_within(&self, device: &Memory) -> (Life, SocketAddr) {
        let loaded = Config::load_with_secret(&self.settings(), None);
        let (config, secret) = loaded.unwrap_or_else(|err| panic!("{err:?}"));
        let listener = TcpListener::bind(config.listen).unwrap();
        let address = listener.local_addr().unwrap();
        let devices = vec![Device::Memory(device.clone())];
        let assembled = Assembled::new(config, &secret, devices, Vec::new()).unwrap();
        let (started, stopper) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let serving = assembled.serve(Door::plain(listener), |stopper| {
                started.send(stopper).unwrap();
            });
            serving.unwrap();
        });
        let stopper = stopper.recv().unwrap();
        (Life::Within { stopper, thread }, address)
    }

    fn start_program(&self) -> (Life, SocketAddr) {
        let mut command = Command::new(built("WGFLEET_AGENT_BIN", "wgfleet-agent"));
        command.arg("run").arg("--config").arg(self.settings());
        let program = Program::start(&mut command);
        let address = program.address;
        (Life::Program(program), address)
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    /// Ends: a program with SIGKILL, one in this process in good order. Nothing happens if it has ended already.
    pub(crate) fn end(&self) {
        self.wire.lead_to(None);
        match self.life.lock().unwrap().take() {
            Some(Life::Within { stopper, thread }) => {
                stopper.stop();
                assert!(thread.join().is_ok() || std::thread::panicking());
            }
            Some(Life::Program(program)) => drop(program.kill()),
            None => {}
        }
    }

    /// Loses what it accepted, as one does whose disk was replaced. Its interface's key stays.
    pub(crate) fn forget(&self) {
        let state = self.folder.path().join("state");
        let entries = fs::read_dir(state)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let journals: Vec<PathBuf> = entries
            .filter(|path| path.to_str().unwrap().contains(".journal"))
            .collect();
        assert!(!journals.is_empty(), "there is nothing to forget");
        for journal in journals {
            fs::remove_file(journal).unwrap();
        }
    }

    /// All that its device holds.
    pub(crate) async fn dump(&self) -> Result<Dump, String> {
        let body = self.ask("/wg/wg0/dump").await?;
        serde_json::from_slice(&body).map_err(|err| err.to_string())
    }

    /// What it answers to whoever holds its secret.
    async fn ask(&self, target: &str) -> Result<Vec<u8>, String> {
        let address = self.wire.agent().ok_or("the agent is away")?;
        let timestamp = now().to_string();
        let request = Request {
            method: "GET",
            target,
            body: b"",
            timestamp: &timestamp,
            nonce: None,
        };
        let signature = request.sign(&self.secret);
        let sent = reqwest::Client::new()
            .get(format!("http://{address}{target}"))
            .header("x-timestamp", &timestamp)
            .header("x-signature", signature.to_string())
            .send();
        let answer = sent.await.map_err(|err| err.to_string())?;
        let status = answer.status().as_u16();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let (at, signed) = (header("x-timestamp"), header("x-signature"));
        let body = answer.bytes().await.map_err(|err| err.to_string())?;
        let signed = Signature::parse(signed.as_bytes()).unwrap();
        assert!(
            verify_response(&self.secret, status, &body, &at, &signature, &signed),
            "{} signs badly",
            self.name
        );
        match status {
            200 => Ok(body.to_vec()),
            _ => Err(String::from_utf8_lossy(&body).into_owned()),
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.end();
    }
}

const MADE: &str = "create = true\nlisten_port = 51820\n";

fn wg0() -> InterfaceName {
    InterfaceName::parse("wg0").unwrap()
}

/// What somebody does who makes an interface: it has a key and is up.
pub(crate) fn set_up(device: &Memory) {
    let device = Device::Memory(device.clone());
    let index = device.index().unwrap().unwrap();
    let key = PrivateKey::from_random([3; 32]);
    device.set_private_key(index, &key).unwrap();
    device.set_up(true).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "whoever asks signs by the clock")]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
