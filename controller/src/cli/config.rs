//! `config`: the settings as a person meets them.

mod check;
mod database;
mod show;

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;

use super::Failure;
use super::exit::Exit;
use crate::config::{self, Override, Sources};

/// Check, show and explain the settings
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet config check --config /etc/wgfleet/config.toml")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Arguments),
    Show(show::Arguments),
    Explain(Explain),
    /// Print an example of the settings file, with every key, its default and its range
    #[command(after_help = "Example:\n  wgfleet config example >/etc/wgfleet/config.toml")]
    Example,
}

/// Explain a key, or all keys of a table
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet config explain poll.every_ms")]
struct Explain {
    /// The key with its table, as in poll.every_ms, or a table, as in poll
    key: String,
}

/// Where settings come from. A flag goes before the environment, the environment before the file.
#[derive(Debug, Default, clap::Args)]
pub(super) struct SettingsArguments {
    /// The settings file; without it WGFLEET_CONFIG, else /etc/wgfleet/config.toml, which may be absent
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Serve here, in place of the setting `listen`
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Keep data here, in place of the setting `data_dir`
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Log this, in place of the setting `log`
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

impl SettingsArguments {
    /// Joins the flags with the environment of this process.
    pub(super) fn sources(&self) -> Result<Sources, Failure> {
        Ok(Sources::from_environment(
            self.config.clone(),
            self.overrides(),
        )?)
    }

    fn overrides(&self) -> Vec<Override> {
        let flags = [
            ("listen", "--listen", &self.listen),
            ("data_dir", "--data-dir", &self.data_dir),
            ("log", "--log", &self.log),
        ];
        let given = flags.into_iter().filter_map(|(key, flag, text)| {
            Some(Override {
                key: key.to_owned(),
                text: text.clone()?,
                origin: flag.to_owned(),
            })
        });
        given.collect()
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Check(arguments) => check::run(arguments, out),
        Command::Show(arguments) => show::run(arguments, out),
        Command::Explain(Explain { key }) => {
            let text = config::explain(key).ok_or_else(|| Failure::NoSetting(key.clone()))?;
            write!(out, "{text}")?;
            Ok(Exit::Fine)
        }
        Command::Example => {
            write!(out, "{}", config::example())?;
            Ok(Exit::Fine)
        }
    }
}
