//! Signing in through an identity provider.

use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use controller::clock;
use controller::domain::role::Role;
use controller::fleet::sessions::{Asked, find};
use controller::fleet::sign_in::Denied;
use controller::fleet::sign_in::oidc::finish;
use serde_json::json;

use super::provider::Provider;
use super::{Browser, denied, log, user};
use crate::stage::Visitor;

#[actix_web::test]
async fn whoever_the_provider_vouches_for_comes_in_with_the_role_of_their_groups() {
    let provider = Provider::start().await;
    let fleet = Arc::clone(&provider.stage.fleet);

    let begun = provider.signs_in().await.unwrap();
    let row = find(&fleet, &begun.token, None, Asked::BySomebody)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((row.name.as_str(), row.role), ("ada", Role::Operator));
    provider.lies(json!({"groups": ["staff"], "preferred_username": "renamed"}));
    let again = provider.signs_in().await.unwrap();

    assert_eq!(again.user, begun.user, "the subject says who it is");
    let row = find(&fleet, &begun.token, None, Asked::BySomebody)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((row.name.as_str(), row.role), ("ada", Role::Viewer));
    let rows = log(&provider.stage).await;
    assert!(rows[0][4].contains("\"method\":\"oidc\""), "{rows:?}");
    let actions: Vec<&str> = rows[..4].iter().map(|row| row[1].as_str()).collect();
    assert_eq!(
        actions,
        ["sign_in", "user.change", "sign_in", "user.create"]
    );
}

#[actix_web::test]
async fn a_browser_goes_to_the_provider_and_comes_back_to_where_it_wanted() {
    let provider = Provider::start().await;
    let mut ada = Visitor::new(&provider.stage);
    let door = ada.get("/login?next=/nodes").await;
    assert!(
        door.has("href=\"/login/oidc?next=%2Fnodes\""),
        "{}",
        door.text
    );

    let away = ada.get_only("/login/oidc?next=%2Fnodes").await;
    assert_eq!(away.status, 303);
    let state = provider.asked(away.headers["location"].to_str().unwrap());
    let callback = "/login/oidc/callback?code=good&state=";
    let foreign = Visitor::new(&provider.stage)
        .get(&format!("{callback}{state}"))
        .await;
    assert_eq!(foreign.status, 422);
    assert!(foreign.has("begun in another browser"));
    let home = ada.get(&format!("{callback}{state}")).await;
    assert_eq!((home.status, home.path.as_str()), (200, "/nodes"));

    let mut eva = Visitor::new(&provider.stage);
    let turned_away = eva
        .get("/login/oidc/callback?error=access_denied&state=x")
        .await;
    assert_eq!(turned_away.status, 422);
    assert!(turned_away.has("does not vouch for you"));
    let sessions = "SELECT count(*) FROM sessions";
    assert_eq!(provider.stage.count(sessions).await, 1);
}

#[actix_web::test]
async fn a_token_that_is_not_for_this_sign_in_lets_nobody_in() {
    let provider = Provider::start().await;
    let past = clock::now().timestamp() - 3600;

    for lies in [
        json!({"aud": "another"}),
        json!({"aud": ["wgfleet", "another"]}),
        json!({"azp": "another"}),
        json!({"iss": "https://evil.example"}),
        json!({"nonce": "another"}),
        json!({"exp": past}),
        json!({"alg": "none"}),
        json!({"alg": "HS256"}),
        json!({"groups": []}),
        json!({"preferred_username": "a b"}),
    ] {
        provider.lies(lies.clone());
        let refused = denied(provider.signs_in().await);
        assert_eq!(refused, Denied::NotVouched, "{lies}");
    }

    assert_eq!(provider.stage.count("SELECT count(*) FROM users").await, 0);
    assert_eq!(
        provider.stage.count("SELECT count(*) FROM sessions").await,
        0
    );
    let refusals =
        "SELECT count(*) FROM audit_log WHERE action = 'sign_in' AND outcome = 'refused'";
    assert_eq!(provider.stage.count(refusals).await, 10);
}

#[actix_web::test]
async fn a_state_that_is_missing_foreign_or_used_is_refused_before_the_provider_is_asked() {
    let provider = Provider::start().await;
    let fleet = &provider.stage.fleet;
    let [browser, other] = [Browser::at("192.0.2.7"), Browser::at("192.0.2.8")];
    let state = provider.visit(&browser).await;

    let elsewhere = finish(fleet, &other.visitor(), "good", &state).await;
    assert_eq!(denied(elsewhere), Denied::ForeignState);
    let wrong = finish(fleet, &browser.visitor(), "good", "").await;
    assert_eq!(denied(wrong), Denied::ForeignState);
    let used_up = finish(fleet, &browser.visitor(), "good", &state).await;
    assert_eq!(denied(used_up), Denied::ForeignState);
    assert!(provider.held().asked.is_empty());

    let state = provider.visit(&browser).await;
    let bad_code = finish(fleet, &browser.visitor(), "bad", &state).await;
    assert_eq!(denied(bad_code), Denied::NotVouched);
    assert_eq!(provider.stage.count("SELECT count(*) FROM users").await, 0);
}

#[actix_web::test]
async fn a_local_user_is_not_whom_the_provider_calls_the_same() {
    let provider = Provider::start().await;
    user(&provider.stage.fleet, "ada", Role::Admin).await;

    let refused = denied(provider.signs_in().await);

    assert_eq!(refused, Denied::NameTaken);
    assert_eq!(
        provider
            .stage
            .count("SELECT count(*) FROM oidc_identities")
            .await,
        0
    );
    assert_eq!(
        provider.stage.count("SELECT count(*) FROM sessions").await,
        0
    );
}

#[actix_web::test]
async fn whoever_is_in_no_group_any_more_loses_the_sessions_they_have() {
    let provider = Provider::start().await;
    let fleet = &provider.stage.fleet;
    let begun = provider.signs_in().await.unwrap();

    provider.lies(json!({"groups": ["elsewhere"]}));
    assert_eq!(denied(provider.signs_in().await), Denied::NotVouched);

    assert_eq!(
        find(fleet, &begun.token, None, Asked::BySomebody)
            .await
            .unwrap(),
        None
    );
}

#[actix_web::test]
async fn a_key_that_the_provider_changed_is_fetched_and_a_stranger_s_key_is_not_taken() {
    let provider = Provider::start().await;
    provider.signs_in().await.unwrap();
    // The provider's own new key, under a new name.
    {
        let mut held = provider.held();
        held.key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    }
    let forged = denied(provider.signs_in().await);
    assert_eq!(forged, Denied::NotVouched, "the same name, another key");

    provider.held().kid = "two";
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    provider.signs_in().await.unwrap();
}
