//! Where requests come from: failures are counted for each address, and some addresses may not connect.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::json;

use super::{send_from, stranger};
use crate::bed::{Bed, Client, Setup, Wire, key};

const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

#[test]
fn failures_are_limited_for_each_address_and_those_who_sign_well_are_not() {
    let bed = Bed::with(Setup {
        limits: "failure_burst = 5\nfailures_per_minute = 12".into(),
        ..Setup::default()
    });
    let before = bed.standing();
    let other = stranger(&bed);
    let fail = |source| {
        let draft = other.draft("DELETE", &bed.path(&format!("/peers/{}", key(1))), b"");
        send_from(source, &bed, &other, &draft)
    };

    for _ in 0..5 {
        assert_eq!(fail(HERE).code(), (401, "bad_signature".into()));
    }
    let limited = fail(HERE);
    assert_eq!(limited.code(), (429, "too_many_failures".into()));
    assert_eq!(limited.verified, None);
    let wait: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&wait), "{limited:?}");

    let unsigned = {
        let mut draft = other.draft("GET", "/health", b"");
        draft.headers.clear();
        draft
    };
    assert_eq!(send_from(HERE, &bed, &other, &unsigned).status, 429);

    // Whoever signs is served, from the very address, even where age or repetition speak against it.
    for _ in 0..20 {
        assert_eq!(bed.client.get("/health").status, 200);
    }
    let late = Client {
        clock_offset: -1000,
        ..bed.client.clone()
    };
    for _ in 0..20 {
        let stale = late.get("/health");
        assert_eq!(stale.code(), (401, "stale_timestamp".into()));
    }
    assert_eq!(bed.standing(), before);
    assert_eq!(bed.add(&key(2), &["10.0.1.2/32"]).status, 201);

    // Another address has done nothing yet.
    assert_eq!(fail(ELSEWHERE).code(), (401, "bad_signature".into()));

    std::thread::sleep(Duration::from_secs(wait));
    assert_eq!(fail(HERE).code(), (401, "bad_signature".into()));
    assert_eq!(fail(HERE).status, 429);
}

#[test]
fn failures_take_nothing_from_the_allowance_by_verifying_late() {
    let bed = Bed::with(Setup {
        limits: "failure_burst = 2\nfailures_per_minute = 1".into(),
        ..Setup::default()
    });
    let late = Client {
        clock_offset: -1000,
        ..bed.client.clone()
    };
    for _ in 0..10 {
        assert_eq!(late.get("/health").status, 401);
    }
    let other = stranger(&bed);

    let codes: Vec<u16> = (0..3)
        .map(|_| other.send(&other.draft("GET", "/health", b"")).status)
        .collect();

    assert_eq!(codes, [401, 401, 429]);
}

#[test]
fn an_address_that_may_not_connect_gets_no_answer_and_does_nothing() {
    let bed = Bed::with(Setup {
        keys: "allow_from = [\"127.0.0.1/32\"]".into(),
        ..Setup::default()
    });
    let before = bed.standing();
    let mut silent = Wire::open_from(ELSEWHERE, bed.address());
    assert_eq!(silent.rest(), b"");
    let mut sign_of_life = bed.client.draft("GET", "/livez", b"");
    sign_of_life.headers.clear();
    let write = |n: u32| {
        let body = json!({ "public_key": key(n), "allowed_ips": [] }).to_string();
        bed.client
            .draft("POST", &bed.path("/peers"), body.as_bytes())
    };

    // Whether the request is there before the connection is looked at is a matter of luck.
    let mut drafts: Vec<_> = (1..30).map(write).collect();
    drafts.push(sign_of_life);
    for draft in &drafts {
        let mut wire = Wire::open_from(ELSEWHERE, bed.address());
        wire.pour(&draft.bytes(), Duration::ZERO, Duration::from_nanos(1));

        assert_eq!(wire.rest(), b"");
    }

    assert_eq!(bed.standing(), before);
    // Not even remembered.
    for draft in &drafts {
        let here = send_from(HERE, &bed, &bed.client, draft);
        assert!(here.status < 300, "{here:?}");
    }
}
