//! What a node holds that nobody asked for: shown as a difference, adopted, removed, planned about.

use controller::domain::reach::Reach;
use controller::domain::role::Role;
use serde_json::json;
use tests::simulator::{Fleet, Plan, identity};

use super::person::Person;
use crate::stage::{Running, eventually};

/// A controller, somebody at its pages, and a node that carries three peers of a life before.
async fn stage() -> (Running, Fleet, Person) {
    let plan = Plan {
        nodes: 1,
        peers: 3,
        ..Plan::default()
    };
    let nodes = Fleet::start(&plan);
    let node = nodes.nodes()[0].described().clone();
    let stage = Running::start().await;
    let network = json!({"name": "office", "cidr_v4": "10.0.0.0/18"});
    stage.api.post("/networks", network).await.ok();
    let body = json!({
        "name": node.name, "agent_url": node.url, "secret": node.secret,
        "interface": {"name": "wg0", "network": "office", "endpoint": "192.0.2.1:51820"},
    });
    stage.api.post("/nodes", body).await.ok();
    let ada = Person::signed_in(&stage, "ada", Role::Operator, Reach::All).await;
    (stage, nodes, ada)
}

async fn shows(ada: &Person, path: &str, text: &str) -> String {
    eventually(text, async || {
        let page = ada.page(path).await;
        match page.contains(text) {
            true => Ok(page),
            false => Err(page),
        }
    })
    .await
}

#[tokio::test]
async fn a_stranger_is_shown_as_a_difference_and_adopted_under_a_name() {
    let (stage, _nodes, ada) = stage().await;
    let page = shows(&ada, "/nodes/1", "3 peers nobody asked for").await;
    assert!(
        page.contains("class=\"add\">AllowedIPs = 10.0.0.3/32"),
        "{page}"
    );
    assert!(ada.french("/nodes/1").await.contains("Dérive sur wg0"));
    let (key, _) = identity::peer(0, 1);
    let key = key.to_string();

    let misnamed = ada
        .post(
            "/interfaces/1/adoptions",
            &[("key", &key), ("name", "No Label")],
        )
        .await;
    assert_eq!(misnamed.status, 303);
    assert_eq!(stage.count("SELECT count(*) FROM peers").await, 0);
    let adopted = ada
        .post(
            "/interfaces/1/adoptions",
            &[("key", &key), ("name", "ada-laptop")],
        )
        .await;

    assert_eq!(
        (adopted.status, adopted.location.as_str()),
        (303, "/nodes/1#drift")
    );
    assert_eq!(
        stage
            .count("SELECT count(*) FROM peers WHERE name = 'ada-laptop'")
            .await,
        1
    );
    let page = shows(&ada, "/nodes/1", "2 peers nobody asked for").await;
    assert!(page.contains("ada-laptop"), "it is among the peers: {page}");
    ada.post("/interfaces/1/adoptions", &[("all", "on")]).await;
    assert_eq!(stage.count("SELECT count(*) FROM peers").await, 3);
}

#[tokio::test]
async fn a_stranger_is_removed_after_a_page_that_names_it_and_a_peer_is_not() {
    let (stage, nodes, ada) = stage().await;
    shows(&ada, "/nodes/1", "3 peers nobody asked for").await;
    let device = nodes.nodes()[0].device();
    let before = device.updates();
    let (key, _) = identity::peer(0, 1);
    let key = key.to_string();
    let query: String = key.bytes().map(|byte| format!("%{byte:02X}")).collect();

    let asked = ada
        .page(&format!("/interfaces/1/removals/new?key={query}"))
        .await;
    assert!(
        asked.contains("Remove 1 peer?") && asked.contains("Their sessions end"),
        "{asked}"
    );
    assert_eq!(device.updates(), before, "asking does nothing");
    let removed = ada.post("/interfaces/1/removals", &[("key", &key)]).await;

    assert_eq!(
        (removed.status, removed.location.as_str()),
        (303, "/nodes/1#drift"),
        "{}",
        removed.text
    );
    shows(&ada, "/nodes/1", "2 peers nobody asked for").await;
    let gone = "SELECT count(*) FROM observations WHERE gone_at IS NOT NULL";
    assert_eq!(stage.count(gone).await, 1);
    ada.post("/interfaces/1/adoptions", &[("all", "on")]).await;
    let (known, _) = identity::peer(0, 0);
    let updates = device.updates();
    ada.post("/interfaces/1/removals", &[("key", &known.to_string())])
        .await;
    assert_eq!(
        device.updates(),
        updates,
        "a peer of the fleet is no stranger"
    );
}

#[tokio::test]
async fn a_plan_is_shown_line_by_line_and_refused_when_the_world_moved() {
    let (stage, _nodes, ada) = stage().await;
    shows(&ada, "/nodes/1", "3 peers nobody asked for").await;

    let made = ada.post("/interfaces/1/plans", &[]).await;

    assert_eq!(
        (made.status, made.location.as_str()),
        (303, "/plans/1"),
        "{}",
        made.text
    );
    let page = ada.page("/plans/1").await;
    assert_eq!(
        page.matches("stays: nobody asked for it").count(),
        3,
        "{page}"
    );
    assert!(
        ada.french("/plans/1")
            .await
            .contains("reste : personne ne l’a demandé")
    );
    ada.post("/interfaces/1/adoptions", &[("all", "on")]).await;
    let refused = ada.post("/plans/1/application", &[]).await;
    assert_eq!(
        (refused.status, refused.location.as_str()),
        (303, "/plans/1")
    );
    assert_eq!(
        stage
            .count("SELECT count(*) FROM plans WHERE applied_at IS NOT NULL")
            .await,
        0
    );
}

#[tokio::test]
async fn a_changed_key_is_acknowledged_by_whoever_saw_it() {
    let (stage, _nodes, ada) = stage().await;
    shows(&ada, "/nodes/1", "3 peers nobody asked for").await;
    stage
        .sql("UPDATE interfaces SET former_public_key = 'former', key_changed_at = now()")
        .await;
    let page = ada.page("/nodes/1").await;
    assert!(page.contains("The key of wg0 changed"), "{page}");
    let (other, _) = identity::peer(0, 1);
    let unseen = "SELECT count(*) FROM interfaces WHERE key_changed_at IS NOT NULL";

    ada.post(
        "/interfaces/1/key-acknowledgement",
        &[("public_key", &other.to_string())],
    )
    .await;
    assert_eq!(stage.count(unseen).await, 1);
    let named = page.split("name=\"public_key\" value=\"").nth(1).unwrap();
    let key = named.split('"').next().unwrap();
    ada.post("/interfaces/1/key-acknowledgement", &[("public_key", key)])
        .await;

    assert_eq!(stage.count(unseen).await, 0);
    assert!(
        !ada.page("/nodes/1")
            .await
            .contains("The key of wg0 changed")
    );
}

#[tokio::test]
async fn a_plan_that_takes_many_away_is_applied_when_a_person_says_so() {
    let (stage, _nodes, ada) = stage().await;
    shows(&ada, "/nodes/1", "3 peers nobody asked for").await;
    let policy = json!({"drift_policy": "enforce"});
    stage.api.patch("/interfaces/1", policy).await.ok();

    ada.post("/interfaces/1/plans", &[]).await;
    let page = ada.page("/plans/1").await;
    assert!(page.contains("Remove 3 of 3 peers"), "{page}");
    assert!(page.contains("name=\"allow_removals\" value=\"3\""));
    let fields = [("allow_removals", "3")];
    let applied = ada.post("/plans/1/application", &fields).await;

    assert_eq!(
        (applied.status, applied.location.as_str()),
        (303, "/nodes/1"),
        "{}",
        applied.text
    );
    assert!(ada.page("/plans/1").await.contains("Applied"));
    let left = "SELECT count(*) FROM observations WHERE gone_at IS NULL";
    eventually("nobody is left", async || match stage.count(left).await {
        0 => Ok(()),
        some => Err(format!("{some} are left")),
    })
    .await;
}
