//! Where an agent runs: in this process, or as the program, without root.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use node_agent::config::Config;
use node_agent::device::Device;
use node_agent::startup::{Assembled, Door, Stopper};

use super::{Bed, Hand, Process};

/// The user nobody, who owns nothing of this machine.
const NOBODY: u32 = 65534;

pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    kind: Kind,
}

/// What came of starting a program: it serves, or it ended with an exit status and a log.
pub(crate) enum Started {
    Serving(Host),
    Ended(Option<i32>, String),
}

enum Kind {
    Within {
        stopper: Stopper,
        thread: JoinHandle<()>,
    },
    Program {
        child: Child,
        log: JoinHandle<String>,
    },
}

impl Host {
    /// The agent in this process, on the device that the hand holds.
    pub(crate) fn within(settings: &Path, hand: &Hand) -> Self {
        let loaded = Config::load_with_secret(settings, None);
        let (config, secret) = loaded.unwrap_or_else(|err| panic!("{err:?}"));
        fs::create_dir_all(&config.state_dir).unwrap();
        let listener = TcpListener::bind(config.listen).unwrap();
        let address = listener.local_addr().unwrap();
        let devices = vec![Device::Memory(hand.memory.clone())];
        let assembled = Assembled::new(config, &secret, devices, Vec::new()).unwrap();
        let (started, stopper) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            assembled
                .serve(Door::plain(listener), |stopper| {
                    started.send(stopper).unwrap()
                })
                .unwrap();
        });
        let stopper = stopper.recv().unwrap();
        Self {
            address,
            kind: Kind::Within { stopper, thread },
        }
    }

    /// The program, as nobody with CAP_NET_ADMIN where we are root.
    pub(crate) fn program(settings: &Path, environment: &[(String, String)]) -> Self {
        let mut command = unprivileged();
        command.arg("run").arg("--config").arg(settings);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        match Self::start(&mut command) {
            Started::Serving(host) => host,
            Started::Ended(status, log) => {
                panic!("the agent ended before it served: {status:?}\n{log}")
            }
        }
    }

    /// Starts a program and waits until it serves, or has ended without.
    pub(crate) fn start(command: &mut Command) -> Started {
        let mut child = command
            // As its unit does: memory that ten thousand peers took for a moment is given back.
            .env("MALLOC_ARENA_MAX", "2")
            .env("MALLOC_MMAP_THRESHOLD_", "131072")
            .env("MALLOC_TRIM_THRESHOLD_", "131072")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (found, address) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            for line in lines.map_while(Result::ok) {
                if let Some(address) = line
                    .split("serving listen=")
                    .nth(1)
                    .and_then(|rest| rest.split(' ').next())
                {
                    found.send(address.to_owned()).unwrap();
                }
                log.push_str(&line);
                log.push('\n');
            }
            log
        });
        match address.recv() {
            Ok(address) => Started::Serving(Self {
                address: address.parse().unwrap(),
                kind: Kind::Program { child, log },
            }),
            Err(_) => Started::Ended(child.wait().unwrap().code(), log.join().unwrap()),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        match &self.kind {
            Kind::Within { .. } => panic!("the agent is in this process"),
            Kind::Program { child, .. } => child.id(),
        }
    }

    /// Ends the agent in good order and returns what a program logged.
    pub(crate) fn stop(self) -> String {
        match self.kind {
            Kind::Within { stopper, thread } => {
                stopper.stop();
                thread.join().unwrap();
                String::new()
            }
            Kind::Program { mut child, log } => {
                signal(&child, "-TERM");
                let status = child.wait().unwrap();
                let log = log.join().unwrap();
                assert!(status.success(), "{status}\n{log}");
                log
            }
        }
    }

    /// Waits for a program that ends by itself.
    pub(crate) fn wait(self, limit: Duration) -> (Option<i32>, String) {
        let Kind::Program { mut child, log } = self.kind else {
            panic!("an agent within this process does not end by itself");
        };
        let mut status = None;
        Bed::within(limit, "the end of the agent", || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        (status.unwrap().code(), log.join().unwrap())
    }

    pub(crate) fn kill(self) -> String {
        match self.kind {
            Kind::Within { .. } => panic!("an agent within this process cannot be killed"),
            Kind::Program { mut child, log } => {
                // A daemon that the agent started would outlive it, and hold its log open.
                for daemon in Process::of(child.id()).children() {
                    super::hand::run("kill", &["-KILL", &daemon.to_string()]);
                }
                child.kill().unwrap();
                child.wait().unwrap();
                log.join().unwrap()
            }
        }
    }

    /// Ends the agent whatever state the test left it in.
    pub(crate) fn end(self) {
        match self.kind {
            Kind::Within { .. } => drop(self.stop()),
            Kind::Program { .. } => {
                let log = self.kill();
                if std::thread::panicking() {
                    println!("the agent's log:\n{log}");
                }
            }
        }
    }
}

/// The agent without root: where we are root, as the user nobody with CAP_NET_ADMIN alone.
pub(crate) fn unprivileged() -> Command {
    as_nobody(&agent())
}

/// A program as nobody with CAP_NET_ADMIN, where we are root and can have it so.
pub(crate) fn as_nobody(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.args([
        "--inh-caps=-all,+net_admin",
        "--ambient-caps=-all,+net_admin",
        "--bounding-set=-all,+net_admin",
    ]);
    command.arg(program);
    command
}

fn signal(child: &Child, name: &str) {
    super::hand::run("kill", &[name, &child.id().to_string()]);
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
}

/// Hands a file or folder over to the user that the agent runs as.
pub(crate) fn give_away(path: &Path) {
    use std::os::unix::fs::PermissionsExt;

    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    if is_root() {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

/// The program under test: named, or built beside these tests.
pub(crate) fn agent() -> PathBuf {
    if let Some(path) = std::env::var_os("WGFLEET_AGENT_BIN") {
        return path.into();
    }
    let tests = std::env::current_exe().unwrap();
    let built = tests.ancestors().nth(2).unwrap().join("wgfleet-agent");
    assert!(
        built.exists(),
        "{} is missing: cargo build --workspace",
        built.display()
    );
    built
}
