//! Guessing: how many attempts reach the password hash, whoever makes them from wherever, and what work they cost.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use controller::domain::captcha::{CaptchaError, Payload, solve};
use controller::domain::role::Role;
use controller::fleet::sign_in::Denied;
use controller::fleet::sign_in::limits::{challenge, wants_captcha};
use futures_util::future::join_all;

use super::{Browser, PHRASE, came_in, denied, user};
use crate::stage::{QUICK, Running};

const NO_CAPTCHA: &str = "[sign_in]\ncaptcha = \"off\"\n";

async fn stage(sections: &str) -> Running {
    let stage = Running::with(&format!("{QUICK}{sections}")).await;
    user(&stage.fleet, "ada", Role::Admin).await;
    stage
}

/// What the browser's widget would send.
fn worked(stage: &Running, browser: &Browser) -> String {
    let challenge = challenge(&stage.fleet, &browser.token.hash());
    let solution = solve(&challenge).unwrap();
    let payload = Payload {
        challenge,
        solution,
    };
    STANDARD.encode(serde_json::to_vec(&payload).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_attempts_at_once_five_reach_the_hash_and_a_restart_forgives_nothing() {
    let stage = stage(NO_CAPTCHA).await;
    let fleet = &stage.fleet;
    let browsers: Vec<Browser> = (0..40).map(|_| Browser::at("192.0.2.7")).collect();

    let tries = browsers
        .iter()
        .map(|browser| browser.tries(fleet, "ada", "wrong wrong wrong"));
    let all: Vec<Denied> = join_all(tries).await.into_iter().map(denied).collect();

    let wrong = all.iter().filter(|one| **one == Denied::Wrong).count();
    assert_eq!(wrong, 5);
    for one in &all {
        let waits = matches!(one, Denied::Wait(seconds) if (290..=300).contains(seconds));
        assert!(waits || *one == Denied::Wrong, "{one:?}");
    }
    let url = &stage.db.as_ref().unwrap().url;
    let sections = format!("{QUICK}{NO_CAPTCHA}");
    let again = Running::on(url, &sections).await;
    let late = Browser::at("192.0.2.7")
        .tries(&again.fleet, "ada", PHRASE)
        .await;
    assert!(matches!(denied(late), Denied::Wait(_)));
    let sessions = stage.count("SELECT count(*) FROM sessions").await;
    assert_eq!(sessions, 0, "the right password is not looked at either");
    let elsewhere = Browser::at("192.0.2.8")
        .tries(&again.fleet, "ada", PHRASE)
        .await;
    came_in(elsewhere);
}

#[tokio::test]
async fn a_customer_of_ipv6_is_one_address() {
    let stage = stage(NO_CAPTCHA).await;

    for number in 0..5 {
        let browser = Browser::at(&format!("2001:db8::{number}"));
        let tried = browser
            .tries(&stage.fleet, "ada", "wrong wrong wrong")
            .await;
        assert_eq!(denied(tried), Denied::Wrong);
    }

    let sixth = Browser::at("2001:db8::ffff:1")
        .tries(&stage.fleet, "ada", "x")
        .await;
    assert!(matches!(denied(sixth), Denied::Wait(_)));
    let other = Browser::at("2001:db8:0:1::1")
        .tries(&stage.fleet, "ada", PHRASE)
        .await;
    came_in(other);
}

#[tokio::test]
async fn an_account_is_guessed_at_ten_times_from_anywhere_whether_it_is_there_or_not() {
    let stage = stage(NO_CAPTCHA).await;

    for name in ["ada", "nobody-here"] {
        for number in 0..10 {
            let browser = Browser::at(&format!("198.51.100.{number}"));
            let tried = browser.tries(&stage.fleet, name, "wrong wrong wrong").await;
            assert_eq!(denied(tried), Denied::Wrong, "{name} {number}");
        }
        let late = Browser::at("203.0.113.1")
            .tries(&stage.fleet, name, PHRASE)
            .await;
        let wait = denied(late);
        assert!(matches!(wait, Denied::Wait(890..=900)), "{name}: {wait:?}");
    }
    assert_eq!(stage.count("SELECT count(*) FROM sessions").await, 0);
}

#[tokio::test]
async fn whoever_succeeds_gets_the_attempt_back() {
    let stage = stage(NO_CAPTCHA).await;
    let browser = Browser::at("192.0.2.7");

    for _ in 0..12 {
        came_in(browser.tries(&stage.fleet, "ada", PHRASE).await);
    }

    let attempts = stage
        .count("SELECT coalesce(sum(cardinality(attempts)), 0) FROM sign_in_limits")
        .await;
    assert_eq!(attempts, 0);
    let blocked = "SELECT count(*) FROM sign_in_limits WHERE blocked_until IS NOT NULL";
    assert_eq!(stage.count(blocked).await, 0);
}

#[tokio::test]
async fn an_attempt_that_is_refused_leaves_no_row_for_the_name_it_made_up() {
    let stage = stage(NO_CAPTCHA).await;
    let browser = Browser::at("192.0.2.7");
    for _ in 0..5 {
        denied(
            browser
                .tries(&stage.fleet, "ada", "wrong wrong wrong")
                .await,
        );
    }
    let rows = "SELECT count(*) FROM sign_in_limits";
    let before = stage.count(rows).await;

    for number in 0..5 {
        let name = format!("made-up-{number}");
        denied(
            browser
                .tries(&stage.fleet, &name, "wrong wrong wrong")
                .await,
        );
    }

    assert_eq!(stage.count(rows).await, before);
}

#[tokio::test]
async fn after_two_failures_the_browser_works_once_for_each_attempt() {
    let stage = stage("[sign_in]\ncaptcha_cost = 2\n").await;
    let fleet = &stage.fleet;
    let browser = Browser::at("192.0.2.7");
    let wants = async || {
        wants_captcha(fleet, &browser.visitor(), None)
            .await
            .unwrap()
    };
    let tries = async |password, captcha: Option<&str>| {
        browser.tries_with(fleet, "ada", password, captcha).await
    };
    for _ in 0..2 {
        assert!(!wants().await);
        assert_eq!(
            denied(tries("wrong wrong wrong", None).await),
            Denied::Wrong
        );
    }
    assert!(wants().await);

    assert_eq!(denied(tries(PHRASE, None).await), Denied::CaptchaNeeded);
    assert_eq!(denied(tries(PHRASE, Some("")).await), Denied::CaptchaNeeded);
    let malformed = denied(tries(PHRASE, Some("e30=")).await);
    assert_eq!(malformed, Denied::Captcha(CaptchaError::Malformed));
    let foreign = worked(&stage, &Browser::at("192.0.2.7"));
    let foreign = denied(tries(PHRASE, Some(&foreign)).await);
    assert_eq!(foreign, Denied::Captcha(CaptchaError::Foreign));
    assert_eq!(stage.count("SELECT count(*) FROM sessions").await, 0);

    let work = worked(&stage, &browser);
    let wrong = denied(tries("wrong wrong wrong", Some(&work)).await);
    assert_eq!(wrong, Denied::Wrong);
    assert_eq!(
        denied(tries(PHRASE, Some(&work)).await),
        Denied::CaptchaSpent
    );
    let fresh = worked(&stage, &browser);
    came_in(tries(PHRASE, Some(&fresh)).await);
}

#[tokio::test]
async fn work_is_asked_for_always_where_the_settings_say_so() {
    let stage = stage("[sign_in]\ncaptcha = \"always\"\ncaptcha_cost = 2\n").await;
    let browser = Browser::at("192.0.2.7");

    let without = browser.tries(&stage.fleet, "ada", PHRASE).await;
    assert_eq!(denied(without), Denied::CaptchaNeeded);
    let work = worked(&stage, &browser);
    let with = browser
        .tries_with(&stage.fleet, "ada", PHRASE, Some(&work))
        .await;
    came_in(with);
}
