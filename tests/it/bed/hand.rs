//! A hand in the device itself, past the agent: what an operator does with wg(8) and ip(8).

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use node_agent::device::{Device, Memory};
use protocol::{Cidr, InterfaceName, PeerConfig, PrivateKey, PublicKey};

use super::{Backend, Bed, host};

/// A peer as the device itself shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Held {
    pub(crate) allowed_ips: Vec<String>,
    pub(crate) keepalive: u16,
    pub(crate) has_psk: bool,
    pub(crate) endpoint: Option<String>,
}

pub(crate) struct Hand {
    backend: Backend,
    name: InterfaceName,
    pub(crate) memory: Memory,
}

impl Hand {
    pub(crate) fn new(backend: Backend, name: &InterfaceName) -> Self {
        Self {
            backend,
            name: name.clone(),
            memory: Memory::new(name),
        }
    }

    fn device(&self) -> Device {
        Device::Memory(self.memory.clone())
    }

    fn socket(&self) -> PathBuf {
        PathBuf::from(format!("/var/run/wireguard/{}.sock", self.name))
    }

    /// Makes the interface, with a key and a port, as it would be found by an agent that did not make it.
    pub(crate) fn make(&self) {
        self.begin();
        self.finish();
    }

    /// Makes the interface and leaves it without a key, and down.
    pub(crate) fn begin(&self) {
        let name = self.name.as_str();
        match self.backend {
            Backend::Memory => {}
            Backend::Kernel => run("ip", &["link", "add", name, "type", "wireguard"]),
            Backend::Userspace => {
                // As the agent's user, who then owns the socket: a change of owner or mode after the
                // start can end wireguard-go.
                let mut daemon = host::as_nobody(Path::new("wireguard-go"));
                let started = daemon
                    .arg(name)
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status();
                assert!(started.unwrap().success());
                let socket = self.socket();
                // The socket is there before anybody answers, and wg(8) removes one that refuses.
                Bed::within(Duration::from_secs(5), "the daemon to answer", || {
                    answers(&socket).is_ok_and(|answers| answers)
                });
            }
        }
    }

    /// Gives the interface its key and brings it up.
    pub(crate) fn finish(&self) {
        let name = self.name.as_str();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, private_key().reveal()).unwrap();
        match self.backend {
            Backend::Memory => {
                let index = self.device().index().unwrap().unwrap();
                self.device()
                    .set_private_key(index, &private_key())
                    .unwrap();
                self.device().set_up(true).unwrap();
            }
            Backend::Kernel | Backend::Userspace => {
                run("wg", &["set", name, "private-key", file.to_str().unwrap()]);
                run("ip", &["link", "set", name, "up"]);
            }
        }
    }

    pub(crate) fn take_down(&self) {
        match self.backend {
            Backend::Memory => self.device().set_up(false).unwrap(),
            Backend::Kernel | Backend::Userspace => {
                run("ip", &["link", "set", self.name.as_str(), "down"]);
            }
        }
    }

    pub(crate) fn unmake(&self) {
        match self.backend {
            Backend::Memory => {}
            // Deleting a kernel interface takes 12 ms for each peer that it still has.
            Backend::Kernel => {
                let name = self.name.as_str();
                if self.exists() {
                    run("wg", &["setconf", name, "/dev/null"]);
                    run("ip", &["link", "del", name]);
                }
            }
            Backend::Userspace => {
                let socket = self.socket();
                if socket.exists() {
                    std::fs::remove_file(socket).unwrap();
                }
            }
        }
    }

    pub(crate) fn exists(&self) -> bool {
        match self.backend {
            Backend::Memory => self.device().index().unwrap().is_some(),
            Backend::Kernel | Backend::Userspace => {
                let path = format!("/sys/class/net/{}", self.name);
                let shown = Command::new("ip")
                    .args(["link", "show", self.name.as_str()])
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .unwrap();
                std::path::Path::new(&path).exists() || shown.success()
            }
        }
    }

    /// Somebody deletes the interface, and makes one of the same name.
    pub(crate) fn vanish(&self) {
        match self.backend {
            Backend::Memory => self.memory.vanish(),
            Backend::Kernel => self.unmake(),
            Backend::Userspace => {
                self.unmake();
                Bed::within(Duration::from_secs(5), "the daemon to end", || {
                    !self.exists() && !self.daemon_runs()
                });
            }
        }
    }

    /// Whether a daemon is still there; one that ends removes its socket last, whosever it is by then.
    fn daemon_runs(&self) -> bool {
        let commands = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let command = entry.ok()?.path().join("cmdline");
            std::fs::read_to_string(command).ok()
        });
        commands.into_iter().any(|command| {
            let mut words = command.trim_end_matches('\0').split('\0');
            words
                .next()
                .is_some_and(|program| program.ends_with("wireguard-go"))
                && words.next_back() == Some(self.name.as_str())
        })
    }

    pub(crate) fn come_back(&self) {
        self.begin_to_come_back();
        self.finish();
    }

    /// The first thing that wg-quick does: there is an interface, and nothing else of it.
    pub(crate) fn begin_to_come_back(&self) {
        if self.backend == Backend::Memory {
            self.memory.come_back();
        }
        self.begin();
    }

    pub(crate) fn put_foreign(&self, key: &PublicKey, ips: &[&str]) {
        match self.backend {
            Backend::Memory => {
                let config = PeerConfig {
                    allowed_ips: ips.iter().map(|ip| Cidr::parse(ip).unwrap()).collect(),
                    ..PeerConfig::default()
                };
                self.memory.foreign_put(*key, config);
            }
            Backend::Kernel | Backend::Userspace => {
                let list = ips.join(",");
                run(
                    "wg",
                    &[
                        "set",
                        self.name.as_str(),
                        "peer",
                        &key.to_string(),
                        "allowed-ips",
                        &list,
                    ],
                );
            }
        }
    }

    pub(crate) fn remove(&self, key: &PublicKey) {
        match self.backend {
            Backend::Memory => self.memory.foreign_remove(key),
            Backend::Kernel | Backend::Userspace => {
                run(
                    "wg",
                    &[
                        "set",
                        self.name.as_str(),
                        "peer",
                        &key.to_string(),
                        "remove",
                    ],
                );
            }
        }
    }

    /// What the device holds, read without the agent.
    pub(crate) fn peers(&self) -> BTreeMap<PublicKey, Held> {
        match self.backend {
            Backend::Memory => {
                let reading = self.device().read().unwrap();
                let held = |observed: node_agent::device::Observed| Held {
                    allowed_ips: observed
                        .config
                        .allowed_ips
                        .iter()
                        .map(Cidr::to_string)
                        .collect(),
                    keepalive: observed.config.persistent_keepalive,
                    has_psk: observed.config.preshared_key.is_some(),
                    endpoint: observed.endpoint.map(|endpoint| endpoint.to_string()),
                };
                reading
                    .peers
                    .into_iter()
                    .map(|(key, observed)| (key, held(observed)))
                    .collect()
            }
            Backend::Kernel | Backend::Userspace => self.wg_show(),
        }
    }

    fn wg_show(&self) -> BTreeMap<PublicKey, Held> {
        let shown = Command::new("wg")
            .args(["show", self.name.as_str(), "dump"])
            .output()
            .unwrap();
        assert!(shown.status.success(), "{shown:?}");
        let text = String::from_utf8(shown.stdout).unwrap();
        text.lines()
            .skip(1)
            .map(|line| {
                let fields: Vec<&str> = line.split('\t').collect();
                let mut allowed_ips: Vec<Cidr> = fields[3]
                    .split(',')
                    .filter(|ip| *ip != "(none)")
                    .map(|ip| Cidr::parse(ip).unwrap())
                    .collect();
                allowed_ips.sort();
                let held = Held {
                    allowed_ips: allowed_ips.iter().map(Cidr::to_string).collect(),
                    keepalive: fields[7].parse().unwrap_or(0),
                    has_psk: fields[1] != "(none)",
                    endpoint: (fields[2] != "(none)").then(|| fields[2].to_owned()),
                };
                (PublicKey::parse(fields[0]).unwrap(), held)
            })
            .collect()
    }
}

/// Asks a daemon for its device.
fn answers(socket: &Path) -> io::Result<bool> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"get=1\n\n")?;
    let mut answer = [0; 4096];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).contains("errno=0"))
}

/// The key that the hand gives an interface.
pub(crate) fn private_key() -> PrivateKey {
    PrivateKey::from_random([3; 32])
}

/// Runs a program that must succeed.
pub(crate) fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    let output = output.unwrap_or_else(|err| panic!("{program}: {err}"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
}
