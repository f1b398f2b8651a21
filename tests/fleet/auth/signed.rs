//! Requests that are signed, or claim to be.

use controller::clock;
use controller::domain::role::Scope;
use futures_util::future::join_all;

use super::bed::{Bed, call};

#[actix_web::test]
async fn a_signed_request_is_let_in_and_its_answer_is_signed() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    let read = call("GET", "/api/things/tea?x=%2F", "").signed(&key);
    let write = call("POST", "/api/things", "tea").signed(&key);

    let [shown, made] = [bed.send(&read).await, bed.send(&write).await];

    assert_eq!(
        (shown.status, shown.text()),
        (200, format!("tea for {}", key.key.key_id).as_str())
    );
    assert_eq!((made.status, made.text()), (201, "made tea as 1"));
    assert!(shown.is_signed(&key, &read) && made.is_signed(&key, &write));
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    assert!(!made.is_signed(&key, &read));
}

#[actix_web::test]
async fn the_answer_to_head_is_signed_without_a_body() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Read).await;
    let head = call("HEAD", "/api/things/tea", "").signed(&key);

    let answer = bed.send(&head).await;

    assert_eq!((answer.status, answer.text()), (200, ""));
    assert!(answer.is_signed(&key, &head));
}

#[actix_web::test]
async fn a_write_that_is_not_signed_does_nothing() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    let write = call("POST", "/api/things", "tea");
    let signed = write.clone().signed(&key);

    for (unsigned, code) in [
        (write.clone(), "missing_signature"),
        (write.with("X-Key-Id", &key.key.key_id), "missing_signature"),
        (signed.clone().without("X-Signature"), "missing_signature"),
        (signed.clone().without("X-Timestamp"), "bad_timestamp"),
        (signed.clone().without("X-Nonce"), "bad_signature"),
        (signed.clone().without("X-Key-Id"), "unknown_key"),
        (signed.body("tee"), "bad_signature"),
    ] {
        let answer = bed.send(&unsigned).await;
        assert_eq!(answer.refusal(), (401, code.to_owned()));
        assert_eq!(answer.header("x-signature"), None);
    }
    assert_eq!(bed.acted(), 0);
}

#[actix_web::test]
async fn a_header_that_comes_twice_is_refused() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Read).await;
    let read = call("GET", "/api/things/tea", "").signed(&key);
    let twice = [
        ("X-Signature", "0".repeat(64)),
        ("X-Timestamp", "1800000000".to_owned()),
        ("X-Nonce", "0123456789abcdef".to_owned()),
        ("X-Key-Id", key.key.key_id.clone()),
    ];

    for (name, value) in twice {
        let answer = bed.send(&read.clone().with(name, &value)).await;
        assert_eq!(
            answer.refusal(),
            (401, "malformed_signature".to_owned()),
            "{name}"
        );
    }
}

#[actix_web::test]
async fn a_write_acts_once_however_often_it_arrives() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    let write = call("POST", "/api/things", "tea").signed(&key);

    let answers = join_all((0..8).map(|_| bed.send(&write))).await;

    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!((made, bed.acted()), (1, 1));
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.refusal(), (401, "replayed".to_owned()));
        assert!(answer.is_signed(&key, &write));
    }
}

#[actix_web::test]
async fn a_read_may_be_repeated_and_is_not_remembered() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Read).await;
    let read = call("GET", "/api/things/tea", "").signed(&key);

    let [one, two] = [bed.send(&read).await, bed.send(&read).await];

    assert_eq!((one.status, two.status), (200, 200));
    assert_eq!(bed.sql("DELETE FROM request_signatures").await, 0);
}

#[actix_web::test]
async fn who_is_not_who_they_say_leaves_no_trace_in_the_memory() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    let write = call("POST", "/api/things", "tea").signed(&key).body("tee");

    bed.send(&write).await;

    assert_eq!(bed.sql("DELETE FROM request_signatures").await, 0);
}

#[actix_web::test]
async fn a_stale_request_is_told_the_time_in_a_signed_answer() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    let now = clock::now().timestamp();
    let write = call("POST", "/api/things", "tea");

    for at in [now - 310, now + 310] {
        let stale = write
            .clone()
            .signed_at(&key.key.key_id, &key.secret, at, "0123456789abcdef");
        let answer = bed.send(&stale).await;
        assert_eq!(answer.refusal(), (401, "stale_timestamp".to_owned()));
        assert!(answer.is_signed(&key, &stale));
        let told = answer.json()["timestamp"].as_i64().unwrap();
        assert!((now..now + 60).contains(&told), "{told}");
    }
    assert_eq!(bed.acted(), 0);
}

#[actix_web::test]
async fn bodies_are_bounded_before_anybody_is_known() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    let large = call("POST", "/api/things", &"x".repeat(4097)).signed(&key);
    let encoded = call("POST", "/api/things", "tea")
        .with("Content-Encoding", "gzip")
        .signed(&key);

    let [large, encoded] = [bed.send(&large).await, bed.send(&encoded).await];

    assert_eq!(large.refusal(), (413, "body_too_large".to_owned()));
    assert_eq!(encoded.refusal(), (415, "content_encoding".to_owned()));
    let most = call("POST", "/api/things", &"x".repeat(4096)).signed(&key);
    assert_eq!(bed.send(&most).await.status, 201);
    assert_eq!(bed.acted(), 1);
}

#[actix_web::test]
async fn a_body_in_chunks_is_bounded_and_a_body_that_does_not_come_is_not_waited_for() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    let signed = call("POST", "/api/things", "tea").signed(&key).bytes();
    let text = String::from_utf8(signed).unwrap();
    let chunked = text.replace("Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n");
    let chunks = format!("1000\r\n{}\r\n", "x".repeat(0x1000)).repeat(2);
    let endless = chunked.replace("\r\n\r\ntea", &format!("\r\n\r\n{chunks}"));
    let slow = text.replace("Content-Length: 3", "Content-Length: 4");

    let endless = bed.send_bytes(endless.into_bytes()).await;
    let slow = bed.send_bytes(slow.into_bytes()).await;

    assert_eq!(endless.refusal(), (413, "body_too_large".to_owned()));
    assert_eq!(slow.refusal(), (408, "slow_body".to_owned()));
    assert_eq!(bed.acted(), 0);
}

#[actix_web::test]
async fn without_the_memory_nothing_acts() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    bed.sql("ALTER TABLE request_signatures RENAME TO lost")
        .await;
    let write = call("POST", "/api/things", "tea").signed(&key);

    let answer = bed.send(&write).await;

    assert_eq!(answer.refusal(), (503, "unavailable".to_owned()));
    assert_eq!(bed.acted(), 0);
    let read = call("GET", "/api/things/tea", "").signed(&key);
    assert_eq!(bed.send(&read).await.status, 200);
}

#[actix_web::test]
async fn what_no_signature_could_cover_is_refused_first() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Read).await;

    let separator = call("GET", "/api/things/a|b", "").signed(&key);
    let absolute = call("GET", "http://here/api/things/a", "").signed(&key);
    let method = call("TRACE", "/api/things/a", "").signed(&key);

    assert_eq!(
        bed.send(&separator).await.refusal(),
        (400, "bad_target".to_owned())
    );
    assert_eq!(
        bed.send(&absolute).await.refusal(),
        (400, "bad_target".to_owned())
    );
    assert_eq!(
        bed.send(&method).await.refusal(),
        (405, "method_not_allowed".to_owned())
    );
}

#[actix_web::test]
async fn who_fails_too_often_waits_but_who_signs_well_does_not() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Read).await;
    let read = call("GET", "/api/things/tea", "");

    let mut last = bed.send(&read).await;
    for _ in 0..20 {
        last = bed.send(&read).await;
    }

    assert_eq!(last.refusal(), (429, "too_many_failures".to_owned()));
    let wait: u64 = last.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3).contains(&wait), "{wait}");
    assert_eq!(bed.send(&read.signed(&key)).await.status, 200);
}

#[actix_web::test]
async fn the_memory_is_pruned_only_of_what_can_verify_no_more() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    let write = call("POST", "/api/things", "tea").signed(&key);
    bed.send(&write).await;
    let pool = &bed.database.pool;

    controller::auth::prune(pool, chrono::TimeDelta::hours(24), clock::now())
        .await
        .unwrap();
    assert_eq!(
        bed.send(&write).await.refusal(),
        (401, "replayed".to_owned())
    );

    let later = clock::now() + chrono::TimeDelta::minutes(16);
    controller::auth::prune(pool, chrono::TimeDelta::hours(24), later)
        .await
        .unwrap();
    assert_eq!(bed.sql("DELETE FROM request_signatures").await, 0);
}
