//! Writes that name themselves, and come again.

use std::time::Duration;

use controller::domain::role::Scope;
use controller::fleet::api_keys::Created;

use super::bed::{Answer, Bed, Call, call};

const NAME: &str = "order-7";

fn post(target: &str, body: &str, key: &Created) -> Call {
    call("POST", target, body)
        .with("Idempotency-Key", NAME)
        .signed(key)
}

fn is_again(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

/// Waits until so many requests have got through to the application.
async fn until_acted(bed: &Bed, times: u32) {
    for _ in 0..500 {
        if bed.acted() == times {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} instead of {times}", bed.acted());
}

#[actix_web::test]
async fn a_named_write_is_done_once_and_answered_alike() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    let [first, second] = [0, 1].map(|_| post("/api/things", "tea", &key));

    let [made, again] = [bed.send(&first).await, bed.send(&second).await];

    assert_eq!((made.status, made.text()), (201, "made tea as 1"));
    assert_eq!((again.status, &again.body), (201, &made.body));
    assert_eq!(again.header("location"), Some("/api/things/1"));
    assert!(!is_again(&made) && is_again(&again));
    assert!(again.is_signed(&key, &second));
    assert_eq!(bed.acted(), 1);
}

#[actix_web::test]
async fn another_request_of_the_same_name_is_refused() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Admin).await;
    bed.send(&post("/api/things", "tea", &key)).await;
    let delete = call("DELETE", "/api/things/tea", "tea")
        .with("Idempotency-Key", NAME)
        .signed(&key);

    for other in [
        post("/api/things", "coffee", &key),
        post("/api/things?x=1", "tea", &key),
        delete,
    ] {
        let refused = bed.send(&other).await;
        assert_eq!(
            refused.refusal(),
            (422, "idempotency_key_reused".to_owned())
        );
    }
    assert_eq!(bed.acted(), 1);
}

#[actix_web::test]
async fn names_are_each_caller_s_own() {
    let bed = Bed::new().await;
    let [one, other] = [bed.key(Scope::Write).await, bed.key(Scope::Write).await];

    bed.send(&post("/api/things", "tea", &one)).await;
    let made = bed.send(&post("/api/things", "coffee", &other)).await;

    assert_eq!(made.text(), "made coffee as 2");
}

#[actix_web::test]
async fn while_the_first_is_at_work_the_second_waits() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    let [one, two, three] = [0, 1, 2].map(|_| post("/api/slow", "", &key));

    let (first, second) = tokio::join!(bed.send(&one), async {
        until_acted(&bed, 1).await;
        let second = bed.send(&two).await;
        bed.let_go(1);
        second
    });
    let third = bed.send(&three).await;

    assert_eq!(second.refusal(), (409, "request_at_work".to_owned()));
    let wait: u64 = second.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&wait), "{wait}");
    assert_eq!((first.status, third.body), (201, first.body));
    assert_eq!(bed.acted(), 1);
}

#[actix_web::test]
async fn a_request_that_never_ended_is_taken_over() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    let [one, two, three] = [0, 1, 2].map(|_| post("/api/slow", "", &key));

    let (first, second) = tokio::join!(bed.send(&one), async {
        until_acted(&bed, 1).await;
        bed.sql("UPDATE idempotency_keys SET created_at = created_at - interval '91 seconds'")
            .await;
        let (second, ()) = tokio::join!(bed.send(&two), async {
            until_acted(&bed, 2).await;
            bed.let_go(2);
        });
        second
    });
    let third = bed.send(&three).await;

    assert_eq!((first.text(), second.text()), ("slowly 1", "slowly 2"));
    assert_eq!(third.text(), "slowly 2");
    assert!(is_again(&third));
}

#[actix_web::test]
async fn what_failed_may_be_tried_again() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;

    for acted in 1..=2 {
        let failed = bed.send(&post("/api/fails", "", &key)).await;
        assert_eq!(failed.status, 500);
        assert!(!is_again(&failed));
        assert_eq!(bed.acted(), acted);
    }
    assert_eq!(bed.sql("DELETE FROM idempotency_keys").await, 0);
}

#[actix_web::test]
async fn a_name_that_is_none_is_refused() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    let write = call("POST", "/api/things", "tea");
    let long = "x".repeat(256);

    for name in ["a b", "\u{e9}", &long] {
        let refused = bed
            .send(&write.clone().with("Idempotency-Key", name).signed(&key))
            .await;
        assert_eq!(
            refused.refusal(),
            (400, "bad_idempotency_key".to_owned()),
            "{name}"
        );
    }
    let twice = write
        .with("Idempotency-Key", "a")
        .with("Idempotency-Key", "b")
        .signed(&key);
    assert_eq!(
        bed.send(&twice).await.refusal(),
        (400, "bad_idempotency_key".to_owned())
    );
    assert_eq!(bed.acted(), 0);
}

#[actix_web::test]
async fn a_kept_answer_is_sealed() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;

    bed.send(&post("/api/things", "tea", &key)).await;

    let (row, sealed): (String, Vec<u8>) =
        sqlx::query_as("SELECT idempotency_keys::text, sealed FROM idempotency_keys")
            .fetch_one(&bed.database.pool)
            .await
            .unwrap();
    assert!(row.contains(NAME), "{row}");
    assert!(!sealed.windows(8).any(|part| part == b"made tea"));
}

#[actix_web::test]
async fn without_the_record_of_answers_nothing_that_is_named_acts() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Write).await;
    bed.sql("ALTER TABLE idempotency_keys RENAME TO lost").await;

    let answer = bed.send(&post("/api/things", "tea", &key)).await;

    assert_eq!(answer.refusal(), (503, "unavailable".to_owned()));
    assert_eq!(bed.acted(), 0);
}
