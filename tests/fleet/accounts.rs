//! Users and API keys over the API: what is shown of them, what is written down, and what is refused.

use controller::domain::role::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::Running;

const PHRASE: &str = "a fine long phrase";

async fn audit(stage: &Running) -> Vec<Value> {
    let page = stage.api.get("/audit").await.ok();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_user_is_made_changed_and_deleted_and_the_password_is_seen_nowhere() {
    let stage = Running::start().await;
    let api = &stage.api;
    api.post("/users", json!({"name": "root", "role": "admin"}))
        .await
        .ok();

    let draft =
        json!({"name": "Ada", "role": "operator", "email": "ada@example.org", "password": PHRASE});
    let made = api.post("/users", draft).await;
    let location = made
        .header("location")
        .unwrap()
        .trim_start_matches("/api/v1")
        .to_owned();
    assert_eq!(made.header("etag"), Some("\"1\""));
    let user = made.clone().ok();
    assert_eq!(
        (&user["name"], &user["has_password"]),
        (&json!("ada"), &json!(true))
    );
    let changes = json!({"email": null, "role": "viewer", "password": "another long phrase"});
    let changed = api.patch(&location, changes).await;
    assert_eq!(changed.header("etag"), Some("\"2\""));
    let body = changed.clone().ok();
    assert_eq!(
        (&body["email"], &body["role"]),
        (&Value::Null, &json!("viewer"))
    );
    assert_eq!(api.delete(&location).await.status, 204);
    api.get(&location).await.refused(404);

    let log = audit(&stage).await;
    let actions: Vec<&str> = log
        .iter()
        .map(|row| row["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        ["user.delete", "user.change", "user.create", "user.create"]
    );
    assert_eq!(log[1]["before"]["role"], "operator");
    assert_eq!(log[1]["after"]["password_set"], true);
    assert_eq!(log[0]["actor"], api.key_id.as_str());
    let events = stage
        .count("SELECT count(*) FROM events WHERE topic = 'users'")
        .await;
    assert_eq!(events, 4);
    let seen = format!("{} {} {log:?}", made.text, changed.text);
    for secret in [PHRASE, "another long phrase", "argon2"] {
        assert!(!seen.contains(secret), "{seen}");
    }
}

#[tokio::test]
async fn what_may_not_be_of_a_user_is_refused_and_changes_nothing() {
    let stage = Running::start().await;
    let api = &stage.api;
    let draft = json!({"name": "ada", "role": "admin"});
    api.post("/users", draft.clone()).await.ok();
    let before = api.get("/users").await.ok();

    api.post("/users", draft)
        .await
        .refused_as(409, "name_taken");
    let wrong = json!({"name": "a b", "role": "admin", "email": "nowhere"});
    let said = api
        .post("/users", wrong)
        .await
        .refused_as(422, "invalid_fields");
    assert!(said.contains("name ") && said.contains("email "), "{said}");
    let weak = json!({"name": "ben", "role": "viewer", "password": "password1234"});
    let said = api.post("/users", weak).await;
    assert!(!said.text.contains("password1234"), "{said:?}");
    said.refused_as(422, "invalid_fields");
    let name_as_password = json!({"password": "ada"});
    api.patch("/users/1", name_as_password)
        .await
        .refused_as(422, "invalid_fields");
    api.patch("/users/1", json!({"role": "viewer"}))
        .await
        .refused_as(409, "last_admin");
    api.patch("/users/1", json!({"enabled": false}))
        .await
        .refused_as(409, "last_admin");
    api.delete("/users/1").await.refused_as(409, "last_admin");
    let stale = [("if-match", "\"7\"")];
    let body = Some(json!({"email": "ada@example.org"}));
    let late = api.call(Method::PATCH, "/users/1", body, &stale).await;
    late.refused_as(412, "version_mismatch");
    let late = api.call(Method::DELETE, "/users/1", None, &stale).await;
    late.refused_as(412, "version_mismatch");
    api.patch("/users/1?dry_run=true", json!({"email": "ada@example.org"}))
        .await
        .ok();

    assert_eq!(api.get("/users").await.ok(), before);
}

#[tokio::test]
async fn a_key_shows_its_secret_once_and_ends_when_it_is_revoked() {
    let stage = Running::start().await;
    let api = &stage.api;

    let draft = json!({"name": "grafana", "scope": "read", "bearer": true, "allowed_from": ["127.0.0.1", "10.1.2.3/8"]});
    let made = api.post("/api-keys", draft).await;
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let key = made.ok();
    let (secret, token) = (
        key["secret"].as_str().unwrap(),
        key["bearer_token"].as_str().unwrap(),
    );
    assert_eq!(secret.len(), 64);
    assert_eq!(key["allowed_from"], json!(["127.0.0.1/32", "10.0.0.0/8"]));
    assert_eq!(key["created_by"], api.key_id.as_str());
    let path = format!("/api-keys/{}", key["id"]);
    let shown = [api.get(&path).await.text, api.get("/api-keys").await.text];
    let log = format!("{:?}", audit(&stage).await);
    for text in shown.iter().chain([&log]) {
        assert!(!text.contains(secret) && !text.contains(token), "{text}");
    }

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async || {
        let request = http
            .get(format!("{}/api/v1/me", stage.base))
            .bearer_auth(token);
        request.send().await.unwrap()
    };
    let me: Value = serde_json::from_str(&ask().await.text().await.unwrap()).unwrap();
    assert_eq!(
        me,
        json!({"kind": "api_key", "name": "grafana", "key_id": key["key_id"], "scope": "read", "reach": "all"})
    );
    api.delete(&format!("{path}?dry_run=true")).await.ok();
    assert_eq!(ask().await.status(), 200, "a trial revokes nothing");
    let stale = api
        .call(Method::DELETE, &path, None, &[("if-match", "\"2\"")])
        .await;
    stale.refused_as(412, "version_mismatch");
    api.delete(&path).await.ok();
    assert_eq!(ask().await.status(), 401);
    assert_eq!(audit(&stage).await[0]["action"], "api_key.revoke");
}

#[tokio::test]
async fn a_key_that_may_not_be_is_refused_and_a_trial_shows_no_secret() {
    let stage = Running::start().await;
    let api = &stage.api;

    for (draft, code) in [
        (
            json!({"name": "a", "scope": "write", "bearer": true}),
            "bearer_writes",
        ),
        (json!({"name": "", "scope": "read"}), "invalid_name"),
        (
            json!({"name": "a", "scope": "read", "expires_at": "2020-01-01T00:00:00Z"}),
            "expired",
        ),
        (
            json!({"name": "a", "scope": "read", "allowed_from": ["here"]}),
            "invalid_fields",
        ),
        (json!({"name": "a", "scope": "root"}), "invalid_body"),
    ] {
        api.post("/api-keys", draft).await.refused_as(422, code);
    }
    let tried = api
        .post(
            "/api-keys?dry_run=true",
            json!({"name": "a", "scope": "admin"}),
        )
        .await
        .ok();

    assert_eq!(
        (tried.get("secret"), tried.get("bearer_token")),
        (None, None)
    );
    let keys = api.get("/api-keys").await.ok();
    assert_eq!(
        keys["items"].as_array().unwrap().len(),
        1,
        "only the stage's own"
    );
}

#[tokio::test]
async fn the_state_of_the_fleet_is_for_whoever_may_read() {
    let stage = Running::start().await;
    let reader = stage.caller(Scope::Read).await;

    let status = reader.get("/status").await.ok();

    assert_eq!(
        (&status["overall"], &status["reasons"]),
        (&json!("ok"), &json!([]))
    );
    assert_eq!(status["nodes"]["total"], 0);
    assert_eq!(
        status["pending"],
        json!({"interfaces": 0, "webhook_deliveries": 0})
    );
    let version = status["database"]["version"].as_str().unwrap();
    assert!(
        version.starts_with(|c: char| c.is_ascii_digit()),
        "{status}"
    );
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
}
