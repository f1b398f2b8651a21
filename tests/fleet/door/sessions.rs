//! Sessions: how they end, by themselves, by their owner, and by what becomes of the user.

use controller::db::sessions::SignedInRow;
use controller::domain::ids::SessionId;
use controller::domain::reach::Reach;
use controller::domain::role::Role;
use controller::domain::token::Token;
use controller::fleet::FleetError;
use controller::fleet::sessions::{Asked, Visitor, end, end_all, find, is_alive, list};
use controller::fleet::users::{Change, audited, own};

use super::{Browser, PHRASE, call, came_in, denied, hashed, log, user};
use crate::stage::Running;

async fn signed_in(stage: &Running, name: &str) -> Token {
    let browser = Browser::at("192.0.2.7");
    came_in(browser.tries(&stage.fleet, name, PHRASE).await).token
}

async fn who(stage: &Running, token: &Token) -> Option<SignedInRow> {
    find(&stage.fleet, token, None, Asked::BySomebody)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_session_says_whose_it_is_and_a_made_up_token_nothing() {
    let stage = Running::start().await;
    let ada = user(&stage.fleet, "ada", Role::Operator).await;

    let token = signed_in(&stage, "ada").await;

    let row = who(&stage, &token).await.unwrap();
    assert_eq!(
        (row.user, row.role, row.reach()),
        (ada.id, Role::Operator, Reach::All)
    );
    assert_eq!(who(&stage, &Token::from_random([7; 32])).await, None);
}

#[tokio::test]
async fn a_session_ends_when_nothing_was_asked_for_eight_hours_and_after_a_day() {
    let stage = Running::start().await;
    user(&stage.fleet, "ada", Role::Admin).await;
    let token = signed_in(&stage, "ada").await;

    stage
        .sql("UPDATE sessions SET last_seen_at = now() - interval '7 hours 59 minutes'")
        .await;
    assert!(who(&stage, &token).await.is_some());
    let noted = "SELECT count(*) FROM sessions WHERE last_seen_at > now() - interval '1 minute'";
    assert_eq!(stage.count(noted).await, 1, "the request was noted");
    stage
        .sql("UPDATE sessions SET last_seen_at = now() - interval '8 hours'")
        .await;
    assert!(who(&stage, &token).await.is_none());
    assert_eq!(
        stage.count(noted).await,
        0,
        "a session that is over stays over"
    );

    stage
        .sql("UPDATE sessions SET last_seen_at = now(), created_at = now() - interval '24 hours'")
        .await;
    assert!(who(&stage, &token).await.is_none());
    assert!(!is_alive(&stage.fleet, &token.hash()).await.unwrap());
    while stage.count("SELECT count(*) FROM sessions").await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_a_page_asks_by_itself_keeps_no_session_alive_unless_it_comes_from_elsewhere() {
    let stage = Running::start().await;
    user(&stage.fleet, "ada", Role::Admin).await;
    let token = signed_in(&stage, "ada").await;
    let asks = async |address: &str, asked| {
        let address = address.parse().unwrap();
        let found = find(&stage.fleet, &token, Some(address), asked).await;
        found.unwrap().map(|row| row.name)
    };
    let idle = "UPDATE sessions SET last_seen_at = now() - interval '7 hours 59 minutes'";
    let noted = "SELECT count(*) FROM sessions WHERE last_seen_at > now() - interval '1 minute'";
    let ada = Some("ada".to_owned());

    stage.sql(idle).await;
    assert_eq!(asks("192.0.2.7", Asked::ByItself).await, ada);
    assert_eq!(stage.count(noted).await, 0, "nobody need be there");
    assert_eq!(asks("192.0.2.7", Asked::BySomebody).await, ada);
    assert_eq!(stage.count(noted).await, 1);

    stage.sql(idle).await;
    assert_eq!(asks("198.51.100.9", Asked::ByItself).await, ada);
    let there = "SELECT count(*) FROM sessions WHERE address = '198.51.100.9/32'";
    assert_eq!(stage.count(there).await, 1, "a thief is seen");
    assert_eq!(stage.count(noted).await, 1);
    stage
        .sql("UPDATE sessions SET last_seen_at = now() - interval '8 hours'")
        .await;
    assert_eq!(asks("198.51.100.9", Asked::ByItself).await, None);
}

#[tokio::test]
async fn a_sign_in_takes_the_place_of_the_session_that_the_browser_had() {
    let stage = Running::start().await;
    user(&stage.fleet, "ada", Role::Admin).await;
    let before = signed_in(&stage, "ada").await;
    let browser = Browser::at("192.0.2.7");
    let attempt = controller::fleet::sign_in::Attempt {
        name: "ada",
        password: PHRASE.to_owned().into(),
        captcha: None,
    };
    let visitor = Visitor {
        session: Some(before.hash()),
        ..browser.visitor()
    };

    let begun = controller::fleet::sign_in::with_password(&stage.fleet, &visitor, attempt).await;

    let after = came_in(begun).token;
    assert_ne!(before, after);
    assert!(who(&stage, &before).await.is_none());
    assert!(who(&stage, &after).await.is_some());
}

#[tokio::test]
async fn devices_are_listed_and_ended_one_by_one_or_all_but_this() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let ada = user(fleet, "ada", Role::Admin).await;
    let ben = user(fleet, "ben", Role::Viewer).await;
    let tokens = [
        signed_in(&stage, "ada").await,
        signed_in(&stage, "ada").await,
        signed_in(&stage, "ada").await,
    ];
    let bens = signed_in(&stage, "ben").await;
    let devices = list(fleet, ada.id).await.unwrap();
    assert_eq!(devices.len(), 3);
    assert_eq!(devices[0].user_agent.as_deref(), Some("Firefox"));
    assert_eq!(devices[0].address.unwrap().to_string(), "192.0.2.7/32");
    let here = who(&stage, &tokens[0]).await.unwrap().id;

    let foreign = end(fleet, &call("ben"), ben.id, here).await;
    assert!(
        matches!(foreign, Err(FleetError::Refused(_))),
        "{foreign:?}"
    );
    let none = end(fleet, &call("ada"), ada.id, SessionId(999)).await;
    assert!(matches!(none, Err(FleetError::Refused(_))), "{none:?}");
    assert_eq!(list(fleet, ada.id).await.unwrap().len(), 3);

    let second = who(&stage, &tokens[1]).await.unwrap().id;
    end(fleet, &call("ada"), ada.id, second).await.unwrap();
    assert!(who(&stage, &tokens[1]).await.is_none());
    assert_eq!(
        end_all(fleet, &call("ada"), ada.id, Some(here))
            .await
            .unwrap(),
        1
    );
    assert!(who(&stage, &tokens[2]).await.is_none());
    assert!(who(&stage, &tokens[0]).await.is_some());
    assert!(who(&stage, &bens).await.is_some());
    let actions: Vec<String> = log(&stage)
        .await
        .into_iter()
        .map(|row| row[1].clone())
        .collect();
    assert_eq!(actions[..2], ["session.end_all", "session.end"]);
}

#[tokio::test]
async fn what_becomes_of_a_user_holds_at_once() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    user(fleet, "root", Role::Admin).await;
    let ada = user(fleet, "ada", Role::Operator).await;
    let token = signed_in(&stage, "ada").await;
    let change = async |wanted| {
        audited::change(&fleet.pool, &call("root"), ada.id, wanted)
            .await
            .unwrap();
    };

    let demoted = Change {
        role: Some(Role::Viewer),
        ..Change::default()
    };
    change(demoted).await;
    assert_eq!(who(&stage, &token).await.unwrap().role, Role::Viewer);
    let switched = |enabled| Change {
        enabled: Some(enabled),
        ..Change::default()
    };
    change(switched(false)).await;
    assert!(who(&stage, &token).await.is_none());
    change(switched(true)).await;
    assert!(
        who(&stage, &token).await.is_none(),
        "who is enabled again signs in again"
    );

    let token = signed_in(&stage, "ada").await;
    let password = Change {
        password: Some(hashed(fleet, "ada", "another long phrase").await),
        ..Change::default()
    };
    change(password).await;
    assert!(who(&stage, &token).await.is_none());
}

#[tokio::test]
async fn whoever_changes_their_own_password_stays_with_a_new_token_and_alone() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    user(fleet, "ada", Role::Admin).await;
    let [here, elsewhere] = [
        signed_in(&stage, "ada").await,
        signed_in(&stage, "ada").await,
    ];
    let row = who(&stage, &here).await.unwrap();
    let browser = Browser::at("192.0.2.7");
    let visitor = Visitor {
        session: Some(here.hash()),
        ..browser.visitor()
    };
    let change = async |old: &str| {
        let new = hashed(fleet, "ada", "another long phrase").await;
        let old = old.to_owned().into();
        own::change_password(fleet, &call("ada"), &visitor, &row, old, new).await
    };

    denied(change("wrong wrong wrong").await);
    assert!(who(&stage, &elsewhere).await.is_some());
    came_in(Browser::at("192.0.2.8").tries(fleet, "ada", PHRASE).await);
    let begun = change(PHRASE).await.unwrap();

    for token in [&here, &elsewhere] {
        assert!(who(&stage, token).await.is_none());
    }
    assert!(who(&stage, &begun.token).await.is_some());
    denied(Browser::at("192.0.2.9").tries(fleet, "ada", PHRASE).await);
    assert_eq!(stage.count("SELECT count(*) FROM sessions").await, 1);
}
