//! Authenticators and codes on paper: asked for once they are confirmed, and each code taken once.

use controller::domain::ids::UserId;
use controller::domain::recovery_code::RecoveryCode;
use controller::domain::role::Role;
use controller::fleet::FleetError;
use controller::fleet::factors::{begin_totp, confirm_totp, list, remove_totp, renew_codes};
use controller::fleet::sign_in::{Denied, Passed, awaits_code, with_code};
use futures_util::future::join_all;

use super::{Browser, PHRASE, call, came_in, code, denied, log, user};
use crate::stage::Running;

/// Somebody with an authenticator: its secret, and the codes on paper.
async fn enrolled(stage: &Running, name: &str) -> (UserId, Vec<u8>, Vec<RecoveryCode>) {
    let fleet = &stage.fleet;
    let id = user(fleet, name, Role::Admin).await.id;
    let enrolment = begin_totp(fleet, &call(name), id).await.unwrap();
    let secret = enrolment.secret.as_bytes().to_vec();
    // The step before: the one of now is for the test.
    let codes = confirm_totp(fleet, &call(name), id, &code(&secret, -1))
        .await
        .unwrap();
    (id, secret, codes)
}

async fn half_way(stage: &Running, name: &str) -> Browser {
    let browser = Browser::at("192.0.2.7");
    let passed = browser.tries(&stage.fleet, name, PHRASE).await.unwrap();
    assert!(matches!(passed, Passed::SecondStep), "{passed:?}");
    browser
}

#[tokio::test]
async fn an_authenticator_is_asked_for_only_once_a_code_has_confirmed_it() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let ada = user(fleet, "ada", Role::Admin).await;
    let first = begin_totp(fleet, &call("ada"), ada.id).await.unwrap();
    came_in(Browser::at("192.0.2.7").tries(fleet, "ada", PHRASE).await);

    let refused = confirm_totp(fleet, &call("ada"), ada.id, "000000").await;
    assert!(
        matches!(refused, Err(FleetError::Refused(_))),
        "{refused:?}"
    );
    assert!(!list(fleet, ada.id).await.unwrap().has_totp);
    let second = begin_totp(fleet, &call("ada"), ada.id).await.unwrap();
    assert_ne!(first.secret, second.secret);
    let codes = confirm_totp(
        fleet,
        &call("ada"),
        ada.id,
        &code(second.secret.as_bytes(), 0),
    )
    .await;
    assert_eq!(codes.unwrap().len(), 10);

    let factors = list(fleet, ada.id).await.unwrap();
    assert_eq!((factors.has_totp, factors.recovery_codes_left), (true, 10));
    half_way(&stage, "ada").await;
    let again = begin_totp(fleet, &call("ada"), ada.id).await;
    assert!(matches!(again, Err(FleetError::Refused(_))), "{again:?}");
    let sealed: Vec<u8> = sqlx::query_scalar("SELECT sealed FROM totp_secrets")
        .fetch_one(stage.rows())
        .await
        .unwrap();
    let secret = second.secret.as_bytes();
    assert!(!sealed.windows(secret.len()).any(|part| part == secret));
    let seen = format!("{:?} {second:?}", log(&stage).await);
    assert!(!seen.contains(second.secret.base32().as_str()), "{seen}");
}

#[tokio::test]
async fn the_password_alone_makes_no_session_and_a_code_is_taken_once() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let (_, secret, _) = enrolled(&stage, "ada").await;
    let browser = half_way(&stage, "ada").await;
    assert!(awaits_code(fleet, &browser.visitor()).await.unwrap());
    assert_eq!(stage.count("SELECT count(*) FROM sessions").await, 0);

    let wrong = with_code(fleet, &browser.visitor(), "12345").await;
    assert_eq!(denied(wrong), Denied::WrongCode);
    let right = code(&secret, 0);
    let elsewhere = Browser::at("192.0.2.7");
    let stolen = with_code(fleet, &elsewhere.visitor(), &right).await;
    assert_eq!(denied(stolen), Denied::Expired);
    with_code(fleet, &browser.visitor(), &right).await.unwrap();
    let rows = log(&stage).await;
    assert!(rows[0][4].contains("\"method\":\"totp\""), "{rows:?}");

    let over = with_code(fleet, &browser.visitor(), &right).await;
    assert_eq!(denied(over), Denied::Expired);
    let again = half_way(&stage, "ada").await;
    let replayed = with_code(fleet, &again.visitor(), &right).await;
    assert_eq!(denied(replayed), Denied::WrongCode);
    assert_eq!(stage.count("SELECT count(*) FROM sessions").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_code_given_many_times_at_once_one_makes_a_session() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let (_, secret, codes) = enrolled(&stage, "ada").await;
    for text in [code(&secret, 0), codes[0].reveal().to_string()] {
        let mut browsers = Vec::new();
        for _ in 0..4 {
            browsers.push(half_way(&stage, "ada").await);
        }
        stage
            .sql("DELETE FROM sessions; DELETE FROM sign_in_limits")
            .await;

        let visitors: Vec<_> = browsers.iter().map(Browser::visitor).collect();
        let tries = visitors
            .iter()
            .map(|visitor| with_code(fleet, visitor, &text));
        let done = join_all(tries).await;

        assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1, "{done:?}");
        assert_eq!(stage.count("SELECT count(*) FROM sessions").await, 1);
        stage.sql("DELETE FROM sign_in_limits").await;
    }
}

#[tokio::test]
async fn a_code_on_paper_stands_in_once_and_new_ones_end_the_old() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let (id, _, codes) = enrolled(&stage, "ada").await;
    let text = codes[0].reveal().to_uppercase();

    let browser = half_way(&stage, "ada").await;
    with_code(fleet, &browser.visitor(), &text).await.unwrap();
    let again = half_way(&stage, "ada").await;
    let used = with_code(fleet, &again.visitor(), &text).await;
    assert_eq!(denied(used), Denied::WrongCode);
    assert_eq!(list(fleet, id).await.unwrap().recovery_codes_left, 9);

    let fresh = renew_codes(fleet, &call("ada"), id).await.unwrap();
    let old = with_code(fleet, &again.visitor(), &codes[1].reveal()).await;
    assert_eq!(denied(old), Denied::WrongCode);
    with_code(fleet, &again.visitor(), &fresh[0].reveal())
        .await
        .unwrap();
    let rows = log(&stage).await;
    assert!(rows[0][4].contains("recovery_code"), "{rows:?}");
    assert!(!format!("{rows:?}").contains(fresh[1].reveal().as_str()));
}

#[tokio::test]
async fn codes_are_guessed_no_oftener_than_passwords() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let (_, secret, _) = enrolled(&stage, "ada").await;
    let browser = half_way(&stage, "ada").await;

    for _ in 0..5 {
        let wrong = with_code(fleet, &browser.visitor(), "000000x").await;
        assert_eq!(denied(wrong), Denied::WrongCode);
    }

    let late = with_code(fleet, &browser.visitor(), &code(&secret, 0)).await;
    assert!(matches!(denied(late), Denied::Wait(_)));
    assert_eq!(stage.count("SELECT count(*) FROM sessions").await, 0);
}

#[tokio::test]
async fn a_second_step_waits_five_minutes() {
    let stage = Running::start().await;
    let (_, secret, _) = enrolled(&stage, "ada").await;
    let browser = half_way(&stage, "ada").await;
    stage
        .sql("UPDATE sign_in_steps SET expires_at = expires_at - interval '5 minutes'")
        .await;

    let late = with_code(&stage.fleet, &browser.visitor(), &code(&secret, 0)).await;

    assert_eq!(denied(late), Denied::Expired);
}

#[tokio::test]
async fn without_its_authenticator_an_account_needs_the_password_alone_again() {
    let stage = Running::start().await;
    let (id, _, _) = enrolled(&stage, "ada").await;

    remove_totp(&stage.fleet, &call("ada"), id).await.unwrap();

    came_in(
        Browser::at("192.0.2.7")
            .tries(&stage.fleet, "ada", PHRASE)
            .await,
    );
    assert_eq!(list(&stage.fleet, id).await.unwrap().recovery_codes_left, 0);
    let again = remove_totp(&stage.fleet, &call("ada"), id).await;
    assert!(matches!(again, Err(FleetError::Refused(_))), "{again:?}");
}
