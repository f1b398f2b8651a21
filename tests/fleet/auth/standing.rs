//! What a key may do, from where, and for how long.

use chrono::TimeDelta;
use controller::clock;
use controller::domain::reach::Reach;
use controller::domain::role::Scope;
use controller::fleet::api_keys::revoke;
use controller::keyring::{Keyring, MasterKey, MasterSource};

use super::bed::{Bed, call};

#[actix_web::test]
async fn nobody_does_more_than_their_scope() {
    let bed = Bed::new().await;

    for (scope, expected) in [
        (Scope::Read, [200, 403, 403]),
        (Scope::Write, [200, 201, 403]),
        (Scope::Admin, [200, 201, 204]),
    ] {
        let key = bed.key(scope).await;
        let acted = bed.acted();
        let calls = [
            call("GET", "/api/things/tea", "").signed(&key),
            call("POST", "/api/things", "tea").signed(&key),
            call("DELETE", "/api/things/tea", "").signed(&key),
        ];
        let mut statuses = Vec::new();
        for call in &calls {
            let answer = bed.send(call).await;
            assert!(answer.is_signed(&key, call));
            statuses.push(answer.status);
        }
        assert_eq!(statuses, expected, "{scope}");
        let done = expected[1..].iter().filter(|status| **status < 300).count();
        assert_eq!(bed.acted() - acted, done as u32);
    }
}

#[actix_web::test]
async fn what_nobody_said_who_may_do_nobody_may() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Admin).await;
    let forgotten = call("GET", "/api/forgotten", "").signed(&key);
    let nowhere = call("GET", "/api/nowhere", "").signed(&key);

    let refused = bed.send(&forgotten).await;
    let missing = bed.send(&nowhere).await;

    assert_eq!(refused.refusal(), (403, "not_permitted".to_owned()));
    assert_eq!(missing.status, 404);
    assert!(refused.is_signed(&key, &forgotten) && missing.is_signed(&key, &nowhere));
    assert_eq!(bed.acted(), 0);
    let stranger = bed.send(&call("GET", "/api/nowhere", "")).await;
    assert_eq!(stranger.refusal(), (401, "missing_signature".to_owned()));
}

#[actix_web::test]
async fn a_revoked_key_is_unknown_from_the_next_request_on() {
    let bed = Bed::new().await;
    let key = bed.key_as(|new| new.bearer = true).await;
    let read = call("GET", "/api/things/tea", "").signed(&key);
    let token = key.bearer.as_ref().unwrap().reveal();
    let bearer =
        call("GET", "/api/things/tea", "").with("Authorization", &format!("Bearer {}", *token));
    assert_eq!(bed.send(&read).await.status, 200);
    assert_eq!(bed.send(&bearer).await.status, 200);

    let mut transaction = bed.database.pool.begin().await.unwrap();
    revoke(&mut transaction, key.key.id, clock::now())
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    for call in [read, bearer] {
        let answer = bed.send(&call).await;
        assert_eq!(answer.refusal(), (401, "unknown_key".to_owned()));
        assert_eq!(answer.header("x-signature"), None);
    }
}

#[actix_web::test]
async fn a_key_ends_when_it_was_said_to() {
    let bed = Bed::new().await;
    let key = bed
        .key_as(|new| new.expires_at = Some(clock::now() + TimeDelta::hours(1)))
        .await;
    let read = call("GET", "/api/things/tea", "").signed(&key);
    assert_eq!(bed.send(&read).await.status, 200);

    bed.sql("UPDATE api_keys SET expires_at = now() - interval '1 second'")
        .await;

    assert_eq!(
        bed.send(&read).await.refusal(),
        (401, "unknown_key".to_owned())
    );
}

#[actix_web::test]
async fn a_key_is_good_only_from_where_it_may_be_used() {
    let direct = Bed::new().await;
    let proxied = Bed::behind(&["127.0.0.0/8"]).await;
    let only_there = |bed: &'static str| {
        move |new: &mut controller::fleet::api_keys::NewApiKey| {
            new.allowed_from = vec![bed.parse().unwrap()];
        }
    };
    let there = "192.0.2.7";
    let sent = |key| {
        call("GET", "/api/things/tea", "")
            .with("X-Forwarded-For", there)
            .signed(key)
    };

    let [key, local] = [
        direct.key_as(only_there("192.0.2.0/24")).await,
        direct.key_as(only_there("127.0.0.0/8")).await,
    ];
    let behind = proxied.key_as(only_there("192.0.2.0/24")).await;

    let refused = direct.send(&sent(&key)).await;
    assert_eq!(refused.refusal(), (401, "unknown_key".to_owned()));
    assert_eq!(direct.send(&sent(&local)).await.status, 200);
    assert_eq!(proxied.send(&sent(&behind)).await.status, 200);
    let made_up = call("GET", "/api/things/tea", "")
        .with("X-Forwarded-For", "192.0.2.7, 203.0.113.9")
        .signed(&behind);
    assert_eq!(
        proxied.send(&made_up).await.refusal(),
        (401, "unknown_key".to_owned())
    );
}

#[actix_web::test]
async fn the_last_use_is_noted_at_most_once_a_minute_and_only_of_who_proved_it() {
    let bed = Bed::new().await;
    let key = bed.key(Scope::Read).await;
    let noted = async || -> Option<chrono::DateTime<chrono::Utc>> {
        sqlx::query_scalar("SELECT last_used_at FROM api_keys")
            .fetch_one(&bed.database.pool)
            .await
            .unwrap()
    };
    let read = call("GET", "/api/things/tea", "").signed(&key);

    bed.send(&read.clone().without("X-Nonce")).await;
    assert_eq!(noted().await, None);

    bed.send(&read).await;
    let first = noted().await.unwrap();
    bed.send(&read).await;
    assert_eq!(noted().await, Some(first));

    bed.sql("UPDATE api_keys SET last_used_at = last_used_at - interval '61 seconds'")
        .await;
    bed.send(&read).await;
    assert!(noted().await.unwrap() > first);
}

#[actix_web::test]
async fn a_key_sealed_with_a_data_key_made_elsewhere_is_known_at_once() {
    let bed = Bed::new().await;
    let before = bed.key(Scope::Read).await;
    let master = MasterSource::Given(MasterKey::from_random([3; 32]));
    let elsewhere = Keyring::open(&bed.database.pool, master).await.unwrap();
    elsewhere.rotate_data_key(&bed.database.pool).await.unwrap();
    let new = controller::fleet::api_keys::NewApiKey {
        name: "late".to_owned(),
        scope: Scope::Read,
        reach: Reach::All,
        bearer: false,
        allowed_from: Vec::new(),
        expires_at: None,
        created_by: "ada".to_owned(),
    };
    let mut transaction = bed.database.pool.begin().await.unwrap();
    let after =
        controller::fleet::api_keys::create(&mut transaction, &elsewhere, &new, clock::now())
            .await
            .unwrap();
    transaction.commit().await.unwrap();

    for key in [before, after] {
        let read = call("GET", "/api/things/tea", "").signed(&key);
        assert_eq!(bed.send(&read).await.status, 200);
    }
}

#[actix_web::test]
async fn a_secret_moved_to_another_key_opens_for_nobody() {
    let bed = Bed::new().await;
    let [mine, theirs] = [bed.key(Scope::Read).await, bed.key(Scope::Admin).await];
    bed.sql(
        "UPDATE api_keys SET sealed = (SELECT sealed FROM api_keys WHERE scope = 'read')
         WHERE scope = 'admin'",
    )
    .await;
    let forged = call("DELETE", "/api/things/tea", "").signed_at(
        &theirs.key.key_id,
        &mine.secret,
        clock::now().timestamp(),
        "0123456789abcdef",
    );

    let answer = bed.send(&forged).await;

    assert_eq!(answer.refusal(), (503, "unavailable".to_owned()));
    assert_eq!(bed.acted(), 0);
}
