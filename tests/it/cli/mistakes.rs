//! What `check` finds in a broken file: every mistake, with file, line and key, and never a secret.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Folder, all, cli, out, text};
use crate::bed::{Backend, Bed, SECRET};

const WG0: &str = "[[interface]]\nname = \"wg0\"\n";

/// Lines after the first, which names the secret, and the `LINE KEY` of each mistake in them; `-` where
/// there is none. `FOLDER` stands for the folder of the file, `WG0` for a good interface.
const BROKEN: &[(&str, &[&str])] = &[
    ("listen = ", &["2 -"]),
    ("log = \"info\"\nlog = \"warn\"\nWG0", &["3 -"]),
    ("[[interface]\nname = \"wg0\"", &["2 -"]),
    ("colour = 1\nWG0", &["2 colour"]),
    ("colour = 1\n\nlogs = 2\nWG0", &["2 colour", "4 logs"]),
    ("Listen = \"127.0.0.1:1\"\nWG0", &["2 Listen"]),
    ("listen = 8080\nWG0", &["2 listen"]),
    ("listen = \"localhost:8080\"\nWG0", &["2 listen"]),
    ("listen = \"127.0.0.1\"\nWG0", &["2 listen"]),
    (
        "listen = \"0.0.0.0:8080\"\nWG0",
        &["2 allow_from", "2 listen"],
    ),
    (
        "listen = \"0.0.0.0:8080\"\nallow_from = [\"10.0.0.0/8\"]\nWG0",
        &["2 listen"],
    ),
    ("\nallow_from = []\nWG0", &["3 allow_from"]),
    (
        "allow_from = [\n\"10.0.0.0/8\",\n\"10.0.0.0/33\",\n]\nWG0",
        &["4 allow_from"],
    ),
    ("allow_from = \"10.0.0.0/8\"\nWG0", &["2 allow_from"]),
    ("insecure_http = \"yes\"\nWG0", &["2 insecure_http"]),
    ("allow_root = 1\nWG0", &["2 allow_root"]),
    ("state_dir = \"state\"\nWG0", &["2 state_dir"]),
    ("state_dir = \"FOLDER/secret\"\nWG0", &["2 state_dir"]),
    ("log = \"node_agent=loud\"\nWG0", &["2 log"]),
    ("tls = true\nWG0", &["2 tls"]),
    (
        "[tls]\ncert_file = \"FOLDER/secret\"\nWG0",
        &["2 tls.key_file"],
    ),
    (
        "[tls]\ncert_file = \"FOLDER/no\"\nkey_file = \"FOLDER/no\"\nca = 1\nWG0",
        &["3 tls.cert_file", "4 tls.key_file", "5 tls.ca"],
    ),
    ("", &["- interface"]),
    ("[[interface]]\nbackend = \"kernel\"", &["2 interface.name"]),
    ("[[interface]]\nname = \"wg/0\"", &["3 interface.name"]),
    (
        "[[interface]]\nname = \"a234567890123456\"",
        &["3 interface.name"],
    ),
    ("WG0backend = \"magic\"", &["4 interface.backend"]),
    ("WG0listen_port = 0", &["4 interface.listen_port"]),
    ("WG0listen_port = 65536", &["4 interface.listen_port"]),
    ("WG0mtu = 100", &["4 interface.mtu"]),
    (
        "WG0addresses = [\"fd00::1/64\"]\nmtu = 1200",
        &["5 interface.mtu"],
    ),
    (
        "WG0addresses = [\"10.8.0.1/24\", \"10.8.0.300/24\"]",
        &["4 interface.addresses"],
    ),
    ("WG0post_up = \"reboot\"", &["4 interface.post_up"]),
    ("WG0WG0", &["5 interface.name"]),
    (
        "WG0listen_port = 5000\n[[interface]]\nname = \"wg1\"\nlisten_port = 5000",
        &["7 interface.listen_port"],
    ),
    (
        "WG0private_key_file = \"FOLDER/secret\"",
        &["4 interface.private_key_file"],
    ),
    (
        "WG0userspace = \"FOLDER/secret\"",
        &["4 interface.userspace"],
    ),
    ("WG0[timing]\nwindow_s = 0", &["5 timing.window_s"]),
    ("WG0[timing]\nwindow_s = 1.5", &["5 timing.window_s"]),
    ("WG0[timing]\nwindow = 5", &["5 timing.window"]),
    ("WG0[limits]\nbody_bytes = 10", &["5 limits.body_bytes"]),
    (
        "WG0[limits]\nfull_set_bytes = 2048",
        &["5 limits.full_set_bytes"],
    ),
    (
        "WG0[limits]\nunverified_bytes = 2048",
        &["5 limits.unverified_bytes"],
    ),
    ("WG0[limits]\nconnections = -1", &["5 limits.connections"]),
];

#[test]
fn every_mistake_is_named_with_file_line_and_key() {
    // No device plays a part, and a virtual machine is slow to start a hundred programs.
    if !Bed::only_on(&[Backend::Memory, Backend::Userspace]) {
        return;
    }
    let folder = Folder::new();
    for (lines, expected) in BROKEN {
        let lines = lines
            .replace("WG0", WG0)
            .replace("FOLDER", text(folder.0.path()));
        let file = folder.settings(&lines);

        let output = cli(&["check", "--config", text(&file)]);
        let json = cli(&["check", "--json", "--config", text(&file)]);

        assert_eq!(output.status.code(), Some(1), "{lines}: {output:?}");
        let printed = out(&output);
        let prefix = format!("{}:", file.display());
        let places: Vec<String> = printed
            .lines()
            .filter_map(|line| line.strip_prefix(&prefix))
            .map(place)
            .collect();
        assert_eq!(places, *expected, "{lines}\n{printed}");
        assert!(!all(&output).contains(SECRET));

        assert_eq!(json.status.code(), Some(1));
        let json: serde_json::Value = serde_json::from_str(&out(&json)).unwrap();
        let mistakes = json["mistakes"].as_array().unwrap();
        assert_eq!(mistakes.len(), expected.len(), "{json}");
        for (mistake, expected) in mistakes.iter().zip(*expected) {
            assert_eq!(mistake["file"], text(&file));
            let (line, key) = expected.split_once(' ').unwrap();
            assert_eq!(mistake["line"].as_u64(), line.parse().ok(), "{mistake}");
            assert_eq!(mistake["key"].as_str().unwrap_or("-"), key, "{mistake}");
        }
    }
}

/// From `LINE: KEY: what`, either of which may be missing, to `LINE KEY`.
fn place(rest: &str) -> String {
    let (line, rest) = match rest.split_once(": ") {
        Some((line, rest)) if line.parse::<u32>().is_ok() => (line, rest),
        _ => ("-", rest.trim_start()),
    };
    let key = rest.split(": ").next().unwrap();
    let is_key = key
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._".contains(c));
    format!("{line} {}", if is_key { key } else { "-" })
}

#[test]
fn a_secret_that_is_weak_short_open_or_missing_is_a_mistake_that_does_not_quote_it() {
    let folder = Folder::new();
    let file = folder.settings(WG0);
    let check = || cli(&["check", "--config", text(&file)]);
    assert!(check().status.success());

    for secret in [
        "",
        "short-Zq81",
        "change-me-in-production-Zq81",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaZq81",
        "Zq81Zq81Zq81Zq81Zq81Zq81Zq81Zq81Zq81Zq81",
    ] {
        folder.put("secret", secret);
        let output = check();
        assert_eq!(output.status.code(), Some(1), "{secret}");
        let printed = all(&output);
        assert!(
            printed.contains("config.toml:1: secret_file: "),
            "{printed}"
        );
        assert!(!printed.contains("Zq81"), "{printed}");
    }

    let secret = folder.put("secret", SECRET);
    for mode in [0o644, 0o604, 0o660, 0o666] {
        fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
        let output = check();
        assert_eq!(output.status.code(), Some(1), "{mode:o}");
        assert!(
            out(&output).contains("config.toml:1: secret_file: "),
            "{output:?}"
        );
    }
    fs::remove_file(&secret).unwrap();
    assert_eq!(check().status.code(), Some(1));
    let nowhere = folder.put("config.toml", WG0);
    let output = cli(&["check", "--config", text(&nowhere)]);
    assert!(
        out(&output).contains("config.toml: secret_file: is missing"),
        "{output:?}"
    );
}

#[test]
fn plain_http_is_no_mistake_on_loopback_nor_on_an_address_of_the_interface() {
    let folder = Folder::new();
    for lines in [
        format!("listen = \"127.0.0.1:80\"\n{WG0}"),
        format!("listen = \"[::1]:80\"\n{WG0}"),
        format!(
            "listen = \"10.8.0.1:80\"\nallow_from = [\"10.8.0.0/24\"]\n{WG0}addresses = [\"10.8.0.1/24\"]"
        ),
        format!(
            "listen = \"0.0.0.0:80\"\nallow_from = [\"10.8.0.0/24\"]\ninsecure_http = true\n{WG0}"
        ),
    ] {
        let file = folder.settings(&lines);
        let output = cli(&["check", "--config", text(&file)]);
        assert!(output.status.success(), "{output:?}");
    }
}
