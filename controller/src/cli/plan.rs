//! `plan`: what would be done about an interface, and doing it.

use std::io::Write;

use reqwest::Method;
use serde_json::{Value, json};

use super::Failure;
use super::client::{Client, Common, body, field, write_json};
use super::exit::Exit;
use super::table;

/// Show what would be done about an interface, and with --apply do it
///
/// The node is asked what it holds. A plan is carried out as it was shown, or not at all.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 fine, 1 refused or failed, 3 not reached.

Examples:
  wgfleet plan fra-1/wg0
  wgfleet plan fra-1/wg0 --apply")]
pub(super) struct Arguments {
    /// As NODE/NAME, or its id
    interface: String,
    /// Carry the plan out
    #[arg(long)]
    apply: bool,
    /// How many unknown peers may go at once, where the guard against mass removal holds them back
    #[arg(long, value_name = "NUMBER", requires = "apply")]
    allow_removals: Option<u32>,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::open(&arguments.common)?;
    let id = client.interface(&arguments.interface)?;
    let json = arguments.common.json;
    if !arguments.apply {
        let plan = client.get(&format!("/interfaces/{id}/plan"))?;
        match json {
            true => write_json(out, &plan)?,
            false => write_steps(&plan["steps"], out)?,
        }
        return Ok(Exit::Fine);
    }
    let path = format!("/interfaces/{id}/plans");
    let plan = client.call(Method::POST, &path, None, &[])?;
    if !json {
        write_steps(&plan["steps"], out)?;
    }
    let path = format!("/plans/{}/application", plan["id"]);
    let wish = body([("allow_removals", field(&arguments.allow_removals))]);
    let done = client.call(Method::POST, &path, Some(&wish), &[])?;
    match json {
        true => write_json(out, &done)?,
        false => writeln!(out, "applied: generation {}", done["generation"])?,
    }
    Ok(Exit::Fine)
}

/// One line for each key, in the order in which things are done; then what stays and why.
fn write_steps(steps: &Value, out: &mut dyn Write) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for (name, step) in [
        ("removals", "remove"),
        ("releases", "release"),
        ("writes", "write"),
        ("adoptions", "adopt"),
        ("blocked", "blocked"),
        ("reported", "unknown"),
        ("psk_lost", "preshared key lost"),
    ] {
        let entries = steps[name].as_array().map_or(&[][..], Vec::as_slice);
        lines.extend(entries.iter().map(|entry| line(step, entry)));
    }
    match lines.is_empty() {
        true => writeln!(out, "nothing to do")?,
        false => {
            let columns = [("STEP", "/step"), ("KEY", "/key"), ("WHY", "/why")];
            table::list(out, &lines, &columns)?;
        }
    }
    if let Value::Object(held) = &steps["held_back"] {
        let held = Value::Object(held.clone());
        writeln!(out, "held back:")?;
        table::details(out, &held)?;
    }
    Ok(())
}

fn line(step: &str, entry: &Value) -> Value {
    let why = [
        &entry["why"],
        &entry["differs"],
        &entry["keeps"],
        &entry["allowed_ip"],
    ];
    let why = why.into_iter().find(|why| !why.is_null());
    let key = match entry {
        Value::String(_) => entry,
        _ => &entry["key"],
    };
    json!({"step": step, "key": key, "why": why})
}
