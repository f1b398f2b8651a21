//! `run`: the agent itself.

use std::io::Write;

use super::{FAILED, Failure, NOT_STARTED, SettingsFile, complain, secret_variable};
use crate::config::Config;
use crate::{startup, telemetry};

/// Serve the controller until told to stop
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet-agent run --config /etc/wgfleet-agent/config.toml")]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: SettingsFile,
    /// Print what starting would change in the peers of each interface, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(arguments: &Arguments) -> u8 {
    let loaded = secret_variable().and_then(|variable| {
        Config::load_with_secret(&arguments.settings.path, variable).map_err(Failure::Mistakes)
    });
    let (config, secret) = match loaded {
        Ok(loaded) => loaded,
        Err(failure) => {
            complain(&failure);
            return NOT_STARTED;
        }
    };
    if let Err(failure) = telemetry::init(&config.log) {
        complain(&failure);
        return NOT_STARTED;
    }
    if arguments.dry_run {
        return dry_run(&config);
    }
    // It blocks until the agent has ended in good order.
    match startup::run(config, &secret) {
        Ok(()) => 0,
        Err(failure) => {
            complain(&failure);
            NOT_STARTED
        }
    }
}

fn dry_run(config: &Config) -> u8 {
    let lines = match startup::preview(config) {
        Ok(lines) => lines,
        Err(failure) => {
            complain(&failure);
            return NOT_STARTED;
        }
    };
    let mut out = std::io::stdout().lock();
    let printed = lines.iter().try_for_each(|line| writeln!(out, "{line}"));
    match printed {
        Ok(()) => 0,
        Err(failure) => {
            complain(&failure);
            FAILED
        }
    }
}
