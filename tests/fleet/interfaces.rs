//! Interfaces over the API: what they claim of their network, and what holds them where they are.

use serde_json::{Value, json};

use crate::nodes::{add, office, place_a_peer};
use crate::stage::Running;

mod keys;

async fn stage() -> Running {
    let stage = office().await;
    add(&stage, "fra-1").await;
    stage
}

fn wg1() -> Value {
    json!({"name": "wg1", "network": "office", "endpoint": "[2001:db8::1]:51821"})
}

#[tokio::test]
async fn an_interface_is_added_with_its_pools_and_addresses() {
    let stage = stage().await;
    let mut body = wg1();
    body["ip_pool_v4"] = json!("10.8.1.0/24");
    body["address_v4"] = json!("10.8.1.1");
    body["address_v6"] = json!("fd00:8::1");

    let answer = stage.api.post("/nodes/1/interfaces", body).await;

    assert_eq!(answer.header("location"), Some("/api/v1/interfaces/2"));
    let interface = answer.ok();
    assert_eq!(interface["endpoint"], "[2001:db8::1]:51821");
    assert_eq!(interface["ip_pool_v4"], "10.8.1.0/24");
    assert_eq!(interface["ip_pool_v6"], Value::Null);
    assert_eq!(interface["address_v4"], "10.8.1.1");
    assert_eq!(interface["address_v6"], "fd00:8::1");
    assert_eq!(interface["drift_policy"], "report");
    assert_eq!(stage.api.get("/interfaces/2").await.ok()["name"], "wg1");
    let listed = stage
        .api
        .get("/interfaces?node=1&network=office")
        .await
        .ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    stage
        .api
        .post("/nodes/1/interfaces", wg1())
        .await
        .refused_as(409, "name_taken");
    stage
        .api
        .post("/nodes/9/interfaces", wg1())
        .await
        .refused_as(404, "not_found");
}

#[tokio::test]
async fn a_pool_overlaps_no_other_and_the_refusal_says_which() {
    let stage = stage().await;
    stage
        .api
        .patch("/interfaces/1", json!({"ip_pool_v4": "10.8.1.0/24"}))
        .await
        .ok();
    let mut body = wg1();
    body["ip_pool_v4"] = json!("10.8.0.0/20");

    let text = stage
        .api
        .post("/nodes/1/interfaces", body)
        .await
        .refused_as(409, "ip_pool_overlaps");

    assert!(
        text.contains("10.8.1.0/24 of interface wg0 of node fra-1"),
        "{text}"
    );
    assert_eq!(stage.count("SELECT count(*) FROM interfaces").await, 1);
    // Its own old pool is not in the way of its new one.
    let wider = json!({"ip_pool_v4": "10.8.0.0/20"});
    let changed = stage.api.patch("/interfaces/1", wider).await.ok();
    assert_eq!(changed["ip_pool_v4"], "10.8.0.0/20");
    let none = stage
        .api
        .patch("/interfaces/1", json!({"ip_pool_v4": null}))
        .await
        .ok();
    assert_eq!(none["ip_pool_v4"], Value::Null);
}

#[tokio::test]
async fn an_address_has_one_holder_and_the_refusal_says_who() {
    let stage = stage().await;
    place_a_peer(&stage).await;
    stage
        .sql(
            "INSERT INTO ip_allocations (network_id, address, peer_id)
         SELECT network_id, '10.8.0.5', id FROM peers",
        )
        .await;
    let with = |address: &str| {
        let mut body = wg1();
        body["address_v4"] = json!(address);
        body
    };

    let text = stage
        .api
        .post("/nodes/1/interfaces", with("10.8.0.5"))
        .await
        .refused_as(409, "address_taken");
    assert!(text.contains("peer phone"), "{text}");
    stage
        .api
        .patch("/interfaces/1", json!({"address_v4": "10.8.0.6"}))
        .await
        .ok();
    let text = stage
        .api
        .post("/nodes/1/interfaces", with("10.8.0.6"))
        .await
        .refused_as(409, "address_taken");
    assert!(text.contains("interface wg0 of node fra-1"), "{text}");
    stage
        .api
        .post("/nodes/1/interfaces", with("10.9.0.1"))
        .await
        .refused_as(422, "address_outside");
    assert_eq!(stage.count("SELECT count(*) FROM interfaces").await, 1);

    // Given up, it rests, and an interface may be given it even so.
    stage
        .api
        .patch("/interfaces/1", json!({"address_v4": null}))
        .await
        .ok();
    stage
        .api
        .post("/nodes/1/interfaces", with("10.8.0.6"))
        .await
        .ok();
}

#[tokio::test]
async fn an_interface_that_holds_peers_keeps_its_name_and_network() {
    let stage = stage().await;
    add(&stage, "fra-2").await;
    stage
        .api
        .post(
            "/networks",
            json!({"name": "lab", "cidr_v4": "10.9.0.0/16"}),
        )
        .await
        .ok();
    place_a_peer(&stage).await;

    for change in [json!({"name": "wg9"}), json!({"network": "lab"})] {
        let answer = stage.api.patch("/interfaces/1", change).await;
        assert_eq!(answer.json()["details"]["peers"], 1);
        answer.refused_as(409, "interface_in_use");
    }
    stage
        .api
        .delete("/interfaces/1")
        .await
        .refused_as(409, "interface_in_use");
    let interface = stage.api.get("/interfaces/1").await.ok();
    assert_eq!(
        (&interface["name"], &interface["version"]),
        (&json!("wg0"), &json!(1))
    );
    // The rest is free to change, and tells the node nothing.
    let change = json!({"endpoint": "vpn.example:1", "drift_policy": "enforce", "name": "wg0"});
    let changed = stage.api.patch("/interfaces/1", change).await.ok();
    assert_eq!(changed["endpoint"], "vpn.example:1");
    assert_eq!(changed["sync"]["desired_generation"], 0);
}

#[tokio::test]
async fn who_moves_to_another_network_gives_up_what_was_of_the_old_one() {
    let stage = stage().await;
    stage
        .api
        .post(
            "/networks",
            json!({"name": "lab", "cidr_v4": "10.9.0.0/16"}),
        )
        .await
        .ok();
    let claims = json!({"ip_pool_v4": "10.8.1.0/24", "address_v4": "10.8.1.1"});
    stage.api.patch("/interfaces/1", claims).await.ok();
    stage.sql(
        "UPDATE interfaces SET public_key = 'k'; UPDATE interface_sync SET observed_digest = 'd'",
    )
    .await;

    let moved = stage
        .api
        .patch(
            "/interfaces/1",
            json!({"network": "lab", "address_v4": "10.9.0.1"}),
        )
        .await
        .ok();

    assert_eq!(moved["network_name"], "lab");
    assert_eq!(moved["ip_pool_v4"], Value::Null);
    assert_eq!(moved["address_v4"], "10.9.0.1");
    assert_eq!(moved["public_key"], Value::Null);
    assert_eq!(moved["sync"]["observed_digest"], Value::Null);
    let resting = "SELECT count(*) FROM ip_allocations WHERE released_at IS NOT NULL";
    assert_eq!(stage.count(resting).await, 1);
}
