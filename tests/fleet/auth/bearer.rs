//! Bearer tokens: they read, and nothing else.

use controller::fleet::api_keys::Created;

use super::bed::{Bed, Call, call};

fn with_token(call: Call, key: &Created) -> Call {
    let token = key.bearer.as_ref().unwrap().reveal();
    call.with("Authorization", &format!("Bearer {}", *token))
}

#[actix_web::test]
async fn a_token_reads_and_its_answer_is_not_signed() {
    let bed = Bed::new().await;
    let key = bed.key_as(|new| new.bearer = true).await;

    let answer = bed
        .send(&with_token(call("GET", "/api/things/tea", ""), &key))
        .await;

    assert_eq!(
        (answer.status, answer.text()),
        (200, format!("tea for {}", key.key.key_id).as_str())
    );
    assert_eq!(answer.header("x-signature"), None);
}

#[actix_web::test]
async fn a_token_writes_nothing() {
    let bed = Bed::new().await;
    let key = bed.key_as(|new| new.bearer = true).await;

    for (method, target) in [
        ("POST", "/api/things"),
        ("DELETE", "/api/things/tea"),
        ("PUT", "/api/things/tea"),
        ("PATCH", "/api/things/tea"),
    ] {
        let answer = bed
            .send(&with_token(call(method, target, "tea"), &key))
            .await;
        assert_eq!(
            answer.refusal(),
            (401, "missing_signature".to_owned()),
            "{method}"
        );
    }
    assert_eq!(bed.acted(), 0);
}

#[actix_web::test]
async fn what_is_no_token_of_a_key_is_refused() {
    let bed = Bed::new().await;
    bed.key_as(|new| new.bearer = true).await;
    let made_up = controller::domain::api_key::BearerToken::from_random([7; 32]).reveal();
    let bearer = format!("Bearer {}", *made_up);

    for (value, code) in [
        (bearer.as_str(), "unknown_key"),
        ("Bearer wgc_00", "unknown_key"),
        ("Bearer", "missing_signature"),
        ("Basic YTpi", "missing_signature"),
    ] {
        let read = call("GET", "/api/things/tea", "").with("Authorization", value);
        assert_eq!(
            bed.send(&read).await.refusal(),
            (401, code.to_owned()),
            "{value}"
        );
    }
    let twice = call("GET", "/api/things/tea", "")
        .with("Authorization", &bearer)
        .with("Authorization", &bearer);
    assert_eq!(
        bed.send(&twice).await.refusal(),
        (401, "malformed_signature".to_owned())
    );
}

#[actix_web::test]
async fn a_signature_counts_for_more_than_a_token() {
    let bed = Bed::new().await;
    let key = bed.key_as(|new| new.bearer = true).await;
    let read = call("GET", "/api/things/tea", "")
        .signed(&key)
        .without("X-Nonce");

    let answer = bed.send(&with_token(read, &key)).await;

    assert_eq!(answer.refusal(), (401, "bad_signature".to_owned()));
}
