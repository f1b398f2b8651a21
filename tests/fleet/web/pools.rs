//! Pools at a browser: made, filled with members, looked ahead in, deleted.

use controller::domain::ids::PoolId;
use controller::domain::reach::Reach;
use controller::domain::role::Role;
use serde_json::json;

use crate::stage::{Running, Visitor};

/// A network that two nodes serve, the second with three times the weight.
async fn with_nodes(stage: &Running) {
    let network = json!({"name": "office", "cidr_v4": "10.8.0.0/16"});
    stage.api.post("/networks", network).await.ok();
    stage
        .sql(
            "INSERT INTO nodes (name, agent_url, weight) VALUES ('fra-1', 'https://192.0.2.1', 100), ('par-1', 'https://192.0.2.2', 300);
             INSERT INTO node_status (node_id, reachability, next_poll_at) SELECT id, 'online', now() + interval '1 hour' FROM nodes;
             INSERT INTO interfaces (node_id, network_id, name, endpoint_host, endpoint_port) SELECT id, 1, 'wg0', 'vpn.example', 51820 FROM nodes;
             INSERT INTO interface_sync (interface_id, config_at) SELECT id, now() FROM interfaces;",
        )
        .await;
}

#[tokio::test]
async fn a_pool_is_made_and_shows_where_the_next_peers_would_go() {
    let stage = Running::start().await;
    with_nodes(&stage).await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Operator).await;
    assert!(ada.get("/pools").await.has("No pools yet"));
    let form = ada.get("/pools/new").await;

    let made = ada
        .send(&form, "/pools", &[("name", "north"), ("placement", "one")])
        .await;
    assert_eq!(made.path, "/pools/1", "{}", made.text);
    assert!(
        made.has("None of them finds a place.") && made.has("No members yet"),
        "{}",
        made.text
    );
    let one = ada.send(&made, "/pools/1/members", &[("node", "1")]).await;
    let both = ada.send(&one, "/pools/1/members", &[("node", "2")]).await;

    assert!(both.has("All 100 find a place."), "{}", both.text);
    assert!(
        both.has("<b>25</b>") && both.has("<b>75</b>"),
        "{}",
        both.text
    );
    assert_eq!(
        stage.count("SELECT count(*) FROM placements").await,
        0,
        "nothing is placed by looking"
    );
    assert!(ada.get("/pools").await.has("2 of 2 online"));
}

#[tokio::test]
async fn a_member_is_taken_out_after_its_page_has_said_what_that_does() {
    let stage = Running::start().await;
    with_nodes(&stage).await;
    let pool = json!({"name": "north", "placement": "all", "members": [1, 2]});
    stage.api.post("/pools", pool).await.ok();
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Operator).await;
    let path = "/pools/1/members/1/remove";

    let told = ada.get(path).await;
    assert!(
        told.has("Take fra-1 out of north") && told.has("leave the node at once"),
        "{}",
        told.text
    );
    assert_eq!(stage.count("SELECT count(*) FROM pool_members").await, 2);

    let done = ada.send(&told, path, &[]).await;
    assert_eq!(done.path, "/pools/1");
    assert_eq!(stage.count("SELECT count(*) FROM pool_members").await, 1);
}

#[tokio::test]
async fn a_pool_that_peers_name_keeps_its_placement_and_is_not_deleted() {
    let stage = Running::start().await;
    with_nodes(&stage).await;
    stage
        .api
        .post("/pools", json!({"name": "north"}))
        .await
        .ok();
    stage
        .sql("INSERT INTO peers (network_id, pool_id, name, public_key) VALUES (1, 1, 'laptop', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=')")
        .await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Operator).await;

    let edit = ada.get("/pools/1/edit").await;
    let refused = ada
        .send(
            &edit,
            "/pools/1/edit",
            &[("name", "south"), ("placement", "all")],
        )
        .await;
    assert_eq!(refused.status, 422);
    assert!(refused.has("1 peer names this pool."), "{}", refused.text);
    let delete = ada.get("/pools/1/delete").await;
    assert!(!delete.has("Delete pool"), "{}", delete.text);
    assert_eq!(ada.send(&delete, "/pools/1/delete", &[]).await.status, 422);
    let pool = stage.api.get("/pools/1").await.ok();
    assert_eq!(
        (&pool["name"], &pool["placement"]),
        (&json!("north"), &json!("one"))
    );

    let edit = ada.get("/pools/1/edit").await;
    let renamed = ada
        .send(
            &edit,
            "/pools/1/edit",
            &[("name", "south"), ("placement", "one")],
        )
        .await;
    assert_eq!(renamed.path, "/pools/1", "{}", renamed.text);
    assert_eq!(stage.api.get("/pools/1").await.ok()["name"], "south");
}

#[tokio::test]
async fn a_form_with_mistakes_makes_no_pool() {
    let stage = Running::start().await;
    stage
        .api
        .post("/pools", json!({"name": "north"}))
        .await
        .ok();
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Operator).await;
    let form = ada.get("/pools/new").await;

    for name in ["north", "no name", ""] {
        let refused = ada
            .send(&form, "/pools", &[("name", name), ("placement", "one")])
            .await;
        assert_eq!(refused.status, 422, "{name}");
        assert!(refused.has("role=\"alert\""), "{}", refused.text);
    }
    let unknown = ada
        .send(
            &form,
            "/pools",
            &[("name", "south"), ("placement", "one"), ("member", "77")],
        )
        .await;
    assert_eq!(unknown.status, 422);
    assert_eq!(stage.count("SELECT count(*) FROM pools").await, 1);
}

#[tokio::test]
async fn whoever_is_limited_to_a_pool_sees_that_one_and_changes_none() {
    let stage = Running::start().await;
    for name in ["north", "south"] {
        stage.api.post("/pools", json!({"name": name})).await.ok();
    }
    let reach = Reach::Pool(Some(PoolId(1)));
    let mut own = Visitor::within(&stage, "own", Role::Operator, reach).await;
    own.language = "fr";

    let list = own.get("/pools").await;
    assert!(
        list.has("north") && !list.has("south") && !list.has("class=\"btn pri\""),
        "{}",
        list.text
    );
    assert!(own.get("/pools/1").await.has("Membres"));
    assert_eq!(own.get("/pools/2").await.status, 404);
    for path in [
        "/pools/new",
        "/pools/1/edit",
        "/pools/1/delete",
        "/pools/1/members/1/remove",
    ] {
        assert_eq!(own.get(path).await.status, 403, "{path}");
    }
    let found = own.get("/search/found?q=out").await;
    assert!(!found.has("south"), "{}", found.text);
}
