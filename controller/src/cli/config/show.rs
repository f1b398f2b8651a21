//! `config show`: every setting as it is in effect, and where it comes from. No secret.

use std::io::Write;

use serde_json::{Map, Value, json};

use super::SettingsArguments;
use crate::cli::Failure;
use crate::cli::exit::Exit;
use crate::config::{Config, Effective, Loaded, MasterKey};

/// Print every setting as it is in effect, with where it comes from
///
/// What is printed is a settings file. Passwords are shown as ***.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet config show --config /etc/wgfleet/config.toml")]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: SettingsArguments,
    /// Print one JSON object for programs: {"file", "settings": {"poll.every_ms": {"value", "origin"}}}
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let loaded = Config::load(&arguments.settings.sources()?)?;
    match arguments.json {
        true => write_json(&loaded, out)?,
        false => write_toml(&loaded, out)?,
    }
    Ok(Exit::Fine)
}

fn write_toml(loaded: &Loaded, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(out, "# {}", loaded.file.display())?;
    if let MasterKey::Given(_) = loaded.config.master_key {
        writeln!(out, "# WGFLEET_MASTER_KEY holds the master key")?;
    }
    let mut table = "";
    for one in &loaded.effective {
        let (group, name) = one.key.rsplit_once('.').unwrap_or(("", &one.key));
        if group != table {
            writeln!(out, "\n[{group}]")?;
            table = group;
        }
        match &one.text {
            Some(text) => writeln!(out, "{name} = {text}  # {}", one.origin)?,
            None => writeln!(out, "# {name} is not set")?,
        }
    }
    Ok(())
}

fn write_json(loaded: &Loaded, out: &mut dyn Write) -> Result<(), Failure> {
    let mut settings = Map::new();
    for one in &loaded.effective {
        let entry = json!({ "value": value(one), "origin": one.origin.to_string() });
        settings.insert(one.key.clone(), entry);
    }
    let shown = json!({ "file": loaded.file, "settings": settings });
    serde_json::to_writer(&mut *out, &shown)?;
    writeln!(out)?;
    Ok(())
}

/// The value as JSON; what is written in the file was read without a mistake, so it is TOML.
fn value(one: &Effective) -> Value {
    let Some(text) = &one.text else {
        return Value::Null;
    };
    let table: Result<Map<String, Value>, toml::de::Error> =
        toml::from_str(&format!("value = {text}"));
    match table {
        Ok(mut table) => table.remove("value").unwrap_or(Value::Null),
        Err(_) => Value::String(text.clone()),
    }
}
