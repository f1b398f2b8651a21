//! What was sent once, sent again: a write acts once, whatever came of it, and neither a restart nor a
//! full memory opens the door to it.

use serde_json::{Value, json};

use crate::bed::{
    Bed, Client, Draft, Response, Setup, awkward_keys, encode, key, now, wait_for_next_second,
};

fn peer(n: u8) -> Value {
    json!({ "public_key": key(n.into()), "allowed_ips": [format!("10.0.1.{n}/32")] })
}

fn draft(bed: &Bed, method: &str, rest: &str, body: &Value) -> Draft {
    let body = match body {
        Value::Null => Vec::new(),
        body => body.to_string().into_bytes(),
    };
    bed.client.draft(method, &bed.path(rest), &body)
}

fn assert_replayed(response: &Response) {
    assert_eq!(response.code(), (401, "replayed".into()), "{response:?}");
    assert_eq!(response.verified, Some(true), "{response:?}");
    let told = response.json()["timestamp"].as_i64().unwrap();
    assert!((now() - told).abs() <= 2, "{response:?}");
}

fn assert_before_restart(response: &Response) -> i64 {
    assert_eq!(
        response.code(),
        (401, "before_restart".into()),
        "{response:?}"
    );
    assert_eq!(response.verified, Some(true), "{response:?}");
    response.json()["not_before"].as_i64().unwrap()
}

#[test]
fn a_write_of_any_method_acts_once() {
    let bed = Bed::start();
    let one = format!("/peers/{}", encode(&key(1)));
    // After each write another undoes it, so that a replay would show.
    let steps = [
        (
            draft(&bed, "POST", "/peers", &peer(1)),
            draft(&bed, "DELETE", &one, &Value::Null),
        ),
        (
            draft(
                &bed,
                "PATCH",
                "/peers",
                &json!({ "base_generation": null, "generation": 5, "upsert": [peer(1)] }),
            ),
            draft(&bed, "DELETE", &one, &Value::Null),
        ),
        (
            draft(
                &bed,
                "PUT",
                "/peers",
                &json!({ "generation": 6, "peers": [peer(1)] }),
            ),
            draft(&bed, "POST", "/peers", &peer(2)),
        ),
        (
            draft(&bed, "PUT", &one, &json!({ "persistent_keepalive": 25 })),
            draft(&bed, "PUT", &one, &json!({ "persistent_keepalive": 0 })),
        ),
        (
            draft(&bed, "DELETE", &one, &Value::Null),
            draft(&bed, "POST", "/peers", &peer(1)),
        ),
        (
            draft(&bed, "POST", "/disable", &Value::Null),
            draft(&bed, "POST", "/enable", &Value::Null),
        ),
    ];
    for (write, undo) in &steps {
        assert!(bed.client.send(write).status < 300, "{write:?}");
        assert!(bed.client.send(undo).status < 300, "{undo:?}");
        let before = bed.standing();

        for replay in [write, undo, write] {
            assert_replayed(&bed.client.send(replay));
        }

        assert_eq!(bed.standing(), before, "{write:?}");
    }
}

#[test]
fn a_read_may_be_repeated() {
    let bed = Bed::start();
    let dump = draft(&bed, "GET", "/dump", &Value::Null);
    let head = draft(&bed, "HEAD", "/dump", &Value::Null);

    for _ in 0..3 {
        let response = bed.client.send(&dump);
        assert_eq!((response.status, response.verified), (200, Some(true)));
        let response = bed.client.send(&head);
        assert_eq!((response.status, response.verified), (200, Some(true)));
    }
}

#[test]
fn a_write_that_was_refused_is_remembered_as_well() {
    let bed = Bed::start();
    assert_eq!(bed.add(&key(1), &["10.0.1.1/32"]).status, 201);
    let conflict = draft(
        &bed,
        "POST",
        "/peers",
        &json!({ "public_key": key(2), "allowed_ips": ["10.0.1.1/32"] }),
    );
    let wrong = draft(
        &bed,
        "POST",
        "/peers",
        &json!({ "public_key": key(2), "allowed_ips": ["10.0.1.300/32"] }),
    );
    let unknown = draft(
        &bed,
        "PUT",
        &format!("/peers/{}", encode(&key(2))),
        &json!({ "persistent_keepalive": 5 }),
    );
    let nowhere = bed
        .client
        .draft("POST", "/v1/wg/lo/peers", peer(2).to_string().as_bytes());
    let all = [
        (conflict, 409),
        (wrong, 422),
        (unknown, 404),
        (nowhere, 403),
    ];
    for (write, status) in &all {
        assert_eq!(bed.client.send(write).status, *status, "{write:?}");
    }

    // Now all of them could act.
    assert_eq!(bed.delete(&key(1)).status, 200);
    assert_eq!(bed.add(&key(2), &["10.0.9.9/32"]).status, 201);
    let before = bed.standing();
    for (write, _) in &all {
        assert_replayed(&bed.client.send(write));
    }
    assert_eq!(bed.standing(), before);
}

#[test]
fn two_equal_writes_of_one_second_are_one_without_a_nonce() {
    let bed = Bed::start();
    wait_for_next_second();
    let body = peer(1).to_string();
    let path = bed.path("/peers");
    let at = now();
    let sign = |nonce: Option<&str>| {
        bed.client
            .draft_at("POST", &path, body.as_bytes(), at, nonce.map(str::to_owned))
    };

    assert_eq!(bed.client.send(&sign(None)).status, 201);
    assert_replayed(&bed.client.send(&sign(None)));
    for nonce in ["the-first-of-two-nonces", "the-second-of-two-nonces"] {
        assert_eq!(bed.client.send(&sign(Some(nonce))).status, 200);
    }
    assert_eq!(bed.peers().len(), 1);
}

#[test]
fn one_signature_acts_once_in_whatever_spelling_of_the_path() {
    let bed = Bed::start();
    let [_, _, both] = awkward_keys();
    let first = Client {
        nonces: false,
        ..bed.client.clone()
    };
    let plain = first.draft("DELETE", &bed.path(&format!("/peers/{both}")), b"");
    let mut encoded = plain.clone();
    encoded.target = bed.path(&format!("/peers/{}", encode(&both)));
    assert_eq!(bed.add(&both, &["10.0.1.1/32"]).status, 201);

    assert_eq!(bed.client.send(&encoded).status, 200);
    assert_eq!(bed.add(&both, &["10.0.1.1/32"]).status, 201);

    assert_replayed(&bed.client.send(&plain));
    assert_replayed(&bed.client.send(&encoded));
    assert_eq!(bed.peers().len(), 1);
}

#[test]
fn naming_the_secret_or_not_makes_no_second_write() {
    let bed = Bed::start();
    let mut write = draft(&bed, "POST", "/peers", &peer(1));
    assert_eq!(bed.client.send(&write).status, 201);
    assert_eq!(bed.delete(&key(1)).status, 200);

    write.set("X-Key-Id", "initial");

    assert_replayed(&bed.client.send(&write));
    assert_eq!(bed.peers(), []);
}

#[test]
fn simultaneous_copies_of_a_write_act_once() {
    let bed = Bed::start();
    for n in 1..=10 {
        let write = draft(&bed, "POST", "/peers", &peer(n));
        let answers: Vec<Response> = std::thread::scope(|scope| {
            let copies: Vec<_> = (0..6)
                .map(|_| scope.spawn(|| bed.client.send(&write)))
                .collect();
            copies
                .into_iter()
                .map(|copy| copy.join().unwrap())
                .collect()
        });

        let (acted, rest): (Vec<Response>, Vec<Response>) =
            answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(acted.len(), 1, "{rest:?}");
        rest.iter().for_each(assert_replayed);
    }
    assert_eq!(bed.peers().len(), 10);
}

#[test]
fn nothing_from_before_a_restart_acts_after_it_not_even_what_was_signed_ahead() {
    let mut bed = Bed::start();
    let ahead = Client {
        clock_offset: 5,
        ..bed.client.clone()
    };
    let add = draft(&bed, "POST", "/peers", &peer(1));
    let never_sent = draft(&bed, "POST", "/peers", &peer(3));
    let add_ahead = ahead.draft("POST", &bed.path("/peers"), peer(2).to_string().as_bytes());
    let never_sent_ahead = ahead.draft("POST", &bed.path("/peers"), peer(4).to_string().as_bytes());
    for write in [&add, &add_ahead] {
        assert_eq!(bed.client.send(write).status, 201);
    }
    let latest: i64 = add_ahead.header("X-Timestamp").parse().unwrap();
    for n in [1, 2] {
        let body = json!({ "allowed_ips": [] });
        assert_eq!(bed.update(&key(n), &body).status, 200);
    }

    bed.restart();

    let before = bed.standing();
    for old in [&add, &add_ahead, &never_sent, &never_sent_ahead] {
        let not_before = assert_before_restart(&bed.client.send(old));
        assert!(not_before > latest, "{not_before} <= {latest}");
    }
    assert_eq!(bed.standing(), before);
    // The controller corrects its clock by what it was told; so does this client.
    let told = Client {
        clock_offset: latest + 1 - now(),
        ..bed.client.clone()
    };
    let body = peer(5).to_string();
    let response = told.post(&bed.path("/peers"), &peer(5));
    assert_eq!(response.status, 201, "{body}: {response:?}");
}

#[test]
fn a_full_memory_forgets_the_oldest_and_takes_nothing_that_is_as_old() {
    let bed = Bed::with(Setup {
        limits: "replay_signatures = 5".into(),
        ..Setup::default()
    });
    wait_for_next_second();
    let start = now();
    // Twelve writes of twelve seconds, the later ones ahead of the clock.
    let writes: Vec<Draft> = (0..12_u8)
        .map(|n| {
            let body = peer(n + 1).to_string();
            let at = start + i64::from(n);
            bed.client
                .draft_at("POST", &bed.path("/peers"), body.as_bytes(), at, None)
        })
        .collect();
    for write in &writes {
        assert_eq!(bed.client.send(write).status, 201, "{write:?}");
    }
    for n in 1..=12 {
        let removed = Client {
            clock_offset: 20,
            ..bed.client.clone()
        };
        let path = bed.path(&format!("/peers/{}", encode(&key(n))));
        if n <= 2 {
            assert_eq!(removed.delete(&path).status, 200);
        }
    }
    // Five are remembered: the two removals and the last three of the twelve. The rest is the floor.
    let before = bed.standing();

    for (n, write) in writes.iter().enumerate() {
        let response = bed.client.send(write);
        if n < 9 {
            let not_before = assert_before_restart(&response);
            assert_eq!(not_before, start + 9, "{n}");
        } else {
            assert_replayed(&response);
        }
    }
    let fresh = bed.add(&key(50), &["10.0.5.1/32"]);
    assert_eq!(
        assert_before_restart(&fresh),
        start + 9,
        "what is as old as the floor cannot be told from a replay"
    );
    assert_eq!(bed.standing(), before);
}
