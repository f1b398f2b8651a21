//! Keys that are limited to a pool or a network: what they see and change, and that all else is closed to them.

use controller::domain::ids::{NetworkId, PoolId};
use controller::domain::reach::Reach;
use controller::domain::role::Scope;
use serde_json::{Value, json};

use crate::stage::Running;

/// Two networks and two pools with a peer of each pairing: 1 and 2 in the first network, 1 and 3 in the first pool.
async fn furnished() -> Running {
    let stage = Running::start().await;
    let api = &stage.api;
    for (network, prefix, pool) in [
        ("one", "10.1.0.0/16", "north"),
        ("two", "10.2.0.0/16", "south"),
    ] {
        let draft = json!({"name": network, "cidr_v4": prefix});
        api.post("/networks", draft).await.ok();
        api.post("/pools", json!({"name": pool})).await.ok();
    }
    stage
        .sql(
            "INSERT INTO peers (network_id, pool_id, name, public_key, kind) VALUES
                (1, 1, 'a', 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', 'static'),
                (1, 2, 'b', 'AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', 'static'),
                (2, 1, 'c', 'AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', 'static'),
                (2, NULL, 'd', 'BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', 'static')",
        )
        .await;
    stage
}

fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_limited_key_sees_and_changes_its_own_and_the_rest_is_not_there() {
    let stage = furnished().await;
    for (reach, own, foreign) in [
        (Reach::Network(Some(NetworkId(1))), ["a", "b"], [3, 4]),
        (Reach::Pool(Some(PoolId(1))), ["a", "c"], [2, 4]),
    ] {
        let key = stage.limited(Scope::Write, reach).await;

        assert_eq!(names(&key.get("/peers").await.ok()), own);
        key.get("/peers/1").await.ok();
        key.post("/peers/1/isolation", json!({})).await.ok();
        key.delete("/peers/1/isolation").await.ok();
        for id in foreign {
            let path = format!("/peers/{id}");
            let before = stage.api.get(&path).await.ok();
            key.get(&path).await.refused_as(404, "not_found");
            let renamed = json!({"name": "mine"});
            key.patch(&path, renamed).await.refused_as(404, "not_found");
            let config = format!("{path}/config");
            key.get(&config).await.refused_as(404, "not_found");
            key.delete(&path).await.refused_as(404, "not_found");
            let isolation = format!("{path}/isolation");
            key.post(&isolation, json!({}))
                .await
                .refused_as(404, "not_found");
            assert_eq!(stage.api.get(&path).await.ok(), before);
        }
    }
    let key = stage
        .limited(Scope::Read, Reach::Pool(Some(PoolId(1))))
        .await;
    assert!(names(&key.get("/peers?pool=2").await.ok()).is_empty());
    assert_eq!(names(&key.get("/peers?network=2").await.ok()), ["c"]);
    assert_eq!(key.get("/me").await.ok()["reach"], json!({"pool": 1}));
    key.delete("/peers/1").await.refused(403);
}

#[tokio::test]
async fn a_limited_key_makes_peers_at_home_and_nowhere_else() {
    let stage = furnished().await;
    let key = stage
        .limited(Scope::Write, Reach::Pool(Some(PoolId(1))))
        .await;
    let draft = |pool: Value| json!({"network": "one", "pool": pool, "name": "new"});
    let peers = "SELECT count(*) FROM peers";

    for pool in [json!("south"), json!(null)] {
        key.post("/peers", draft(pool))
            .await
            .refused_as(404, "not_found");
    }
    assert_eq!(stage.count(peers).await, 4);
    // Whether a node has room for it is another question.
    let at_home = key.post("/peers", draft(json!("north"))).await;
    assert!(![403, 404].contains(&at_home.status), "{at_home:?}");
    assert_eq!(key.get("/pools/1").await.ok()["name"], "north");
    key.get("/pools/2").await.refused_as(404, "not_found");
    key.get("/networks/1").await.refused_as(404, "not_found");
}

#[tokio::test]
async fn a_reach_that_is_gone_covers_nothing() {
    let stage = furnished().await;

    let key = stage.limited(Scope::Write, Reach::Pool(None)).await;

    assert!(names(&key.get("/peers").await.ok()).is_empty());
    key.get("/peers/1").await.refused_as(404, "not_found");
}

#[tokio::test]
async fn a_limited_key_is_listed_its_own_and_of_a_shared_node_its_own_interfaces() {
    let stage = furnished().await;
    let api = &stage.api;
    for (node, network, pool) in [("ber-1", "one", 1), ("par-1", "two", 2)] {
        let draft = json!({"name": node, "agent_url": format!("http://127.0.0.1:{pool}"), "enabled": false,
            "interface": {"name": format!("wg-{network}"), "network": network, "endpoint": "vpn.example:51820"}});
        let node = api.post("/nodes", draft).await.ok();
        let members = json!({"members": [node["id"]]});
        api.patch(&format!("/pools/{pool}"), members).await.ok();
    }
    let second = json!({"name": "wg-both", "network": "two", "endpoint": "vpn.example:51821"});
    api.post("/nodes/1/interfaces", second).await.ok();

    for (reach, network_names, pool_names, node_names, interface_names) in [
        (
            Reach::Network(Some(NetworkId(1))),
            vec!["one"],
            vec![],
            vec!["ber-1"],
            vec!["wg-one"],
        ),
        (
            Reach::Network(Some(NetworkId(2))),
            vec!["two"],
            vec![],
            vec!["ber-1", "par-1"],
            vec!["wg-two", "wg-both"],
        ),
        (
            Reach::Pool(Some(PoolId(1))),
            vec![],
            vec!["north"],
            vec!["ber-1"],
            vec!["wg-one", "wg-both"],
        ),
        (Reach::Pool(None), vec![], vec![], vec![], vec![]),
    ] {
        let key = stage.limited(Scope::Write, reach).await;
        for (path, expected) in [
            ("/networks", &network_names),
            ("/pools", &pool_names),
            ("/nodes", &node_names),
            ("/interfaces", &interface_names),
        ] {
            let page = key.get(path).await.ok();
            assert_eq!(names(&page), *expected, "{reach:?} {path}");
        }
        let nodes = key.get("/nodes").await.ok();
        for node in nodes["items"].as_array().unwrap() {
            let interfaces = node["interfaces"].as_array().unwrap();
            for interface in interfaces {
                let name = interface["name"].as_str().unwrap();
                assert!(interface_names.contains(&name), "{reach:?} {name}");
            }
            let alone = key.get(&format!("/nodes/{}", node["id"])).await.ok();
            assert_eq!(alone["interfaces"], node["interfaces"], "{reach:?}");
        }
    }
    let other = stage
        .limited(Scope::Read, Reach::Network(Some(NetworkId(1))))
        .await;
    for path in ["/interfaces/3", "/interfaces/3/samples", "/nodes/2/samples"] {
        other.get(path).await.refused_as(404, "not_found");
    }
    assert_eq!(names(&other.get("/nodes?network=two").await.ok()), [""; 0]);
}

#[tokio::test]
async fn many_peers_are_made_at_home_or_none_is() {
    let stage = furnished().await;
    let key = stage
        .limited(Scope::Write, Reach::Pool(Some(PoolId(1))))
        .await;
    let draft = |name: &str, pool: &str| json!({"network": "one", "pool": pool, "name": name});

    let rows = json!([draft("x", "north"), draft("y", "south")]);
    let problem = key.post("/peers/bulk", rows).await.problem(422);

    assert_eq!(problem["code"], "invalid_rows", "{problem}");
    let wrong = problem["details"]["rows"].as_array().unwrap();
    assert_eq!((wrong.len(), &wrong[0]["row"]), (1, &json!(1)), "{problem}");
    assert_eq!(stage.count("SELECT count(*) FROM peers").await, 4);
}

#[tokio::test]
async fn keys_and_users_are_limited_over_the_api_but_administrators_are_not() {
    let stage = furnished().await;
    let api = &stage.api;

    let key = json!({"name": "ops", "scope": "write", "reach": {"network": 2}});
    let made = api.post("/api-keys", key).await.ok();
    assert_eq!(made["reach"], json!({"network": 2}));
    let user = json!({"name": "ada", "role": "operator", "reach": {"pool": 1}});
    assert_eq!(
        api.post("/users", user).await.ok()["reach"],
        json!({"pool": 1})
    );
    let before = (
        api.get("/users").await.ok(),
        api.get("/api-keys").await.ok(),
    );

    for (path, draft, code) in [
        (
            "/api-keys",
            json!({"name": "x", "scope": "admin", "reach": {"pool": 1}}),
            "limited_admin",
        ),
        (
            "/api-keys",
            json!({"name": "x", "scope": "read", "reach": {"pool": 7}}),
            "unknown_reach",
        ),
        (
            "/users",
            json!({"name": "x", "role": "admin", "reach": {"pool": 1}}),
            "limited_admin",
        ),
        (
            "/users",
            json!({"name": "x", "role": "viewer", "reach": {"network": 7}}),
            "unknown_reach",
        ),
    ] {
        api.post(path, draft).await.refused_as(422, code);
    }

    assert_eq!(
        (
            api.get("/users").await.ok(),
            api.get("/api-keys").await.ok()
        ),
        before
    );
    let freed = api.patch("/users/1", json!({"reach": "all"})).await.ok();
    assert_eq!(freed["reach"], "all");
}
