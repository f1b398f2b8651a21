//! What the program may do to its machine, as the kernel tells it: one user, one capability, no other
//! program, nothing secret in what it says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::bed::{
    Backend, Bed, Host, Process, SECRET, Setup, Started, agent, encode, is_root, key, run,
    unprivileged,
};

mod supervision;

fn program() -> Bed {
    Bed::with(Setup {
        program: true,
        ..Setup::default()
    })
}

#[test]
fn every_thread_is_nobody_with_one_capability_and_can_gain_no_other() {
    let bed = program();
    assert_eq!(bed.add(&key(1), &["10.0.1.1/32"]).status, 201);

    let threads = Process::of(bed.pid()).threads();

    assert!(threads.len() > 2, "{}", threads.len());
    for thread in threads {
        let name = &thread["Name"];
        if is_root() {
            let nobody = "65534\t65534\t65534\t65534";
            assert_eq!(
                (thread["Uid"].as_str(), thread["Gid"].as_str()),
                (nobody, nobody)
            );
            assert_eq!(thread["Groups"], "", "{name}");
            // CAP_NET_ADMIN is bit 12.
            for set in ["CapEff", "CapPrm", "CapBnd"] {
                assert_eq!(thread[set], "0000000000001000", "{name}: {set}");
            }
        }
        assert_eq!(thread["CapAmb"], "0000000000000000", "{name}");
        assert_eq!(thread["NoNewPrivs"], "1", "{name}");
        assert_eq!(thread["Seccomp"], "2", "{name}");
    }
}

#[test]
fn no_program_is_started_however_many_writes_come() {
    let bed = program();
    let trace = bed.folder().join("trace");
    let pid = bed.pid().to_string();
    let calls = "trace=execve,execveat,fork,vfork";
    let started = Command::new("strace")
        .args(["-f", "-q", "-e", calls, "-e", "signal=none", "-o"])
        .args([trace.as_os_str(), "-p".as_ref(), pid.as_ref()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut strace) = started else {
        println!("skipped: there is no strace");
        return;
    };
    let process = Process::of(bed.pid());
    Bed::within(
        Duration::from_secs(10),
        "strace to hold every thread",
        || {
            process
                .threads()
                .iter()
                .all(|thread| thread["TracerPid"] != "0")
        },
    );

    // In a virtual machine each traced call takes its time.
    let of_each = if bed.backend == Backend::Kernel {
        25
    } else {
        125
    };
    std::thread::scope(|scope| {
        for n in 0..4 {
            let bed = &bed;
            scope.spawn(move || {
                for i in 0..of_each {
                    let peer = key(n * 1000 + i);
                    let ip = format!("10.{n}.0.{i}/32");
                    assert_eq!(bed.add(&peer, &[&ip]).status, 201);
                    assert_eq!(bed.delete(&peer).status, 200);
                }
            });
        }
    });
    let config = bed.client.put(
        &bed.path("/config"),
        &json!({ "mtu": 1400, "listen_port": 51999 }),
    );
    assert_eq!(config.status, 200, "{config:?}");
    assert_eq!(
        bed.client.post(&bed.path("/enable"), &Value::Null).status,
        422
    );
    assert_eq!(
        bed.client.call("POST", &bed.path("/enable"), b"").status,
        200
    );

    run("kill", &["-INT", &strace.id().to_string()]);
    strace.wait().unwrap();
    let calls = fs::read_to_string(&trace).unwrap();
    assert!(calls.is_empty(), "{calls}");
    assert_eq!(Process::of(bed.pid()).children(), [0; 0]);
}

#[test]
fn root_is_refused_unless_it_was_allowed() {
    if !is_root() {
        println!("skipped: this needs root");
        return;
    }
    let mut bed = program();
    bed.stop();
    let mut command = Command::new(agent());
    command.arg("run").arg("--config").arg(bed.settings_path());

    let Started::Ended(status, log) = Host::start(&mut command) else {
        panic!("it serves as root");
    };

    assert_eq!(status, Some(3), "{log}");
    assert!(log.contains("allow_root"), "{log}");
}

#[test]
fn one_folder_of_state_has_one_agent() {
    let bed = program();
    let mut command = unprivileged();
    command.arg("run").arg("--config").arg(bed.settings_path());

    let Started::Ended(status, log) = Host::start(&mut command) else {
        panic!("two agents share a folder");
    };

    assert_eq!(status, Some(3), "{log}");
    assert!(log.contains("another agent uses the state folder"), "{log}");
    assert_eq!(bed.add(&key(1), &["10.0.1.1/32"]).status, 201);
}

fn files(folder: &Path) -> Vec<(String, u32)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            (entry.file_name().into_string().unwrap(), mode)
        })
        .collect()
}

#[test]
fn what_is_on_disk_is_for_its_owner_alone() {
    let bed = program();
    for n in 1..4 {
        assert_eq!(bed.add(&key(n), &[]).status, 201);
    }
    let exchange = json!({ "id": "second", "public_key": key(9) });
    assert_eq!(bed.client.post("/secrets", &exchange).status, 200);
    let config = json!({ "listen_port": 51998 });
    assert_eq!(bed.client.put(&bed.path("/config"), &config).status, 200);

    let files = files(&bed.state_dir());

    assert!(files.len() >= 3, "{files:?}");
    for (name, mode) in &files {
        assert_eq!(*mode, 0o600, "{name} of {files:?}");
    }
    let folder = fs::metadata(bed.state_dir()).unwrap().permissions().mode() & 0o777;
    assert_eq!(folder, 0o700);
}

/// Everything that must be in no answer and no line of the log.
struct Secrets {
    needles: Vec<String>,
}

impl Secrets {
    fn assert_absent(&self, text: &str, what: &str) {
        for needle in &self.needles {
            assert!(
                !text.contains(needle.as_str()),
                "{needle} is in {what}: {text}"
            );
        }
    }
}

#[test]
fn neither_keys_nor_secrets_nor_paths_are_told_or_logged() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    let mut bed = Bed::with(Setup {
        program: true,
        keys: "log = \"trace\"\nmetrics_peer_labels = true".into(),
        ..Setup::default()
    });
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
    let keys: Vec<[u8; 32]> = vec![[0x5a; 32], [0x6b; 32], [0x48; 32], [0x71; 32]];
    let texts: Vec<String> = keys.iter().map(|bytes| STANDARD.encode(bytes)).collect();
    let mut needles = vec![SECRET.to_owned(), bed.state_dir().display().to_string()];
    for (bytes, text) in keys.iter().zip(&texts) {
        needles.extend([text.clone(), hex(bytes), format!("{bytes:?}")]);
    }
    let secrets = Secrets { needles };
    let mut answers = Vec::new();
    let peers = bed.path("/peers");
    let peer = bed.path(&format!("/peers/{}", encode(&key(1))));
    let psk = |text: &str| json!({ "public_key": key(1), "allowed_ips": ["10.0.1.1/32"], "preshared_key": text });

    // What works, and what is refused in every way that has a reason to quote.
    answers.push(bed.client.post(&peers, &psk(&texts[0])));
    answers.push(bed.client.put(&peer, &json!({ "preshared_key": texts[1] })));
    answers.push(bed.client.post(&peers, &psk(&texts[2])));
    answers.push(bed.client.post(&peers, &psk(&format!("{}x", texts[0]))));
    answers.push(
        bed.client
            .put(&peer, &json!({ "preshared_key": texts[1], "colour": 1 })),
    );
    answers.push(bed.client.call("POST", &peers, texts[2].as_bytes()));
    let batch = json!({ "base_generation": null, "generation": 1, "upsert": [psk(&texts[2])], "remove": [key(1)] });
    answers.push(bed.client.patch(&peers, &batch));
    let config = |key: &str| json!({ "private_key": key });
    answers.push(bed.client.put(&bed.path("/config"), &config(&texts[3])));
    answers.push(
        bed.client
            .put(&bed.path("/config"), &config(&format!("{}=", texts[3]))),
    );
    let set = format!(
        "[Interface]\nPrivateKey = {}\n[Peer]\nPublicKey = {}\nPresharedKey = {}\nAllowedIPs = x\n",
        texts[3],
        key(1),
        texts[1]
    );
    answers.push(bed.client.post(
        &bed.path("/syncconf"),
        &json!({ "config": STANDARD.encode(set) }),
    ));
    answers.push(
        bed.client
            .post("/secrets", &json!({ "id": "second", "public_key": key(9) })),
    );
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(
        statuses,
        [201, 200, 409, 422, 422, 400, 422, 200, 422, 422, 200]
    );
    for target in ["/health", "/status", "/metrics"] {
        answers.push(bed.client.get(target));
    }
    for rest in ["/dump", "/config", "/digest"] {
        answers.push(bed.client.get(&bed.path(rest)));
    }
    for answer in &answers {
        secrets.assert_absent(
            &format!("{} {:?}", answer.text(), answer.headers),
            "an answer",
        );
    }
    assert_eq!(bed.get("/config")["config"]["private_key"], Value::Null);
    assert_eq!(bed.dump()["peers"][0]["has_preshared_key"], true);

    let log = bed.stop();
    secrets.assert_absent(&log, "the log");
    bed.run();
    let log = bed.stop();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
    secrets.assert_absent(&log, "the log after a restart");
    if bed.backend != Backend::Memory {
        assert!(bed.hand.peers().values().all(|peer| peer.has_psk));
    }
}
