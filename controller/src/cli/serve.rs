//! `serve`: the controller itself.

use super::Failure;
use super::config::SettingsArguments;
use super::exit::{Exit, complain};
use crate::config::{Config, Loaded};
use crate::{startup, telemetry};

/// Run the controller until told to stop
///
/// Settings with a mistake are refused, all mistakes at once, before anything is started.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 ended in good order, 3 could not start.

Example:
  wgfleet serve --config /etc/wgfleet/config.toml")]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: SettingsArguments,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let loaded = match load(arguments) {
        Ok(loaded) => loaded,
        Err(failure) => {
            complain(&failure);
            return Exit::NotStarted;
        }
    };
    if let Err(failure) = telemetry::init(&loaded.config.log, loaded.config.log_format) {
        complain(&failure);
        return Exit::NotStarted;
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    // It blocks until the controller has ended in good order.
    match startup::run(loaded) {
        Ok(()) => Exit::Fine,
        Err(failure) => {
            complain(&failure);
            Exit::NotStarted
        }
    }
}

fn load(arguments: &Arguments) -> Result<Loaded, Failure> {
    let sources = arguments.settings.sources()?;
    Ok(Config::load(&sources)?)
}
