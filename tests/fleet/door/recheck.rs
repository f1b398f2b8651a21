//! Whom the identity provider stops vouching for, while they are signed in.

use controller::domain::role::Role;
use controller::domain::token::Token;
use controller::fleet::sessions::{Asked, Visitor, find, rotate};
use serde_json::json;

use super::provider::{Provider, Refresh};
use super::{Browser, PHRASE, came_in, log, user};
use crate::stage::eventually;

/// How they are signed in by now.
async fn role(provider: &Provider, token: &Token) -> Option<Role> {
    let row = find(&provider.stage.fleet, token, None, Asked::BySomebody)
        .await
        .unwrap();
    row.map(|row| row.role)
}

async fn becomes(provider: &Provider, token: &Token, wanted: Option<Role>) {
    eventually("the role", async || match role(provider, token).await {
        found if found == wanted => Ok(()),
        found => Err(format!("{found:?}")),
    })
    .await;
}

/// Waits until it was asked so many times more.
async fn is_asked(provider: &Provider, times: usize) {
    let before = provider.held().asked.len();
    eventually("the provider is asked", async || {
        match provider.held().asked.len() - before {
            asked if asked >= times => Ok(()),
            asked => Err(format!("{asked} times")),
        }
    })
    .await;
}

#[actix_web::test]
async fn a_role_follows_the_groups_while_somebody_is_signed_in() {
    let provider = Provider::start().await;
    let begun = provider.signs_in().await.unwrap();
    assert_eq!(role(&provider, &begun.token).await, Some(Role::Operator));

    provider.lies(json!({"groups": ["staff"]}));
    becomes(&provider, &begun.token, Some(Role::Viewer)).await;

    let rows = log(&provider.stage).await;
    assert_eq!(rows[0][1], "user.change", "{rows:?}");
    // The token of each answer asks the next time, as this provider takes each once.
    is_asked(&provider, 2).await;
    assert_eq!(role(&provider, &begun.token).await, Some(Role::Viewer));
}

#[actix_web::test]
async fn whoever_loses_every_group_is_out_on_every_device() {
    let provider = Provider::start().await;
    let [one, other] = [
        provider.signs_in().await.unwrap(),
        provider.signs_in().await.unwrap(),
    ];

    provider.lies(json!({"groups": ["elsewhere"]}));

    becomes(&provider, &one.token, None).await;
    becomes(&provider, &other.token, None).await;
    let left = "SELECT count(*) FROM oidc_sessions";
    assert_eq!(provider.stage.count(left).await, 0);
}

#[actix_web::test]
async fn a_session_that_the_provider_ended_ends_here_and_no_other() {
    let provider = Provider::start().await;
    let begun = provider.signs_in().await.unwrap();
    let fleet = &provider.stage.fleet;
    user(fleet, "eva", Role::Admin).await;
    let local = came_in(Browser::at("192.0.2.7").tries(fleet, "eva", PHRASE).await);

    provider.held().refresh = Refresh::Refuses;

    becomes(&provider, &begun.token, None).await;
    assert_eq!(role(&provider, &local.token).await, Some(Role::Admin));
    let rows = log(&provider.stage).await;
    assert_eq!(rows[0][1], "session.end", "{rows:?}");
}

#[actix_web::test]
async fn another_person_s_token_ends_the_session_and_changes_nobody() {
    let provider = Provider::start().await;
    let begun = provider.signs_in().await.unwrap();

    provider.lies(json!({"sub": "another", "groups": ["root"]}));

    becomes(&provider, &begun.token, None).await;
    let admins = "SELECT count(*) FROM users WHERE role = 'admin'";
    assert_eq!(provider.stage.count(admins).await, 0);
}

#[actix_web::test]
async fn a_provider_that_is_broken_or_silent_changes_nothing() {
    let provider = Provider::start().await;
    let begun = provider.signs_in().await.unwrap();

    provider.lies(json!({"groups": ["elsewhere"]}));
    for refresh in [Refresh::IsBroken, Refresh::Silent] {
        provider.held().refresh = refresh;
        is_asked(&provider, 2).await;
        assert_eq!(role(&provider, &begun.token).await, Some(Role::Operator));
    }

    provider.held().refresh = Refresh::Vouches;
    becomes(&provider, &begun.token, None).await;
}

#[actix_web::test]
async fn no_refresh_token_is_kept_in_clear() {
    let provider = Provider::start().await;
    provider.signs_in().await.unwrap();

    let clear = "SELECT count(*) FROM oidc_sessions WHERE position('again-'::bytea IN sealed) > 0";
    assert_eq!(provider.stage.count(clear).await, 0);
    let kept = "SELECT count(*) FROM oidc_sessions";
    assert_eq!(provider.stage.count(kept).await, 1);
}

#[actix_web::test]
async fn a_session_with_a_new_token_is_asked_about_like_the_one_before() {
    let provider = Provider::start().await;
    let fleet = &provider.stage.fleet;
    let begun = provider.signs_in().await.unwrap();
    let row = find(fleet, &begun.token, None, Asked::BySomebody)
        .await
        .unwrap()
        .unwrap();
    let browser = Browser::at("192.0.2.7");
    let visitor = Visitor {
        session: Some(begun.token.hash()),
        ..browser.visitor()
    };

    let renewed = rotate(fleet, &visitor, &row).await.unwrap();
    assert_eq!(role(&provider, &begun.token).await, None);
    provider.held().refresh = Refresh::Refuses;

    becomes(&provider, &renewed.token, None).await;
}
