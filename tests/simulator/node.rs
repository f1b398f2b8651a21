//! One node of a fleet: an agent with one interface, whose device is in our hands.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use actix_web::web;
use ipnet::IpNet;
use node_agent::api::Agent;
use node_agent::config::Config;
use node_agent::device::{Device, Memory};
use node_agent::ledger::Managed;
use node_agent::startup::{Assembled, Sampler};
use node_agent::state::{Journal, Record, Remembered};
use protocol::{InterfaceName, PublicKey};
use serde::Serialize;

use super::{Plan, identity};

const LISTEN_PORT: u16 = 51820;

/// The generation of the peers that a node begins with; one that begins with none has none.
const GENERATION: u64 = 1;

/// What a controller has to know of a node, and what it will find there.
#[derive(Debug, Clone, Serialize)]
pub struct Described {
    pub number: usize,
    pub name: String,
    pub url: String,
    pub secret: String,
    pub interface: InterfaceName,
    pub public_key: PublicKey,
    pub listen_port: u16,
    pub addresses: Vec<IpNet>,
    /// How many peers it began with; [`identity::peer`] tells which.
    pub peers: usize,
    pub generation: Option<u64>,
}

pub struct Node {
    described: Described,
    address: SocketAddr,
    device: Memory,
    assembled: Assembled,
}

impl Node {
    pub(super) fn start(
        number: usize,
        plan: &Plan,
        address: SocketAddr,
        folder: &Path,
        sampler: &Sampler,
    ) -> Self {
        let described = describe(number, plan, address);
        let state_dir = folder.join(&described.name);
        fs::create_dir(&state_dir).unwrap();
        write_key(&state_dir, number);
        if plan.peers > 0 {
            write_journal(&state_dir, number, plan.peers);
        }
        let device = Memory::new(&described.interface);
        let assembled = Assembled::with_sampler(
            config(&described, plan, address, &state_dir),
            &identity::secret(number),
            vec![Device::Memory(device.clone())],
            Vec::new(),
            sampler.clone(),
        )
        .unwrap();
        let held = Device::Memory(device.clone()).read().unwrap();
        assert_eq!(held.public_key, Some(described.public_key));
        assert_eq!(held.peers.len(), plan.peers, "{}", described.name);
        Self {
            described,
            address,
            device,
            assembled,
        }
    }

    pub fn described(&self) -> &Described {
        &self.described
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The device, to do behind the agent's back what others do to a real one.
    pub fn device(&self) -> &Memory {
        &self.device
    }

    pub(super) fn agent(&self) -> web::Data<Agent> {
        self.assembled.agent()
    }
}

fn describe(number: usize, plan: &Plan, address: SocketAddr) -> Described {
    Described {
        number,
        name: identity::name(number),
        url: format!("http://{address}"),
        secret: identity::secret(number).reveal().to_owned(),
        interface: identity::interface(),
        public_key: identity::private_key(number).public_key(),
        listen_port: LISTEN_PORT,
        addresses: vec![identity::address(number)],
        peers: plan.peers,
        generation: (plan.peers > 0).then_some(GENERATION),
    }
}

fn config(described: &Described, plan: &Plan, address: SocketAddr, state_dir: &Path) -> Config {
    // The secret is handed over apart, and its file is not looked for. A queue has its whole length
    // in memory from the start, and no fleet is asked so much at once.
    let text = format!(
        "listen = \"{address}\"\nsecret_file = \"/nowhere\"\nstate_dir = {state_dir:?}\n\
         [limits]\nqueue = 32\n\
         [[interface]]\nname = \"{name}\"\nbackend = \"memory\"\ncreate = true\n\
         listen_port = {LISTEN_PORT}\naddresses = [{addresses}]\n",
        name = described.interface,
        addresses = described
            .addresses
            .iter()
            .map(|address| format!("\"{address}\""))
            .collect::<Vec<_>>()
            .join(", "),
    );
    let mut config = Config::parse(Path::new("config.toml"), &text).unwrap();
    config.timing.watch = plan.look_every;
    config.timing.observe = plan.look_every;
    config
}

/// The key, where the agent would put the one that it makes.
fn write_key(state_dir: &Path, number: usize) {
    let path = state_dir.join(format!("{}.key", identity::interface()));
    let mut file = fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    writeln!(file, "{}", identity::private_key(number).reveal()).unwrap();
}

/// The journal of a life before, from which the agent restores its peers as after any restart.
fn write_journal(state_dir: &Path, number: usize, peers: usize) {
    let path = state_dir.join(format!("{}.journal", identity::interface()));
    let managed = |n| {
        let (key, config) = identity::peer(number, n);
        let peer = Managed {
            config,
            ..Managed::default()
        };
        (key, peer)
    };
    let memory = Remembered {
        peers: (0..peers).map(managed).collect(),
        generation: Some(GENERATION),
        ..Remembered::default()
    };
    let (mut journal, _) = Journal::open(&path).unwrap();
    journal.append(&Record::of(&memory)).unwrap();
}
