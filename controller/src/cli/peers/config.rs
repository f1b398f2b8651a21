//! `peers config`: the configuration of a peer as a text or, for a phone, as a picture in the terminal.

use std::io::Write;

use crate::cli::Failure;
use serde_json::json;

use crate::cli::client::{Client, Common, with_query, write_json};
use crate::cli::exit::Exit;
use crate::qr;

/// Print a peer's configuration
///
/// The private key is known to the device alone: a comment stands where it belongs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  wgfleet peers config phone-of-ada --mode full >wg0.conf
  wgfleet peers config phone-of-ada --qr")]
pub(super) struct Arguments {
    /// Its name, its public key or its id
    peer: String,
    /// What it is to reach: the network, everything, or its node alone
    #[arg(long, value_parser = ["split", "full", "node-only"], default_value = "split")]
    mode: String,
    /// Draw it for the camera of a phone
    #[arg(long)]
    qr: bool,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let id = client.id("peers", &arguments.peer)?;
    let query = [("mode", Some(arguments.mode.as_str()))];
    let config = client.bytes(&with_query(&format!("/peers/{id}/config"), query))?;
    let config = String::from_utf8(config).map_err(|_| Failure::Shape("a configuration"))?;
    match arguments.common.json {
        true => write_json(out, &json!({"config": config}))?,
        false => write_config(&config, arguments.qr, out)?,
    }
    Ok(Exit::Fine)
}

/// Writes the text and nothing else, so that it can be put into a file; or the picture of it.
pub(super) fn write_config(
    config: &str,
    picture: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    match picture {
        true => out.write_all(qr::terminal(config)?.as_bytes())?,
        false => out.write_all(config.as_bytes())?,
    }
    Ok(())
}
