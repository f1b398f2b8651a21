//! `status`: how the fleet is, in one word, for people and for whoever watches.

use std::io::Write;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::Failure;
use super::client::{Common, write_json};
use super::connection::{Call, Connection, ConnectionError};
use super::exit::Exit;
use super::table;

/// A controller that takes longer is of no use to anybody.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Tell how the fleet is
///
/// A controller that cannot reach its database, or does not answer within 1.5 seconds, is critical.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 ok, 1 degraded, 2 critical, 3 the controller could not be reached.

Examples:
  wgfleet status
  wgfleet status --json"
)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let connection = Connection::open_within(&arguments.common.connection, PATIENCE)?;
    let asked = connection.call(&Call {
        method: Method::GET,
        target: "/api/v1/status",
        body: None,
        headers: &[],
    });
    let status = match asked {
        Ok(answer) => answer.json()?,
        Err(err) => critical(err)?,
    };
    match arguments.common.json {
        true => write_json(out, &status)?,
        false => write_text(&status, out)?,
    }
    match status["overall"].as_str() {
        Some("ok") => Ok(Exit::Fine),
        Some("degraded") => Ok(Exit::Failed),
        Some("critical") => Ok(Exit::Critical),
        _ => Err(Failure::Shape("the status")),
    }
}

/// What a controller that is there and of no use amounts to.
fn critical(err: ConnectionError) -> Result<Value, Failure> {
    let (code, text) = match &err {
        ConnectionError::Refused {
            status, problem, ..
        } if *status >= 500 => {
            let code = problem.code.as_deref().unwrap_or("failed");
            (code.to_owned(), err.to_string())
        }
        ConnectionError::Unreachable { source, .. }
            if source.is_timeout() && !source.is_connect() =>
        {
            let text = format!("the controller does not answer within {PATIENCE:?}");
            ("no_answer".to_owned(), text)
        }
        _ => return Err(err.into()),
    };
    let reason = json!({"level": "critical", "code": code, "text": text});
    Ok(json!({"overall": "critical", "reasons": [reason]}))
}

fn write_text(status: &Value, out: &mut dyn Write) -> Result<(), Failure> {
    let overall = status["overall"].as_str().unwrap_or("unknown");
    writeln!(out, "{overall}")?;
    let reasons = status["reasons"].as_array().map_or(&[][..], Vec::as_slice);
    for reason in reasons {
        let text = |name| table::plain(reason[name].as_str().unwrap_or("-"));
        writeln!(out, "  {}: {}", text("level"), text("text"))?;
    }
    let mut rest = status.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.retain(|name, _| name != "overall" && name != "reasons");
        if !fields.is_empty() {
            writeln!(out)?;
            table::details(out, &rest)?;
        }
    }
    Ok(())
}
