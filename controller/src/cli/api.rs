//! `api`: one signed request to the API, for what no other command does.

use std::io::Write;
use std::path::{Path, PathBuf};

use protocol::target;
use reqwest::Method;
use serde_json::Value;

use super::Failure;
use super::connection::{Call, Connection, ConnectionArguments};
use super::exit::Exit;
use super::input;

/// Send one signed request to the API and print the answer
///
/// Path and query are signed exactly as they are written.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 fine, 1 refused or failed, 2 wrong usage, 3 not reached.

Examples:
  wgfleet api GET '/api/v1/nodes?limit=10'
  wgfleet api POST /api/v1/peers --body-file peer.json --idempotency-key laptop-7"
)]
pub(super) struct Arguments {
    /// GET, POST, PUT, PATCH or DELETE
    #[arg(value_parser = ["GET", "POST", "PUT", "PATCH", "DELETE"])]
    method: String,
    /// The path with its query
    #[arg(value_parser = parse_target)]
    target: String,
    /// A file that holds the body, as JSON; - is stdin
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// Act only on this version of what is changed
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
    /// Make a repetition of this request harmless
    #[arg(long, value_name = "TEXT")]
    idempotency_key: Option<String>,
    /// Print status and version before the answer
    #[arg(long)]
    include: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let body = match &arguments.body_file {
        Some(path) => Some(read_body(path)?),
        None => None,
    };
    let conditions = [
        ("If-Match", &arguments.if_match),
        ("Idempotency-Key", &arguments.idempotency_key),
    ];
    let given = conditions
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.clone()?)));
    let headers: Vec<(&'static str, String)> = given.collect();
    let method = match arguments.method.as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        _ => Method::DELETE,
    };
    let answer = Connection::open(&arguments.connection)?.call(&Call {
        method,
        target: &arguments.target,
        body: body.as_ref(),
        headers: &headers,
    })?;
    if arguments.include {
        writeln!(out, "{}", answer.status)?;
        if let Some(etag) = &answer.etag {
            writeln!(out, "ETag: {etag}")?;
        }
    }
    match answer.json()? {
        Value::Null => {}
        json => {
            serde_json::to_writer_pretty(&mut *out, &json)?;
            writeln!(out)?;
        }
    }
    Ok(Exit::Fine)
}

fn read_body(path: &Path) -> Result<Value, Failure> {
    let bytes = input::bytes(path)?;
    serde_json::from_slice(&bytes).map_err(|source| Failure::BodyJson {
        path: path.to_owned(),
        source,
    })
}

fn parse_target(text: &str) -> Result<String, String> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('#') {
        return Err("a path to sign is ASCII without blanks and #".into());
    }
    // Answers elsewhere are for everybody and not signed, so nothing here would believe them.
    if !text.starts_with("/api/v1/") {
        return Err("the API is below /api/v1/; what is elsewhere, curl gets".into());
    }
    match target::check(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(err) => Err(err.to_string()),
    }
}
