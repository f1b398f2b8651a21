//! The forms of nodes and interfaces: what is taken, and what comes back.

use controller::domain::reach::Reach;
use controller::domain::role::Role;

use super::person::Person;
use super::{filled, office};

#[tokio::test]
async fn a_secret_that_was_made_up_is_shown_once() {
    let stage = office().await;
    let ada = Person::signed_in(&stage, "ada", Role::Operator, Reach::All).await;

    let shown = ada
        .post("/nodes", &filled(&[("agent_url", "http://127.0.0.1:9")]))
        .await;

    assert_eq!(shown.status, 200);
    let copied = shown.text.split("data-copy=\"").nth(1).unwrap();
    let secret = copied.split('"').next().unwrap().to_owned();
    assert_eq!(secret.len(), 64);
    assert!(!ada.page("/nodes/1").await.contains(&secret));
    assert!(!ada.page("/nodes/1/secret").await.contains(&secret));

    let replaced = ada.post("/nodes/1/secret", &[]).await;
    assert!(replaced.text.contains("It is shown this once") && !replaced.text.contains(&secret));
    let short = ada.post("/nodes/1/secret", &[("secret", "short")]).await;
    assert_eq!(short.status, 422);
    assert!(short.text.contains("id=\"e-secret\""), "{}", short.text);
    assert_eq!(stage.count("SELECT count(*) FROM node_secrets").await, 1);
}

#[tokio::test]
async fn a_form_that_is_not_taken_comes_back_with_what_was_written_and_why() {
    let stage = office().await;
    let ada = Person::signed_in(&stage, "ada", Role::Operator, Reach::All).await;
    let given = [("agent_url", "http://127.0.0.1:9")];
    assert_eq!(ada.post("/nodes", &filled(&given)).await.status, 200);

    let secret = "a secret of the right length 0123456789";
    let twice = ada
        .post(
            "/nodes",
            &filled(&[("agent_url", "http://127.0.0.1:8"), ("secret", secret)]),
        )
        .await;
    let wrong = ada
        .post(
            "/nodes",
            &filled(&[("agent_url", "ftp://x"), ("country", "Germany")]),
        )
        .await;
    let untested = ada.post("/nodes/test", &filled(&given)).await;

    assert_eq!(
        (twice.status, wrong.status, untested.status),
        (422, 422, 422)
    );
    assert!(
        twice.text.contains("This name is taken already."),
        "{}",
        twice.text
    );
    assert!(twice.text.contains("http://127.0.0.1:8") && !twice.text.contains(secret));
    assert!(wrong.text.contains("id=\"e-agent_url\"") && wrong.text.contains("id=\"e-country\""));
    assert!(
        untested.text.contains("is needed to test"),
        "{}",
        untested.text
    );
    assert_eq!(stage.count("SELECT count(*) FROM nodes").await, 1);
}

#[tokio::test]
async fn a_node_is_edited_by_whoever_saw_it_as_it_is_and_disabled_and_enabled() {
    let stage = office().await;
    let ada = Person::signed_in(&stage, "ada", Role::Operator, Reach::All).await;
    ada.post("/nodes", &filled(&[("agent_url", "http://127.0.0.1:9")]))
        .await;
    assert!(
        ada.page("/nodes/1/edit")
            .await
            .contains("name=\"version\" value=\"1\"")
    );
    let change = [
        ("version", "1"),
        ("name", "fra-2"),
        ("agent_url", "http://127.0.0.1:9"),
        ("weight", "50"),
        ("max_peers", "0"),
        ("country", "DE"),
    ];

    let changed = ada.post("/nodes/1", &change).await;
    let stale = ada
        .post("/nodes/1", &[&change[..], &[("notes", "late")]].concat())
        .await;

    assert_eq!(changed.status, 303, "{}", changed.text);
    assert_eq!(stale.status, 422);
    assert!(stale.text.contains("read it again"), "{}", stale.text);
    let changed = "SELECT count(*) FROM nodes WHERE name = 'fra-2' AND weight = 50 AND country = 'DE' AND notes = ''";
    assert_eq!(stage.count(changed).await, 1);

    let enabled = "SELECT count(*) FROM nodes WHERE enabled";
    assert_eq!(ada.post("/nodes/1/disabled", &[]).await.status, 303);
    assert_eq!(stage.count(enabled).await, 0);
    assert!(
        ada.page("/nodes/1")
            .await
            .contains("/nodes/1/disabled/delete")
    );
    assert_eq!(ada.post("/nodes/1/disabled/delete", &[]).await.status, 303);
    assert_eq!(stage.count(enabled).await, 1);
}

#[tokio::test]
async fn interfaces_are_added_changed_and_deleted() {
    let stage = office().await;
    let ada = Person::signed_in(&stage, "ada", Role::Operator, Reach::All).await;
    let node = [("name", "fra-1"), ("agent_url", "http://127.0.0.1:9")];
    ada.post("/nodes", &node).await;
    assert_eq!(stage.count("SELECT count(*) FROM interfaces").await, 0);
    assert!(ada.page("/nodes/1").await.contains("no interface yet"));
    let draft = [
        ("name", "wg0"),
        ("network", "1"),
        ("endpoint", "[2001:db8::1]:51820"),
        ("ip_pool_v4", "10.8.1.0/24"),
    ];

    assert!(ada.page("/nodes/1/interfaces/new").await.contains("office"));
    assert_eq!(ada.post("/nodes/1/interfaces", &draft).await.status, 303);
    let twice = ada.post("/nodes/1/interfaces", &draft).await;

    assert_eq!(twice.status, 422);
    assert!(
        twice.text.contains("This name is taken already."),
        "{}",
        twice.text
    );
    let form = ada.page("/interfaces/1/edit").await;
    assert!(
        form.contains("[2001:db8::1]:51820") && form.contains("10.8.1.0/24"),
        "{form}"
    );
    let change = [
        ("version", "1"),
        ("name", "wg0"),
        ("network", "1"),
        ("endpoint", "vpn.example:1"),
        ("drift_policy", "adopt"),
    ];
    assert_eq!(ada.post("/interfaces/1", &change).await.status, 303);
    let page = ada.page("/nodes/1").await;
    assert!(
        page.contains("vpn.example:1")
            && page.contains("are adopted")
            && page.contains("none, the whole network"),
        "{page}"
    );
    assert_eq!(
        ada.get("/interfaces/1").await.location,
        "/nodes/1#interface-1"
    );
    assert_eq!(
        ada.post("/interfaces/1/delete", &[]).await.location,
        "/nodes/1"
    );
    assert_eq!(stage.count("SELECT count(*) FROM interfaces").await, 0);
}
