//! The settings at the hands of an operator: what `wgfleet config` prints, finds, and ends with.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::Value;

mod broken;

pub(crate) const STRONG: &str = "7c1f09be5ad24836b0e2f9d41c85a76390b1e37f2d6a4c58e0f1729bd3486ca5";
const PASSWORD: &str = "hunter2hunter2";

/// The program under test: named, or built beside these tests.
pub(crate) fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("WGFLEET_BIN") {
        return path.into();
    }
    let tests = std::env::current_exe().unwrap();
    let built = tests.ancestors().nth(2).unwrap().join("wgfleet");
    assert!(
        built.exists(),
        "{} is missing: cargo build --workspace",
        built.display()
    );
    built
}

/// A folder with what settings may name: keys and certificates, good and bad.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.put("strong", STRONG, 0o600);
        folder.put("weak", "change-me-in-production-change-me!", 0o600);
        folder.put("short", "7c1f09be", 0o600);
        folder.put("open", STRONG, 0o644);
        folder.put("group", STRONG, 0o640);
        folder.put("half", &STRONG[..32], 0o600);
        folder.certificate("good", (2099, 1, 1));
        folder.certificate("other", (2099, 1, 1));
        folder.certificate("old", (2020, 1, 1));
        folder.put("none.cert", "no certificate here", 0o600);
        folder
    }

    fn put(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Writes `NAME.cert` and `NAME.key`, good until a day.
    fn certificate(&self, name: &str, (year, month, day): (i32, u8, u8)) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(year, month, day);
        let certificate = params.self_signed(&key).unwrap();
        self.put(&format!("{name}.cert"), &certificate.pem(), 0o644);
        self.put(&format!("{name}.key"), &key.serialize_pem(), 0o600);
    }

    /// Settings in which `{dir}` stands for this folder.
    fn settings(&self, text: &str) -> PathBuf {
        let dir = self.0.path().to_str().unwrap();
        self.put("config.toml", &text.replace("{dir}", dir), 0o600)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// Environment variables and their values.
pub(crate) type Variables<'a> = &'a [(&'a str, &'a str)];

/// Runs the program with these variables and no other.
pub(crate) fn run(arguments: &[&str], variables: Variables<'_>) -> Output {
    let mut command = Command::new(program());
    command.args(arguments).env_clear();
    command.envs(variables.iter().copied());
    command.output().unwrap()
}

fn on(command: &str, file: &Path, more: &[&str], variables: Variables<'_>) -> Output {
    let file = file.to_str().unwrap();
    run(
        &[&["config", command, "--config", file], more].concat(),
        variables,
    )
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn all(output: &Output) -> String {
    out(output) + std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn the_example_is_without_mistake() {
    let folder = Folder::new();
    let example = out(&run(&["config", "example"], &[]));

    let output = on("check", &folder.settings(&example), &["--strict"], &[]);

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(out(&output).ends_with("config.toml: no mistake\n"));
}

#[test]
fn good_settings_are_said_to_be_so_and_nothing_is_made() {
    let folder = Folder::new();
    let settings = folder.settings(
        "listen = \"0.0.0.0:8443\"\nbase_url = \"https://vpn.example.org\"\ndata_dir = \"{dir}/data\"\n\
         master_key_file = \"{dir}/strong\"\n[tls]\ncert_file = \"{dir}/good.cert\"\nkey_file = \"{dir}/good.key\"\n",
    );
    let before = folder.names();

    let output = on("check", &settings, &["--strict"], &[]);

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(folder.names(), before);
}

#[test]
fn warnings_count_only_where_they_are_asked_for() {
    let folder = Folder::new();
    let settings = folder.settings("listen = \"0.0.0.0:8443\"\n");

    let lenient = on("check", &settings, &[], &[]);
    let strict = on("check", &settings, &["--strict"], &[]);
    let json = on("check", &settings, &["--json"], &[]);

    assert_eq!(lenient.status.code(), Some(0));
    assert_eq!(strict.status.code(), Some(2));
    let text = out(&lenient);
    assert!(
        text.starts_with("warning: ") && text.contains("config.toml:1: listen:"),
        "{text}"
    );
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["mistakes"].as_array().unwrap().len(), 0);
    assert_eq!(json["warnings"][0]["line"], 1);
}

#[test]
fn a_password_in_a_file_that_everybody_can_read_is_warned_of() {
    let folder = Folder::new();
    let text = format!("database_url = \"postgres://wg:{PASSWORD}@127.0.0.1:1/wg\"\n");
    let warns = |mode| {
        let file = folder.put("config.toml", &text, mode);
        let said = out(&on("check", &file, &[], &[]));
        said.contains("warning: ") && said.contains("config.toml:1: database_url: holds a password")
    };

    assert!(warns(0o644));
    assert!(!warns(0o640));
}

#[test]
fn a_certificate_near_its_end_is_warned_of() {
    let folder = Folder::new();
    let soon = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs()
        / 86_400
        + 7;
    let (year, month, day) = civil(i64::try_from(soon).unwrap());
    folder.certificate("soon", (year, month, day));
    let settings =
        folder.settings("[tls]\ncert_file = \"{dir}/soon.cert\"\nkey_file = \"{dir}/soon.key\"\n");

    let output = on("check", &settings, &["--strict"], &[]);

    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        out(&output).contains("config.toml:2: tls.cert_file:"),
        "{output:?}"
    );
    assert!(out(&output).contains("is good only until"), "{output:?}");
}

/// The date of a day since 1970, by counting.
fn civil(mut days: i64) -> (i32, u8, u8) {
    let leap = |year: i32| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while days >= if leap(year) { 366 } else { 365 } {
        days -= if leap(year) { 366 } else { 365 };
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, u8::try_from(days).unwrap() + 1)
}

#[test]
fn no_secret_is_shown_whichever_way_it_came() {
    let folder = Folder::new();
    let url = format!("postgres://wg:{PASSWORD}@127.0.0.1:1/wg");
    let query = format!("postgres:///wg?host=/nowhere&password={PASSWORD}");
    let in_file = folder.settings(&format!("database_url = \"{url}\"\n"));
    let nothing = folder.put("empty.toml", "", 0o600);
    let url_given = [
        ("DATABASE_URL", url.as_str()),
        ("WGFLEET_MASTER_KEY", STRONG),
    ];
    let query_given = [("DATABASE_URL", query.as_str())];
    let cases: [(&Path, Variables<'_>); 3] = [
        (&in_file, &[]),
        (&nothing, &url_given),
        (&nothing, &query_given),
    ];

    for (file, variables) in cases {
        for (command, more, status) in [
            ("show", &[][..], 0),
            ("show", &["--json"][..], 0),
            ("check", &[][..], 1),
            ("check", &["--json"][..], 1),
        ] {
            let output = on(command, file, more, variables);

            assert_eq!(output.status.code(), Some(status), "{output:?}");
            let said = all(&output);
            assert!(!said.contains(PASSWORD) && !said.contains(STRONG), "{said}");
            assert!(said.contains("database_url") || said.contains("DATABASE_URL"));
        }
    }
}

#[test]
fn what_is_shown_tells_where_it_comes_from_and_can_be_read_again() {
    let folder = Folder::new();
    let settings = folder.settings("[poll]\nevery_ms = 20_000\n");
    let more = ["--listen", "127.0.0.1:9000"];
    let variables = [("WGFLEET_CONFIG", settings.to_str().unwrap())];

    let output = run(&[&["config", "show"][..], &more].concat(), &variables);

    let text = out(&output);
    for line in [
        "listen = \"127.0.0.1:9000\"  # --listen",
        "every_ms = 20_000  # line 2",
        "timeout_ms = 5000  # default",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    let again = folder.put("again.toml", &text, 0o600);
    let output = on("check", &again, &[], &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let json = run(
        &[&["config", "show", "--json"][..], &more].concat(),
        &variables,
    );
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let poll = &json["settings"]["poll.every_ms"];
    assert_eq!(
        (&poll["value"], &poll["origin"]),
        (&20_000.into(), &"line 2".into())
    );
}

#[test]
fn a_variable_that_is_set_and_empty_is_a_mistake_and_not_absent() {
    let output = run(&["config", "check"], &[("DATABASE_URL", "")]);

    assert_eq!(output.status.code(), Some(1));
    assert!(
        all(&output).contains("DATABASE_URL is set and empty"),
        "{output:?}"
    );
}

#[test]
fn the_exit_status_tells_how_it_went() {
    let folder = Folder::new();
    let broken = folder.settings("colour = 1\nlog = 2\n");
    let broken = broken.to_str().unwrap();
    let cases: &[(&[&str], i32)] = &[
        (&[], 2),
        (&["fly"], 2),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["config"], 2),
        (&["config", "explain", "poll.every_ms"], 0),
        (&["config", "explain", "colour"], 1),
        (&["config", "show", "--config", broken], 1),
        (&["config", "check", "--config", "/nowhere/config.toml"], 1),
        (&["serve", "--config", broken], 3),
        (&["completions", "bash"], 0),
        (&["completions", "fish"], 0),
        (&["completions", "zsh"], 0),
        (&["completions", "dos"], 2),
        (&["api", "GET", "nodes"], 2),
        (&["api", "GET", "/nodes"], 2),
        (&["api", "GET", "/api/v1/nodes"], 1),
    ];
    for (arguments, status) in cases {
        let output = run(arguments, &[]);

        assert_eq!(
            output.status.code(),
            Some(*status),
            "{arguments:?}: {output:?}"
        );
        let said = if *status == 0 {
            &output.stdout
        } else {
            &output.stderr
        };
        let by_check = arguments.get(1) == Some(&"check");
        assert!(by_check || !said.is_empty(), "{arguments:?} says nothing");
        assert!(!all(&output).contains("panicked"), "{arguments:?}");
    }
    let refused = all(&run(&["serve", "--config", broken], &[]));
    assert!(
        refused.contains(":1: colour:") && refused.contains(":2: log:"),
        "{refused}"
    );
}
