//! Peers moved by somebody at a browser without scripts: one, and many.

use controller::domain::ids::PoolId;
use controller::domain::reach::Reach;
use controller::domain::role::Role;
use serde_json::json;

use super::{csrf, field};
use crate::peers::bed_of;
use crate::stage::{Running, Visitor, peer};

const ON_SECOND: &str = "SELECT count(*) FROM placements WHERE interface_id = 2";

/// So many peers on the first of three nodes, the pool `north` of the first two, and somebody who may change peers.
async fn furnished(count: u32) -> (Running, Visitor) {
    let stage = bed_of(&["fra-1", "fra-2", "fra-3"]).await;
    let pool = json!({"name": "north", "members": [1, 2]});
    stage.api.post("/pools", pool).await.ok();
    let on_first = |number| {
        let mut body = peer(number);
        body["node"] = json!(1);
        body
    };
    let drafts: Vec<_> = (1..=count).map(on_first).collect();
    stage.api.post("/peers/bulk", json!(drafts)).await.ok();
    let ada = Visitor::signed_in(&stage, "ada", Role::Operator).await;
    (stage, ada)
}

#[tokio::test]
async fn one_peer_is_moved_after_a_page_that_says_where_to_and_why() {
    let (stage, mut ada) = furnished(1).await;
    assert!(ada.get("/peers/1").await.has("href=\"/peers/1/move\""));
    ada.get("/peers/1/config").await;
    assert!(!ada.get("/peers/1/stale").await.has("Stale configuration"));

    let choice = ada.get("/peers/1/move").await;
    assert!(choice.has("out of touch until it has the new one") && choice.has(">fra-2</option>"));
    assert!(!choice.has("Move peer</button>"));
    let found = ada.get("/peers/1/move?to_node=2&to_pool=").await;

    assert!(found.has("It goes from fra-1 to fra-2."), "{}", found.text);
    assert!(found.has("<b>chosen</b>") && found.has("Move peer</button>"));
    assert_eq!(stage.count(ON_SECOND).await, 0);
    let moved = ada.send(&found, "/peers/1/move", &[]).await;
    assert_eq!((moved.status, moved.path.as_str()), (200, "/peers/1"));
    assert!(
        moved.has("The peer was moved") && moved.has("peer.move"),
        "{}",
        moved.text
    );
    assert_eq!(stage.count(ON_SECOND).await, 1);
    assert!(ada.get("/peers/1/stale").await.has("Stale configuration"));

    let there = ada.get("/peers/1/move?to_node=2").await;
    assert!(there.has("It is there already") && !there.has("Move peer</button>"));
    let pool = ada.get("/peers/1/move?to_pool=1").await;
    assert!(
        pool.has("It stays on fra-2; only its pool changes."),
        "{}",
        pool.text
    );
    let stale = ada.send(&found, "/peers/1/move", &[("to_node", "3")]).await;
    assert_eq!(stale.status, 422);
    assert!(stale.has("Somebody changed it meanwhile"), "{}", stale.text);
    assert_eq!(stage.count(ON_SECOND).await, 1);
}

#[tokio::test]
async fn what_cannot_be_is_said_in_the_language_of_whoever_asks_and_nothing_moves() {
    let (stage, mut ada) = furnished(1).await;
    stage
        .api
        .post("/peers/1/move", json!({"pool": "north"}))
        .await
        .ok();
    let found = ada.get("/peers/1/move?to_node=2").await;
    ada.language = "fr";

    let refused = ada.send(&found, "/peers/1/move", &[("to_node", "3")]).await;
    let named = "Le nœud fra-3 n’est pas membre du pool north";
    assert_eq!(refused.status, 422);
    assert!(refused.has(named), "{}", refused.text);
    assert!(ada.get("/peers/1/move?to_node=3").await.has(named));
    let nowhere = ada
        .send(&found, "/peers/1/move", &[("to_node", ""), ("to_pool", "")])
        .await;
    assert!(nowhere.status == 422 && nowhere.has("Choisissez un nœud, un pool"));
    for odd in ["x", "1x", "-"] {
        let page = ada.get(&format!("/peers/1/move?to_node={odd}")).await;
        assert!(page.has("Choisissez un nœud, un pool"), "{}", page.text);
    }
    let home = "SELECT interface_id FROM placements";
    assert_eq!(stage.count(home).await, 1);
}

#[tokio::test]
async fn many_move_after_a_page_that_counts_who_goes_who_is_there_and_who_cannot() {
    let (stage, mut ada) = furnished(30).await;
    stage
        .api
        .post("/peers/1/move", json!({"node": 2}))
        .await
        .ok();
    stage
        .api
        .patch("/nodes/2", json!({"max_peers": 11}))
        .await
        .ok();
    let list = ada.get("/peers").await;
    assert!(list.has("value=\"move\""));
    let all = [
        csrf(&list, "/peers/bulk"),
        field("do", "move"),
        field("scope", "all"),
    ];

    let choice = ada.post("/peers/bulk", &all).await;
    assert!(choice.has("Move 30 peers?") && choice.has("name=\"to_pool\""));
    assert!(!choice.has("name=\"confirm\"") && !choice.has("/peers/bulk/run"));
    let preview = ada.send(&choice, "/peers/bulk", &[("to_node", "2")]).await;

    for said in [
        "10 peers go to other nodes: 10 to fra-2",
        "1 peer is there already",
        "19 peers cannot go there and stay where they are. No node can take the peer",
        "Move 10 peers</button>",
        "Type 30 to confirm",
    ] {
        assert!(preview.has(said), "{said}: {}", preview.text);
    }
    assert_eq!(stage.count(ON_SECOND).await, 1);
    let run = "/peers/bulk/run";
    let unsure = ada.send(&preview, run, &[("confirm", "29")]).await;
    assert!(unsure.status == 422 && unsure.has("10 peers go to other nodes"));
    assert_eq!(stage.count(ON_SECOND).await, 1);
    let done = ada.send(&preview, run, &[("confirm", "30")]).await;
    assert!(done.has("10 of 30 peers moved"), "{}", done.text);
    assert_eq!(stage.count(ON_SECOND).await, 11);
    let told = "SELECT (data->>'count')::bigint FROM events WHERE kind = 'peers.moved'";
    assert_eq!(stage.count(told).await, 10);
    let written = "SELECT count(*) FROM audit_log WHERE action = 'peer.move_many' AND actor = 'ada'
        AND before LIKE '%[1]%' AND after LIKE '%[2]%'";
    assert_eq!(stage.count(written).await, 1);

    let full = ada.send(&choice, "/peers/bulk", &[("to_node", "2")]).await;
    assert!(full.has("11 peers are there already") && full.has("name=\"to_pool\""));
    assert!(!full.has("/peers/bulk/run"));
}

#[tokio::test]
async fn many_change_their_pool_alone_where_their_node_is_a_member() {
    let (stage, mut ada) = furnished(3).await;
    let generation = "SELECT sum(desired_generation)::bigint FROM interfaces";
    let before = stage.count(generation).await;
    let list = ada.get("/peers").await;
    let ticked = [
        csrf(&list, "/peers/bulk"),
        field("do", "move"),
        field("id", 1),
        field("id", 3),
        field("to_pool", 1),
    ];

    let preview = ada.post("/peers/bulk", &ticked).await;
    assert!(
        preview.has("2 peers stay on their nodes"),
        "{}",
        preview.text
    );
    let done = ada.send(&preview, "/peers/bulk/run", &[]).await;

    assert!(done.has("2 of 2 peers moved"), "{}", done.text);
    let pooled = "SELECT count(*) FROM peers WHERE pool_id = 1 AND id IN (1, 3)";
    assert_eq!(stage.count(pooled).await, 2);
    assert_eq!(stage.count(generation).await, before);
}

#[tokio::test]
async fn whoever_is_limited_to_a_pool_moves_its_peers_within_it_alone() {
    let (stage, mut ada) = furnished(2).await;
    stage
        .api
        .post("/pools", json!({"name": "south", "members": [3]}))
        .await
        .ok();
    stage
        .api
        .post("/peers/1/move", json!({"pool": "north"}))
        .await
        .ok();
    let reach = Reach::Pool(Some(PoolId(1)));
    let mut eva = Visitor::within(&stage, "eva", Role::Operator, reach).await;

    let choice = eva.get("/peers/1/move").await;
    assert!(choice.has(">fra-2</option>") && !choice.has(">fra-3</option>"));
    assert!(!choice.has(">south</option>") && !choice.has("value=\"none\""));
    assert_eq!(eva.get("/peers/2/move").await.status, 404);
    let found = eva.get("/peers/1/move?to_node=2").await;
    for pool in ["2", "none"] {
        let out = [("to_node", ""), ("to_pool", pool)];
        let refused = eva.send(&found, "/peers/1/move", &out).await;
        assert_eq!(refused.status, 422, "{pool}");
    }
    let list = eva.get("/peers").await;
    for (path, pool) in [
        ("/peers/bulk", "2"),
        ("/peers/bulk/run", "2"),
        ("/peers/bulk/run", "none"),
    ] {
        let fields = [
            csrf(&list, "/peers/bulk"),
            field("do", "move"),
            field("id", 1),
            field("count", 1),
            field("to_pool", pool),
        ];
        assert_eq!(eva.post(path, &fields).await.status, 403, "{path} {pool}");
    }
    let pooled = "SELECT count(*) FROM peers WHERE pool_id = 1";
    assert_eq!(stage.count(pooled).await, 1);
    assert_eq!(stage.count(ON_SECOND).await, 0);

    let moved = eva.send(&found, "/peers/1/move", &[]).await;
    assert!(moved.has("The peer was moved"), "{}", moved.text);
    assert_eq!(stage.count(ON_SECOND).await, 1);
    assert_eq!(ada.get("/peers/2").await.status, 200);
}
