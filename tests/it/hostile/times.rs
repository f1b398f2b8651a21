//! When a request was signed: the window, its edges, and what the answer to a late one says.

use protocol::signing::Request;

use super::{bed, refused, write};
use crate::bed::{Bed, Client, Response, Setup, now, wait_for_next_second};

#[test]
fn a_timestamp_of_another_shape_is_refused_though_it_was_signed() {
    let bed = bed();
    let good = now().to_string();
    let timestamps = [
        String::new(),
        "soon".into(),
        format!("+{good}"),
        format!("-{good}"),
        format!("0{good}"),
        good[..9].to_owned(),
        format!("{good}000"),
        format!("0000{good}"),
        format!("{good}.0"),
        format!("{} {}", &good[..5], &good[5..]),
        format!("0x{:x}", now()),
        "1_766_000_000".into(),
        good.chars()
            .map(|digit| char::from_u32(digit as u32 - 0x30 + 0x660).unwrap())
            .collect(),
        "99999999999999999999999".into(),
    ];
    let body = write(&bed, &bed.client).body;
    for timestamp in &timestamps {
        for nonce in [None, Some("a-nonce-of-good-form")] {
            let draft = bed.client.draft_of(Request {
                method: "POST",
                target: &bed.path("/peers"),
                body: &body,
                timestamp,
                nonce,
            });

            refused(&bed, &draft, 401, "bad_timestamp", timestamp);
        }
    }
}

#[test]
fn a_missing_timestamp_is_refused() {
    let bed = bed();
    let mut draft = write(&bed, &bed.client);
    draft.unset("X-Timestamp");

    refused(&bed, &draft, 401, "bad_timestamp", "no timestamp");
}

/// The answers to reads whose timestamps are so far from the clock, all within one second of it.
fn reads_off_by(bed: &Bed, offsets: &[i64]) -> Vec<Response> {
    let read = |nonces: bool, offset: i64| {
        let client = Client {
            clock_offset: offset,
            nonces,
            ..bed.client.clone()
        };
        client.get(&bed.path("/digest"))
    };
    loop {
        wait_for_next_second();
        let second = now();
        let responses = offsets
            .iter()
            .flat_map(|offset| [read(true, *offset), read(false, *offset)])
            .collect();
        if now() == second {
            return responses;
        }
    }
}

#[test]
fn the_window_ends_after_300_seconds_on_both_sides() {
    let bed = bed();

    for response in reads_off_by(&bed, &[-300, 0, 300]) {
        assert_eq!(response.status, 200, "{response:?}");
    }
    for response in reads_off_by(&bed, &[-301, 301]) {
        assert_eq!(response.code(), (401, "stale_timestamp".into()));
    }
}

#[test]
fn a_stale_write_is_refused_in_a_signed_answer_that_tells_the_time() {
    let bed = bed();
    let before = bed.standing();
    for offset in [-100_000, -302, 302, 100_000, 500_000_000_000] {
        let client = Client {
            clock_offset: offset,
            ..bed.client.clone()
        };

        let response = client.send(&write(&bed, &client));

        assert_eq!(response.code(), (401, "stale_timestamp".into()), "{offset}");
        assert_eq!(response.verified, Some(true), "{offset}");
        let told = response.json()["timestamp"].as_i64().unwrap();
        assert!((now() - told).abs() <= 2, "{response:?}");
        let signed: i64 = response.header("x-timestamp").unwrap().parse().unwrap();
        assert_eq!(signed, told);
        assert_eq!(bed.standing(), before, "{offset}");
    }
}

#[test]
fn a_stale_timestamp_is_told_to_nobody_who_did_not_sign() {
    let bed = bed();
    let client = Client {
        clock_offset: -100_000,
        secret: protocol::signing::Secret::parse("another secret, of some other machine").unwrap(),
        ..bed.client.clone()
    };

    refused(&bed, &write(&bed, &client), 401, "bad_signature", "stale");
}

#[test]
fn a_write_of_before_the_start_is_refused_and_told_when_writes_begin() {
    let started = now();
    let bed = Bed::with(Setup::default());
    let before = bed.standing();
    let client = Client {
        clock_offset: -20,
        ..bed.client.clone()
    };

    let response = client.send(&write(&bed, &client));

    assert_eq!(response.code(), (401, "before_restart".into()));
    assert_eq!(response.verified, Some(true));
    let not_before = response.json()["not_before"].as_i64().unwrap();
    assert!(
        (started + 1..=now() + 1).contains(&not_before),
        "{not_before} is not just after {started}"
    );
    assert_eq!(bed.standing(), before);
    assert_eq!(
        client.get(&bed.path("/digest")).status,
        200,
        "a read changes nothing"
    );

    let body = write(&bed, &bed.client).body;
    let at_floor = bed
        .client
        .draft_at("POST", &bed.path("/peers"), &body, not_before - 1, None);
    assert_eq!(
        bed.client.send(&at_floor).code(),
        (401, "before_restart".into())
    );
    let above = bed
        .client
        .draft_at("POST", &bed.path("/peers"), &body, not_before, None);
    assert_eq!(bed.client.send(&above).status, 201);
}
