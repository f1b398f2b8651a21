//! Ten thousand peers at once: all of them, or none and every row named that is in the way.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::bed;
use crate::stage::{Agent, Running, Scene, eventually};

const MANY: usize = 10_000;

/// Any 32 bytes are somebody's key.
fn key(number: usize) -> String {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    protocol::PublicKey::from_bytes(bytes).unwrap().to_string()
}

fn row(number: usize) -> Value {
    json!({"network": "office", "name": format!("peer-{number}"), "public_key": key(number)})
}

fn drafts(count: usize) -> Vec<Value> {
    (0..count).map(row).collect()
}

/// What a refusal says of each bad row, as (row, code).
fn named(problem: &Value) -> Vec<(u64, String)> {
    let rows = problem["details"]["rows"].as_array().unwrap().iter();
    rows.map(|one| {
        let code = one["code"].as_str().unwrap().to_owned();
        (one["row"].as_u64().unwrap(), code)
    })
    .collect()
}

async fn nothing_was_made(stage: &Running) {
    for untouched in [
        "SELECT count(*) FROM peers WHERE name <> 'there'",
        "SELECT count(*) FROM ip_allocations WHERE peer_id <> 1",
        "SELECT count(*) FROM placements WHERE peer_id <> 1",
        "SELECT count(*) FROM audit_log WHERE action = 'peer.create_many'",
        "SELECT count(*) FROM events WHERE kind = 'peers.created'",
    ] {
        assert_eq!(stage.count(untouched).await, 0, "{untouched}");
    }
}

#[tokio::test]
async fn ten_thousand_good_rows_are_ten_thousand_peers_on_their_nodes() {
    let stage = Running::start().await;
    let agents = ["fra-1", "fra-2"].map(Agent::within);
    let scene = Scene::new(stage.rows(), &stage.api, agents).await;

    let made = scene
        .api
        .post("/peers/bulk", json!(drafts(MANY)))
        .await
        .ok();

    let made = made.as_array().unwrap();
    let names = made.iter().map(|peer| peer["name"].as_str().unwrap());
    assert!(names.eq((0..MANY).map(|number| format!("peer-{number}"))));
    let addresses: BTreeSet<&str> = made
        .iter()
        .map(|peer| peer["addresses"][0].as_str().unwrap())
        .collect();
    assert_eq!(addresses.len(), MANY);
    for node in &scene.nodes {
        eventually("half of the peers", async || {
            match node.agent.dump().await {
                Ok(dump) if dump.peers.len() == MANY / 2 => Ok(()),
                Ok(dump) => Err(format!("{} peers", dump.peers.len())),
                Err(err) => Err(err),
            }
        })
        .await;
    }
    let one_change = "SELECT count(*) FROM audit_log WHERE action = 'peer.create_many'";
    assert_eq!(stage.count(one_change).await, 1);
}

#[tokio::test]
async fn three_bad_rows_of_ten_thousand_are_named_and_nothing_is_made() {
    let stage = bed().await;
    let mut drafts = drafts(MANY);
    drafts[17]["owner"] = json!(4711);
    drafts[5_000]["name"] = json!("peer-4999");
    drafts[9_999]["public_key"] = json!(key(3));

    let problem = stage
        .api
        .post("/peers/bulk", json!(drafts))
        .await
        .problem(422);

    assert_eq!(
        named(&problem),
        [
            (17, "no_owner".to_owned()),
            (5_000, "name_taken".to_owned()),
            (9_999, "key_taken".to_owned()),
        ]
    );
    nothing_was_made(&stage).await;
    let one_more = stage
        .api
        .post("/peers/bulk", json!(self::drafts(MANY + 1)))
        .await;
    one_more.refused_as(422, "number_of_rows");
    nothing_was_made(&stage).await;
}

#[tokio::test]
async fn every_row_in_the_way_is_named_whatever_it_clashes_with() {
    let stage = bed().await;
    let mut there = row(99);
    there["name"] = json!("there");
    there["address_v4"] = json!("10.8.0.99");
    there["routes"] = json!(["192.168.0.0/24"]);
    stage.api.post("/peers", there).await.ok();
    let before = super::generation(&stage).await;
    let mut drafts = drafts(12);
    for (row, field, value) in [
        (1, "name", json!("there")),
        (2, "public_key", json!(key(99))),
        (3, "address_v4", json!("10.8.0.99")),
        (4, "address_v4", json!("10.9.0.1")),
        (5, "routes", json!(["192.168.0.128/25"])),
        (6, "routes", json!(["172.16.0.0/16", "10.0.0.0/8"])),
        (7, "routes", json!(["172.16.7.0/24"])),
        (8, "routes", json!(["172.16.7.0/24"])),
        (9, "owner", json!(1)),
        (10, "owner", json!(2)),
        (11, "routes", json!(["172.17.0.0/16"])),
    ] {
        drafts[row][field] = value;
    }
    let problem = stage
        .api
        .post("/peers/bulk", json!(drafts))
        .await
        .problem(409);

    let expected = [
        (1, "name_taken"),
        (2, "key_taken"),
        (3, "address_taken"),
        (4, "address_outside"),
        (5, "route_overlaps"),
        (6, "route_overlaps_network"),
        (7, "route_overlaps"),
        (8, "route_overlaps"),
        (9, "no_owner"),
        (10, "no_owner"),
    ];
    assert_eq!(
        named(&problem),
        expected.map(|(row, code)| (row, code.to_owned()))
    );
    let said = problem["details"]["rows"].to_string();
    for words in [
        "192.168.0.0/24, which is behind peer there",
        "172.16.0.0/16 of row 6",
        "no user 2",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    nothing_was_made(&stage).await;
    assert_eq!(super::generation(&stage).await, before);

    // Without these the rest is well.
    let good = json!([drafts[0], drafts[11]]);
    assert_eq!(
        stage
            .api
            .post("/peers/bulk", good)
            .await
            .ok()
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_bad_row_takes_no_place_from_a_good_one() {
    let stage = bed().await;
    stage
        .api
        .patch("/nodes/1", json!({"max_peers": 2}))
        .await
        .ok();
    let mut drafts = drafts(3);
    drafts[0]["owner"] = json!(5);

    let problem = stage
        .api
        .post("/peers/bulk", json!(drafts))
        .await
        .problem(422);
    assert_eq!(named(&problem), [(0, "no_owner".to_owned())]);

    drafts[0]["owner"] = Value::Null;
    let problem = stage
        .api
        .post("/peers/bulk", json!(drafts))
        .await
        .problem(409);
    assert_eq!(named(&problem), [(2, "no_node".to_owned())]);
    nothing_was_made(&stage).await;
}
