//! Fields that a body or a form does not have: what everybody keeps from others, written into it all the same.

use controller::api::document::document;
use controller::domain::role::Role;
use reqwest::Method;
use serde_json::{Map, Value, json};
use sqlx::AssertSqlSafe;

use crate::matrix::furnished;
use crate::rights::contents;
use crate::stage::{Running, Visitor};

/// What rows hold and callers might like to choose.
const COVETED: [&str; 18] = [
    "id",
    "version",
    "role",
    "reach",
    "scope",
    "owner",
    "owner_id",
    "enabled",
    "expired",
    "isolated_at",
    "kind",
    "created_at",
    "created_by",
    "key_id",
    "public_key",
    "network_id",
    "pool_id",
    "desired_generation",
];

/// The fields that a body has, of each operation that takes one; none: it is a list.
fn bodies() -> Vec<(Method, String, Map<String, Value>)> {
    let document: Value = serde_json::from_str(&document().to_json().unwrap()).unwrap();
    let mut bodies = Vec::new();
    for (pattern, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let Some(named) = schema["$ref"].as_str() else {
                continue;
            };
            let schema = document.pointer(&named[1..]).unwrap();
            if let Some(fields) = schema["properties"].as_object() {
                let method = method.to_uppercase().parse().unwrap();
                bodies.push((method, pattern.clone(), fields.clone()));
            }
        }
    }
    assert!(bodies.len() > 18, "{bodies:?}");
    bodies
}

#[tokio::test]
async fn no_body_of_the_api_takes_a_field_that_is_not_its_own() {
    let stage = furnished().await;
    let before = contents(stage.rows()).await;
    let mut tried = 0;

    for (method, pattern, own) in bodies() {
        for field in COVETED {
            if own.contains_key(field) {
                continue;
            }
            tried += 1;
            let body = Value::Object(Map::from_iter([(field.to_owned(), json!(1))]));
            let path = format!("/{}", pattern.replace("{id}", "1"));
            let answer = stage.api.call(method.clone(), &path, Some(body), &[]).await;
            let at = format!("{method} {pattern}: {}", answer.text);
            assert!([400, 422].contains(&answer.status), "{at}");
            assert!(
                answer.text.contains(&format!("unknown field `{field}`")),
                "{at}"
            );
        }
    }

    assert!(tried > 250, "{tried}");
    for (table, rows) in contents(stage.rows()).await {
        assert_eq!(rows, before[&table], "{table}");
    }
}

/// The rows of a table, but for how often and when they were changed.
async fn rows(stage: &Running, table: &str) -> String {
    let query = format!(
        "SELECT jsonb_agg(to_jsonb(t) - 'version' - 'updated_at' ORDER BY id)::text FROM {table} t"
    );
    let rows = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(stage.rows());
    rows.await.unwrap()
}

#[tokio::test]
async fn a_form_that_is_sent_as_it_stands_changes_nothing_whatever_is_added_to_it() {
    let stage = furnished().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    let everywhere = [
        ("id", "999"),
        ("owner_id", "2"),
        ("kind", "managed"),
        ("created_at", "2020-01-01T00:00:00Z"),
        ("desired_generation", "999"),
        ("placed", "999"),
    ];
    for (page, action, table, added) in [
        (
            "/nodes/1/edit",
            "/nodes/1",
            "nodes",
            vec![("enabled", "on"), ("state", "online"), ("secret", "x")],
        ),
        (
            "/interfaces/1/edit",
            "/interfaces/1",
            "interfaces",
            vec![("node", "2"), ("node_id", "2"), ("public_key", "x")],
        ),
        (
            "/networks/1/edit",
            "/networks/1/edit",
            "networks",
            vec![("peers", "0"), ("network_id", "2")],
        ),
        (
            "/pools/1/edit",
            "/pools/1/edit",
            "pools",
            vec![("members", "2"), ("pool_id", "2")],
        ),
        (
            "/peers/1/edit",
            "/peers/1",
            "peers",
            vec![
                ("network", "away"),
                ("network_id", "2"),
                ("pool", "south"),
                ("pool_id", "2"),
                ("enabled", "false"),
                ("isolated_at", "2020-01-01T00:00:00Z"),
                ("expired", "true"),
            ],
        ),
        (
            "/users/1",
            "/users/1",
            "users",
            vec![("password_hash", "x"), ("disabled", "on")],
        ),
    ] {
        let before = rows(&stage, table).await;
        let form = ada.get(page).await;
        let added: Vec<_> = everywhere.into_iter().chain(added).collect();

        let sent = ada.send_only(&form, action, &added).await;

        assert_eq!(sent.status, 303, "{page}: {}", sent.text);
        assert_eq!(rows(&stage, table).await, before, "{page}");
    }
}

#[tokio::test]
async fn nobody_raises_themselves_by_their_own_profile() {
    let stage = furnished().await;
    let mut eva = Visitor::signed_in(&stage, "eva", Role::Viewer).await;
    let before = rows(&stage, "users").await;
    let profile = eva.get("/profile").await;

    let raised = [
        ("id", "1"),
        ("user", "1"),
        ("name", "root"),
        ("role", "admin"),
        ("reach", "all"),
        ("password", "another fine long phrase"),
    ];
    let sent = eva.send_only(&profile, "/profile/display", &raised).await;

    assert_eq!(sent.status, 303, "{}", sent.text);
    assert_eq!(rows(&stage, "users").await, before);
    assert_eq!(eva.get("/users").await.status, 403);
}

#[tokio::test]
async fn a_new_peer_is_numbered_and_begins_as_every_other_whatever_its_form_says() {
    let stage = furnished().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Operator).await;
    // Were it placed, nothing else would be in its way.
    stage
        .sql(
            "UPDATE nodes SET enabled = true;
             UPDATE interface_sync SET config_at = now();
             UPDATE node_status SET reachability = 'online', good_at = now(), next_poll_at = now() + interval '1 day'",
        )
        .await;
    let form = ada.get("/peers/new").await;

    let sent = ada
        .send_only(
            &form,
            "/peers",
            &[
                ("network", "1"),
                ("name", "kettle"),
                ("id", "999"),
                ("version", "9"),
                ("kind", "managed"),
                ("enabled", "false"),
                ("isolated_at", "2020-01-01T00:00:00Z"),
                ("owner_id", "1"),
                ("created_at", "2020-01-01T00:00:00Z"),
            ],
        )
        .await;

    assert_eq!(sent.status, 201, "{}", sent.text);
    let ordinary = "SELECT count(*) FROM peers WHERE name = 'kettle' AND id < 999 AND version = 1 AND kind = 'static'
        AND enabled AND isolated_at IS NULL AND owner_id IS NULL AND created_at > now() - interval '1 hour'";
    assert_eq!(stage.count(ordinary).await, 1);
}
