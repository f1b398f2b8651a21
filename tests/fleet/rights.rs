//! Who may call what: every operation of the document, by nobody, by readers, by writers. And that the document is
//! the router: nothing in it leads nowhere, and nothing is routed beside it.

use std::collections::BTreeMap;

use controller::domain::role::Scope;
use reqwest::Method;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool};

use crate::stage::{Operation, QUICK, Running, operations};

/// Where writers have no business, reading included.
const ADMINS_ONLY: [&str; 5] = ["users", "api-keys", "audit", "webhooks", "keys"];

fn for_admins(operation: &Operation) -> bool {
    let resource = operation.pattern.strip_prefix("/api/v1/").unwrap_or("");
    ADMINS_ONLY.contains(&resource.split('/').next().unwrap_or(""))
}

/// What shows so much that it takes the right to write.
const SHOWN_TO_WRITERS: [&str; 3] = [
    "/api/v1/peers/{id}/config",
    "/api/v1/peers/{id}/config.png",
    "/api/v1/peers/{id}/config.svg",
];

fn needed(operation: &Operation) -> Scope {
    let writers = SHOWN_TO_WRITERS.contains(&operation.pattern.as_str());
    match () {
        () if for_admins(operation) => Scope::Admin,
        () if !operation.method.is_safe() || writers => Scope::Write,
        () => Scope::Read,
    }
}

/// A controller with one of each thing that can be made without a node, behind a proxy that tests play.
async fn furnished() -> Running {
    let stage = Running::with(&format!("trusted_proxies = [\"127.0.0.1/32\"]\n{QUICK}")).await;
    let api = &stage.api;
    let network = json!({"name": "office", "cidr_v4": "10.8.0.0/16"});
    api.post("/networks", network).await.ok();
    let user = json!({"name": "ada", "role": "admin"});
    api.post("/users", user).await.ok();
    api.post("/pools", json!({"name": "north"})).await.ok();
    let node = json!({"name": "fra-1", "agent_url": "http://127.0.0.1:9", "enabled": false});
    api.post("/nodes", node).await.ok();
    stage
}

/// What the tables hold, but for the books and what every request leaves in them.
pub(crate) async fn contents(pool: &PgPool) -> BTreeMap<String, String> {
    let books = [
        "audit_log",
        "audit_head",
        "request_signatures",
        "sign_in_limits",
        "idempotency_keys",
    ];
    let tables: Vec<String> = sqlx::query_scalar(
        // Samples are written down whoever calls: their partitions may just be being made.
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            AND relname NOT LIKE 'sample%'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut contents = BTreeMap::new();
    for table in tables {
        if books.contains(&table.as_str()) {
            continue;
        }
        // When a key was last used is no content, nor when somebody was last seen.
        let rows: String = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT coalesce(jsonb_agg(to_jsonb(t) - 'last_used_at' - 'last_seen_at' ORDER BY to_jsonb(t)), '[]')::text FROM {table} t"
        )))
        .fetch_one(pool)
        .await
        .unwrap();
        contents.insert(table, rows);
    }
    assert_ne!(contents["networks"], "[]", "nothing is there to be changed");
    contents
}

#[tokio::test]
async fn nobody_may_call_anything_but_what_says_so() {
    let stage = furnished().await;
    let before = contents(stage.rows()).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();

    for (number, operation) in operations().into_iter().enumerate() {
        // Each from another address, because failures are counted.
        let source = format!("192.0.{}.{}", number / 250, number % 250 + 1);
        let url = format!("{}{}", stage.base, &operation.path("1")[1..]);
        let request = http
            .request(operation.method.clone(), url)
            .header("x-forwarded-for", source)
            .header("content-type", "application/json")
            .body("{}");
        let answer = request.send().await.unwrap();

        match operation.open {
            true => assert_eq!(answer.status(), 204, "{operation:?}"),
            false => assert_eq!(answer.status(), 401, "{operation:?}"),
        }
    }

    let open: Vec<String> = operations()
        .into_iter()
        .filter_map(|operation| operation.open.then(|| operation.named()))
        .collect();
    assert_eq!(open, ["GET /livez", "GET /readyz"]);
    assert_eq!(contents(stage.rows()).await, before);
}

#[tokio::test]
async fn a_key_for_reading_changes_nothing() {
    let stage = furnished().await;
    let reader = stage.caller(Scope::Read).await;
    let before = contents(stage.rows()).await;

    let mut forbidden = operations();
    forbidden.retain(|operation| needed(operation) != Scope::Read);
    for operation in forbidden {
        let answer = operation.call(&reader, "1").await;
        assert_eq!(answer.status, 403, "{operation:?}: {}", answer.text);
    }

    assert_eq!(contents(stage.rows()).await, before);
}

#[tokio::test]
async fn a_key_for_writing_has_no_business_where_rights_are_given() {
    let stage = furnished().await;
    let writer = stage.caller(Scope::Write).await;
    let before = contents(stage.rows()).await;
    let admins: Vec<Operation> = operations().into_iter().filter(for_admins).collect();
    assert!(admins.len() >= 12, "{admins:?}");

    for operation in admins {
        let answer = operation.call(&writer, "1").await;
        assert_eq!(answer.status, 403, "{operation:?}: {}", answer.text);
    }

    assert_eq!(contents(stage.rows()).await, before);
}

#[tokio::test]
async fn whatever_a_key_may_is_not_forbidden_to_it() {
    let stage = furnished().await;
    let [reader, writer] = [
        stage.caller(Scope::Read).await,
        stage.caller(Scope::Write).await,
    ];

    for operation in operations() {
        let caller = match needed(&operation) {
            Scope::Read => &reader,
            Scope::Write => &writer,
            Scope::Admin => &stage.api,
        };
        let answer = operation.call(caller, "999999").await;
        assert!(
            ![401, 403].contains(&answer.status),
            "{operation:?}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn every_path_of_the_document_is_routed() {
    let stage = Running::start().await;

    for operation in operations() {
        let answer = operation.call(&stage.api, "999999").await;
        assert_ne!(answer.status, 405, "{operation:?}: {}", answer.text);
        assert!(
            !answer.text.contains("there is nothing here"),
            "{operation:?}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_method_that_the_document_does_not_have_is_refused_with_those_it_has() {
    let stage = Running::start().await;
    let all = operations();
    for operation in &all {
        let path = operation.path("999999");
        // A word may stand where another path has an id, and is none.
        let same = |other: &&Operation| match operation.pattern.contains('{') {
            true => other.fits(&path),
            false => other.pattern == operation.pattern,
        };
        let here = all.iter().filter(same);
        let mut has: Vec<&str> = here.map(|other| other.method.as_str()).collect();
        has.sort_unstable();
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            if has.contains(&method.as_str()) {
                continue;
            }
            let answer = stage.api.call(method.clone(), &path, None, &[]).await;
            let at = format!("{method} {}: {}", operation.pattern, answer.text);
            assert_eq!(answer.status, 405, "{at}");
            let mut allowed: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
            allowed.sort_unstable();
            assert_eq!(allowed, has, "{at}");
        }
    }
}

#[tokio::test]
async fn where_no_route_is_there_is_nothing_whoever_asks() {
    let stage = Running::start().await;

    for path in ["/nothing", "/networks/1/nothing", "//api/v2/networks"] {
        let answer = stage.api.get(path).await;
        assert_eq!(answer.refused(404), "not_found", "{path}");
    }
    // Where pages are, people are told.
    let page = stage.api.get("//nothing").await;
    assert_eq!(page.status, 404);
    assert!(page.text.starts_with("<!doctype html>"), "{}", page.text);
}
