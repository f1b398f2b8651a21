//! The first administrator, and people who lost everything.

use controller::domain::role::Role;
use controller::domain::token::Token;
use controller::domain::user::UserName;
use controller::fleet::factors::{begin_totp, confirm_totp};
use controller::fleet::sessions::{self, Asked};
use controller::fleet::setup::{First, complete, is_open, offer};
use controller::fleet::sign_in::Denied;
use controller::fleet::users::recover::recover;
use controller::fleet::{Fleet, FleetError};
use futures_util::future::join_all;

use super::{Browser, PHRASE, call, came_in, code, denied, hashed, log, user};
use crate::stage::Running;

async fn first(fleet: &Fleet, name: &str) -> First {
    First {
        name: UserName::parse(name).unwrap(),
        email: None,
        password: hashed(fleet, name, PHRASE).await,
    }
}

#[tokio::test]
async fn the_link_makes_the_first_administrator_once_and_signs_them_in() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let browser = Browser::at("192.0.2.7");
    let token = offer(fleet).await.unwrap().unwrap();
    assert!(is_open(fleet, &token).await.unwrap());

    let begun = complete(fleet, &browser.visitor(), &token, first(fleet, "ada").await)
        .await
        .unwrap();

    let row = sessions::find(fleet, &begun.token, None, Asked::BySomebody)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((row.name.as_str(), row.role), ("ada", Role::Admin));
    assert!(!is_open(fleet, &token).await.unwrap());
    let again = complete(fleet, &browser.visitor(), &token, first(fleet, "eva").await).await;
    assert!(matches!(again, Err(FleetError::Refused(_))), "{again:?}");
    assert_eq!(offer(fleet).await.unwrap(), None);
    assert_eq!(stage.count("SELECT count(*) FROM users").await, 1);
    let rows = log(&stage).await;
    assert_eq!([&rows[1][1], &rows[0][1]], ["setup", "sign_in"]);
    assert!(!format!("{rows:?}").contains(token.reveal().as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_who_follow_the_link_at_once_one_becomes_administrator() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let token = offer(fleet).await.unwrap().unwrap();
    let browser = Browser::at("192.0.2.7");
    let visitor = browser.visitor();

    let tries = ["a1", "b2", "c3", "d4"].map(async |name| {
        let first = first(fleet, name).await;
        complete(fleet, &visitor, &token, first).await
    });
    let done = join_all(tries).await;

    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1, "{done:?}");
    assert_eq!(stage.count("SELECT count(*) FROM users").await, 1);
}

#[tokio::test]
async fn a_link_that_is_old_replaced_or_made_up_makes_nobody() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let replaced = offer(fleet).await.unwrap().unwrap();
    let old = offer(fleet).await.unwrap().unwrap();
    stage.sql("UPDATE setup_link SET expires_at = now()").await;
    let browser = Browser::at("192.0.2.7");

    for token in [&replaced, &old, &Token::from_random([7; 32])] {
        assert!(!is_open(fleet, token).await.unwrap());
        let refused = complete(fleet, &browser.visitor(), token, first(fleet, "ada").await).await;
        assert!(
            matches!(refused, Err(FleetError::Refused(_))),
            "{refused:?}"
        );
    }

    assert_eq!(stage.count("SELECT count(*) FROM users").await, 0);
}

#[tokio::test]
async fn whoever_lost_everything_gets_in_with_a_new_password_and_nobody_with_the_old() {
    let stage = Running::with(&format!(
        "{}[sign_in]\ncaptcha = \"off\"\n",
        crate::stage::QUICK
    ))
    .await;
    let fleet = &stage.fleet;
    let ada = user(fleet, "ada", Role::Admin).await;
    let begun = came_in(Browser::at("192.0.2.1").tries(fleet, "ada", PHRASE).await);
    let enrolment = begin_totp(fleet, &call("ada"), ada.id).await.unwrap();
    let first = code(enrolment.secret.as_bytes(), 0);
    confirm_totp(fleet, &call("ada"), ada.id, &first)
        .await
        .unwrap();
    for number in 2..12 {
        let guesser = Browser::at(&format!("192.0.2.{number}"));
        denied(guesser.tries(fleet, "ada", "wrong wrong wrong").await);
    }
    let name = UserName::parse("ada").unwrap();
    let password = hashed(fleet, "ada", "another long phrase").await;

    let done = recover(&fleet.pool, &fleet.keyring, &call("root"), &name, password).await;

    let (_, recovered) = done.unwrap();
    assert_eq!(
        (recovered.sessions_ended, recovered.totp_removed),
        (1, true)
    );
    let found = sessions::find(fleet, &begun.token, None, Asked::BySomebody)
        .await
        .unwrap();
    assert_eq!(found, None);
    let browser = Browser::at("192.0.2.99");
    assert_eq!(
        denied(browser.tries(fleet, "ada", PHRASE).await),
        Denied::Wrong
    );
    came_in(browser.tries(fleet, "ada", "another long phrase").await);
    let rows = log(&stage).await;
    let row = rows.iter().find(|row| row[1] == "user.recover").unwrap();
    assert!(row[4].contains("\"sessions_ended\":1"), "{row:?}");
    assert_eq!(stage.count("SELECT count(*) FROM recovery_codes").await, 0);
    let nobody = UserName::parse("nobody").unwrap();
    let password = hashed(fleet, "nobody", PHRASE).await;
    let unknown = recover(
        &fleet.pool,
        &fleet.keyring,
        &call("root"),
        &nobody,
        password,
    )
    .await;
    assert!(
        matches!(unknown, Err(FleetError::Refused(_))),
        "{unknown:?}"
    );
}
