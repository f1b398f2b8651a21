//! Where the agent's log goes: lines on stderr, which the supervisor keeps.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

#[derive(Debug, thiserror::Error)]
pub(crate) enum TelemetryError {
    #[error("log {filter:?} is not a filter such as info or wgfleet_agent=debug")]
    Filter {
        filter: String,
        source: tracing_subscriber::filter::ParseError,
    },
    #[error("the log is set up already")]
    Twice,
}

/// Sets the log up for the whole process.
pub(crate) fn init(filter: &str) -> Result<(), TelemetryError> {
    let parsed = filter
        .parse::<EnvFilter>()
        .map_err(|source| TelemetryError::Filter {
            filter: filter.to_owned(),
            source,
        })?;
    tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .try_init()
        .map_err(|_| TelemetryError::Twice)
}
