//! The program in the hands of its supervisor: told to stop, watched, started with a daemon of its own.

use std::os::unix::net::UnixDatagram;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use serde_json::json;

use super::program;
use crate::bed::{Backend, Bed, Process, Setup, give_away, key, parse, run};

#[test]
fn what_was_answered_before_the_end_is_there_after_it() {
    let mut bed = program();
    let next = AtomicU32::new(1);
    let stopped = AtomicBool::new(false);
    let added = Mutex::new(Vec::new());
    let client = bed.client.clone();
    let path = bed.path("/peers");

    let log = std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !stopped.load(Ordering::SeqCst) {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    let body = json!({ "public_key": key(n), "allowed_ips": [] }).to_string();
                    let draft = client.draft("POST", &path, body.as_bytes());
                    // A connection that came too late is refused or cut.
                    let Some(answer) = try_exchange(client.address, &draft.bytes()) else {
                        break;
                    };
                    let answer = parse(&answer).map(|answer| client.judge(answer, &draft));
                    if let Some(answer) = answer.filter(|answer| answer.status == 201) {
                        assert_eq!(answer.verified, Some(true));
                        added.lock().unwrap().push(key(n));
                    }
                }
            });
        }
        Bed::within(Duration::from_secs(20), "fifty writes", || {
            added.lock().unwrap().len() > 50
        });
        let log = bed.stop();
        stopped.store(true, Ordering::SeqCst);
        log
    });

    assert!(log.contains("stopped"), "{log}");
    bed.run();
    let held: Vec<String> = bed.peers().into_iter().map(|(key, _)| key).collect();
    let added = added.into_inner().unwrap();
    let lost: Vec<&String> = added.iter().filter(|key| !held.contains(key)).collect();
    assert!(
        lost.is_empty(),
        "{} of {}: {lost:?}",
        lost.len(),
        added.len()
    );
}

fn try_exchange(address: std::net::SocketAddr, bytes: &[u8]) -> Option<Vec<u8>> {
    use std::io::{Read, Write};

    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.write_all(bytes).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn the_supervisor_is_told_of_start_life_and_end() {
    let folder = tempfile::tempdir().unwrap();
    give_away(folder.path());
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    give_away(&path);
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut bed = Bed::with(Setup {
        program: true,
        environment: vec![
            ("NOTIFY_SOCKET".into(), path.to_str().unwrap().into()),
            ("WATCHDOG_USEC".into(), "200000".into()),
        ],
        ..Setup::default()
    });
    let receive = || {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };

    let first: Vec<String> = (0..6).map(|_| receive()).collect();
    assert!(
        first.iter().any(|told| told.contains("READY=1")),
        "{first:?}"
    );
    let signs = first.iter().filter(|told| told.contains("WATCHDOG=1"));
    assert!(signs.count() >= 4, "{first:?}");

    bed.stop();
    let told = std::iter::repeat_with(receive).find(|told| !told.contains("WATCHDOG=1"));
    assert!(told.unwrap().contains("STOPPING=1"));
}

/// An agent that starts the userspace daemon of its interface itself.
fn with_daemon() -> Bed {
    let mut bed = program();
    bed.stop();
    bed.hand.vanish();
    let found = std::env::var("PATH").unwrap();
    let program = std::env::split_paths(&found)
        .map(|folder| folder.join("wireguard-go"))
        .find(|path| path.exists());
    bed.setup.interface = format!("create = true\nuserspace = {:?}", program.unwrap());
    bed.run();
    bed
}

#[test]
fn a_daemon_that_dies_takes_the_agent_along_to_be_started_again() {
    if !Bed::only_on(&[Backend::Userspace]) {
        return;
    }
    let mut bed = with_daemon();
    assert_eq!(bed.add(&key(1), &["10.0.1.1/32"]).status, 201);
    let daemons = Process::of(bed.pid()).children();
    assert_eq!(daemons.len(), 1);

    run("kill", &["-KILL", &daemons[0].to_string()]);
    let (status, log) = bed.wait(Duration::from_secs(10));

    assert_eq!(status, Some(3), "{log}");
    assert!(log.contains("a userspace daemon died"), "{log}");
    bed.run();
    assert_eq!(bed.peers().len(), 1);
    bed.stop();
}

#[test]
fn a_daemon_ends_with_the_agent_that_started_it() {
    if !Bed::only_on(&[Backend::Userspace]) {
        return;
    }
    let mut bed = with_daemon();
    assert_eq!(Process::of(bed.pid()).children().len(), 1);
    let mut threads = Process::of(bed.pid()).threads();
    threads.retain(|thread| thread["Seccomp"] != "2");
    assert!(threads.is_empty(), "{threads:?}");

    let log = bed.stop();

    assert!(log.contains("stopped"), "{log}");
    Bed::within(Duration::from_secs(5), "the interface to go", || {
        !bed.hand.exists()
    });
}
