//! Networks over the API.

use serde_json::json;

use crate::stage::Running;

#[tokio::test]
async fn a_network_is_made_read_changed_and_deleted() {
    let stage = Running::start().await;
    let api = &stage.api;

    let made = api
        .post(
            "/networks",
            json!({"name": "Office", "cidr_v4": "10.8.0.0/16", "dns": ["10.8.0.1"]}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.header("etag"), Some("\"1\""));
    let path = made
        .header("location")
        .unwrap()
        .trim_start_matches("/api/v1")
        .to_owned();
    let made = made.ok();
    assert_eq!(made["name"], "office");

    let changed = api.patch(&path, json!({"mtu": 1380})).await.ok();
    assert_eq!(
        (&changed["mtu"], &changed["version"]),
        (&json!(1380), &json!(2))
    );
    let cleared = api.patch(&path, json!({"mtu": null})).await.ok();
    assert_eq!(cleared["mtu"], json!(null));

    assert_eq!(
        api.get("/networks").await.ok()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(api.delete(&path).await.status, 204);
    assert_eq!(api.get(&path).await.refused(404), "not_found");
}

#[tokio::test]
async fn a_prefix_that_overlaps_another_network_is_refused_by_name() {
    let stage = Running::start().await;
    let api = &stage.api;
    api.post(
        "/networks",
        json!({"name": "one", "cidr_v4": "10.8.0.0/16"}),
    )
    .await
    .ok();

    let refused = api
        .post(
            "/networks",
            json!({"name": "two", "cidr_v4": "10.8.4.0/24"}),
        )
        .await;

    assert!(refused.text.contains("network one"), "{}", refused.text);
    assert_eq!(refused.refused(409), "prefix_overlaps");
    assert_eq!(
        api.get("/networks").await.ok()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_dry_run_leaves_nothing_behind() {
    let stage = Running::start().await;
    let draft = json!({"name": "one", "cidr_v4": "10.8.0.0/16"});

    let tried = stage.api.post("/networks?dry_run=true", draft).await.ok();

    assert_eq!(tried["name"], "one");
    assert_eq!(stage.api.get("/networks").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn an_older_version_is_not_changed() {
    let stage = Running::start().await;
    let api = &stage.api;
    let draft = json!({"name": "one", "cidr_v4": "10.8.0.0/16"});
    let id = api.post("/networks", draft).await.ok()["id"].clone();
    let path = format!("/networks/{id}");
    api.patch(&path, json!({"keepalive": 15})).await.ok();

    let body = Some(json!({"keepalive": 20}));
    let stale = api
        .call(
            reqwest::Method::PATCH,
            &path,
            body,
            &[("if-match", "\"1\"")],
        )
        .await;

    assert_eq!(stale.refused(412), "version_mismatch");
    assert_eq!(api.get(&path).await.ok()["keepalive"], 15);
}
