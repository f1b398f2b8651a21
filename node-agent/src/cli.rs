//! The command line: what can be asked for, and which exit status tells how it went.
//!
//! Each subcommand is a file of its own. They write to what they are given, so that a test reads what
//! a person would see.

mod check;
mod digest;
mod serve;
mod sign;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, SECRET_VARIABLE};

const EXIT_STATUS: &str =
    "Exit status: 0 fine, 1 mistakes found or failed, 2 wrong usage, 3 the agent could not start.

Example:
  wgfleet-agent check --config /etc/wgfleet-agent/config.toml";

/// Makes the WireGuard interfaces of this machine what a controller says they should be.
#[derive(Debug, Parser)]
#[command(name = "wgfleet-agent", version, after_help = EXIT_STATUS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(serve::Arguments),
    Check(check::Arguments),
    Sign(sign::Arguments),
    Digest(digest::Arguments),
    /// Print an example of the settings file, with every key and its default
    #[command(
        after_help = "Example:\n  wgfleet-agent example-config >/etc/wgfleet-agent/config.toml"
    )]
    ExampleConfig,
}

/// The settings file, for the subcommands that need one.
#[derive(Debug, clap::Args)]
struct SettingsFile {
    /// The settings file
    #[arg(long = "config", value_name = "FILE", default_value = config::DEFAULT_PATH)]
    path: PathBuf,
}

/// Why a subcommand failed. What it found out by design, such as mistakes in a file, is no failure.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Mistakes(config::Mistakes),
    #[error("{SECRET_VARIABLE} is not UTF-8 text")]
    SecretVariable,
    #[error("{SECRET_VARIABLE} {0}")]
    Secret(protocol::signing::SecretError),
    #[error(transparent)]
    Mistake(config::Mistake),
    #[error("{} cannot be read", path.display())]
    Body {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("no random bytes for a nonce")]
    Random(#[source] getrandom::Error),
    #[error("{name} cannot be read")]
    Device {
        name: protocol::InterfaceName,
        source: crate::device::DeviceError,
    },
    #[error("the output cannot be written")]
    Output(#[from] std::io::Error),
    #[error("the answer cannot be put into JSON")]
    Json(#[from] serde_json::Error),
}

const FAILED: u8 = 1;
const NOT_STARTED: u8 = 3;

/// Does what the command line asks for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(help) => {
            let status = u8::try_from(help.exit_code()).unwrap_or(FAILED);
            return match help.print() {
                Ok(()) => ExitCode::from(status),
                Err(_) => ExitCode::from(FAILED),
            };
        }
    };
    let mut out = std::io::stdout().lock();
    let done = match cli.command {
        // The agent logs from many threads: none of them may find stdout taken.
        Command::Run(arguments) => {
            drop(out);
            return ExitCode::from(serve::run(&arguments));
        }
        Command::Check(arguments) => check::run(&arguments, &mut out),
        Command::Sign(arguments) => sign::run(&arguments, crate::clock::now(), &mut out),
        Command::Digest(arguments) => digest::run(&arguments, &mut out),
        Command::ExampleConfig => example_config(&mut out),
    };
    match done.and_then(|status| flushed(&mut out, status)) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            complain(&failure);
            ExitCode::from(FAILED)
        }
    }
}

fn example_config(out: &mut dyn Write) -> Result<u8, Failure> {
    write!(out, "{}", config::example())?;
    Ok(0)
}

fn flushed(out: &mut dyn Write, status: u8) -> Result<u8, Failure> {
    out.flush()?;
    Ok(status)
}

/// Says on stderr what went wrong, with all its causes.
fn complain(failure: &dyn std::error::Error) {
    let message = format!("wgfleet-agent: {}\n", chain(failure));
    // Where stderr is closed nobody is there to be told; the exit status still tells.
    drop(std::io::stderr().write_all(message.as_bytes()));
}

fn chain(failure: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(failure.source(), |cause| cause.source());
    causes.fold(failure.to_string(), |text, cause| {
        format!("{text}: {cause}")
    })
}

/// The secret, where the environment holds one.
fn secret_variable() -> Result<Option<String>, Failure> {
    match std::env::var(SECRET_VARIABLE) {
        Ok(text) => Ok(Some(text)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::SecretVariable),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    /// Splits as a shell does, as far as the examples need it: quotes, a pipe, a redirection.
    fn words(line: &str) -> Vec<String> {
        let command = line.split([';', '|', '>']).next().unwrap();
        let pieces = command.split('\'').enumerate();
        pieces
            .flat_map(|(i, piece)| match i % 2 {
                1 => vec![piece.to_owned()],
                _ => piece.split_whitespace().map(str::to_owned).collect(),
            })
            .collect()
    }

    #[test]
    fn every_help_has_an_example_and_every_example_is_understood() {
        let command = Cli::command();
        let all = command.get_subcommands().chain([&command]);

        for command in all {
            let help = command.clone().render_long_help().to_string();
            let examples: Vec<&str> = help
                .lines()
                .filter_map(|line| line.strip_prefix("  wgfleet-agent "))
                .collect();
            assert!(!examples.is_empty(), "{}: {help}", command.get_name());
            for example in examples {
                let mut arguments = words(example);
                arguments.insert(0, "wgfleet-agent".into());
                if let Err(err) = Cli::try_parse_from(&arguments) {
                    panic!("{example}: {err}");
                }
            }
        }
    }

    #[test]
    fn the_example_that_is_printed_is_the_example() {
        let mut out = Vec::new();

        assert_eq!(example_config(&mut out).unwrap(), 0);

        assert_eq!(out, config::example().as_bytes());
    }
}
