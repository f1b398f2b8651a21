//! `adopt`: makes peers of keys that a node carries and nobody here knows.

use std::io::Write;

use reqwest::Method;
use serde_json::{Map, Value};

use super::Failure;
use super::client::{Client, Common, Trial, body, field, write_json};
use super::exit::Exit;
use super::table::{self, Column};

const UNKNOWN: &[Column] = &[
    ("KEY", "/public_key"),
    ("ALLOWED IPS", "/allowed_ips"),
    ("PSK", "/has_preshared_key"),
    ("FOREIGN", "/foreign"),
    ("ENDPOINT", "/endpoint"),
    ("HANDSHAKE", "/handshake_at"),
];

/// Adopt unknown peers of an interface, all or those named
///
/// They keep all they have: nothing changes on the wire.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 all were adopted, 1 refused, or some were left.

Examples:
  wgfleet adopt fra-1/wg0 --list
  wgfleet adopt fra-1/wg0 xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
  wgfleet adopt fra-1/wg0 --partial --tag old"
)]
pub(super) struct Arguments {
    /// As NODE/NAME, or its id
    interface: String,
    /// Public keys in base64; all unknown ones without any
    keys: Vec<String>,
    /// List the unknown peers and adopt none
    #[arg(long, conflicts_with_all = ["keys", "name", "tag", "owner", "partial", "dry_run"])]
    list: bool,
    /// What a peer is to be called, as KEY=NAME; may be repeated
    #[arg(long, value_name = "KEY=NAME", value_parser = parse_name)]
    name: Vec<(String, String)>,
    /// A tag for all of them; may be repeated
    #[arg(long)]
    tag: Vec<String>,
    /// The id of the user they belong to
    #[arg(long, value_name = "ID")]
    owner: Option<i64>,
    /// Leave those as they are that cannot be adopted, instead of adopting nobody
    #[arg(long)]
    partial: bool,
    #[command(flatten)]
    trial: Trial,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let id = client.interface(&arguments.interface)?;
    if arguments.list {
        let unknown = client.all(&format!("/interfaces/{id}/unknown"), &[])?;
        return client.show_all(out, unknown, UNKNOWN);
    }
    let keys = (!arguments.keys.is_empty()).then(|| arguments.keys.clone().into());
    let names = arguments.name.iter();
    let names: Map<String, Value> = names
        .map(|(key, name)| (key.clone(), name.as_str().into()))
        .collect();
    let wish = body([
        ("keys", keys),
        ("names", Some(Value::Object(names))),
        ("tags", Some(arguments.tag.clone().into())),
        ("owner", field(&arguments.owner)),
        ("partial", Some(arguments.partial.into())),
    ]);
    let path = format!("/interfaces/{id}/adoptions");
    let done = client.change(Method::POST, &path, Some(&wish), &arguments.trial)?;
    if arguments.common.json {
        write_json(out, &done)?;
    } else {
        write_adopted(&done, out)?;
    }
    match done["left"].as_array() {
        Some(left) if left.is_empty() => Ok(Exit::Fine),
        _ => Ok(Exit::Failed),
    }
}

fn write_adopted(done: &Value, out: &mut dyn Write) -> Result<(), Failure> {
    let items = |name: &str| {
        done[name]
            .as_array()
            .map_or(&[][..], Vec::as_slice)
            .to_vec()
    };
    let adopted = [
        ("ADOPTED", "/public_key"),
        ("ID", "/id"),
        ("NAME", "/name"),
        ("ADDRESSES", "/addresses"),
    ];
    table::list(out, &items("adopted"), &adopted)?;
    let left = items("left");
    if !left.is_empty() {
        writeln!(out)?;
        table::list(out, &left, &[("LEFT", "/key"), ("WHY", "/detail")])?;
    }
    Ok(())
}

/// The key ends with `=`, so the name begins after the last one.
fn parse_name(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((key, name)) if !key.is_empty() && !name.is_empty() => {
            Ok((key.to_owned(), name.to_owned()))
        }
        _ => Err("must be KEY=NAME".into()),
    }
}
