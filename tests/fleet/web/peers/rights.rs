//! What is offered and done to whom: to those who only look, and to those who reach a part.

use controller::domain::ids::NetworkId;
use controller::domain::reach::Reach;
use controller::domain::role::Role;
use serde_json::json;

use super::{PEERS, csrf, field, listed, with_peers};
use crate::stage::Visitor;

#[tokio::test]
async fn whoever_may_only_look_is_offered_nothing_else_and_refused_the_rest() {
    let (stage, mut ada) = with_peers(1).await;
    let mut eva = Visitor::signed_in(&stage, "eva", Role::Viewer).await;
    let list = eva.get("/peers").await;
    assert!(!list.has("/peers/new") && !list.has("value=\"delete\"") && list.has("value=\"csv\""));
    assert!(!eva.get("/peers/1").await.has("/peers/1/delete"));
    let csrf = csrf(&list, "/peers/bulk");

    for path in [
        "/peers/new",
        "/peers/1/edit",
        "/peers/1/config",
        "/peers/1/delete",
        "/peers/1/move",
        "/peers/import",
    ] {
        assert_eq!(eva.get(path).await.status, 403, "{path}");
    }
    for path in [
        "/peers",
        "/peers/1",
        "/peers/1/isolate",
        "/peers/1/disable",
        "/peers/1/delete",
        "/peers/1/move",
        "/peers/import",
        "/peers/bulk/run",
    ] {
        let sent = eva.post(path, std::slice::from_ref(&csrf)).await;
        assert_eq!(sent.status, 403, "{path}");
    }
    let bulk = [csrf, field("do", "delete"), field("id", 1)];
    assert_eq!(eva.post("/peers/bulk", &bulk).await.status, 403);
    assert_eq!(
        stage
            .count("SELECT count(*) FROM peers WHERE enabled AND isolated_at IS NULL")
            .await,
        1
    );
    assert_eq!(ada.get("/peers/1").await.status, 200);
}

#[tokio::test]
async fn what_lies_beyond_somebodys_reach_is_not_there() {
    let (stage, _ada) = with_peers(1).await;
    let away = json!({"name": "away", "cidr_v4": "10.99.0.0/16"});
    stage.api.post("/networks", away).await.ok();
    stage
        .sql(
            "INSERT INTO peers (network_id, name, public_key)
             VALUES (2, 'far', 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=')",
        )
        .await;
    let reach = Reach::Network(Some(NetworkId(2)));
    let mut eva = Visitor::within(&stage, "eva", Role::Operator, reach).await;

    let list = eva.get("/peers").await;

    assert_eq!(listed(&list), ["far"]);
    assert_eq!(eva.get("/peers/1").await.status, 404);
    assert_eq!(eva.get("/peers/2").await.status, 200);
    assert_eq!(eva.get("/peers/1/edit").await.status, 404);
    assert_eq!(eva.get("/peers/1/config").await.status, 404);
    let edit = eva.get("/peers/2/edit").await;
    let changed = eva.send(&edit, "/peers/2", &[("name", "near")]).await;
    assert_eq!(
        listed(&eva.get("/peers").await),
        ["near"],
        "{}",
        changed.text
    );
    let new = eva.get("/peers/new").await;
    assert!(new.has(">away<") && !new.has(">office<"), "{}", new.text);
    let sent = eva
        .send(&new, "/peers", &[("network", "1"), ("name", "mine")])
        .await;
    assert_eq!(sent.status, 422, "{}", sent.text);
    let row = "name,network,public_key\nmine,office,BQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let import = eva.get("/peers/import").await;
    let sent = eva.send(&import, "/peers/import", &[("rows", row)]).await;
    assert_eq!(sent.status, 422, "{}", sent.text);
    assert_eq!(stage.count(PEERS).await, 2);
    let both = [
        csrf(&list, "/peers/bulk"),
        field("do", "delete"),
        field("id", 1),
        field("id", 2),
    ];
    let preview = eva.post("/peers/bulk", &both).await;
    assert!(preview.has("Delete 1 peer?"), "{}", preview.text);
    eva.send(&preview, "/peers/bulk/run", &[]).await;
    assert_eq!(stage.count(PEERS).await, 1);
}
