//! `nodes add` and `nodes change`.

use std::io::Write;
use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};

use crate::cli::Failure;
use crate::cli::client::{Client, Common, Trial, body, erasable, field};
use crate::cli::exit::Exit;
use crate::cli::input;

/// Add a node
///
/// Without a secret one is made up, and shown this once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  wgfleet nodes add fra-1 https://10.0.0.7:8443 --network office --endpoint 192.0.2.7:51820")]
pub(super) struct Add {
    /// A DNS label
    name: String,
    /// Where its agent is reached, with a port and without a path
    agent_url: String,
    /// Holds what the agent is called with; - is stdin
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// What the agent calls that secret, unless `initial`
    #[arg(long, value_name = "ID")]
    key_id: Option<String>,
    /// What its interface is called on the machine
    #[arg(long, value_name = "NAME", default_value = "wg0", requires = "network")]
    interface: String,
    /// The network that the interface serves; without it the node is added without an interface
    #[arg(long, value_name = "NETWORK", requires = "endpoint")]
    network: Option<String>,
    /// Where peers reach the interface from outside, with a port
    #[arg(long, value_name = "HOST:PORT", requires = "network")]
    endpoint: Option<String>,
    /// A part of the network where its peers preferably get their addresses
    #[arg(long, value_name = "PREFIX", requires = "network")]
    ip_pool_v4: Option<String>,
    #[arg(long, value_name = "PREFIX", requires = "network")]
    ip_pool_v6: Option<String>,
    #[command(flatten)]
    traits: Traits,
    #[command(flatten)]
    trial: Trial,
    #[command(flatten)]
    common: Common,
}

/// Change a node; what is not named stays
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  wgfleet nodes change fra-1 --weight 0
  wgfleet nodes change fra-1 --enabled false")]
pub(super) struct Change {
    /// Its name or id
    node: String,
    #[arg(long, value_name = "LABEL")]
    name: Option<String>,
    /// Where its agent is reached
    #[arg(long, value_name = "URL")]
    agent_url: Option<String>,
    #[command(flatten)]
    traits: Traits,
    #[command(flatten)]
    trial: Trial,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Traits {
    /// Whether it is asked and told anything
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
    /// How much of the load it takes beside others; 0 takes no new peers
    #[arg(long)]
    weight: Option<u32>,
    /// 0 is no limit
    #[arg(long, value_name = "NUMBER")]
    max_peers: Option<u32>,
    /// Where the machine stands, in two letters; empty takes it away, as for the next two
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    /// Where whoever runs the machine has his seat
    #[arg(long, value_name = "CODE")]
    operator_country: Option<String>,
    #[arg(long, value_name = "LABEL")]
    region: Option<String>,
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// Whether its agent is a third party's that cannot sign its answers
    #[arg(long, value_name = "true|false")]
    legacy: Option<bool>,
    /// How long a call may take
    #[arg(long, value_name = "MILLISECONDS")]
    timeout_ms: Option<u32>,
}

impl Traits {
    fn fields(&self) -> [(&'static str, Option<Value>); 9] {
        [
            ("enabled", field(&self.enabled)),
            ("weight", field(&self.weight)),
            ("max_peers", field(&self.max_peers)),
            ("country", erasable(&self.country)),
            ("operator_country", erasable(&self.operator_country)),
            ("region", erasable(&self.region)),
            ("notes", field(&self.notes)),
            ("legacy", field(&self.legacy)),
            ("timeout_ms", field(&self.timeout_ms)),
        ]
    }
}

pub(super) fn add(arguments: &Add, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let secret = arguments.secret_file.as_deref().map(input::secret);
    let secret = secret.transpose()?.map(|text| Value::from(text.as_str()));
    let own = [
        ("name", Some(arguments.name.as_str().into())),
        ("agent_url", Some(arguments.agent_url.as_str().into())),
        ("secret", secret),
        ("key_id", field(&arguments.key_id)),
        ("interface", arguments.interface()),
    ];
    let draft = body(own.into_iter().chain(arguments.traits.fields()));
    let made = client.change(Method::POST, "/nodes", Some(&draft), &arguments.trial)?;
    client.show(out, &made)
}

impl Add {
    fn interface(&self) -> Option<Value> {
        self.network.as_ref().map(|network| {
            body([
                ("name", Some(self.interface.as_str().into())),
                ("network", Some(json!(network))),
                ("endpoint", field(&self.endpoint)),
                ("ip_pool_v4", field(&self.ip_pool_v4)),
                ("ip_pool_v6", field(&self.ip_pool_v6)),
            ])
        })
    }
}

pub(super) fn change(arguments: &Change, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let id = client.id("nodes", &arguments.node)?;
    let own = [
        ("name", field(&arguments.name)),
        ("agent_url", field(&arguments.agent_url)),
    ];
    let changes = body(own.into_iter().chain(arguments.traits.fields()));
    let path = format!("/nodes/{id}");
    let changed = client.change(Method::PATCH, &path, Some(&changes), &arguments.trial)?;
    client.show(out, &changed)
}
