//! Ids of what belongs to others, where no path says whose it is: in bodies, queries and selections; and in paths that
//! join the id of one thing to that of another.

use controller::domain::ids::{NetworkId, PoolId};
use controller::domain::reach::Reach;
use controller::domain::role::{Role, Scope};
use serde_json::{Value, json};

use crate::matrix::furnished;
use crate::rights::contents;
use crate::stage::{Running, Visitor};

const AWAY: Reach = Reach::Network(Some(NetworkId(2)));

/// With a peer of the second network and pool, and another user with a session.
async fn two_tenants() -> Running {
    let stage = furnished().await;
    stage
        .sql(
            "INSERT INTO peers (network_id, pool_id, name, public_key, owner_id) VALUES
                (2, 2, 'far', 'AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', 1);
             UPDATE peers SET owner_id = 1, tags = '{lab}'",
        )
        .await;
    stage
}

#[tokio::test]
async fn what_belongs_to_one_is_not_found_by_the_path_of_another() {
    let stage = two_tenants().await;
    let (api, mut ada) = (
        &stage.api,
        Visitor::signed_in(&stage, "ada", Role::Admin).await,
    );
    let reserved = json!({"prefix": "10.9.9.0/28"});
    api.post("/networks/2/reservations", reserved).await.ok();
    let hook = json!({"name": "second", "url": "http://127.0.0.1:9/", "enabled": false});
    api.post("/webhooks", hook).await.ok();
    let token = ada.token("/profile").await;
    let before = contents(stage.rows()).await;

    for path in ["/networks/1/reservations/2", "/networks/2/reservations/1"] {
        let answer = api.delete(path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
    api.get("/webhooks/1/deliveries/1").await.ok();
    api.get("/webhooks/2/deliveries/1")
        .await
        .refused_as(404, "not_found");
    api.post("/webhooks/2/deliveries/1/replay", json!({}))
        .await
        .refused_as(404, "not_found");
    // The session of the first user, by the path of the second.
    for path in [
        "/users/2/sessions/1000000/end",
        "/profile/sessions/1000000/end",
        "/profile/passkeys/1/remove",
        "/networks/1/reservations/2/delete",
    ] {
        let sent = ada.post(path, &[("csrf".to_owned(), token.clone())]).await;
        assert_eq!(sent.status, 404, "{path}: {}", sent.text);
    }

    for (table, rows) in contents(stage.rows()).await {
        assert_eq!(rows, before[&table], "{table}");
    }
}

#[tokio::test]
async fn no_query_widens_what_a_limited_key_is_listed() {
    let stage = two_tenants().await;
    let key = stage.limited(Scope::Write, AWAY).await;
    let named = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    };

    for (query, expected) in [
        ("/peers?network=1", vec![]),
        ("/peers?network=obelisk", vec![]),
        ("/peers?pool=1", vec![]),
        ("/peers?node=1", vec![]),
        ("/peers?owner=1", vec!["far"]),
        ("/peers?tag=lab", vec!["far"]),
        ("/peers?q=a", vec!["far"]),
        ("/nodes?network=1", vec![]),
        ("/nodes?pool=1", vec![]),
        ("/interfaces?node=1", vec![]),
        ("/interfaces?network=1", vec![]),
        ("/pools?q=quartz", vec![]),
        ("/networks?limit=1", vec!["away"]),
    ] {
        assert_eq!(named(&key.get(query).await.ok()), expected, "{query}");
    }
    let next = key.get("/networks?limit=1").await.ok()["next"].clone();
    if let Some(cursor) = next.as_str() {
        let page = key
            .get(&format!("/networks?limit=1&cursor={cursor}"))
            .await
            .ok();
        assert!(named(&page).is_empty(), "{page}");
    }
    let addresses = key.get("/networks/2/addresses?peer=1").await.ok();
    assert_eq!(addresses["items"], json!([]));
}

#[tokio::test]
async fn no_body_places_a_peer_where_its_maker_reaches_nothing() {
    let stage = two_tenants().await;
    let peers = "SELECT count(*) FROM peers";
    let pool = stage
        .limited(Scope::Write, Reach::Pool(Some(PoolId(2))))
        .await;
    let network = stage.limited(Scope::Write, AWAY).await;

    for (key, draft) in [
        (&network, json!({"network": 1})),
        (&network, json!({"network": "obelisk", "pool": "south"})),
        (&network, json!({"network": 2, "node": 1})),
        (&pool, json!({"network": 2, "pool": 1})),
        (&pool, json!({"network": 2})),
        (&pool, json!({"network": 2, "pool": 2, "node": 1})),
    ] {
        let mut draft = draft;
        draft["name"] = json!("stray");
        let answer = key.post("/peers", draft.clone()).await;
        assert!(
            [404, 409, 422].contains(&answer.status),
            "{draft}: {}",
            answer.text
        );
        let many = key.post("/peers/bulk", json!([draft])).await;
        assert!([409, 422].contains(&many.status), "{draft}: {}", many.text);
    }
    for (key, path) in [(&network, "/peers/1"), (&pool, "/peers/1")] {
        let taken = key.patch(path, json!({"owner": 1, "tags": []})).await;
        taken.refused_as(404, "not_found");
    }

    assert_eq!(stage.count(peers).await, 2);
    let kept = "SELECT count(*) FROM peers WHERE id = 1 AND tags = '{lab}'";
    assert_eq!(stage.count(kept).await, 1);
}

#[tokio::test]
async fn a_selection_takes_in_only_what_its_sender_reaches() {
    let stage = two_tenants().await;
    let mut eva = Visitor::within(&stage, "eva", Role::Operator, AWAY).await;
    let token = eva.token("/profile").await;
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let base = [field("csrf", &token), field("id", "1"), field("id", "2")];
    let disabled = "SELECT count(*) FROM peers WHERE NOT enabled";

    for format in ["csv", "ndjson"] {
        for ticked in [true, false] {
            let mut form = vec![field("csrf", &token), field("do", format)];
            match ticked {
                true => form.extend([field("id", "1"), field("id", "2")]),
                false => form.push(field("scope", "all")),
            }
            let file = eva.post("/peers/bulk", &form).await;
            assert!(file.has("far") && !file.has("teapot"), "{}", file.text);
        }
    }
    // The count is that of another selection: nothing is done.
    let mut forged = base.to_vec();
    forged.extend([field("do", "disable"), field("count", "2")]);
    let refused = eva.post("/peers/bulk/run", &forged).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert_eq!(stage.count(disabled).await, 0);
    let mut run = base.to_vec();
    run.extend([field("do", "disable"), field("count", "1")]);
    let done = eva.post("/peers/bulk/run", &run).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let own = "SELECT count(*) FROM peers WHERE NOT enabled AND id = 2";
    assert_eq!(
        (stage.count(disabled).await, stage.count(own).await),
        (1, 1)
    );
    let mut elsewhere = vec![field("csrf", &token), field("scope", "all")];
    elsewhere.extend([field("pool", "1"), field("do", "delete")]);
    let nothing = eva.post("/peers/bulk", &elsewhere).await;
    assert_eq!(nothing.status, 303, "{}", nothing.text);
    assert_eq!(stage.count("SELECT count(*) FROM peers").await, 2);
}
