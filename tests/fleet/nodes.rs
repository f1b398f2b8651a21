//! Nodes over the API: added whole or not at all, changed by who saw them, listed page by page.

use controller::domain::ids::NodeId;
use controller::fleet::nodes;
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::Running;

mod calling;
mod leaving;

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A database with the network `office`.
pub(crate) async fn office() -> Running {
    let stage = Running::with("").await;
    let body = json!({"name": "office", "cidr_v4": "10.8.0.0/16", "cidr_v6": "fd00:8::/64"});
    stage.api.post("/networks", body).await.ok();
    stage
}

/// A node that serves the office, and its id.
pub(crate) async fn add(stage: &Running, name: &str) -> i64 {
    let body = stage.api.post("/nodes", whole(name)).await.ok();
    body["id"].as_i64().unwrap()
}

pub(crate) fn whole(name: &str) -> Value {
    json!({
        "name": name, "agent_url": format!("http://{name}.example:8080"),
        "interface": {"name": "wg0", "network": "office", "endpoint": format!("{name}.example:51820")},
    })
}

/// Puts a peer on the first interface of the office, the way the rows say it.
pub(crate) async fn place_a_peer(stage: &Running) {
    stage.sql(
        "INSERT INTO peers (network_id, name, public_key)
             SELECT id, 'phone', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=' FROM networks WHERE name = 'office';
         INSERT INTO placements (interface_id, peer_id, generation)
             SELECT (SELECT min(id) FROM interfaces), id, 1 FROM peers",
    )
    .await;
}

#[tokio::test]
async fn a_node_is_added_with_its_secret_and_its_interface() {
    let stage = office().await;
    let mut body = whole("FRA-1");
    body["secret"] = json!(SECRET);
    body["region"] = json!("north");
    body["country"] = json!("de");

    let answer = stage.api.post("/nodes", body).await;

    let location = answer.header("location").unwrap().to_owned();
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert_eq!(answer.status, 201);
    let node = answer.ok();
    assert_eq!(location, format!("/api/v1/nodes/{}", node["id"]));
    assert_eq!(node["name"], "fra-1");
    assert_eq!(node["state"], "pending");
    assert_eq!(node["country"], "DE");
    assert_eq!(
        (&node["weight"], &node["max_peers"]),
        (&json!(100), &json!(0))
    );
    assert_eq!(node["interfaces"][0]["network_name"], "office");
    assert_eq!(node["interfaces"][0]["sync"]["applied_generation"], 0);
    assert!(node.get("secret").is_none(), "who gave it has it");
    assert_eq!(stage.count("SELECT count(*) FROM node_status").await, 1);
    assert_eq!(stage.count("SELECT count(*) FROM interface_sync").await, 1);
    let shown = stage.api.get(&format!("/nodes/{}", node["id"])).await.ok();
    assert_eq!(shown["interfaces"], node["interfaces"]);
}

#[tokio::test]
async fn a_secret_that_was_made_up_is_shown_once_and_signs() {
    let stage = office().await;

    let node = stage.api.post("/nodes", whole("fra-1")).await.ok();

    let secret = node["secret"].as_str().unwrap();
    assert_eq!(secret.len(), 64);
    let id = NodeId(node["id"].as_i64().unwrap());
    let target = nodes::target(&stage.fleet, id).await.unwrap();
    assert_eq!(target.secret.reveal(), secret);
    assert_eq!(target.url.as_str(), "http://fra-1.example:8080");
    let shown = stage.api.get(&format!("/nodes/{id}")).await.ok();
    assert!(!shown.to_string().contains(secret));
    let books = "SELECT count(*) FROM audit_log, events
                 WHERE audit_log.after LIKE '%secret\"%' OR events.data::text LIKE '%secret\"%'";
    assert_eq!(stage.count(books).await, 0);
    assert_eq!(
        stage
            .count("SELECT count(*) FROM audit_log WHERE action = 'node.create'")
            .await,
        1
    );
}

#[tokio::test]
async fn what_another_node_has_is_refused_by_its_name_and_leaves_nothing() {
    let stage = office().await;
    let mut first = whole("fra-1");
    first["secret"] = json!(SECRET);
    stage.api.post("/nodes", first).await.ok();
    let other = |field: &str, value: &str| {
        let mut body = whole("fra-2");
        body[field] = json!(value);
        body
    };

    for (body, code) in [
        (other("name", "FRA-1"), "name_taken"),
        (
            other("agent_url", "HTTP://fra-1.example:8080/"),
            "agent_url_taken",
        ),
        (other("secret", SECRET), "secret_taken"),
    ] {
        stage.api.post("/nodes", body).await.refused_as(409, code);
    }

    assert_eq!(stage.count("SELECT count(*) FROM nodes").await, 1);
    assert_eq!(stage.count("SELECT count(*) FROM interfaces").await, 1);
    assert_eq!(
        stage
            .count("SELECT count(*) FROM events WHERE kind = 'node.created'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_mistake_in_the_interface_leaves_no_node() {
    let stage = office().await;
    let mut body = whole("fra-1");
    body["interface"]["ip_pool_v4"] = json!("10.9.0.0/24");

    let text = stage
        .api
        .post("/nodes", body.clone())
        .await
        .refused_as(422, "ip_pool_outside_network");
    assert!(text.contains("10.8.0.0/16"), "{text}");
    body["interface"]["network"] = json!("nowhere");
    stage
        .api
        .post("/nodes", body)
        .await
        .refused_as(422, "unknown_network");

    assert_eq!(stage.count("SELECT count(*) FROM nodes").await, 0);
    assert_eq!(stage.count("SELECT count(*) FROM node_secrets").await, 0);
}

#[tokio::test]
async fn a_dry_run_answers_what_would_be_and_shows_no_secret() {
    let stage = office().await;

    let node = stage
        .api
        .post("/nodes?dry_run=true", whole("fra-1"))
        .await
        .ok();

    assert_eq!(node["name"], "fra-1");
    assert!(node.get("secret").is_none());
    assert_eq!(stage.count("SELECT count(*) FROM nodes").await, 0);
    assert_eq!(
        stage
            .count("SELECT count(*) FROM audit_log WHERE object LIKE 'node/%'")
            .await,
        0
    );
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name_and_takes_away_what_is_null() {
    let stage = office().await;
    let mut body = whole("fra-1");
    body["region"] = json!("north");
    body["timeout_ms"] = json!(1500);
    let node = stage.api.post("/nodes", body).await.ok();
    let path = format!("/nodes/{}", node["id"]);

    let changed = stage
        .api
        .patch(
            &path,
            json!({"weight": 0, "timeout_ms": null, "enabled": false}),
        )
        .await
        .ok();

    assert_eq!(changed["weight"], 0);
    assert_eq!(changed["timeout_ms"], Value::Null);
    assert_eq!(changed["region"], "north");
    assert_eq!(changed["state"], "disabled");
    assert_eq!(changed["version"], 2);
    stage
        .api
        .call(
            Method::PATCH,
            &path,
            Some(json!({"weight": 1})),
            &[("if-match", "\"1\"")],
        )
        .await
        .refused_as(412, "version_mismatch");
    stage
        .api
        .patch(&path, json!({"weight": 1_000_001}))
        .await
        .refused_as(422, "invalid_fields");
    assert_eq!(stage.api.get(&path).await.ok()["weight"], 0);
}

#[tokio::test]
async fn lists_are_filtered_and_go_page_by_page() {
    let stage = office().await;
    for name in ["fra-1", "fra-2", "ams-1"] {
        let mut body = whole(name);
        body["region"] = json!(&name[..3]);
        stage.api.post("/nodes", body).await.ok();
    }
    stage
        .api
        .patch("/nodes/2", json!({"enabled": false}))
        .await
        .ok();
    stage
        .api
        .post("/pools", json!({"name": "north", "members": [1, 3]}))
        .await
        .ok();
    let names = async |query: &str| {
        let page = stage.api.get(&format!("/nodes?{query}")).await.ok();
        let items = page["items"].as_array().unwrap().clone();
        let names = items
            .iter()
            .map(|node| node["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };

    assert_eq!(names("").await, "fra-1 fra-2 ams-1");
    assert_eq!(names("q=RA-").await, "fra-1 fra-2");
    assert_eq!(names("q=_").await, "");
    assert_eq!(names("state=disabled").await, "fra-2");
    assert_eq!(names("state=pending").await, "fra-1 ams-1");
    assert_eq!(names("pool=north&region=ams").await, "ams-1");
    assert_eq!(names("network=office&q=1").await, "fra-1 ams-1");
    stage
        .api
        .get("/nodes?pool=south")
        .await
        .refused_as(422, "unknown_pool");
    let first = stage.api.get("/nodes?limit=2").await.ok();
    let next = first["next"].as_str().unwrap();
    assert_eq!(names(&format!("limit=2&cursor={next}")).await, "ams-1");
    let node = &first["items"][0];
    assert_eq!(node["interfaces"].as_array().unwrap().len(), 1);
    assert_eq!(node["pools"], json!([1]));
}
