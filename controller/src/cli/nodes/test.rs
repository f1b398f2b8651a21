//! `nodes test`: whether a node can be reached and is what it should be, check by check.

use std::io::Write;

use reqwest::Method;
use serde_json::Value;

use crate::cli::Failure;
use crate::cli::client::{Client, Common, body, field, write_json};
use crate::cli::exit::Exit;
use crate::cli::table;

/// Test the connection to a node
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 all is well, 1 something is not.

Example:
  wgfleet nodes test fra-1")]
pub(super) struct Arguments {
    /// Its name or id
    node: String,
    /// The interface to look at, unless the first one
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let id = client.id("nodes", &arguments.node)?;
    let wanted = body([("interface", field(&arguments.interface))]);
    let path = format!("/nodes/{id}/test");
    let diagnosis = client.call(Method::POST, &path, Some(&wanted), &[])?;
    match arguments.common.json {
        true => write_json(out, &diagnosis)?,
        false => {
            let checks = diagnosis["checks"].as_array();
            let columns = [
                ("CHECK", "/check"),
                ("OUTCOME", "/outcome"),
                ("", "/sentence"),
            ];
            table::list(out, checks.map_or(&[], Vec::as_slice), &columns)?;
        }
    }
    match diagnosis["ok"] {
        Value::Bool(true) => Ok(Exit::Fine),
        _ => Ok(Exit::Failed),
    }
}
