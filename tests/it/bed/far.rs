//! The far end of a tunnel: a network namespace with a WireGuard client in it, joined to ours by a cable.
//!
//! The agent and its interface stay in the namespace of the test. The client is set up with wg(8)
//! and ip(8) alone, as a user's machine would be.

use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::hand::run;
use super::{Backend, Bed, key, private_key};

pub(crate) struct Far {
    backend: Backend,
    /// Of the namespace, and of the client's interface in it.
    name: String,
    /// Our end of the cable.
    cable: String,
    number: u8,
    /// The number of the client's key.
    client: u32,
    /// The public key of the node.
    node_key: String,
    node_port: u16,
}

impl Far {
    /// Lays the cable, gives the node's interface its addresses, and makes a client that may call it.
    pub(crate) fn new(bed: &Bed, client: u32) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = u8::try_from(NUMBER.fetch_add(1, Ordering::Relaxed)).unwrap();
        let config = bed.get("/config");
        let config = &config["config"];
        let far = Self {
            backend: bed.backend,
            name: format!("f{}x{number}", std::process::id()),
            cable: format!("c{}x{number}", std::process::id()),
            number,
            client,
            node_key: config["public_key"].as_str().unwrap().to_owned(),
            node_port: u16::try_from(config["listen_port"].as_u64().unwrap()).unwrap(),
        };
        far.lay_cable();
        let node = bed.name.as_str();
        ip(&format!("addr add {}/24 dev {node}", far.node_v4()));
        ip(&format!("addr add {}/64 dev {node} nodad", far.node_v6()));
        far.make_client();
        far
    }

    fn lay_cable(&self) {
        let Self { name, cable, .. } = self;
        ip(&format!("netns add {name}"));
        ip(&format!(
            "link add {cable} type veth peer name cable netns {name}"
        ));
        ip(&format!("addr add {}/24 dev {cable}", self.node_outside()));
        ip(&format!("link set {cable} up"));
        ip(&format!("-n {name} link set lo up"));
        ip(&format!(
            "-n {name} addr add {}/24 dev cable",
            self.outside()
        ));
        ip(&format!("-n {name} link set cable up"));
    }

    fn make_client(&self) {
        let name = &self.name;
        match self.backend {
            Backend::Memory => panic!("a device in memory carries no packets"),
            Backend::Kernel => ip(&format!("-n {name} link add {name} type wireguard")),
            Backend::Userspace => {
                self.run("wireguard-go", &[name]);
                let socket = self.socket();
                Bed::within(Duration::from_secs(5), "a socket", || socket.exists());
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, private_key(self.client).reveal()).unwrap();
        self.run("wg", &["set", name, "private-key", file.to_str().unwrap()]);
        ip(&format!("-n {name} addr add {}/24 dev {name}", self.v4()));
        ip(&format!(
            "-n {name} addr add {}/64 dev {name} nodad",
            self.v6()
        ));
        ip(&format!("-n {name} link set {name} up"));
        self.call_with(None);
    }

    /// Has the client call the node, with a preshared key or without one.
    pub(crate) fn call_with(&self, preshared_key: Option<&str>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("psk");
        std::fs::write(&file, preshared_key.unwrap_or_default()).unwrap();
        let endpoint = format!("{}:{}", self.node_outside(), self.node_port);
        let ips = format!("{}/32,{}/128", self.node_v4(), self.node_v6());
        let file = file.to_str().unwrap();
        let node = self.node_key.as_str();
        self.run("wg", &["set", &self.name, "peer", node, "remove"]);
        self.run(
            "wg",
            &[
                "set",
                &self.name,
                "peer",
                node,
                "preshared-key",
                file,
                "endpoint",
                &endpoint,
                "allowed-ips",
                &ips,
            ],
        );
    }

    fn socket(&self) -> PathBuf {
        PathBuf::from(format!("/var/run/wireguard/{}.sock", self.name))
    }

    /// The client's public key.
    pub(crate) fn key(&self) -> String {
        key(self.client)
    }

    /// What the node must allow the client.
    pub(crate) fn allowed_ips(&self) -> [String; 2] {
        [format!("{}/32", self.v4()), format!("{}/128", self.v6())]
    }

    pub(crate) fn outside(&self) -> Ipv4Addr {
        Ipv4Addr::new(172, 20, self.number, 2)
    }

    fn node_outside(&self) -> Ipv4Addr {
        Ipv4Addr::new(172, 20, self.number, 1)
    }

    pub(crate) fn node_v4(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 99, self.number, 1)
    }

    fn v4(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 99, self.number, 2)
    }

    pub(crate) fn node_v6(&self) -> String {
        format!("fd99:{:x}::1", self.number)
    }

    fn v6(&self) -> String {
        format!("fd99:{:x}::2", self.number)
    }

    /// How many of `count` pings through the tunnel were answered.
    pub(crate) fn ping(&self, address: &str, count: u32) -> u32 {
        let output = Command::new("nsenter")
            .arg(format!("--net=/run/netns/{}", self.name))
            .args(["ping", "-n", "-q", "-i", "0.2", "-W", "1"])
            .args(["-c", &count.to_string(), address])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let answered = text
            .split(" received")
            .next()
            .and_then(|before| before.rsplit(' ').next())
            .and_then(|number| number.parse().ok());
        answered.unwrap_or_else(|| panic!("ping {address}: {output:?}"))
    }

    /// Whether the node answers through the tunnel over both families.
    pub(crate) fn reaches_node(&self) -> bool {
        self.ping(&self.node_v4().to_string(), 1) == 1 && self.ping(&self.node_v6(), 1) == 1
    }

    /// Runs a program in the namespace.
    fn run(&self, program: &str, arguments: &[&str]) {
        let net = format!("--net=/run/netns/{}", self.name);
        let all: Vec<&str> = [net.as_str(), program]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        run("nsenter", &all);
    }

    /// Moves the calling thread into the namespace for good; the sockets it opens belong there.
    pub(crate) fn enter(&self) {
        let namespace = File::open(format!("/run/netns/{}", self.name)).unwrap();
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let socket = self.socket();
        if socket.exists() {
            std::fs::remove_file(socket).unwrap();
        }
        ip(&format!("link del {}", self.cable));
        ip(&format!("netns del {}", self.name));
    }
}

fn ip(arguments: &str) {
    run("ip", &arguments.split(' ').collect::<Vec<_>>());
}
