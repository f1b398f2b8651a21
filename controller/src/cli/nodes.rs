//! `nodes`: the servers of the fleet.

use std::io::Write;

use clap::Subcommand;
use reqwest::Method;

use super::Failure;
use super::client::{Client, Common, Trial};
use super::exit::Exit;
use super::table::Column;

mod change;
mod key;
mod test;

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("SEEN", "/status/age_s"),
    ("PEERS", "/peers"),
    ("MOST", "/max_peers"),
    ("WEIGHT", "/weight"),
    ("REGION", "/region"),
    ("AGENT", "/agent_url"),
    ("PROBLEM", "/status/problem"),
];

/// List, show, add, change, test and remove nodes, and acknowledge their new keys
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet nodes list --state offline")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    /// Show a node, with what was last seen of it
    #[command(after_help = "Example:\n  wgfleet nodes show fra-1")]
    Show {
        /// Its name or id
        node: String,
        #[command(flatten)]
        common: Common,
    },
    Add(change::Add),
    Change(change::Change),
    Test(test::Arguments),
    AcknowledgeKey(key::Arguments),
    /// Remove a node that holds no peers
    #[command(after_help = "Example:\n  wgfleet nodes remove fra-1 --dry-run")]
    Remove {
        /// Its name or id
        node: String,
        #[command(flatten)]
        trial: Trial,
        #[command(flatten)]
        common: Common,
    },
}

/// List nodes; the column SEEN tells how many seconds ago each was asked
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet nodes list --pool north --json")]
struct List {
    /// A part of the name
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    #[arg(long, value_parser = ["pending", "online", "offline", "error", "disabled"])]
    state: Option<String>,
    /// Members of this pool
    #[arg(long, value_name = "POOL")]
    pool: Option<String>,
    /// Those that serve this network
    #[arg(long, value_name = "NETWORK")]
    network: Option<String>,
    #[arg(long, value_name = "LABEL")]
    region: Option<String>,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::List(list) => {
            let client = Client::open(&list.common)?;
            let query = [
                ("q", list.q.as_deref()),
                ("state", list.state.as_deref()),
                ("pool", list.pool.as_deref()),
                ("network", list.network.as_deref()),
                ("region", list.region.as_deref()),
            ];
            let nodes = client.all("/nodes", &query)?;
            client.show_all(out, nodes, COLUMNS)
        }
        Command::Show { node, common } => {
            let client = Client::open(common)?;
            let id = client.id("nodes", node)?;
            client.show(out, &client.get(&format!("/nodes/{id}"))?)
        }
        Command::Add(arguments) => change::add(arguments, out),
        Command::Change(arguments) => change::change(arguments, out),
        Command::Test(arguments) => test::run(arguments, out),
        Command::AcknowledgeKey(arguments) => key::acknowledge(arguments, out),
        Command::Remove {
            node,
            trial,
            common,
        } => {
            let client = Client::open(common)?;
            let id = client.id("nodes", node)?;
            client.change(Method::DELETE, &format!("/nodes/{id}"), None, trial)?;
            client.tell(out, &format!("node {node} {}", trial.done("removed")))
        }
    }
}
