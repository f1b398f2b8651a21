//! The interfaces, and the WireGuard library's own calls: the floor of whatever touches a device.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use protocol::wire::PeerSpec;
use wireguard_control::{Device, DeviceUpdate, InterfaceName, Key, PeerConfigBuilder};

use crate::agent;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Userspace,
    Kernel,
}

impl Backend {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Userspace => "userspace",
            Self::Kernel => "kernel",
        }
    }

    fn of_library(self) -> wireguard_control::Backend {
        match self {
            Self::Userspace => wireguard_control::Backend::Userspace,
            Self::Kernel => wireguard_control::Backend::Kernel,
        }
    }
}

pub(crate) struct Interface {
    pub(crate) backend: Backend,
    pub(crate) name: &'static str,
    library_name: InterfaceName,
}

impl Interface {
    /// An interface that is up and has a key: without one the kernel skips what makes an add cost.
    pub(crate) fn make(backend: Backend, name: &'static str) -> Self {
        match backend {
            Backend::Kernel => run("ip", &["link", "add", name, "type", "wireguard"]),
            Backend::Userspace => {
                run("wireguard-go", &[name]);
                let socket = socket(name);
                let deadline = Instant::now() + Duration::from_secs(10);
                while !socket.exists() {
                    assert!(Instant::now() < deadline, "wireguard-go makes no socket");
                    std::thread::sleep(Duration::from_millis(10));
                }
                agent::give_away(&socket);
            }
        }
        let interface = Self {
            backend,
            name,
            library_name: name.parse().unwrap(),
        };
        interface.apply(DeviceUpdate::new().set_private_key(Key([3; 32])));
        run("ip", &["link", "set", name, "up"]);
        interface
    }

    pub(crate) fn read(&self) -> usize {
        let device = Device::get(&self.library_name, self.backend.of_library()).unwrap();
        device.peers.len()
    }

    pub(crate) fn add(&self, peer: &PeerSpec) {
        let key = Key(*peer.public_key.as_bytes());
        let builder = peer
            .allowed_ips
            .iter()
            .fold(PeerConfigBuilder::new(&key), |peer, cidr| {
                peer.add_allowed_ip(cidr.address(), cidr.length())
            });
        self.apply(DeviceUpdate::new().add_peer(builder));
    }

    fn apply(&self, update: DeviceUpdate) {
        update
            .apply(&self.library_name, self.backend.of_library())
            .unwrap();
    }
}

impl Drop for Interface {
    fn drop(&mut self) {
        // Deleting a kernel interface takes 12 ms for each peer that it still has.
        self.apply(DeviceUpdate::new().replace_peers());
        match self.backend {
            Backend::Kernel => run("ip", &["link", "del", self.name]),
            Backend::Userspace => std::fs::remove_file(socket(self.name)).unwrap(),
        }
    }
}

fn socket(name: &str) -> PathBuf {
    Path::new("/var/run/wireguard").join(format!("{name}.sock"))
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
