//! `completions`: what a shell needs to complete the commands.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use super::exit::Exit;
use super::{Cli, Failure};

/// Print the completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  wgfleet completions bash >/etc/bash_completion.d/wgfleet")]
pub(super) struct Arguments {
    /// The shell they are for
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    // The generator panics where it cannot write; a pipe that closed early is no reason to.
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "wgfleet", &mut text);
    out.write_all(&text)?;
    Ok(Exit::Fine)
}
