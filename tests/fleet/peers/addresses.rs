//! Addresses over the API: suggestions, how full ranges are, reservations, and another prefix for a network.

use serde_json::json;

use super::bed;

#[tokio::test]
async fn fifty_peers_fit_into_a_prefix_that_is_free() {
    let stage = bed().await;

    let body = stage
        .api
        .get("/ipam/suggest?max_peers=50&base=10.8.0.0/15&count=2")
        .await
        .ok();

    assert_eq!(
        (&body["prefix_length"], &body["hosts"]),
        (&json!(26), &json!(62))
    );
    assert_eq!(body["v4"], json!(["10.9.0.0/26", "10.9.0.64/26"]));
    assert_eq!(body["v6"].as_array().unwrap().len(), 2);
    stage
        .api
        .get("/ipam/suggest?max_peers=0")
        .await
        .refused_as(422, "unsuitable");
}

#[tokio::test]
async fn a_prefix_with_host_bits_is_refused_with_the_right_one() {
    let stage = bed().await;
    let body = json!({"name": "lab", "cidr_v4": "10.255.238.0/22"});

    let text = stage
        .api
        .post("/networks", body)
        .await
        .refused_as(422, "invalid_fields");

    assert!(text.contains("10.255.236.0/22"), "{text}");
}

#[tokio::test]
async fn what_is_reserved_is_given_to_nobody_and_what_is_used_cannot_be_reserved() {
    let stage = bed().await;
    let reserve = async |prefix: &str| {
        let body = json!({"prefix": prefix, "reason": "printers"});
        stage.api.post("/networks/1/reservations", body).await
    };
    reserve("10.8.0.0/28").await.ok();

    let made = stage
        .api
        .post("/peers", json!({"network": "office", "name": "phone"}))
        .await
        .ok();

    assert_eq!(made["addresses"][0], "10.8.0.16");
    let refused = reserve("10.8.0.16/30").await.problem(409);
    assert_eq!(refused["code"], "addresses_in_use");
    assert_eq!(refused["details"]["addresses"], json!(["10.8.0.16"]));
    reserve("10.8.0.8/29")
        .await
        .refused_as(409, "reservation_overlaps");
    reserve("10.9.0.0/28")
        .await
        .refused_as(422, "prefix_outside");
    assert_eq!(stage.count("SELECT count(*) FROM reserved_ranges").await, 1);
    let ranges = stage.api.get("/networks/1/ranges").await.ok();
    assert_eq!(ranges[0]["used"], 1);
    assert_eq!(ranges[0]["capacity"], 65_534 - 15);
    stage.api.delete("/networks/1/reservations/1").await.ok();
    stage
        .api
        .delete("/networks/1/reservations/1")
        .await
        .refused_as(404, "not_found");
}

#[tokio::test]
async fn the_address_book_is_read_page_by_page() {
    let stage = bed().await;
    for name in ["one", "two", "three"] {
        let body = json!({"network": "office", "name": name});
        stage.api.post("/peers", body).await.ok();
    }
    stage.api.delete("/peers/2").await.ok();

    let first = stage.api.get("/networks/1/addresses?limit=2").await.ok();
    let next = first["next"].as_str().unwrap();
    let second = stage
        .api
        .get(&format!("/networks/1/addresses?limit=2&cursor={next}"))
        .await
        .ok();

    assert_eq!(first["items"][0]["address"], "10.8.0.1");
    assert_eq!(first["items"][0]["peer_name"], "one");
    assert_eq!(first["items"][1]["peer_name"], json!(null));
    assert!(first["items"][1]["resting_since"].is_string());
    assert_eq!(second["items"][0]["address"], "10.8.0.3");
    assert_eq!(second["items"][1]["address"], "fd00:8::1");
}

#[tokio::test]
async fn another_prefix_is_refused_while_a_static_peer_would_be_left_with_its_old_address() {
    let stage = bed().await;
    let body = json!({"network": "office", "name": "phone"});
    stage.api.post("/peers", body).await.ok();

    let refused = stage
        .api
        .patch("/networks/1", json!({"cidr_v4": "10.20.0.0/16"}))
        .await
        .problem(409);

    assert_eq!(refused["code"], "static_peers");
    assert_eq!(refused["details"]["count"], 1);
    assert_eq!(refused["details"]["peers"][0]["name"], "phone");
    let network = stage.api.get("/networks/1").await.ok();
    assert_eq!(
        (&network["cidr_v4"], &network["version"]),
        (&json!("10.8.0.0/16"), &json!(1))
    );
}

#[tokio::test]
async fn managed_peers_all_move_to_another_prefix_with_one_generation() {
    let stage = bed().await;
    for name in ["one", "two"] {
        let body = json!({"network": "office", "name": name, "kind": "managed"});
        stage.api.post("/peers", body).await.ok();
    }

    let tried = stage
        .api
        .patch(
            "/networks/1?dry_run=true",
            json!({"cidr_v4": "10.20.0.0/16"}),
        )
        .await
        .ok();
    assert_eq!(tried["cidr_v4"], "10.20.0.0/16");
    let peer = stage.api.get("/peers/1").await.ok();
    assert_eq!(peer["addresses"], json!(["10.8.0.1", "fd00:8::1"]));

    stage
        .api
        .patch("/networks/1", json!({"cidr_v4": "10.20.0.0/16"}))
        .await
        .ok();

    for (path, address) in [("/peers/1", "10.20.0.1"), ("/peers/2", "10.20.0.2")] {
        let peer = stage.api.get(path).await.ok();
        assert_eq!(peer["addresses"][0], address);
        assert_eq!(peer["placements"][0]["generation"], 3);
    }
    let old = "SELECT count(*) FROM ip_allocations WHERE address << '10.8.0.0/16'";
    assert_eq!(stage.count(old).await, 0);
    // Who is in the new prefix as well stays.
    stage
        .api
        .patch(
            "/networks/1",
            json!({"cidr_v4": "10.20.0.0/15", "cidr_v6": null}),
        )
        .await
        .ok();
    let peer = stage.api.get("/peers/2").await.ok();
    assert_eq!(peer["addresses"], json!(["10.20.0.2"]));
}

#[tokio::test]
async fn an_address_of_a_node_keeps_its_network_where_it_is() {
    let stage = bed().await;
    stage
        .api
        .patch("/interfaces/1", json!({"address_v4": "10.8.0.1"}))
        .await
        .ok();

    let text = stage
        .api
        .patch("/networks/1", json!({"cidr_v4": "10.20.0.0/16"}))
        .await
        .refused_as(409, "interface_addresses");

    assert!(text.contains("change these first"), "{text}");
    stage
        .api
        .patch("/networks/1", json!({"cidr_v4": null, "cidr_v6": null}))
        .await
        .refused_as(422, "no_prefix");
}
