//! `check`: names every mistake in the settings, before a restart finds them one by one.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::{FAILED, Failure, SettingsFile, chain, secret_variable};
use crate::config::{Config, Mistake};
use crate::tls;

/// Name every mistake in the settings, with file, line and key; starts nothing
///
/// Looks at the files named in the settings as well: whether they can be read, whether certificate and
/// key belong together, whether the secret is strong and kept from others. Run it as the user of the
/// agent, on the node.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 no mistake, 1 mistakes.

Example:
  wgfleet-agent check --config /etc/wgfleet-agent/config.toml --json")]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: SettingsFile,
    /// Print one JSON object for programs: {"file": "...", "mistakes": [{"file", "line", "key", "what"}]}
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Verdict<'a> {
    file: &'a Path,
    mistakes: &'a [Mistake],
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
    let file = &arguments.settings.path;
    let mistakes = find_mistakes(file, secret_variable()?);
    if arguments.json {
        let verdict = Verdict {
            file,
            mistakes: &mistakes,
        };
        serde_json::to_writer(&mut *out, &verdict)?;
        writeln!(out)?;
    } else if mistakes.is_empty() {
        writeln!(out, "{}: no mistake", file.display())?;
    } else {
        for mistake in &mistakes {
            writeln!(out, "{mistake}")?;
        }
    }
    Ok(if mistakes.is_empty() { 0 } else { FAILED })
}

fn find_mistakes(file: &Path, variable: Option<String>) -> Vec<Mistake> {
    let config = match Config::load_with_secret(file, variable) {
        Ok((config, _)) => config,
        Err(mistakes) => return mistakes.0,
    };
    let usable = config.tls.as_ref().map(tls::server_config);
    match usable {
        Some(Err(err)) => vec![Mistake {
            file: file.to_owned(),
            line: None,
            key: Some("tls".into()),
            what: chain(&err),
        }],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const GOOD: &str = "7c1f09be5ad24836b0e2f9d41c85a763";

    /// Runs `check` on a file with this text, beside a good secret.
    fn check(folder: &Path, text: &str, json: bool) -> (u8, String) {
        let secret = folder.join("secret");
        std::fs::write(&secret, GOOD).unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let path = folder.join("config.toml");
        std::fs::write(
            &path,
            format!("secret_file = \"{}\"\n{text}", secret.display()),
        )
        .unwrap();
        let settings = SettingsFile { path };
        let mut out = Vec::new();
        let status = run(&Arguments { settings, json }, &mut out).unwrap();
        (status, String::from_utf8(out).unwrap())
    }

    const WG0: &str = "[[interface]]\nname = \"wg0\"\n";

    #[test]
    fn settings_without_a_mistake_are_said_to_be_so() {
        let folder = tempfile::tempdir().unwrap();

        let (status, text) = check(folder.path(), WG0, false);

        assert_eq!(
            (status, text.ends_with(": no mistake\n")),
            (0, true),
            "{text}"
        );
    }

    #[test]
    fn each_mistake_is_a_line_or_an_object() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("colour = 1\nlog = 2\n{WG0}");

        let (status, lines) = check(folder.path(), &text, false);
        let (_, json) = check(folder.path(), &text, true);

        assert_eq!(status, 1);
        assert_eq!(lines.lines().count(), 2, "{lines}");
        assert!(
            lines.contains("config.toml:2: colour: is not a key"),
            "{lines}"
        );
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["mistakes"][1]["line"], 3);
        assert_eq!(json["mistakes"][1]["key"], "log");
    }

    #[test]
    fn a_certificate_that_is_none_is_a_mistake_of_tls() {
        let folder = tempfile::tempdir().unwrap();
        let pem = folder.path().join("pem");
        std::fs::write(&pem, "nothing").unwrap();
        std::fs::set_permissions(&pem, std::fs::Permissions::from_mode(0o600)).unwrap();
        let pem = pem.display();
        let text = format!("[tls]\ncert_file = \"{pem}\"\nkey_file = \"{pem}\"\n{WG0}");

        let (status, lines) = check(folder.path(), &text, false);

        assert_eq!(status, 1);
        assert!(
            lines.contains(" tls: ") && lines.contains("holds no certificate"),
            "{lines}"
        );
    }
}
