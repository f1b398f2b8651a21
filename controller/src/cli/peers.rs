//! `peers`: the devices and sites that nodes let in.

use std::io::Write;

use clap::Subcommand;
use reqwest::Method;

use super::Failure;
use super::client::{Client, Common, Trial};
use super::exit::Exit;
use super::table::Column;

mod change;
mod config;
mod import;

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("ADDRESSES", "/addresses"),
    ("NODES", "/nodes"),
    ("ACTIVE", "/active"),
    ("HANDSHAKE", "/handshake_at"),
    ("RECEIVED", "/rx_total"),
    ("SENT", "/tx_total"),
    ("KEY", "/public_key"),
];

const SESSION_COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("STATE", "/state"),
    ("BEGAN", "/connected_at"),
    ("SECONDS", "/seconds"),
    ("FROM", "/endpoint"),
    ("NODE", "/node_name"),
    ("RECEIVED", "/rx"),
    ("SENT", "/tx"),
];

/// List, show, add, change, move and remove peers, lock them out, and hand out their configurations
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet peers list --network office")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    /// Show a peer in full
    #[command(after_help = "Example:\n  wgfleet peers show phone-of-ada")]
    Show(Which),
    Add(change::Add),
    Change(change::Change),
    /// Remove a peer from every node and from here; its addresses rest
    #[command(after_help = "Example:\n  wgfleet peers remove phone-of-ada --dry-run")]
    Remove(Deed),
    /// Lock a peer out of every node at once; it keeps all it has
    #[command(after_help = "Example:\n  wgfleet peers isolate phone-of-ada")]
    Isolate(Deed),
    /// Let an isolated peer in again
    #[command(after_help = "Example:\n  wgfleet peers release phone-of-ada")]
    Release(Deed),
    Move(change::Move),
    Sessions(Sessions),
    Config(config::Arguments),
    Import(import::Arguments),
}

/// List peers
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet peers list --node fra-1 --active true")]
struct List {
    /// A part of name, key or notes; or an address, whole
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    #[arg(long, value_name = "NETWORK")]
    network: Option<String>,
    #[arg(long, value_name = "POOL")]
    pool: Option<String>,
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    #[arg(long)]
    tag: Option<String>,
    /// Whether their nodes are to let them in
    #[arg(long, value_parser = ["true", "false"])]
    active: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// List when a peer was in touch with which node, the newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet peers sessions phone-of-ada")]
struct Sessions {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Its name, its public key or its id
    peer: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Deed {
    /// Its name, its public key or its id
    peer: String,
    #[command(flatten)]
    trial: Trial,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::List(arguments) => list(arguments, out),
        Command::Show(Which { peer, common }) => {
            let client = Client::open(common)?;
            let id = client.id("peers", peer)?;
            client.show(out, &client.get(&format!("/peers/{id}"))?)
        }
        Command::Add(arguments) => change::add(arguments, out),
        Command::Change(arguments) => change::change(arguments, out),
        Command::Remove(deed) => deed.run(Method::DELETE, "", "removed", out),
        Command::Isolate(deed) => deed.run(Method::POST, "/isolation", "isolated", out),
        Command::Release(deed) => deed.run(Method::DELETE, "/isolation", "released", out),
        Command::Move(arguments) => change::relocate(arguments, out),
        Command::Sessions(Sessions { which }) => sessions(which, out),
        Command::Config(arguments) => config::run(arguments, out),
        Command::Import(arguments) => import::run(arguments, out),
    }
}

fn list(arguments: &List, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let query = [
        ("q", arguments.q.as_deref()),
        ("network", arguments.network.as_deref()),
        ("pool", arguments.pool.as_deref()),
        ("node", arguments.node.as_deref()),
        ("tag", arguments.tag.as_deref()),
        ("active", arguments.active.as_deref()),
    ];
    let peers = client.all("/peers", &query)?;
    client.show_all(out, peers, COLUMNS)
}

fn sessions(which: &Which, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&which.common)?;
    let id = client.id("peers", &which.peer)?;
    let sessions = client.all(&format!("/peers/{id}/sessions"), &[])?;
    client.show_all(out, sessions, SESSION_COLUMNS)
}

impl Deed {
    fn run(
        &self,
        method: Method,
        below: &str,
        done: &str,
        out: &mut dyn Write,
    ) -> Result<Exit, Failure> {
        let client = Client::open(&self.common)?;
        let id = client.id("peers", &self.peer)?;
        let path = format!("/peers/{id}{below}");
        client.change(method, &path, None, &self.trial)?;
        client.tell(
            out,
            &format!("peer {} {}", self.peer, self.trial.done(done)),
        )
    }
}
