//! Files of settings with one mistake each: every one is found, with its line and key.

use serde_json::Value;

use super::{Folder, STRONG, Variables, all, on, out};

/// Key, line, and the text, in which `{dir}` stands for a folder of keys and certificates.
const BROKEN: &[(&str, usize, &str)] = &[
    ("listen", 1, "listen = \"localhost\""),
    ("listen", 2, "\nlisten = 8000"),
    ("base_url", 1, "base_url = \"vpn.example.org\""),
    (
        "base_url",
        1,
        "base_url = \"https://vpn.example.org/panel\"",
    ),
    (
        "base_url",
        1,
        "base_url = \"https://me:word@vpn.example.org\"",
    ),
    (
        "base_url",
        2,
        "listen = \"0.0.0.0:1\"\nbase_url = \"http://vpn.example.org\"",
    ),
    ("trusted_proxies", 1, "trusted_proxies = [\"10.0.0.0/33\"]"),
    (
        "trusted_proxies",
        3,
        "trusted_proxies = [\n  \"10.0.0.0/8\",\n  \"10.1.0.0/16\",\n]",
    ),
    ("trusted_proxies", 1, "trusted_proxies = [\"0.0.0.0/0\"]"),
    ("data_dir", 1, "data_dir = \"data\""),
    ("data_dir", 1, "data_dir = \"{dir}/strong\""),
    ("database_url", 1, "database_url = \"mysql://wg@db/wg\""),
    (
        "database_url",
        2,
        "\ndatabase_url = \"postgres://wg@127.0.0.1:1/wg\"",
    ),
    ("database_connections", 1, "database_connections = 0"),
    ("database_connections", 1, "database_connections = \"ten\""),
    (
        "database_connections",
        1,
        "database_connections = 99999999999999999999",
    ),
    ("postgres_bin_dir", 1, "postgres_bin_dir = \"{dir}\""),
    ("master_key_file", 1, "master_key_file = \"{dir}/nowhere\""),
    ("master_key_file", 1, "master_key_file = \"{dir}/weak\""),
    ("master_key_file", 1, "master_key_file = \"{dir}/short\""),
    ("master_key_file", 1, "master_key_file = \"{dir}/open\""),
    ("master_key_file", 1, "master_key_file = \"{dir}/group\""),
    ("master_key_file", 1, "master_key_file = \"{dir}/half\""),
    ("log", 1, "log = \"controller=loud\""),
    ("log_format", 1, "log_format = \"xml\""),
    ("colour", 2, "log = \"info\"\ncolour = \"red\""),
    ("poll.evry_ms", 2, "[poll]\nevry_ms = 1000"),
    ("poll", 1, "poll = 10"),
    (
        "poll.timeout_ms",
        3,
        "[poll]\nevery_ms = 1000\ntimeout_ms = 2000",
    ),
    ("apply.lease_s", 2, "[apply]\nlease_s = 2"),
    ("apply.backoff_cap_ms", 2, "[apply]\nbackoff_cap_ms = 100"),
    ("samples.keep_days_d", 2, "[samples]\nkeep_days_d = 3"),
    ("api.body_limit_bytes", 2, "[api]\nbody_limit_bytes = 1.5"),
    (
        "webhooks.give_up_after_h",
        2,
        "[webhooks]\ngive_up_after_h = -1",
    ),
    ("tls.key_file", 2, "[tls]\ncert_file = \"{dir}/good.cert\""),
    (
        "tls.cert_file",
        2,
        "[tls]\ncert_file = \"{dir}/nowhere\"\nkey_file = \"{dir}/good.key\"",
    ),
    (
        "tls.cert_file",
        2,
        "[tls]\ncert_file = \"{dir}/none.cert\"\nkey_file = \"{dir}/good.key\"",
    ),
    (
        "tls.cert_file",
        2,
        "[tls]\ncert_file = \"{dir}/good.cert\"\nkey_file = \"{dir}/other.key\"",
    ),
    (
        "tls.cert_file",
        2,
        "[tls]\ncert_file = \"{dir}/old.cert\"\nkey_file = \"{dir}/old.key\"",
    ),
    (
        "tls.key_file",
        3,
        "[tls]\ncert_file = \"{dir}/good.cert\"\nkey_file = \"{dir}/open\"",
    ),
    (
        "agents.client_cert_file",
        2,
        "[agents]\nclient_key_file = \"{dir}/good.key\"",
    ),
    ("agents.ca_file", 2, "[agents]\nca_file = \"{dir}/nowhere\""),
];

#[test]
fn every_broken_file_ends_with_1_and_names_line_and_key() {
    let folder = Folder::new();
    for (key, line, text) in BROKEN {
        let settings = folder.settings(text);
        let before = folder.names();

        let output = on("check", &settings, &[], &[]);
        let json = on("check", &settings, &["--json"], &[]);

        assert_eq!(output.status.code(), Some(1), "{text}: {output:?}");
        let said = out(&output);
        let place = format!("config.toml:{line}: {key}: ");
        assert!(said.contains(&place), "{place} is not in {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        let json: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!(json["mistakes"][0]["key"], *key);
        assert_eq!(json["mistakes"][0]["line"], *line);
        assert_eq!(folder.names(), before, "{text}");
    }
    assert!(BROKEN.len() >= 25);
}

#[test]
fn text_that_is_no_toml_is_named_by_its_line() {
    let folder = Folder::new();
    let settings = folder.settings("log = \"info\"\nlog = \"warn\"\n");

    let output = on("check", &settings, &[], &[]);

    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("config.toml:2: "), "{output:?}");
}

#[test]
fn what_is_wrong_outside_the_file_is_named_as_its_owner_knows_it() {
    let folder = Folder::new();
    let settings = folder.settings("");
    let weak = "change-me-in-production-change-me!";
    let cases: &[(&[&str], Variables<'_>, &str)] = &[
        (&["--listen", "nowhere"], &[], "--listen"),
        (&["--data-dir", "here"], &[], "--data-dir"),
        (&[], &[("DATABASE_URL", "sqlite://x")], "DATABASE_URL"),
        (
            &[],
            &[("DATABASE_URL", "postgres://wg@127.0.0.1:1/wg")],
            "DATABASE_URL",
        ),
        (&[], &[("WGFLEET_MASTER_KEY", weak)], "WGFLEET_MASTER_KEY"),
        (
            &[],
            &[("WGFLEET_MASTER_KEY_FILE", "/nowhere")],
            "WGFLEET_MASTER_KEY_FILE",
        ),
    ];
    for (flags, variables, name) in cases {
        let output = on("check", &settings, flags, variables);

        assert_eq!(output.status.code(), Some(1), "{name}: {output:?}");
        assert!(
            out(&output).contains(&format!("config.toml: {name}: ")),
            "{output:?}"
        );
        assert!(!all(&output).contains(weak), "{output:?}");
    }
    let good = [("WGFLEET_MASTER_KEY", STRONG)];
    assert!(on("check", &settings, &[], &good).status.success());
}
