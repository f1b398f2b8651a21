//! Networks at a browser: listed, made, changed with the consequences told first, reserved from, deleted.

use controller::domain::ids::{NetworkId, PoolId};
use controller::domain::reach::Reach;
use controller::domain::role::Role;
use serde_json::json;

use crate::stage::{Running, Visitor};

async fn with_network(stage: &Running) {
    let network = json!({"name": "office", "cidr_v4": "10.8.0.0/24", "dns": ["10.8.0.1"]});
    stage.api.post("/networks", network).await.ok();
}

#[tokio::test]
async fn a_network_is_made_from_what_is_suggested_and_shown_with_its_map() {
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Operator).await;
    let empty = ada.get("/networks").await;
    assert!(empty.has("No networks yet"), "{}", empty.text);

    let form = ada.get("/networks/new?peers=1000").await;
    let made = ada
        .send(
            &form,
            "/networks",
            &[("name", "office"), ("dns", "10.0.0.1, 10.0.0.2")],
        )
        .await;

    assert_eq!(
        (made.status, made.path.as_str()),
        (200, "/networks/1"),
        "{}",
        made.text
    );
    assert!(
        made.has("Network office is there.") && made.has("class=\"pfx\""),
        "{}",
        made.text
    );
    let network = stage.api.get("/networks/1").await.ok();
    assert_eq!(network["cidr_v4"], "10.0.0.0/22");
    assert_eq!(network["dns"], json!(["10.0.0.1", "10.0.0.2"]));
    assert!(ada.get("/networks").await.has("1,022"));
}

#[tokio::test]
async fn a_form_with_mistakes_comes_back_with_what_was_written_and_nothing_is_made() {
    let stage = Running::start().await;
    with_network(&stage).await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Operator).await;
    let form = ada.get("/networks/new").await;

    let wrong = [
        [("name", "no name"), ("cidr_v4", "10.9.0.0/24"), ("dns", "")],
        [("name", "lab"), ("cidr_v4", "10.8.0.128/25"), ("dns", "")],
        [("name", "lab"), ("cidr_v4", "10.9.0.1/24"), ("dns", "")],
        [
            ("name", "lab"),
            ("cidr_v4", "10.9.0.0/24"),
            ("dns", "one.one"),
        ],
    ];
    for fields in wrong {
        let refused = ada.send(&form, "/networks", &fields).await;
        assert_eq!(refused.status, 422, "{fields:?}");
        assert!(
            refused.has("role=\"alert\"") && refused.has(fields[1].1),
            "{}",
            refused.text
        );
    }
    assert_eq!(stage.count("SELECT count(*) FROM networks").await, 1);
}

#[tokio::test]
async fn another_prefix_is_given_only_after_its_consequences_were_told() {
    let stage = Running::start().await;
    with_network(&stage).await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Operator).await;
    let form = ada.get("/networks/1/edit").await;

    let told = ada
        .send(&form, "/networks/1/edit", &[("cidr_v4", "10.9.0.0/24")])
        .await;

    assert_eq!(told.status, 200);
    assert!(told.has("0 peers get other addresses"), "{}", told.text);
    assert_eq!(
        stage.api.get("/networks/1").await.ok()["cidr_v4"],
        "10.8.0.0/24"
    );
    let done = ada.send(&told, "/networks/1/edit", &[]).await;
    assert_eq!(done.path, "/networks/1", "{}", done.text);
    assert_eq!(
        stage.api.get("/networks/1").await.ok()["cidr_v4"],
        "10.9.0.0/24"
    );
    let stale = ada
        .send(&form, "/networks/1/edit", &[("name", "late")])
        .await;
    assert_eq!(stale.status, 422);
    assert_eq!(stage.api.get("/networks/1").await.ok()["name"], "office");
}

#[tokio::test]
async fn ranges_are_reserved_and_given_back_and_one_in_use_is_refused() {
    let stage = Running::start().await;
    with_network(&stage).await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Operator).await;
    let path = "/networks/1/reservations";
    let page = ada.get("/networks/1").await;

    let made = ada
        .send(
            &page,
            path,
            &[("prefix", "10.8.0.0/28"), ("reason", "printers")],
        )
        .await;
    assert!(
        made.has("printers") && made.has("10.8.0.0/28 is reserved."),
        "{}",
        made.text
    );
    let outside = ada.send(&made, path, &[("prefix", "10.9.0.0/28")]).await;
    assert_eq!(outside.status, 422);
    assert!(
        outside.has("is in none of the network’s prefixes"),
        "{}",
        outside.text
    );
    assert_eq!(stage.count("SELECT count(*) FROM reserved_ranges").await, 1);

    let ended = ada
        .send(&made, "/networks/1/reservations/1/delete", &[])
        .await;
    assert_eq!(ended.status, 200);
    assert_eq!(stage.count("SELECT count(*) FROM reserved_ranges").await, 0);
}

#[tokio::test]
async fn only_a_network_that_holds_nothing_is_deleted_and_its_page_says_so_first() {
    let stage = Running::start().await;
    with_network(&stage).await;
    stage
        .sql("INSERT INTO peers (network_id, name, public_key) VALUES (1, 'laptop', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=')")
        .await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Operator).await;

    let held = ada.get("/networks/1/delete").await;
    assert!(
        held.has("It still holds peers (1)") && !held.has("Delete network"),
        "{}",
        held.text
    );
    let refused = ada.send(&held, "/networks/1/delete", &[]).await;
    assert_eq!(refused.status, 422);
    assert_eq!(stage.count("SELECT count(*) FROM networks").await, 1);

    stage.sql("DELETE FROM peers").await;
    let free = ada.get("/networks/1/delete").await;
    let gone = ada.send(&free, "/networks/1/delete", &[]).await;
    assert_eq!(gone.path, "/networks");
    assert_eq!(stage.count("SELECT count(*) FROM networks").await, 0);
}

#[tokio::test]
async fn nobody_sees_or_changes_more_than_their_role_reaches() {
    let stage = Running::start().await;
    with_network(&stage).await;
    let other = json!({"name": "lab", "cidr_v4": "10.9.0.0/24"});
    stage.api.post("/networks", other).await.ok();
    stage
        .api
        .post("/pools", json!({"name": "north"}))
        .await
        .ok();
    let reach = Reach::Network(Some(NetworkId(1)));
    let mut own = Visitor::within(&stage, "own", Role::Operator, reach).await;
    let mut viewer = Visitor::signed_in(&stage, "viewer", Role::Viewer).await;
    let mut none =
        Visitor::within(&stage, "none", Role::Operator, Reach::Pool(Some(PoolId(1)))).await;

    let list = own.get("/networks").await;
    assert!(
        list.has("office") && !list.has("/networks/2") && !list.has("class=\"btn pri\""),
        "{}",
        list.text
    );
    assert_eq!(own.get("/networks/1").await.status, 200);
    assert_eq!(own.get("/networks/2").await.status, 404);
    for path in [
        "/networks/new",
        "/networks/1/edit",
        "/networks/1/delete",
        "/topology",
    ] {
        assert_eq!(own.get(path).await.status, 403, "{path}");
    }
    assert!(!none.get("/networks").await.has("office"));
    let page = viewer.get("/networks/1").await;
    assert!(page.has("office") && !page.has("/networks/1/edit") && !page.has("/reservations\""));
    assert_eq!(viewer.get("/networks/1/edit").await.status, 403);
}

#[tokio::test]
async fn pages_of_networks_are_there_in_french() {
    let stage = Running::start().await;
    with_network(&stage).await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    ada.language = "fr";

    assert!(ada.get("/networks").await.has("Réseaux"));
    assert!(ada.get("/networks/1").await.has("Plages réservées"));
    assert!(ada.get("/networks/new").await.has("Préfixes libres"));
    for path in [
        "/networks/1/edit",
        "/networks/1/delete",
        "/topology",
        "/about",
        "/settings",
        "/search?q=off",
        "/",
    ] {
        assert_eq!(ada.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn what_somebody_types_finds_commands_and_what_is_called_so() {
    let stage = Running::start().await;
    with_network(&stage).await;
    stage
        .api
        .post("/pools", json!({"name": "offshore"}))
        .await
        .ok();
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Operator).await;

    let found = ada.get("/search/found?q=off").await;
    assert!(
        found.has("/networks/1") && found.has("/pools/1") && !found.has("<html"),
        "{}",
        found.text
    );
    assert!(ada.get("/search/found?q=create").await.has("/networks/new"));
    assert!(
        ada.get("/search?q=zzz")
            .await
            .has("Nothing is called like that.")
    );
    let strange = format!("/search?q={}", "%00<script>%25_");
    assert!(!ada.get(&strange).await.has("<script>%"));
}

#[tokio::test]
async fn of_a_prefix_of_ipv6_the_corner_that_is_in_use_is_drawn() {
    let stage = Running::start().await;
    let network = json!({"name": "office", "cidr_v6": "fd00:8::/64"});
    stage.api.post("/networks", network).await.ok();
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Viewer).await;
    let empty = ada.get("/networks/1").await;
    assert!(empty.status == 200 && !empty.has("class=\"pfx\""));

    stage
        .sql(
            "INSERT INTO peers (network_id, name, public_key)
             SELECT 1, 'peer-' || n, repeat(n, 43) || '=' FROM unnest(ARRAY['A', 'B']) AS n;
             INSERT INTO ip_allocations (network_id, address, peer_id)
             VALUES (1, 'fd00:8::2', 1), (1, 'fd00:8::1:7', 2)",
        )
        .await;
    let drawn = ada.get("/networks/1").await;

    assert!(
        drawn.has("The map shows fd00:8::/111, where all that is in use lies."),
        "{}",
        drawn.text
    );
    assert!(drawn.has("fd00:8::1:0/119") && drawn.has("class=\"f1\""));
    assert_eq!(drawn.text.matches("<rect class=\"f1\"").count(), 2);
}
