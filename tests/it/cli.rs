//! The program at the hands of an operator: what it prints, what it finds, and its exit status.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::bed::{
    Backend, Bed, SECRET, Setup, agent, give_away, key, parse, public_key, unprivileged,
    wait_for_next_second,
};

mod mistakes;

/// Runs the program as the user it is for, and waits for its end.
fn cli(arguments: &[&str]) -> Output {
    unprivileged().args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn all(output: &Output) -> String {
    out(output) + std::str::from_utf8(&output.stderr).unwrap()
}

/// A folder of the user that the program runs as, with a file of settings beside a good secret.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        give_away(folder.path());
        let folder = Self(folder);
        folder.put("secret", SECRET);
        folder
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        give_away(&path);
        path
    }

    /// Settings whose first line names the secret.
    fn settings(&self, text: &str) -> PathBuf {
        let secret = self.0.path().join("secret");
        self.put("config.toml", &format!("secret_file = {secret:?}\n{text}"))
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_exit_status_tells_how_it_went() {
    let folder = Folder::new();
    let good = folder.settings(
        "state_dir = \"/proc/nowhere/state\"\n[[interface]]\nname = \"wg0\"\nbackend = \"memory\"\n",
    );
    let good = text(&good).to_owned();
    let bad = folder.put("bad.toml", "colour = 1\n");
    let bad = text(&bad);
    let cases: &[(&[&str], i32)] = &[
        (&[], 2),
        (&["fly"], 2),
        (&["run", "--colour"], 2),
        (&["sign", "FETCH", "/health"], 2),
        (&["sign", "GET", "no-path"], 2),
        (&["digest"], 2),
        (&["digest", "../wg0"], 2),
        (&["--help"], 0),
        (&["help", "sign"], 0),
        (&["--version"], 0),
        (&["example-config"], 0),
        (&["check", "--config", &good], 0),
        (&["check", "--config", bad], 1),
        (&["check", "--config", "/nowhere/config.toml"], 1),
        (&["sign", "GET", "/health", "--config", &good], 0),
        (&["sign", "GET", "/health", "--config", bad], 1),
        (
            &[
                "sign",
                "POST",
                "/x",
                "--config",
                &good,
                "--body-file",
                "/nowhere",
            ],
            1,
        ),
        (&["digest", "nowhere0"], 1),
        (&["run", "--config", bad], 3),
        (&["run", "--config", "/nowhere/config.toml"], 3),
        // Its state folder cannot be made.
        (&["run", "--config", &good], 3),
    ];
    for (arguments, status) in cases {
        let output = cli(arguments);

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
        let by_check = arguments.first() == Some(&"check");
        assert!(by_check || !said.is_empty(), "{arguments:?} says nothing");
        assert!(!all(&output).contains(SECRET), "{arguments:?}");
        assert!(!all(&output).contains("panicked"), "{arguments:?}");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = Folder::new();
    let state = folder.0.path().join("state");
    let settings = folder.settings(&format!(
        "listen = \"{address}\"\nstate_dir = {state:?}\n[[interface]]\nname = \"wg0\"\nbackend = \"memory\"\n"
    ));

    let output = cli(&["run", "--config", text(&settings)]);

    assert_eq!(output.status.code(), Some(3));
    assert!(all(&output).contains(&address.to_string()), "{output:?}");
}

/// Sends what `sign` printed, with curl where there is one.
fn send(bed: &Bed, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let url = format!("http://{}{path}", bed.address());
    let mut command = std::process::Command::new("curl");
    command.args([
        "-s",
        "--path-as-is",
        "-w",
        "\n%{http_code}",
        "-X",
        method,
        &url,
    ]);
    for header in headers.lines() {
        command.args(["-H", header]);
    }
    if !body.is_empty() {
        command.args([
            "-H",
            "Content-Type: application/json",
            "--data-binary",
            body,
        ]);
    }
    if let Ok(output) = command.output() {
        let text = out(&output);
        let (answer, status) = text.rsplit_once('\n').unwrap();
        return (status.parse().unwrap(), answer.to_owned());
    }
    // Without curl, by hand.
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{}\r\n\r\n{body}",
        body.len(),
        headers.trim().replace('\n', "\r\n"),
    );
    let mut wire = crate::bed::Wire::open(bed.address());
    wire.send(request.as_bytes());
    let answer = parse(&wire.rest()).unwrap();
    (answer.status, answer.text())
}

#[test]
fn what_sign_prints_verifies() {
    let bed = Bed::with(Setup {
        program: true,
        ..Setup::default()
    });
    let settings = bed.settings_path();
    let url = |path: &str| format!("http://{}{path}", bed.address());
    let sign = |arguments: &[&str]| {
        let output = cli(&[&["sign", "--config", text(&settings)], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        assert!(!all(&output).contains(SECRET));
        out(&output)
    };

    for path in [
        "/health",
        "/v1/health",
        &bed.path("/dump?since=x"),
        &bed.path("/digest"),
    ] {
        for more in [&[][..], &["--nonce"], &["--nonce", "--key-id", "initial"]] {
            let headers = sign(&[&["GET", &url(path)], more].concat());
            let (status, answer) = send(&bed, "GET", path, &headers, "");
            assert_eq!(status, 200, "{headers}: {answer}");
        }
    }

    let body = json!({ "public_key": key(1), "allowed_ips": ["10.0.1.1/32"] }).to_string();
    let file = bed.folder().join("body.json");
    fs::write(&file, &body).unwrap();
    give_away(&file);
    let path = bed.path("/peers");
    wait_for_next_second();
    let headers = sign(&["POST", &path, "--nonce", "--body-file", text(&file)]);
    let (status, answer) = send(&bed, "POST", &path, &headers, &format!("{body} "));
    assert_eq!(
        (status, answer.contains("bad_signature")),
        (401, true),
        "{answer}"
    );
    let (status, answer) = send(&bed, "POST", &path, &headers, &body);
    assert_eq!(status, 201, "{answer}");
    let (status, answer) = send(&bed, "POST", &path, &headers, &body);
    assert_eq!(
        (status, answer.contains("replayed")),
        (401, true),
        "{answer}"
    );
    assert_eq!(bed.peers().len(), 1);

    let same = sign(&["POST", &path, "--nonce", "--body", &body]);
    assert_eq!(send(&bed, "POST", &path, &same, &body).0, 200);
}

#[test]
fn a_secret_in_the_environment_takes_the_place_of_the_file() {
    let bed = Bed::with(Setup {
        program: true,
        ..Setup::default()
    });
    let sign = |secret: &str| {
        let output = unprivileged()
            .args(["sign", "GET", "/health", "--config", "/nowhere"])
            .env("WGFLEET_AGENT_SECRET", secret)
            .output()
            .unwrap();
        assert!(!all(&output).contains(secret), "{output:?}");
        output
    };

    let headers = out(&sign(SECRET));
    assert_eq!(send(&bed, "GET", "/health", &headers, "").0, 200);
    let headers = out(&sign("another secret, of some other machine"));
    assert_eq!(send(&bed, "GET", "/health", &headers, "").0, 401);
    assert_eq!(sign("too short").status.code(), Some(1));
}

#[test]
fn the_digest_on_the_machine_is_the_one_that_the_agent_tells() {
    if !Bed::only_on(&[Backend::Kernel, Backend::Userspace]) {
        return;
    }
    let bed = Bed::start();
    let compare = || {
        let output = cli(&["digest", bed.name.as_str()]);
        assert!(output.status.success(), "{output:?}");
        let told = bed.digest();
        let expected = format!("{} {}\n", told["digest"].as_str().unwrap(), told["peers"]);
        assert_eq!(out(&output), expected);
        expected
    };

    let empty = compare();
    let psk = "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=";
    let body = json!({ "public_key": key(1), "allowed_ips": ["10.0.1.1/32", "fd00::/64"],
        "preshared_key": psk, "persistent_keepalive": 25 });
    assert_eq!(bed.client.post(&bed.path("/peers"), &body).status, 201);
    bed.hand.put_foreign(&public_key(2), &["10.0.2.0/24"]);
    Bed::within(
        Duration::from_secs(5),
        "the foreign peer to be seen",
        || bed.digest()["peers"] == 2,
    );
    assert_ne!(compare(), empty);
}

#[test]
fn a_rehearsal_prints_the_difference_and_changes_nothing() {
    let mut bed = Bed::with(Setup {
        program: true,
        ..Setup::default()
    });
    for n in 1..=3 {
        assert_eq!(bed.add(&key(n), &[&format!("10.0.1.{n}/32")]).status, 201);
    }
    let rehearse = |bed: &Bed| {
        let asked = Instant::now();
        let output = cli(&["run", "--dry-run", "--config", text(&bed.settings_path())]);
        assert!(output.status.success(), "{output:?}");
        assert!(asked.elapsed() < Duration::from_secs(10));
        assert!(!all(&output).contains(SECRET));
        out(&output)
    };
    let name = bed.name.clone();
    // A rehearsal in memory begins with an empty device, whatever the agent's own holds.
    if bed.backend != Backend::Memory {
        assert_eq!(rehearse(&bed), format!("{name}: nothing to change\n"));
    }
    bed.stop();
    bed.hand.remove(&public_key(2));
    bed.hand.put_foreign(&public_key(9), &["10.0.9.9/32"]);
    let journal = fs::read(bed.journal()).unwrap();
    let device = bed.hand.peers();

    let difference = rehearse(&bed);

    assert!(
        difference.contains(&format!("{name}: would set peer {}", key(2))),
        "{difference}"
    );
    assert!(!difference.contains(&key(9)), "{difference}");
    let lines = if bed.backend == Backend::Memory { 3 } else { 1 };
    assert_eq!(difference.lines().count(), lines, "{difference}");
    assert_eq!(bed.hand.peers(), device);
    assert_eq!(fs::read(bed.journal()).unwrap(), journal);

    bed.run();
    assert!(bed.peers().iter().any(|(held, _)| *held == key(2)));
}

#[test]
fn the_example_is_without_mistake_once_its_secret_exists() {
    let folder = Folder::new();
    let example = out(&cli(&["example-config"]));

    let path = folder.put("config.toml", &example);
    let alone = out(&cli(&["check", "--config", text(&path)]));
    assert!(
        alone.lines().count() <= 1 && (alone.contains("secret") || alone.contains("no mistake")),
        "{alone}"
    );

    let secret = folder.0.path().join("secret");
    let example = example.replace("/etc/wgfleet-agent/secret", text(&secret));
    let path = folder.put("config.toml", &example);
    let output = cli(&["check", "--config", text(&path)]);
    assert_eq!(out(&output), format!("{}: no mistake\n", path.display()));
    assert!(output.status.success());
    assert!(agent().exists());
}
