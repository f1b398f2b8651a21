//! Too much of everything, from those who cannot sign: bodies, connections, attempts. It costs them,
//! not the agent, and whoever signs well is served meanwhile.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::bed::{Bed, Client, Draft, Process, Setup, Wire, key};

mod sources;

const MIB: usize = 1 << 20;

fn flooded(limits: &str, timing: &str) -> Bed {
    Bed::with(Setup {
        limits: limits.into(),
        timing: format!("observe_s = 1\nwatch_ms = 50\nretry_ms = 50\n{timing}"),
        program: true,
        ..Setup::default()
    })
}

/// The head of a write whose signature is wrong, and that announces a body in this way.
fn head(bed: &Bed, method: &str, length: &str) -> Vec<u8> {
    let mut draft = bed.client.draft(method, &bed.path("/peers"), b"{}");
    draft.set("X-Signature", &"0".repeat(64));
    head_of(&draft, length)
}

fn head_of(draft: &Draft, length: &str) -> Vec<u8> {
    let text = String::from_utf8(draft.bytes()).unwrap();
    let end = text.find("Content-Length").unwrap();
    format!("{}{length}\r\n\r\n", &text[..end]).into_bytes()
}

fn health(bed: &Bed, limit: Duration) {
    let asked = Instant::now();
    assert_eq!(bed.client.get("/health").status, 200);
    let took = asked.elapsed();
    assert!(took < limit, "a signed request took {took:?}");
}

#[test]
fn a_body_without_end_is_refused_and_cut_and_costs_no_memory() {
    let bed = flooded("failure_burst = 1000", "");
    let agent = Process::of(bed.pid());
    let before = bed.standing();
    let piece = vec![b'x'; 64 * 1024];
    let chunk = [b"10000\r\n", &piece[..], b"\r\n"].concat();

    let announced = format!("Content-Length: {}", 300 * MIB);
    for (length, piece) in [
        (announced.as_str(), &piece),
        ("Transfer-Encoding: chunked", &chunk),
    ] {
        let mut wire = Wire::open(bed.address());
        wire.send(&head(&bed, "POST", length));
        let poured = wire.pour(piece, Duration::ZERO, Duration::from_secs(10));
        assert!(poured.is_some(), "{length}: it was read for ever");
        let answer = String::from_utf8(wire.rest()).unwrap();

        // Once the answer is written the connection is cut, which may destroy the answer on its way.
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 413 "),
            "{length}: {answer}"
        );
    }

    health(&bed, Duration::from_secs(5));
    for field in ["VmRSS", "VmHWM"] {
        let bytes = agent.bytes(field);
        assert!(bytes < 25 * MIB, "{field}: {bytes}");
    }
    assert_eq!(bed.standing(), before);
}

#[test]
fn a_body_that_is_announced_too_large_is_refused_unread() {
    let bed = Bed::start();
    let before = bed.standing();
    for (method, bytes) in [
        ("POST", MIB + 1),
        ("PATCH", MIB + 1),
        ("PUT", 16 * MIB + 1),
        ("POST", usize::MAX),
    ] {
        let mut wire = Wire::open(bed.address());
        wire.send(&head(&bed, method, &format!("Content-Length: {bytes}")));
        let answer = wire.answer();

        assert_eq!(answer.code(), (413, "body_too_large".into()), "{method}");
        assert_eq!(answer.header("x-signature"), None);
    }
    assert_eq!(bed.standing(), before);
}

#[test]
fn a_signed_body_may_be_as_large_as_the_contract_says_and_no_larger() {
    let bed = Bed::start();
    let padded = |bytes: usize| {
        let mut body = json!({ "public_key": key(1), "allowed_ips": ["10.0.1.1/32"] })
            .to_string()
            .into_bytes();
        body.resize(bytes, b' ');
        body
    };

    let largest = bed.client.call("POST", &bed.path("/peers"), &padded(MIB));
    assert_eq!(largest.status, 201);
    let draft = bed
        .client
        .draft("POST", &bed.path("/peers"), &padded(MIB + 1));
    assert_eq!(
        bed.client.send(&draft).code(),
        (413, "body_too_large".into())
    );
}

#[test]
fn bodies_that_nobody_signed_have_a_room_together() {
    let bed = flooded(
        "body_bytes = 1024\nfull_set_bytes = 100000\nunverified_bytes = 100000",
        "body_read_s = 20",
    );
    let before = bed.standing();
    let mut held: Vec<Wire> = (0..3)
        .map(|_| {
            let mut wire = Wire::open(bed.address());
            wire.send(&head(&bed, "PUT", "Content-Length: 60000"));
            wire.send(&[b'x'; 30_000]);
            wire
        })
        .collect();
    std::thread::sleep(Duration::from_millis(300));

    let mut over = Wire::open(bed.address());
    over.send(&head(&bed, "PUT", "Content-Length: 60000"));
    over.send(&[b'x'; 30_000]);
    let answer = over.answer();
    assert_eq!(answer.code(), (503, "busy".into()));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("x-signature"), None);
    health(&bed, Duration::from_secs(2));

    // Those who were in time are judged, and their room is free again.
    for wire in &mut held {
        wire.send(&[b'x'; 30_000]);
        assert!([401, 503].contains(&wire.answer().status));
    }
    let set = json!({ "generation": 1, "peers": [{ "public_key": key(1), "allowed_ips": [] }] });
    let mut body = set.to_string().into_bytes();
    assert_eq!(bed.standing(), before);
    body.resize(100_000, b' ');
    let response = bed.client.call("PUT", &bed.path("/peers"), &body);
    assert_eq!(response.status, 200, "{response:?}");
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let bed = flooded("", "body_read_s = 1");
    let before = bed.standing();
    for length in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let mut silent = Wire::open(bed.address());
        silent.send(&head(&bed, "POST", length));
        let mut trickling = Wire::open(bed.address());
        trickling.send(&head(&bed, "POST", length));

        // A byte now and then does not buy more time.
        let (byte, pause) = (b"1\r\nx\r\n", Duration::from_millis(100));
        let cut = trickling.pour(byte, pause, Duration::from_secs(6));
        assert!(cut.is_some(), "{length}: a trickle was read for ever");

        let answer = silent.answer();
        assert_eq!(answer.code(), (408, "slow_body".into()), "{length}");
        assert_eq!(answer.header("x-signature"), None);
    }
    assert_eq!(bed.standing(), before);
}

#[test]
fn a_thousand_half_requests_do_not_keep_a_signed_one_out() {
    const WANTED: u64 = 1000;
    let most = raise_open_files();
    let count = WANTED.min(most.saturating_sub(200));
    if count < WANTED {
        println!("only {count} connections: this process may open {most} files");
    }
    let bed = flooded("", "head_read_s = 3");
    let whole = head(&bed, "POST", "Content-Length: 2");
    let half = &whole[..whole.len() / 2];

    let mut lorises: Vec<Wire> = (0..count)
        .map(|_| {
            let mut wire = Wire::open(bed.address());
            wire.send(half);
            wire
        })
        .collect();
    for _ in 0..3 {
        health(&bed, Duration::from_secs(3));
        assert_eq!(bed.add(&key(1), &["10.0.1.1/32"]).status / 100, 2);
    }

    // They are cut when the time for their headers is over.
    let agent = Process::of(bed.pid());
    Bed::within(
        Duration::from_secs(15),
        "the half requests to be cut",
        || agent.open_sockets() < 50,
    );
    for wire in lorises.iter_mut().take(20) {
        let rest = String::from_utf8(wire.rest()).unwrap();
        assert!(
            rest.is_empty() || rest.starts_with("HTTP/1.1 408 "),
            "{rest}"
        );
    }
    assert!(agent.bytes("VmHWM") < 64 * MIB);
}

/// Lets this process open as many files as it may, and tells how many.
fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    limit.maximum.unwrap_or(u64::MAX)
}

#[test]
fn no_more_connections_are_served_at_once_than_were_allowed() {
    let bed = flooded("connections = 8", "head_read_s = 2\nkeep_alive_s = 2");
    let agent = Process::of(bed.pid());
    health(&bed, Duration::from_secs(5));
    let quiet = agent.open_sockets();

    let idle: Vec<Wire> = (0..40).map(|_| Wire::open(bed.address())).collect();
    std::thread::sleep(Duration::from_millis(500));
    let open = agent.open_sockets() - quiet;
    assert!((1..=8).contains(&open), "{open} connections are open");

    // Whoever waits comes to his turn when the idle ones are cut.
    health(&bed, Duration::from_secs(20));
    drop(idle);
    health(&bed, Duration::from_secs(5));
}

#[test]
fn announcing_bodies_takes_no_memory() {
    let bed = flooded("", "");
    let agent = Process::of(bed.pid());
    let _announced: Vec<Wire> = (0..100)
        .map(|_| {
            let mut wire = Wire::open(bed.address());
            wire.send(&head(&bed, "PUT", &format!("Content-Length: {}", 16 * MIB)));
            wire.send(b"x");
            wire
        })
        .collect();
    health(&bed, Duration::from_secs(3));

    assert!(agent.bytes("VmHWM") < 40 * MIB);
    let all = agent.bytes("VmSize");
    assert!(all < 1600 * MIB, "{all} bytes were set aside");
}

/// A client that signs with a secret of its own.
fn stranger(bed: &Bed) -> Client {
    Client {
        secret: protocol::signing::Secret::parse("another secret, of some other machine").unwrap(),
        ..bed.client.clone()
    }
}

/// Sends a draft as another address of this machine.
fn send_from(source: Ipv4Addr, bed: &Bed, client: &Client, draft: &Draft) -> crate::bed::Response {
    let mut wire = Wire::open_from(source, bed.address());
    wire.send(&draft.bytes());
    client.judge(wire.answer(), draft)
}
