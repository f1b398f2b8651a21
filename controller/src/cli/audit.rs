//! `audit`: who changed what, whether the log was tampered with, and the log itself for keeping elsewhere.

use std::io::Write;

use clap::Subcommand;
use serde_json::Value;

use super::Failure;
use super::client::{Client, Common, with_query, write_json};
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::table::Column;

const COLUMNS: &[Column] = &[
    ("SEQ", "/seq"),
    ("AT", "/at"),
    ("ACTOR", "/actor"),
    ("FROM", "/ip"),
    ("ACTION", "/action"),
    ("OBJECT", "/object"),
    ("OUTCOME", "/outcome"),
    ("REASON", "/reason"),
];

/// Look at the audit log, verify its chain, and export it
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet audit verify")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Verify(Verify),
    Export(Export),
}

/// List what was changed and refused, the newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  wgfleet audit list --action peer. --from 2026-11-01T00:00:00Z
  wgfleet audit list --outcome refused --limit 20")]
struct List {
    /// A login name, or the id of an API key
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// An action or how it begins, as in network.
    #[arg(long, value_name = "TEXT")]
    action: Option<String>,
    /// What it was done to, as in network/7
    #[arg(long, value_name = "OBJECT")]
    object: Option<String>,
    #[arg(long, value_parser = ["done", "refused", "failed"])]
    outcome: Option<String>,
    /// The first moment, as in 2026-11-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The moment after the last
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many
    #[arg(long, value_name = "NUMBER", default_value = "50", value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    #[command(flatten)]
    common: Common,
}

/// Walk the whole chain
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 the log holds, 1 a row does not fit, 3 not reached.

Example:
  wgfleet audit verify"
)]
struct Verify {
    #[command(flatten)]
    common: Common,
}

/// Print the log in order, with its hashes, one JSON object a line
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet audit export --after 1200 >audit.ndjson")]
struct Export {
    /// Begin behind this row
    #[arg(long, value_name = "SEQ", default_value = "0", value_parser = clap::value_parser!(i64).range(0..))]
    after: i64,
    #[command(flatten)]
    connection: ConnectionArguments,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::List(arguments) => list(arguments, out),
        Command::Verify(arguments) => verify(arguments, out),
        Command::Export(arguments) => export(arguments, out),
    }
}

fn list(arguments: &List, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let limit = arguments.limit.to_string();
    let query = [
        ("actor", arguments.actor.as_deref()),
        ("action", arguments.action.as_deref()),
        ("object", arguments.object.as_deref()),
        ("outcome", arguments.outcome.as_deref()),
        ("from", arguments.from.as_deref()),
        ("until", arguments.until.as_deref()),
        ("limit", Some(limit.as_str())),
    ];
    let mut page = client.get(&with_query("/audit", query))?;
    match page["items"].take() {
        Value::Array(rows) => client.show_all(out, rows, COLUMNS),
        _ => Err(Failure::Shape("a page")),
    }
}

fn verify(arguments: &Verify, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let verdict = client.get("/audit/verification")?;
    let ok = verdict["ok"].as_bool();
    let ok = ok.ok_or(Failure::Shape("the verdict"))?;
    if arguments.common.json {
        write_json(out, &verdict)?;
    } else if ok {
        let (rows, head) = (&verdict["rows"], &verdict["head"]["hash"]);
        let head = head.as_str().unwrap_or("-");
        writeln!(out, "the chain of {rows} rows holds; it ends with {head}")?;
    } else {
        let (why, rows) = (&verdict["broken"]["why"], &verdict["rows"]);
        let why = why.as_str().unwrap_or("a row does not fit");
        writeln!(out, "{why}; the {rows} rows before it hold")?;
    }
    Ok(match ok {
        true => Exit::Fine,
        false => Exit::Failed,
    })
}

/// Goes on where the part before ended, until nothing comes.
fn export(arguments: &Export, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::connect(&arguments.connection)?;
    let mut after = arguments.after;
    loop {
        let part = client.bytes(&format!("/audit/export?after={after}"))?;
        let lines = part.trim_ascii_end();
        if lines.is_empty() {
            return Ok(Exit::Fine);
        }
        out.write_all(&part)?;
        let last = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or(lines);
        let last: Value = serde_json::from_slice(last)?;
        after = last["seq"].as_i64().ok_or(Failure::Shape("a row"))?;
    }
}
