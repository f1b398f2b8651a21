//! Users, API keys and reports of browsers, as administrators and strangers meet them.

use controller::domain::role::Role;
use reqwest::Client;

use crate::stage::{PHRASE, Running, Visitor};

const USERS: &str = "SELECT count(*) FROM users";
const KEYS: &str = "SELECT count(*) FROM api_keys";

#[tokio::test]
async fn an_administrator_adds_changes_and_deletes_a_user() {
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    let form = ada.get("/users/new").await;

    let taken = ada
        .send(
            &form,
            "/users",
            &[("name", "ada"), ("email", "x@example.org")],
        )
        .await;
    assert!(
        taken.status == 422
            && taken.has("This name is taken already.")
            && taken.has("x@example.org")
    );
    let wrong = ada
        .send(&form, "/users", &[("name", "e v a"), ("password", "short")])
        .await;
    assert!(wrong.status == 422 && !wrong.has("value=\"short\""));
    assert_eq!(stage.count(USERS).await, 1);
    let eva = ada
        .send(&form, "/users", &[("name", "eva"), ("password", PHRASE)])
        .await;
    assert!(
        eva.status == 200 && eva.has("eva is added."),
        "{}",
        eva.text
    );

    let mut there = Visitor::new(&stage);
    assert_eq!(there.sign_in("eva", PHRASE).await.path, "/");
    let changed = ada.send(&eva, &eva.path, &[("role", "operator")]).await;
    assert!(changed.has("The user is changed.") && changed.has("Operator"));
    let stale = ada.send(&eva, &eva.path, &[("role", "viewer")]).await;
    assert!(
        stale.status == 422 && stale.has("Somebody changed this user meanwhile"),
        "{}",
        stale.text
    );
    assert_eq!(
        stage
            .count("SELECT count(*) FROM users WHERE role = 'operator'")
            .await,
        1
    );

    let ask = ada.get(&format!("{}/delete", eva.path)).await;
    assert!(ask.has("1 session ends."));
    let list = ada.send(&ask, &ask.path, &[]).await;
    assert!(list.path == "/users" && list.has("eva is deleted."));
    assert_eq!(there.get("/").await.path, "/login?next=%2F");
    assert_eq!(stage.count(USERS).await, 1);
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    let list = ada.get("/users").await;
    let path = format!(
        "/users/{}",
        list.text
            .split("href=\"/users/")
            .nth(2)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
    );
    let page = ada.get(&path).await;

    let viewer = ada.send(&page, &path, &[("role", "viewer")]).await;
    let ask = ada.get(&format!("{path}/delete")).await;
    let deleted = ada.send(&ask, &ask.path, &[]).await;

    for refused in [viewer, deleted] {
        assert!(
            refused.status == 422 && refused.has("The last enabled administrator"),
            "{}",
            refused.text
        );
    }
    assert_eq!(
        stage
            .count("SELECT count(*) FROM users WHERE role = 'admin' AND enabled")
            .await,
        1
    );
}

#[tokio::test]
async fn whoever_lost_everything_comes_in_with_what_an_administrator_gives_them() {
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    let mut eva = Visitor::signed_in(&stage, "eva", Role::Viewer).await;
    let list = ada.get("/users").await;
    let eva_at = list
        .text
        .split("</a>")
        .find(|part| part.ends_with(">eva"))
        .unwrap();
    let id = eva_at
        .rsplit("/users/")
        .next()
        .unwrap()
        .split('"')
        .next()
        .unwrap();

    let ask = ada.get(&format!("/users/{id}/recover")).await;
    let done = ada
        .send(&ask, &ask.path, &[("password", "another fine phrase")])
        .await;

    assert!(
        done.has("eva comes in with the new password alone."),
        "{}",
        done.text
    );
    assert_eq!(eva.get("/").await.path, "/login?next=%2F");
    assert_eq!(
        Visitor::new(&stage).sign_in("eva", PHRASE).await.status,
        422
    );
    assert_eq!(
        Visitor::new(&stage)
            .sign_in("eva", "another fine phrase")
            .await
            .path,
        "/"
    );
}

#[tokio::test]
async fn a_key_shows_its_secret_on_one_page_and_ends_when_it_is_revoked() {
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    let before = stage.count(KEYS).await;
    let form = ada.get("/api-keys/new").await;

    let wrong = ada
        .send(
            &form,
            "/api-keys",
            &[
                ("name", "graphs"),
                ("allowed_from", "here"),
                ("expires_on", "2099-01-01"),
            ],
        )
        .await;
    assert!(
        wrong.status == 422
            && wrong.has("is neither a prefix nor an address")
            && wrong.has("2099-01-01"),
        "{}",
        wrong.text
    );
    let past = ada
        .send(
            &form,
            "/api-keys",
            &[("name", "graphs"), ("expires_on", "2001-01-01")],
        )
        .await;
    assert!(
        past.status == 422 && past.has("expired already"),
        "{}",
        past.text
    );
    assert_eq!(stage.count(KEYS).await, before);
    let made = ada
        .send(
            &wrong,
            "/api-keys",
            &[("allowed_from", "127.0.0.0/8"), ("bearer", "on")],
        )
        .await;
    assert_eq!(made.status, 200);
    let shown: Vec<&str> = made
        .text
        .split("<code>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap())
        .collect();
    let [_, secret, token] = shown[..] else {
        panic!("{}", made.text);
    };
    let status = async || {
        let request = Client::builder().no_proxy().build().unwrap();
        let request = request
            .get(format!("{}/api/v1/status", stage.base))
            .bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status().await, 200);

    let list = ada.get("/api-keys").await;
    assert!(list.has("graphs") && !list.has(secret) && !list.has(token));
    let path = list
        .text
        .split("href=\"/api-keys/")
        .nth(2)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let ask = ada.get(&format!("/api-keys/{path}")).await;
    let list = ada.send(&ask, &ask.path, &[]).await;
    assert!(list.has("The key is revoked."), "{}", list.text);
    assert_eq!(status().await, 401);
}

#[tokio::test]
async fn people_and_keys_are_for_administrators_alone() {
    let stage = Running::start().await;
    let mut ben = Visitor::signed_in(&stage, "ben", Role::Operator).await;
    let profile = ben.get("/profile").await;
    let form = profile.form("/profile/display");
    let before = stage.count(KEYS).await;

    for path in [
        "/users",
        "/users/new",
        "/users/1",
        "/users/1/delete",
        "/api-keys",
        "/api-keys/new",
    ] {
        assert_eq!(ben.get(path).await.status, 403, "{path}");
    }
    for path in [
        "/users",
        "/users/1",
        "/users/1/delete",
        "/users/1/recover",
        "/api-keys",
        "/api-keys/1/revoke",
    ] {
        assert_eq!(ben.post(path, &form).await.status, 403, "{path}");
    }
    assert!(!profile.has("href=\"/users\""));
    assert_eq!(
        (stage.count(USERS).await, stage.count(KEYS).await),
        (1, before)
    );
}

#[tokio::test]
async fn pages_about_people_are_whole_in_both_languages() {
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    let profile = ada.get("/profile").await;
    ada.send(&profile, "/profile/display", &[("language", "fr")])
        .await;

    for path in [
        "/profile",
        "/users",
        "/users/new",
        "/api-keys",
        "/api-keys/new",
    ] {
        let page = ada.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.has("<html lang=\"fr\"") && !page.has(" style="),
            "{path}"
        );
    }
}

#[tokio::test]
async fn reports_of_browsers_are_small_and_few_and_ask_for_no_sign_in() {
    let stage = Running::start().await;
    let client = Client::builder().no_proxy().build().unwrap();
    let report = async |body: String| {
        let request = client.post(format!("{}/reports/csp", stage.base));
        let request = request
            .header("content-type", "application/csp-report")
            .body(body);
        request.send().await.unwrap().status().as_u16()
    };
    let small = r#"{"csp-report": {"effective-directive": "img-src"}}"#;

    let mut answers = vec![report("x".repeat(6000)).await];
    for _ in 0..5 {
        answers.push(report(small.to_owned()).await);
    }

    assert_eq!(answers, [413, 204, 204, 204, 204, 429]);
    assert_eq!(
        stage
            .count("SELECT count(*) FROM audit_log WHERE action LIKE 'POST %'")
            .await,
        0
    );
}
