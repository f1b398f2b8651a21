//! `config check`: names every mistake in the settings, before a restart finds them one by one.

use std::io::Write;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::SettingsArguments;
use super::database::check_database;
use crate::cli::Failure;
use crate::cli::exit::{Exit, chain};
use crate::clock;
use crate::config::{Config, Loaded, Mistake, Tls};
use crate::tls::{self, Standing};

/// Name every mistake in the settings, with file, line and key; starts nothing
///
/// Looks at what the settings name as well: whether files can be read and secrets are strong and kept from
/// others, whether certificates fit their keys and are good for two weeks to come, whether the database
/// answers. Run it as the user of the controller.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 no mistake, 1 mistakes, 2 warnings where --strict counts them.

Example:
  wgfleet config check --config /etc/wgfleet/config.toml --json"
)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: SettingsArguments,
    /// Print one JSON object for programs: {"file", "mistakes": [{"file", "line", "key", "what"}], "warnings": […]}
    #[arg(long)]
    json: bool,
    /// End with status 2 where there are warnings
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Serialize)]
struct Verdict<'a> {
    file: &'a Path,
    mistakes: &'a [Mistake],
    warnings: &'a [Mistake],
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let sources = arguments.settings.sources()?;
    let (mistakes, warnings) = match Config::load(&sources) {
        Ok(loaded) => look_further(loaded, clock::now())?,
        Err(mistakes) => (mistakes.0, Vec::new()),
    };
    let verdict = Verdict {
        file: sources.path(),
        mistakes: &mistakes,
        warnings: &warnings,
    };
    match arguments.json {
        true => write_json(&verdict, out)?,
        false => write_lines(&verdict, out)?,
    }
    Ok(match (mistakes.is_empty(), warnings.is_empty()) {
        (false, _) => Exit::Failed,
        (true, false) if arguments.strict => Exit::Critical,
        (true, _) => Exit::Fine,
    })
}

/// Looks at what a server that starts would find out by itself, sooner or later.
fn look_further(
    loaded: Loaded,
    now: DateTime<Utc>,
) -> Result<(Vec<Mistake>, Vec<Mistake>), Failure> {
    let mut mistakes = Vec::new();
    let mut warnings = Vec::new();
    let config = &loaded.config;
    let pairs = [
        ("tls.cert_file", config.tls.as_ref()),
        ("agents.client_cert_file", config.agents.client.as_ref()),
    ];
    for (key, pair) in pairs {
        let Some(pair) = pair else { continue };
        match judge_pair(pair, now) {
            Ok(None) => {}
            Ok(Some(what)) => warnings.push(loaded.finding(key, what)),
            Err(what) => mistakes.push(loaded.finding(key, what)),
        }
    }
    if let Some(url) = &config.database_url
        && let Err(what) = check_database(url)?
    {
        mistakes.push(loaded.finding("database_url", what));
    }
    mistakes.sort_by_key(|mistake| mistake.line);
    warnings.splice(0..0, loaded.warnings);
    Ok((mistakes, warnings))
}

/// What is to be warned of, or what is wrong.
fn judge_pair(pair: &Tls, now: DateTime<Utc>) -> Result<Option<String>, String> {
    let path = pair.cert_file.display();
    let validity = tls::read_validity(pair).map_err(|err| chain(&err))?;
    let (first, last) = (
        validity.not_before.format("%F"),
        validity.not_after.format("%F"),
    );
    match validity.standing(now) {
        Standing::Good => Ok(None),
        Standing::EndsSoon => Ok(Some(format!("{path} is good only until {last}"))),
        Standing::NotYet => Err(format!("{path} is not good before {first}")),
        Standing::Over => Err(format!("{path} has been out of date since {last}")),
    }
}

fn write_json(verdict: &Verdict<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    serde_json::to_writer(&mut *out, verdict)?;
    writeln!(out)?;
    Ok(())
}

fn write_lines(verdict: &Verdict<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    for mistake in verdict.mistakes {
        writeln!(out, "{mistake}")?;
    }
    for warning in verdict.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    if verdict.mistakes.is_empty() {
        writeln!(out, "{}: no mistake", verdict.file.display())?;
    }
    Ok(())
}
