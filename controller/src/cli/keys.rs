//! `keys`: the master key, under which all secrets in the database lie.

use std::io::Write;

use clap::Subcommand;

use super::Failure;
use super::config::SettingsArguments;
use super::exit::Exit;
use super::local::{self, Local};
use crate::config::MasterKey;
use crate::fleet::master_key;

/// Replace the master key, at the machine
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet keys rotate-master")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    RotateMaster(Rotate),
}

/// Put a fresh master key in the place of the one in its file
///
/// The database and the file are written directly, as the user of the controller or root. The controller may run
/// meanwhile. Cut off at any moment, it is brought to its end by running it again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet keys rotate-master --config /etc/wgfleet/config.toml")]
struct Rotate {
    #[command(flatten)]
    settings: SettingsArguments,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let Command::RotateMaster(rotate) = &arguments.command;
    let local = Local::load(&rotate.settings)?;
    let path = match &local.config.master_key {
        MasterKey::Given(_) => return Err(Failure::MasterKeyGiven),
        MasterKey::File(path) | MasterKey::Own(path) => path,
    };
    let keys = local.run(async |ground| {
        Ok(master_key::rotate(&ground.database.pool, &local::actor(), path).await?)
    })?;
    writeln!(
        out,
        "{} holds a fresh master key, under which {keys} data keys lie now",
        path.display()
    )?;
    Ok(Exit::Fine)
}
