//! The command line: what can be asked for, and which exit status tells how it went.
//!
//! Each subcommand is a file of its own. They write to what they are given, so that a test reads what
//! a person would see. What the API can answer is asked over the API, by `connection`: the database is
//! touched only by commands that say so in their help.

mod admin;
mod adopt;
mod api;
mod api_keys;
mod audit;
mod client;
mod completions;
mod config;
mod connection;
mod database;
mod exit;
mod failure;
mod input;
mod keys;
mod local;
mod networks;
mod nodes;
mod peers;
mod plan;
mod pools;
mod serve;
mod status;
mod table;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::{EXIT_STATUS, Exit, complain};
use failure::Failure;

/// Runs a fleet of WireGuard nodes as if it were one server.
#[derive(Debug, Parser)]
#[command(name = "wgfleet", version, after_help = format!("{EXIT_STATUS}\n\nExample:\n  wgfleet serve --config /etc/wgfleet/config.toml"))]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Arguments),
    Config(config::Arguments),
    Status(status::Arguments),
    Nodes(nodes::Arguments),
    Networks(networks::Arguments),
    Pools(pools::Arguments),
    Peers(peers::Arguments),
    Plan(plan::Arguments),
    Adopt(adopt::Arguments),
    Audit(audit::Arguments),
    ApiKeys(api_keys::Arguments),
    Admin(admin::Arguments),
    Keys(keys::Arguments),
    Database(database::Arguments),
    Api(api::Arguments),
    Completions(completions::Arguments),
}

/// Does what the command line asks for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(help) => {
            let exit = match help.use_stderr() {
                true => Exit::Usage,
                false => Exit::Fine,
            };
            return match help.print() {
                Ok(()) => exit.into(),
                Err(_) => Exit::Failed.into(),
            };
        }
    };
    let mut out = std::io::stdout().lock();
    let done = match cli.command {
        // The controller logs from many threads: none of them may find stdout taken.
        Command::Serve(arguments) => {
            drop(out);
            return serve::run(&arguments).into();
        }
        Command::Config(arguments) => config::run(&arguments, &mut out),
        Command::Status(arguments) => status::run(&arguments, &mut out),
        Command::Nodes(arguments) => nodes::run(&arguments, &mut out),
        Command::Networks(arguments) => networks::run(&arguments, &mut out),
        Command::Pools(arguments) => pools::run(&arguments, &mut out),
        Command::Peers(arguments) => peers::run(&arguments, &mut out),
        Command::Plan(arguments) => plan::run(&arguments, &mut out),
        Command::Adopt(arguments) => adopt::run(&arguments, &mut out),
        Command::Audit(arguments) => audit::run(&arguments, &mut out),
        Command::ApiKeys(arguments) => api_keys::run(&arguments, &mut out),
        Command::Admin(arguments) => admin::run(&arguments, &mut out),
        Command::Keys(arguments) => keys::run(&arguments, &mut out),
        Command::Database(arguments) => database::run(&arguments, &mut out),
        Command::Api(arguments) => api::run(&arguments, &mut out),
        Command::Completions(arguments) => completions::run(&arguments, &mut out),
    };
    match done.and_then(|exit| flushed(&mut out, exit)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            complain(&failure);
            failure.exit().into()
        }
    }
}

fn flushed(out: &mut dyn std::io::Write, exit: Exit) -> Result<Exit, Failure> {
    out.flush()?;
    Ok(exit)
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

    /// Checks the help of a command and of all below it; tells how many there are.
    fn check_help(command: &clap::Command) -> usize {
        let help = command.clone().render_long_help().to_string();
        let examples: Vec<&str> = help
            .lines()
            .filter_map(|line| line.strip_prefix("  wgfleet "))
            .collect();
        assert!(!examples.is_empty(), "{}: {help}", command.get_name());
        for example in examples {
            let mut arguments = words(example);
            arguments.insert(0, "wgfleet".into());
            if let Err(err) = Cli::try_parse_from(&arguments) {
                panic!("{example}: {err}");
            }
        }
        1 + command.get_subcommands().map(check_help).sum::<usize>()
    }

    #[test]
    fn every_help_has_an_example_and_every_example_is_understood() {
        assert!(check_help(&Cli::command()) >= 8);
    }
}
