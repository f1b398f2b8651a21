//! `peers add`, `peers change` and `peers move`.

use std::io::Write;

use reqwest::Method;
use serde_json::Value;

use super::config::write_config;
use crate::cli::Failure;
use crate::cli::client::{Client, Common, Trial, body, erasable, field, write_json};
use crate::cli::exit::Exit;

/// Add a peer
///
/// Without a public key it gets a key pair. Its configuration is printed then, this once: nobody keeps the private key.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  wgfleet peers add office phone-of-ada --qr
  wgfleet peers add office laptop-of-ada >laptop-of-ada.conf
  wgfleet peers add office lyon --public-key xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=")]
pub(super) struct Add {
    /// The name or id of its network
    network: String,
    /// A DNS label
    name: String,
    #[arg(long, value_name = "BASE64")]
    public_key: Option<String>,
    /// Which nodes may have it, unless any that serves the network
    #[arg(long, value_name = "POOL")]
    pool: Option<String>,
    /// This node and no other
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// Its address, unless the next free one
    #[arg(long, value_name = "ADDRESS")]
    address_v4: Option<String>,
    #[arg(long, value_name = "ADDRESS")]
    address_v6: Option<String>,
    /// Draw its configuration for the camera of a phone
    #[arg(long)]
    qr: bool,
    #[command(flatten)]
    traits: Traits,
    #[command(flatten)]
    trial: Trial,
    #[command(flatten)]
    common: Common,
}

/// Change a peer; what is not named stays
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  wgfleet peers change phone-of-ada --enabled false
  wgfleet peers change phone-of-ada --expires-at 2027-01-31T00:00:00Z")]
pub(super) struct Change {
    /// Its name, its public key or its id
    peer: String,
    #[arg(long, value_name = "LABEL")]
    name: Option<String>,
    /// A new key; the one before is removed wherever it is seen
    #[arg(long, value_name = "BASE64")]
    public_key: Option<String>,
    #[command(flatten)]
    traits: Traits,
    #[command(flatten)]
    trial: Trial,
    #[command(flatten)]
    common: Common,
}

/// Move a peer to another node or pool of its network
///
/// It keeps all it has. Its device is out of touch until it has its new configuration.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  wgfleet peers move phone-of-ada --node fra-2
  wgfleet peers move phone-of-ada --pool paris --dry-run")]
#[group(id = "where", required = true, multiple = true, args = ["node", "pool"])]
pub(super) struct Move {
    /// Its name, its public key or its id
    peer: String,
    /// This node, unless the best placed one
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// This pool, unless the one that it has; empty is none
    #[arg(long, value_name = "POOL")]
    pool: Option<String>,
    #[command(flatten)]
    trial: Trial,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Traits {
    /// Whether its nodes are to let it in
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
    /// When it is taken off its nodes, as in 2027-01-31T00:00:00Z; empty is never
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    /// The id of the user it belongs to
    #[arg(long, value_name = "ID")]
    owner: Option<i64>,
    /// A tag; may be repeated, and replaces those it has
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// A prefix behind it; may be repeated, and replaces those it has
    #[arg(long = "route", value_name = "PREFIX")]
    routes: Vec<String>,
    /// Seconds between two keepalives, in its configuration; 0 is off
    #[arg(long, value_name = "SECONDS")]
    keepalive: Option<u16>,
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
}

impl Traits {
    fn fields(&self) -> [(&'static str, Option<Value>); 7] {
        let several = |texts: &Vec<String>| (!texts.is_empty()).then(|| texts.clone().into());
        [
            ("enabled", field(&self.enabled)),
            ("expires_at", erasable(&self.expires_at)),
            ("owner", field(&self.owner)),
            ("tags", several(&self.tags)),
            ("routes", several(&self.routes)),
            ("keepalive", field(&self.keepalive)),
            ("notes", field(&self.notes)),
        ]
    }
}

pub(super) fn add(arguments: &Add, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let own = [
        ("network", Some(arguments.network.as_str().into())),
        ("name", Some(arguments.name.as_str().into())),
        ("public_key", field(&arguments.public_key)),
        ("pool", field(&arguments.pool)),
        ("node", field(&arguments.node)),
        ("address_v4", field(&arguments.address_v4)),
        ("address_v6", field(&arguments.address_v6)),
    ];
    let draft = body(own.into_iter().chain(arguments.traits.fields()));
    let made = client.change(Method::POST, "/peers", Some(&draft), &arguments.trial)?;
    match made["config"].as_str() {
        _ if arguments.common.json => write_json(out, &made)?,
        Some(config) => write_config(config, arguments.qr, out)?,
        None => return client.show(out, &made),
    }
    Ok(Exit::Fine)
}

pub(super) fn change(arguments: &Change, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let id = client.id("peers", &arguments.peer)?;
    let own = [
        ("name", field(&arguments.name)),
        ("public_key", field(&arguments.public_key)),
    ];
    let changes = body(own.into_iter().chain(arguments.traits.fields()));
    let path = format!("/peers/{id}");
    let changed = client.change(Method::PATCH, &path, Some(&changes), &arguments.trial)?;
    client.show(out, &changed)
}

pub(super) fn relocate(arguments: &Move, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let id = client.id("peers", &arguments.peer)?;
    let wish = body([
        ("node", field(&arguments.node)),
        ("pool", erasable(&arguments.pool)),
    ]);
    let path = format!("/peers/{id}/move");
    let moved = client.change(Method::POST, &path, Some(&wish), &arguments.trial)?;
    client.show(out, &moved)
}
