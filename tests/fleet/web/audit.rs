//! The audit log at a browser, and the pages about the controller itself.

use controller::domain::role::Role;
use serde_json::json;

use crate::stage::{Running, Visitor};

#[tokio::test]
async fn the_log_is_narrowed_down_page_by_page_and_its_chain_is_walked_on_request() {
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    for number in 0..60 {
        stage
            .api
            .post("/pools", json!({"name": format!("pool-{number}")}))
            .await
            .ok();
    }

    let first = ada.get("/audit?action=pool.").await;
    assert!(
        first.has("pool/60") && !first.has("pool/3<"),
        "{}",
        first.text
    );
    let next = first
        .text
        .split("href=\"/audit?")
        .find(|link| link.contains("cursor="));
    let next = next
        .and_then(|link| link.split('"').next())
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    let second = ada.get(&format!("/audit?{next}")).await;
    assert!(
        second.has("pool/3<") && !second.has("pool/60"),
        "{}",
        second.text
    );
    assert!(ada.get("/audit?object=pool/7").await.has("pool/7"));
    assert!(
        ada.get("/audit?actor=nobody-here")
            .await
            .has("No row matches")
    );
    assert!(
        ada.get("/audit?from=2031-01-01")
            .await
            .has("No row matches")
    );

    assert!(ada.get("/audit/chain").await.has("The chain holds"));
    let export = ada.get("/audit/export?limit=3").await;
    assert_eq!(export.text.lines().count(), 3);
    stage.sql("ALTER TABLE audit_log DISABLE TRIGGER ALL; UPDATE audit_log SET actor = 'somebody' WHERE seq = 5").await;
    assert!(ada.get("/audit/chain").await.has("Broken at row 5"));
}

#[tokio::test]
async fn the_log_is_for_administrators() {
    let stage = Running::start().await;
    let mut ops = Visitor::signed_in(&stage, "ops", Role::Operator).await;

    for path in ["/audit", "/audit/chain", "/audit/export"] {
        assert_eq!(ops.get(path).await.status, 403, "{path}");
    }
    let overview = ops.get("/").await;
    assert!(
        !overview.has("href=\"/audit\"") && !overview.has("What changed lately"),
        "{}",
        overview.text
    );
}

#[tokio::test]
async fn settings_are_told_with_what_they_mean_and_without_secrets() {
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;

    let page = ada.get("/settings").await;

    assert_eq!(page.status, 200);
    assert!(
        page.has("poll.every_ms") && page.has("No webhooks yet"),
        "{}",
        page.text
    );
    assert!(!page.has("postgres://") || !page.has("@"), "{}", page.text);
}

#[tokio::test]
async fn every_task_has_its_row_with_when_it_did_its_last_round() {
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;

    let page = ada.get("/about").await;

    for task in [
        "Poll",
        "Reconcile",
        "Samples",
        "Webhooks delivery",
        "Upkeep",
    ] {
        assert!(page.has(&format!("scope=\"row\">{task}")), "{}", page.text);
    }
    assert!(!page.has("Late"), "{}", page.text);
    assert!(
        page.has(env!("CARGO_PKG_VERSION")) && page.has("Postgres"),
        "{}",
        page.text
    );
}
