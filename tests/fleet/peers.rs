//! Peers over the API: made one by one or all at once, shown, changed, isolated, and what their devices are told.

use serde_json::{Value, json};

use crate::nodes::{add, office};
use crate::stage::Running;

mod addresses;
mod adoption;
mod bulk;
mod moving;

const NODE_KEY: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

/// A database with the office and one node that serves it and has answered.
pub(crate) async fn bed() -> Running {
    bed_of(&["fra-1"]).await
}

/// The same with these nodes.
pub(crate) async fn bed_of(nodes: &[&str]) -> Running {
    let stage = office().await;
    for node in nodes {
        add(&stage, node).await;
    }
    stage
        .sql(
            "UPDATE node_status SET reachability = 'online', good_at = now(),
                 next_poll_at = now() + interval '1 day', leased_until = NULL",
        )
        .await;
    stage
        .sql("UPDATE interface_sync SET config_at = now()")
        .await;
    stage
        .sql("UPDATE interfaces SET public_key = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg='")
        .await;
    stage
}

fn phone() -> Value {
    json!({"network": "office", "name": "phone"})
}

async fn generation(stage: &Running) -> i64 {
    stage
        .count("SELECT max(desired_generation) FROM interfaces")
        .await
}

#[tokio::test]
async fn a_peer_without_a_key_is_told_its_own_once_with_its_whole_configuration() {
    let stage = bed().await;

    let answer = stage.api.post("/peers", phone()).await;

    assert_eq!(answer.header("location"), Some("/api/v1/peers/1"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let made = answer.ok();
    let key = made["private_key"].as_str().unwrap();
    let config = made["config"].as_str().unwrap();
    assert!(
        config.contains(&format!("PrivateKey = {key}\n")),
        "{config}"
    );
    assert!(
        config.contains(&format!("PublicKey = {NODE_KEY}\n")),
        "{config}"
    );
    assert!(
        config.contains("Endpoint = fra-1.example:51820\n"),
        "{config}"
    );
    assert!(config.contains("PresharedKey = "), "{config}");
    assert_eq!(made["addresses"], json!(["10.8.0.1", "fd00:8::1"]));
    assert_eq!(made["placements"][0]["node_name"], "fra-1");
    assert_eq!(made["placements"][0]["applied"], false);
    let shown = stage.api.get("/peers/1").await.ok();
    assert!(shown.get("private_key").is_none());
    assert!(!shown.to_string().contains(key));
    assert_eq!(shown["configs"][0]["mode"], "split");
    assert_eq!(shown["configs"][0]["stale"], false);
    let books = stage.count(
        "SELECT count(*) FROM audit_log, events WHERE audit_log.after LIKE '%rivate%' OR events.data::text LIKE '%rivate%'",
    );
    assert_eq!(books.await, 0);
}

#[tokio::test]
async fn who_brings_a_key_is_shown_no_secret() {
    let stage = bed().await;
    let mut body = phone();
    body["public_key"] = json!("AbC/9+xyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    body["address_v4"] = json!("10.8.7.7");
    body["routes"] = json!(["192.168.7.0/24"]);

    let made = stage.api.post("/peers", body.clone()).await.ok();

    assert!(made.get("private_key").is_none() && made.get("config").is_none());
    assert_eq!(made["addresses"], json!(["10.8.7.7", "fd00:8::1"]));
    assert_eq!(made["routes"], json!(["192.168.7.0/24"]));
    body["name"] = json!("other");
    stage
        .api
        .post("/peers", body)
        .await
        .refused_as(409, "key_taken");
    assert_eq!(stage.count("SELECT count(*) FROM peers").await, 1);
}

#[tokio::test]
async fn every_mistake_of_a_draft_is_told_and_nothing_is_made() {
    let stage = bed().await;
    let body = json!({"network": "nowhere", "name": "a b", "public_key": "x", "routes": ["10.1.1.1/24"],
        "address_v4": "fd00::1", "expires_at": "2001-01-01T00:00:00Z", "tags": [""]});

    let answer = stage.api.post("/peers", body).await.problem(422);

    let fields: Vec<&str> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap())
        .collect();
    let expected = [
        "network",
        "name",
        "address_v4",
        "tags",
        "routes",
        "expires_at",
        "public_key",
    ];
    assert_eq!(fields, expected);
    assert!(answer["detail"].as_str().unwrap().contains("10.1.1.0/24"));
    assert_eq!(stage.count("SELECT count(*) FROM peers").await, 0);
}

#[tokio::test]
async fn one_wrong_row_of_many_stops_all_and_is_named() {
    let stage = bed().await;
    let rows = |second: &str| json!([phone(), {"network": "office", "name": second}, {"network": "office", "name": "tablet"}]);

    let refused = stage
        .api
        .post("/peers/bulk", rows("phone"))
        .await
        .problem(409);

    assert_eq!(refused["details"]["rows"][0]["row"], 1);
    assert_eq!(refused["details"]["rows"][0]["code"], "name_taken");
    let refused = stage
        .api
        .post("/peers/bulk", rows("not a label"))
        .await
        .problem(422);
    assert_eq!(refused["details"]["rows"][0]["row"], 1);
    assert_eq!(stage.count("SELECT count(*) FROM peers").await, 0);
    assert_eq!(generation(&stage).await, 0);

    let made = stage.api.post("/peers/bulk", rows("laptop")).await.ok();

    let made = made.as_array().unwrap();
    assert_eq!(made.len(), 3);
    assert!(made.iter().all(|peer| peer["config"].is_string()));
    assert_eq!(made[1]["name"], "laptop");
    assert_eq!(generation(&stage).await, 1);
}

#[tokio::test]
async fn a_new_name_is_told_to_no_node_and_makes_no_text_stale_but_a_new_preshared_key_is() {
    let stage = bed().await;
    stage.api.post("/peers", phone()).await.ok();
    let before = generation(&stage).await;

    let renamed = stage
        .api
        .patch("/peers/1", json!({"notes": "of ada", "tags": ["a", "b"]}))
        .await
        .ok();

    assert_eq!(renamed["configs"][0]["stale"], false);
    stage
        .api
        .patch("/peers/1", json!({"name": "telephone"}))
        .await
        .ok();
    assert_eq!(generation(&stage).await, before);

    let changed = stage
        .api
        .patch("/peers/1", json!({"preshared_key": true}))
        .await
        .ok();

    assert_eq!(changed["configs"][0]["stale"], true);
    assert_eq!(generation(&stage).await, before + 1);
    assert_eq!(changed["placements"][0]["generation"], before + 1);
}

#[tokio::test]
async fn an_isolated_peer_gets_no_configuration_until_it_is_released() {
    let stage = bed().await;
    stage.api.post("/peers", phone()).await.ok();

    let isolated = stage.api.post("/peers/1/isolation", Value::Null).await.ok();

    assert_eq!(isolated["active"], false);
    for path in [
        "/peers/1/config",
        "/peers/1/config.svg",
        "/peers/1/config.png",
    ] {
        stage.api.get(path).await.refused_as(423, "peer_isolated");
    }
    let listed = stage.api.get("/peers?active=true").await.ok();
    assert_eq!(listed["items"], json!([]));
    let released = stage.api.delete("/peers/1/isolation").await.ok();
    assert_eq!(released["active"], true);
    assert_eq!(generation(&stage).await, 3);
}

#[tokio::test]
async fn a_configuration_waits_for_the_key_of_its_node() {
    let stage = bed().await;
    stage.sql("UPDATE interfaces SET public_key = NULL").await;

    let made = stage.api.post("/peers", phone()).await.ok();

    assert!(made["private_key"].is_string() && made.get("config").is_none());
    let why = made["config_problem"].as_str().unwrap();
    assert!(why.contains("wg0 on node fra-1"), "{why}");
    stage
        .api
        .get("/peers/1/config")
        .await
        .refused_as(409, "interface_key_unknown");
}

#[tokio::test]
async fn peers_are_found_by_what_is_typed() {
    let stage = bed().await;
    for (name, tag) in [
        ("ada-phone", "red"),
        ("ada-laptop", "blue"),
        ("bob-phone", "red"),
    ] {
        let body = json!({"network": "office", "name": name, "tags": [tag]});
        stage.api.post("/peers", body).await.ok();
    }
    let found = async |query: &str| -> Vec<String> {
        let page = stage.api.get(&format!("/peers?{query}")).await.ok();
        let items = page["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|peer| peer["name"].as_str().unwrap().to_owned())
            .collect()
    };

    assert_eq!(found("q=ada").await, ["ada-phone", "ada-laptop"]);
    assert_eq!(found("q=10.8.0.2").await, ["ada-laptop"]);
    assert_eq!(found("q=fd00:8::3").await, ["bob-phone"]);
    assert_eq!(
        found("tag=red&node=fra-1").await,
        ["ada-phone", "bob-phone"]
    );
    assert_eq!(found("network=office&limit=1").await, ["ada-phone"]);
    stage
        .api
        .get("/peers?network=nowhere")
        .await
        .refused_as(422, "unknown_network");
}

#[tokio::test]
async fn what_is_only_tried_leaves_nothing_behind() {
    let stage = bed().await;

    let tried = stage.api.post("/peers?dry_run=true", phone()).await.ok();

    assert_eq!(tried["placements"][0]["node_name"], "fra-1");
    assert!(tried.get("private_key").is_none());
    assert_eq!(stage.count("SELECT count(*) FROM peers").await, 0);
    assert_eq!(stage.count("SELECT count(*) FROM ip_allocations").await, 0);
    assert_eq!(generation(&stage).await, 0);
}
