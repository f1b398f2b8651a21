//! `pools`: named sets of nodes.

use std::io::Write;

use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;

use super::Failure;
use super::client::{Client, Common, Trial, body, field};
use super::exit::Exit;
use super::table::Column;

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("PLACEMENT", "/placement"),
    ("NODES", "/members"),
    ("PEERS", "/peers"),
    ("DESCRIPTION", "/description"),
];

/// List, show, add and remove pools, and choose their nodes
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet pools list")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all pools
    #[command(after_help = "Example:\n  wgfleet pools list --json")]
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Show a pool
    #[command(after_help = "Example:\n  wgfleet pools show north")]
    Show {
        /// Its name or id
        pool: String,
        #[command(flatten)]
        common: Common,
    },
    Add(Add),
    /// Remove a pool that no peer names
    #[command(after_help = "Example:\n  wgfleet pools remove north")]
    Remove {
        /// Its name or id
        pool: String,
        #[command(flatten)]
        trial: Trial,
        #[command(flatten)]
        common: Common,
    },
    /// Have a node join a pool
    #[command(after_help = "Example:\n  wgfleet pools add-member north fra-1")]
    AddMember(Member),
    /// Have a node leave a pool
    #[command(after_help = "Example:\n  wgfleet pools remove-member north fra-1")]
    RemoveMember(Member),
}

/// Add a pool
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  wgfleet pools add north --placement one --node fra-1 --node ams-1"
)]
struct Add {
    /// A DNS label
    name: String,
    /// Where a peer of it lives: on `one` of its nodes, or on `all`
    #[arg(long, value_parser = ["one", "all"])]
    placement: Option<String>,
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The name or id of a node that belongs to it; may be repeated
    #[arg(long = "node", value_name = "NODE")]
    nodes: Vec<String>,
    #[command(flatten)]
    trial: Trial,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Member {
    /// The pool's name or id
    pool: String,
    /// The node's name or id
    node: String,
    #[command(flatten)]
    trial: Trial,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::List { common } => {
            let client = Client::open(common)?;
            let pools = client.all("/pools", &[])?;
            client.show_all(out, pools, COLUMNS)
        }
        Command::Show { pool, common } => {
            let client = Client::open(common)?;
            let id = client.id("pools", pool)?;
            client.show(out, &client.get(&format!("/pools/{id}"))?)
        }
        Command::Add(arguments) => add(arguments, out),
        Command::Remove {
            pool,
            trial,
            common,
        } => {
            let client = Client::open(common)?;
            let id = client.id("pools", pool)?;
            client.change(Method::DELETE, &format!("/pools/{id}"), None, trial)?;
            client.tell(out, &format!("pool {pool} {}", trial.done("removed")))
        }
        Command::AddMember(member) => choose(member, Method::PUT, out),
        Command::RemoveMember(member) => choose(member, Method::DELETE, out),
    }
}

fn add(arguments: &Add, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let nodes = arguments.nodes.iter();
    let members: Vec<Value> = nodes
        .map(|node| Ok(client.id("nodes", node)?.into()))
        .collect::<Result<_, Failure>>()?;
    let draft = body([
        ("name", Some(arguments.name.as_str().into())),
        ("placement", field(&arguments.placement)),
        ("description", field(&arguments.description)),
        ("members", Some(members.into())),
    ]);
    let made = client.change(Method::POST, "/pools", Some(&draft), &arguments.trial)?;
    client.show(out, &made)
}

fn choose(member: &Member, method: Method, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&member.common)?;
    let pool = client.id("pools", &member.pool)?;
    let node = client.id("nodes", &member.node)?;
    let path = format!("/pools/{pool}/members/{node}");
    client.show(out, &client.change(method, &path, None, &member.trial)?)
}
