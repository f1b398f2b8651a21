//! Passwords: who comes in with one, and that nobody learns which users there are.

use std::time::{Duration, Instant};

use controller::domain::role::Role;
use controller::fleet::sign_in::Denied;
use controller::fleet::users::{Change, audited};

use super::{Browser, PHRASE, call, came_in, denied, log, user};
use crate::stage::{QUICK, Running};

#[tokio::test]
async fn whoever_knows_the_password_comes_in_and_it_is_written_down() {
    let stage = Running::start().await;
    let ada = user(&stage.fleet, "ada", Role::Operator).await;
    let browser = Browser::at("192.0.2.7");

    let begun = came_in(browser.tries(&stage.fleet, "Ada", PHRASE).await);

    assert_eq!(begun.user, ada.id);
    let rows = log(&stage).await;
    let object = format!("user/{}", ada.id);
    assert_eq!(rows[0][..4], ["user", "sign_in", &object, "done"]);
    assert!(rows[0][4].contains("\"method\":\"password\""), "{rows:?}");
    let token = begun.token.reveal();
    let hash: Vec<u8> = sqlx::query_scalar("SELECT token_hash FROM sessions")
        .fetch_one(stage.rows())
        .await
        .unwrap();
    assert_eq!(hash, begun.token.hash().as_bytes());
    let seen = format!("{rows:?} {begun:?}");
    assert!(
        !seen.contains(token.as_str()) && !seen.contains(PHRASE),
        "{seen}"
    );
}

#[tokio::test]
async fn whoever_may_not_come_in_is_told_the_same_and_no_session_is_made() {
    let stage = Running::with(&format!("{QUICK}[sign_in]\ncaptcha = \"off\"\n")).await;
    let fleet = &stage.fleet;
    user(fleet, "root", Role::Admin).await;
    let ada = user(fleet, "ada", Role::Viewer).await;
    let disabled = Change {
        enabled: Some(false),
        ..Change::default()
    };
    audited::change(&fleet.pool, &call("root"), ada.id, disabled)
        .await
        .unwrap();

    for (name, password) in [
        ("root", "wrong wrong wrong"),
        ("nobody", PHRASE),
        ("ada", PHRASE),
        ("no name at all!", PHRASE),
        ("", ""),
    ] {
        let browser = Browser::at(&format!("192.0.2.{}", name.len()));
        let refused = denied(browser.tries(fleet, name, password).await);
        assert_eq!(refused, Denied::Wrong, "{name}");
    }

    assert_eq!(stage.count("SELECT count(*) FROM sessions").await, 0);
    let rows = log(&stage).await;
    let objects: Vec<&str> = rows[..5].iter().map(|row| row[2].as_str()).collect();
    let ada = format!("user/{}", ada.id);
    assert_eq!(
        objects,
        [
            "user/unknown",
            "user/unknown",
            &ada,
            "user/unknown",
            "user/1"
        ]
    );
    for row in &rows[..5] {
        assert_eq!(
            [&row[0], &row[1], &row[3], &row[4]],
            ["nobody", "sign_in", "refused", "wrong_password"]
        );
    }
    assert!(!format!("{rows:?}").contains("no name at all"), "{rows:?}");
}

#[tokio::test]
async fn a_user_who_is_there_takes_as_long_to_refuse_as_one_who_is_not() {
    let sections =
        "[sign_in]\ncaptcha = \"off\"\naddress_failures = 1000\naccount_failures = 1000\n";
    let stage = Running::with(&format!("{QUICK}{sections}")).await;
    user(&stage.fleet, "ada", Role::Admin).await;
    let browser = Browser::at("192.0.2.7");
    let timed = async |name| {
        let started = Instant::now();
        denied(browser.tries(&stage.fleet, name, "wrong wrong wrong").await);
        started.elapsed()
    };

    // Others work on this machine too: what they disturb is measured again.
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let mut times: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
        for round in 0..20 {
            // In turn, so that neither always comes second.
            for which in [round % 2, (round + 1) % 2] {
                times[which].push(timed(["ada", "nobody"][which]).await);
            }
        }
        let [known, unknown] = times.map(|mut times| {
            times.sort();
            times[times.len() / 2].as_secs_f64()
        });
        let ratio = known / unknown;
        if (0.9..=1.1).contains(&ratio) {
            return;
        }
        ratios.push((known, unknown, ratio));
    }
    panic!("known to unknown: {ratios:?}");
}

#[tokio::test]
async fn passwords_may_be_for_administrators_alone_or_for_nobody() {
    let stage = Running::with(&format!("{QUICK}[sign_in]\npassword = \"admin-only\"\n")).await;
    user(&stage.fleet, "root", Role::Admin).await;
    user(&stage.fleet, "ada", Role::Operator).await;
    let browser = Browser::at("192.0.2.7");

    let refused = denied(browser.tries(&stage.fleet, "ada", PHRASE).await);
    assert_eq!(refused, Denied::PasswordOff);
    let wrong = denied(
        browser
            .tries(&stage.fleet, "ada", "wrong wrong wrong")
            .await,
    );
    assert_eq!(wrong, Denied::Wrong, "a guesser learns nothing");
    came_in(
        Browser::at("192.0.2.8")
            .tries(&stage.fleet, "root", PHRASE)
            .await,
    );

    let url = &stage.db.as_ref().unwrap().url;
    let off = Running::on(url, &format!("{QUICK}[sign_in]\npassword = \"off\"\n")).await;
    let refused = Browser::at("192.0.2.9")
        .tries(&off.fleet, "root", PHRASE)
        .await;
    assert_eq!(denied(refused), Denied::PasswordOff);
    assert_eq!(stage.count("SELECT count(*) FROM sessions").await, 1);
}
