//! Where the controller's log goes: lines on stderr, which the supervisor keeps.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("log {filter:?} is not a filter such as info or controller=debug")]
    Filter {
        filter: String,
        source: tracing_subscriber::filter::ParseError,
    },
    #[error("the log is set up already")]
    Twice,
}

/// Sets the log up for the whole process.
pub fn init(filter: &str, format: LogFormat) -> Result<(), TelemetryError> {
    let parsed = filter
        .parse::<EnvFilter>()
        .map_err(|source| TelemetryError::Filter {
            filter: filter.to_owned(),
            source,
        })?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(std::io::stderr);
    let set = match format {
        LogFormat::Text => log
            .with_target(false)
            .with_ansi(std::io::stderr().is_terminal())
            .try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    set.map_err(|_| TelemetryError::Twice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_none_is_refused_by_name() {
        let refused = init("controller=loud", LogFormat::Text).unwrap_err();

        assert!(refused.to_string().contains("controller=loud"), "{refused}");
    }
}
