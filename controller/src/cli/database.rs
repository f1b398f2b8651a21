//! `database`: the controller's private Postgres.

use std::io::Write;

use clap::Subcommand;

use super::Failure;
use super::config::SettingsArguments;
use super::exit::Exit;
use super::local::Local;
use crate::database::upgrade;

/// Look after the controller's private Postgres
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet database upgrade")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Upgrade(Upgrade),
}

/// Move the private database to the newest PostgreSQL that is installed
///
/// The controller must be stopped, and both versions installed. The old cluster stays until it is removed by hand.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet database upgrade --config /etc/wgfleet/config.toml")]
struct Upgrade {
    #[command(flatten)]
    settings: SettingsArguments,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let Command::Upgrade(wanted) = &arguments.command;
    let local = Local::load(&wanted.settings)?;
    let done = local.run_beside(async |settings| Ok(upgrade(settings).await?))?;
    writeln!(
        out,
        "the database is one of PostgreSQL {} now; {} holds the one of {} and may be removed",
        done.to,
        done.kept.display(),
        done.from
    )?;
    Ok(Exit::Fine)
}
