//! `networks`: the address spaces.

use std::io::Write;

use clap::Subcommand;
use reqwest::Method;

use super::Failure;
use super::client::{Client, Common, Trial, body, field};
use super::exit::Exit;
use super::table::Column;

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("IPV4", "/cidr_v4"),
    ("IPV6", "/cidr_v6"),
    ("PEERS", "/peers"),
    ("INTERFACES", "/interfaces"),
];

/// List, show, add and remove networks
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet networks list")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all networks
    #[command(after_help = "Example:\n  wgfleet networks list --json")]
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Show a network
    #[command(after_help = "Example:\n  wgfleet networks show office")]
    Show {
        /// Its name or id
        network: String,
        #[command(flatten)]
        common: Common,
    },
    Add(Add),
    /// Remove a network that holds nothing
    #[command(after_help = "Example:\n  wgfleet networks remove office")]
    Remove {
        /// Its name or id
        network: String,
        #[command(flatten)]
        trial: Trial,
        #[command(flatten)]
        common: Common,
    },
}

/// Add a network
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  wgfleet networks add office --cidr-v4 10.8.0.0/16 --dns 10.8.0.1")]
struct Add {
    /// A host name
    name: String,
    #[arg(long, value_name = "PREFIX", required_unless_present = "cidr_v6")]
    cidr_v4: Option<String>,
    #[arg(long, value_name = "PREFIX")]
    cidr_v6: Option<String>,
    /// A resolver that peers are told; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    dns: Vec<String>,
    /// What peers' names end with
    #[arg(long, value_name = "NAME")]
    domain_suffix: Option<String>,
    #[arg(long, value_name = "BYTES")]
    mtu: Option<u16>,
    /// Seconds between two keepalives of a peer; 0 is off
    #[arg(long, value_name = "SECONDS")]
    keepalive: Option<u16>,
    #[command(flatten)]
    trial: Trial,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::List { common } => {
            let client = Client::open(common)?;
            let networks = client.all("/networks", &[])?;
            client.show_all(out, networks, COLUMNS)
        }
        Command::Show { network, common } => {
            let client = Client::open(common)?;
            let id = client.id("networks", network)?;
            client.show(out, &client.get(&format!("/networks/{id}"))?)
        }
        Command::Add(add) => {
            let client = Client::open(&add.common)?;
            let draft = body([
                ("name", Some(add.name.as_str().into())),
                ("cidr_v4", field(&add.cidr_v4)),
                ("cidr_v6", field(&add.cidr_v6)),
                ("dns", Some(add.dns.clone().into())),
                ("domain_suffix", field(&add.domain_suffix)),
                ("mtu", field(&add.mtu)),
                ("keepalive", field(&add.keepalive)),
            ]);
            let made = client.change(Method::POST, "/networks", Some(&draft), &add.trial)?;
            client.show(out, &made)
        }
        Command::Remove {
            network,
            trial,
            common,
        } => {
            let client = Client::open(common)?;
            let id = client.id("networks", network)?;
            client.change(Method::DELETE, &format!("/networks/{id}"), None, trial)?;
            client.tell(out, &format!("network {network} {}", trial.done("removed")))
        }
    }
}
