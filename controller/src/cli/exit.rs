//! How the program ends: its exit status, and what it says on stderr when it failed.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

/// What `--help` says of the exit status.
pub(super) const EXIT_STATUS: &str = "Exit status:
  0  fine
  1  failed, refused, or mistakes found; of `status`: degraded
  2  wrong usage, or warnings found where --strict counts them; of `status`: critical
  3  the controller could not be reached, or could not start";

/// The status that scripts go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Fine,
    Failed,
    /// What the command line asks for is not to be had, as told by clap.
    Usage,
    /// Worse than failed: found in a state that somebody has to look at.
    Critical,
    Unreachable,
    NotStarted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Usage | Exit::Critical => 2,
            Exit::Unreachable | Exit::NotStarted => 3,
        })
    }
}

/// Says on stderr what went wrong, with all its causes.
pub(super) fn complain(failure: &dyn Error) {
    let message = format!("wgfleet: {}\n", chain(failure));
    // Where stderr is closed nobody is there to be told; the exit status still tells.
    drop(std::io::stderr().write_all(message.as_bytes()));
}

pub(super) fn chain(failure: &dyn Error) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    text
}
