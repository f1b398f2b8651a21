//! `api-keys`: what scripts and this program sign with.

use std::io::Write;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use ipnet::IpNet;
use reqwest::Method;
use serde_json::{Value, json};

use super::Failure;
use super::client::{Client, Common, Trial, body, field, write_json};
use super::config::SettingsArguments;
use super::exit::Exit;
use super::local::Local;
use super::table::{self, Column};
use crate::domain::reach::Reach;
use crate::domain::role::Scope;
use crate::fleet::Call;
use crate::fleet::api_keys::{NewApiKey, audited};

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("KEY ID", "/key_id"),
    ("NAME", "/name"),
    ("SCOPE", "/scope"),
    ("BEARER", "/bearer"),
    ("FROM", "/allowed_from"),
    ("EXPIRES", "/expires_at"),
    ("REVOKED", "/revoked_at"),
    ("LAST USED", "/last_used_at"),
];

/// Make, list and revoke API keys
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet api-keys list")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Create),
    /// List all API keys, the newest first
    #[command(after_help = "Example:\n  wgfleet api-keys list --json")]
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Revoke an API key: it ends with this
    #[command(after_help = "Example:\n  wgfleet api-keys revoke 7")]
    Revoke {
        /// Its id, not its key id
        id: i64,
        #[command(flatten)]
        trial: Trial,
        #[command(flatten)]
        common: Common,
    },
}

/// Make an API key
///
/// What is printed is a credentials file, and the only place where its secret is. With --local the database is
/// written directly, which is how the first key is made: at the machine, as the user of the controller or root.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  wgfleet api-keys create first --scope admin --local >~/.config/wgfleet/credentials
  wgfleet api-keys create grafana --scope read --bearer --from 10.0.0.0/8")]
struct Create {
    /// What it is for, for people
    name: String,
    #[arg(long, value_parser = ["read", "write", "admin"])]
    scope: String,
    /// Have a token go with it that needs no signing; for scope read alone
    #[arg(long)]
    bearer: bool,
    /// A prefix that it may be used from, unless anywhere; may be repeated
    #[arg(long, value_name = "PREFIX")]
    from: Vec<IpNet>,
    /// When it ends, as in 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    expires_at: Option<DateTime<Utc>>,
    /// Write to the database directly
    #[arg(long, conflicts_with = "dry_run")]
    local: bool,
    #[command(flatten)]
    settings: SettingsArguments,
    #[command(flatten)]
    trial: Trial,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Create(arguments) => create(arguments, out),
        Command::List { common } => {
            let client = Client::open(common)?;
            let keys = client.all("/api-keys", &[])?;
            client.show_all(out, keys, COLUMNS)
        }
        Command::Revoke { id, trial, common } => {
            let client = Client::open(common)?;
            let path = format!("/api-keys/{id}");
            client.change(Method::DELETE, &path, None, trial)?;
            client.tell(out, &format!("API key {id} {}", trial.done("revoked")))
        }
    }
}

fn create(arguments: &Create, out: &mut dyn Write) -> Result<Exit, Failure> {
    let made = match arguments.local {
        true => create_locally(arguments)?,
        false => {
            let client = Client::open(&arguments.common)?;
            let from: Vec<Value> = arguments.from.iter().map(|net| json!(net)).collect();
            let draft = body([
                ("name", Some(arguments.name.as_str().into())),
                ("scope", Some(arguments.scope.as_str().into())),
                ("bearer", Some(arguments.bearer.into())),
                ("allowed_from", Some(from.into())),
                (
                    "expires_at",
                    field(&arguments.expires_at.map(|at| at.to_rfc3339())),
                ),
            ]);
            client.change(Method::POST, "/api-keys", Some(&draft), &arguments.trial)?
        }
    };
    match arguments.common.json {
        true => write_json(out, &made)?,
        false => write_credentials(&made, out)?,
    }
    Ok(Exit::Fine)
}

fn create_locally(arguments: &Create) -> Result<Value, Failure> {
    let scope: Scope = arguments
        .scope
        .parse()
        .map_err(|_| Failure::Shape("a scope"))?;
    let new = NewApiKey {
        name: arguments.name.clone(),
        scope,
        reach: Reach::All,
        bearer: arguments.bearer,
        allowed_from: arguments.from.iter().map(IpNet::trunc).collect(),
        expires_at: arguments.expires_at,
        created_by: super::local::NAME.into(),
    };
    let local = Local::load(&arguments.settings)?;
    let created = local.run(async |ground| {
        let keyring = ground.keyring().await?;
        let call = Call::by(super::local::actor());
        Ok(audited::create(&ground.database.pool, &keyring, &call, &new).await?)
    })?;
    let token = created.bearer.map(|token| token.reveal().to_string());
    Ok(body([
        ("id", Some(created.key.id.0.into())),
        ("key_id", Some(created.key.key_id.into())),
        ("name", Some(created.key.name.into())),
        ("scope", Some(created.key.scope.as_str().into())),
        ("secret", Some(created.secret.reveal().into())),
        ("bearer_token", token.map(Value::from)),
    ]))
}

/// In the form in which this program reads them. A key that was only tried has no secret.
fn write_credentials(made: &Value, out: &mut dyn Write) -> Result<(), Failure> {
    let text = |name: &str| made[name].as_str().map(table::plain);
    let about = |name| text(name).unwrap_or_else(|| "-".into());
    writeln!(out, "# {}, scope {}", about("name"), about("scope"))?;
    let Some(secret) = text("secret") else {
        writeln!(
            out,
            "# not made: this was a trial, which found nothing against it"
        )?;
        return Ok(());
    };
    writeln!(
        out,
        "key_id = \"{}\"\nsecret = \"{secret}\"",
        about("key_id")
    )?;
    if let Some(token) = text("bearer_token") {
        writeln!(out, "# Authorization: Bearer {token}")?;
    }
    Ok(())
}
