//! The house rules that a machine can hold: a rule that is not a test is a wish.

use std::fs;
use std::path::{Path, PathBuf};

/// A file longer than this holds two things.
const MOST_LINES: usize = 400;

/// Who may name which library. What stands here is the whole of it: any other file may not.
const LAYERS: &[(&str, &[&str])] = &[
    (
        "wireguard_control",
        &["node-agent/src/device", "tests/bench"],
    ),
    ("netlink_request", &["node-agent/src/device"]),
    ("netlink_sys", &["node-agent/src/device"]),
    ("netlink_packet", &["node-agent/src/device"]),
    (
        "actix_web",
        &[
            "controller/src/api",
            "controller/src/auth",
            "controller/src/startup",
            "controller/src/web",
            "node-agent/src/api",
            "node-agent/src/startup",
            "node-agent/src/strangers.rs",
            "tests/bench",
            "tests/simulator",
            "tests/fleet",
        ],
    ),
    ("askama", &["controller/src/web"]),
    ("rust_embed", &["controller/src/web"]),
    ("landlock::", &["node-agent/src/sandbox"]),
    ("seccompiler", &["node-agent/src/sandbox"]),
    (
        "rustls::",
        &[
            "controller/src/agent",
            "controller/src/cli/connection",
            "controller/src/startup",
            "controller/src/tls",
            "node-agent/src/tls",
            "node-agent/src/startup",
            "tests/it",
        ],
    ),
    ("clap", &["controller/src/cli", "node-agent/src/cli"]),
    (
        "reqwest",
        &[
            "controller/src/agent",
            "controller/src/authorities",
            "controller/src/cli",
            "controller/src/fleet/sign_in/oidc",
            "controller/src/fleet/webhooks",
            "tests/fleet",
            "tests/bench",
        ],
    ),
    (
        "sqlx::query",
        &[
            "controller/src/db",
            "controller/src/database",
            "tests/bench",
            "tests/fleet",
        ],
    ),
];

/// What the pure parts must not know: no disk, clock, thread, socket, log or chance.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::io",
    "std::net::Tcp",
    "std::net::Udp",
    "std::process",
    "std::thread",
    "std::env",
    "SystemTime",
    "Instant",
    "tokio",
    "actix",
    "tracing",
    "getrandom",
    "rustix",
    "async fn",
];

const PURE: &[&str] = &[
    "controller/src/domain",
    "protocol/src",
    "node-agent/src/ledger",
    "node-agent/src/metrics",
    "node-agent/src/plan",
    "node-agent/src/replay",
    "node-agent/src/wgconf",
    "node-agent/src/api/route",
];

/// Ways to make a failure look harmless, or to leave work for later.
const EATERS: &[&str] = &[
    "unwrap_or_default()",
    "let _ = ",
    "todo!(",
    "unimplemented!(",
];

struct Source {
    path: PathBuf,
    /// The path as it is written in this file.
    name: String,
    text: String,
}

impl Source {
    fn lies_in(&self, place: &str) -> bool {
        self.name
            .strip_prefix(place)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']))
    }

    fn is_test(&self) -> bool {
        self.name.starts_with("tests/")
            || self.name.ends_with("/tests.rs")
            || self.name.contains("/tests/")
    }

    /// The text without the tests at its end.
    fn product(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod tests {").next().unwrap()
    }
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn files(folder: &Path, wanted: &dyn Fn(&Path) -> bool, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            if !["target", ".git", "corpus", "seeds", "artifacts"].contains(&name.as_str()) {
                files(&path, wanted, found);
            }
        } else if wanted(&path) {
            found.push(path);
        }
    }
}

/// All sources, or none and a line that says why, where they did not come along.
fn sources() -> Vec<Source> {
    let project = project();
    if !project.join("Cargo.toml").exists() {
        println!("skipped: the sources are not on this machine");
        return Vec::new();
    }
    let mut paths = Vec::new();
    files(
        &project,
        &|path| path.extension().is_some_and(|end| end == "rs"),
        &mut paths,
    );
    assert!(paths.len() > 20, "only {} sources were found", paths.len());
    paths
        .into_iter()
        .map(|path| Source {
            name: path
                .strip_prefix(&project)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned(),
            text: fs::read_to_string(&path).unwrap(),
            path,
        })
        .collect()
}

/// Fails with all findings at once.
fn none(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    let silent = sources().into_iter().filter(|source| {
        let first = source.text.lines().next().unwrap_or("");
        // A file of tests beside its subject is for that.
        !first.starts_with("//!") && !first.starts_with("#![doc") && !source.is_test()
    });
    none(
        silent
            .map(|source| format!("{}: does not open with //!", source.name))
            .collect(),
    );
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let long = sources().into_iter().filter_map(|source| {
        let lines = source.text.lines().count();
        (lines > MOST_LINES).then(|| format!("{}: {lines} lines", source.name))
    });
    none(long.collect());
}

#[test]
fn modules_have_no_mod_files_and_no_drawers() {
    let drawers = [
        "mod.rs",
        "utils.rs",
        "util.rs",
        "helpers.rs",
        "common.rs",
        "misc.rs",
    ];
    let found = sources()
        .into_iter()
        .filter(|source| drawers.iter().any(|name| source.path.ends_with(name)));
    none(
        found
            .map(|source| format!("{}: code goes where its noun lives", source.name))
            .collect(),
    );
}

#[test]
fn each_library_is_named_only_in_its_layer() {
    let mut findings = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| source.name != "tests/it/tidy.rs")
    {
        for (library, places) in LAYERS {
            let allowed = places.iter().any(|place| source.lies_in(place));
            if !allowed && source.text.contains(library) {
                findings.push(format!(
                    "{}: names {library}, which belongs in {places:?}",
                    source.name
                ));
            }
        }
    }
    none(findings);
}

#[test]
fn the_pure_parts_know_nothing_of_the_world() {
    let mut findings = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| PURE.iter().any(|place| source.lies_in(place)) && !source.is_test())
    {
        for word in IMPURE
            .iter()
            .filter(|word| source.product().contains(**word))
        {
            findings.push(format!("{}: knows {word}", source.name));
        }
    }
    none(findings);
}

#[test]
fn no_failure_is_made_to_look_harmless() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        for (number, line) in source.product().lines().enumerate() {
            let dropped = line.trim_end().ends_with(".ok();") && !line.contains('=');
            if dropped || EATERS.iter().any(|eater| line.contains(eater)) {
                findings.push(format!("{}:{}: {}", source.name, number + 1, line.trim()));
            }
        }
    }
    none(findings);
}

#[test]
fn scripts_say_what_they_are_for_and_stop_at_the_first_failure() {
    let folder = project().join("scripts");
    if !folder.exists() {
        return;
    }
    let mut paths = Vec::new();
    files(&folder, &|_| true, &mut paths);
    let mut findings = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        if !lines.next().is_some_and(|line| line.starts_with("#!"))
            || !lines.next().is_some_and(|line| line.starts_with("# "))
        {
            findings.push(format!(
                "{}: does not open with #! and what it is for",
                path.display()
            ));
        }
        if !text.contains("set -eu") {
            findings.push(format!("{}: goes on after a failure", path.display()));
        }
    }
    none(findings);
}
