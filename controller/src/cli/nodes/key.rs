//! `nodes acknowledge-key`: somebody has seen that an interface has another key than before.

use std::io::Write;

use reqwest::Method;
use serde_json::json;

use crate::cli::Failure;
use crate::cli::client::{Client, Common, Trial};
use crate::cli::exit::Exit;

/// Acknowledge that an interface has another key than before
///
/// Configurations that were handed out before are of no use any more: peers need new ones. Until this is acknowledged
/// the fleet counts as degraded.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  wgfleet nodes acknowledge-key fra-1/wg0 xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
)]
pub(super) struct Arguments {
    /// NODE/NAME or an id
    interface: String,
    /// The key that it has now; with another one nothing is acknowledged
    public_key: String,
    #[command(flatten)]
    trial: Trial,
    #[command(flatten)]
    common: Common,
}

pub(super) fn acknowledge(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let id = client.interface(&arguments.interface)?;
    let path = format!("/interfaces/{id}/key-acknowledgement");
    let seen = json!({"public_key": arguments.public_key});
    let shown = client.change(Method::POST, &path, Some(&seen), &arguments.trial)?;
    client.show(out, &shown)
}
