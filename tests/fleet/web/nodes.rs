//! The pages of nodes and their interfaces, as a browser without scripts meets them.

mod drift;
mod forms;
mod person;

use controller::domain::ids::PoolId;
use controller::domain::reach::Reach;
use controller::domain::role::Role;
use serde_json::json;

use crate::stage::{Agent, Running, Scene, eventually};
use person::Person;

const FIELDS: [(&str, &str); 6] = [
    ("name", "fra-1"),
    ("interface.name", "wg0"),
    ("interface.network", "office"),
    ("interface.endpoint", "vpn.example:51820"),
    ("interface.drift_policy", "report"),
    ("weight", "100"),
];

async fn office() -> Running {
    let stage = Running::start().await;
    let network = json!({"name": "office", "cidr_v4": "10.8.0.0/16"});
    stage.api.post("/networks", network).await.ok();
    stage
}

fn filled<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    FIELDS.iter().chain(more).copied().collect()
}

#[tokio::test]
async fn a_fleet_without_nodes_says_what_to_do_and_who_only_looks_is_not_told() {
    let stage = Running::start().await;
    let operator = Person::signed_in(&stage, "ada", Role::Operator, Reach::All).await;
    let viewer = Person::signed_in(&stage, "bob", Role::Viewer, Reach::All).await;

    let page = operator.page("/nodes").await;
    assert!(
        page.contains("No nodes yet") && page.contains("/nodes/new"),
        "{page}"
    );
    let page = viewer.page("/nodes").await;
    assert!(
        page.contains("No nodes yet") && !page.contains("/nodes/new"),
        "{page}"
    );
    let french = operator.french("/nodes/new").await;
    assert!(
        french.contains("Ajouter un nœud") && french.contains("Tester la connexion"),
        "{french}"
    );

    assert_eq!(viewer.get("/nodes/new").await.status, 403);
    let refused = viewer
        .post("/nodes", &filled(&[("agent_url", "http://127.0.0.1:9")]))
        .await;
    assert_eq!(refused.status, 403);
    assert_eq!(stage.count("SELECT count(*) FROM nodes").await, 0);
}

#[tokio::test]
async fn a_node_is_tested_in_vain_then_well_then_added_and_its_page_shows_evidence() {
    let stage = office().await;
    let agent = Agent::within("fra-1");
    let ada = Person::signed_in(&stage, "ada", Role::Operator, Reach::All).await;
    let url = format!("http://{}", agent.wire.address);
    let wrong = [
        ("agent_url", url.as_str()),
        ("secret", "another secret of the right length 0123456789"),
    ];
    let right = [
        ("agent_url", url.as_str()),
        ("secret", agent.secret.reveal()),
    ];

    let failing = ada.post("/nodes/test", &filled(&wrong)).await;
    let well = ada.post("/nodes/test", &filled(&right)).await;

    assert_eq!(failing.status, 200);
    assert!(
        failing.text.contains("The connection is not well"),
        "{}",
        failing.text
    );
    assert!(
        failing.text.contains("tag bad\">Failed") && failing.text.contains("tag off\">Not asked")
    );
    assert!(
        well.text.contains("The connection is well"),
        "{}",
        well.text
    );
    assert!(
        well.text.contains("value=\"fra-1\""),
        "what was written is kept"
    );
    assert!(!well.text.contains(agent.secret.reveal()), "but no secret");
    assert_eq!(stage.count("SELECT count(*) FROM nodes").await, 0);

    let added = ada.post("/nodes", &filled(&right)).await;

    assert_eq!(
        (added.status, added.location.as_str()),
        (303, "/nodes/1"),
        "{}",
        added.text
    );
    eventually("the node is online", async || {
        let page = ada.page("/nodes/1").await;
        match page.contains("wg0 is up") && page.contains("yes, seen") {
            true => Ok(()),
            false => Err(page),
        }
    })
    .await;
    let page = ada.page("/nodes/1").await;
    for text in ["No peers here yet", "node.create", "vpn.example:51820"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(ada.french("/nodes/1?range=7d").await.contains("Joignable"));
    assert!(ada.page("/nodes/1/board").await.starts_with("<dl"));
    let tested = ada.post("/nodes/1/test", &[]).await;
    assert!(
        tested.text.contains("The connection is well"),
        "{}",
        tested.text
    );
    let row = ada.page("/nodes").await;
    assert!(row.contains("href=\"/nodes/1\">fra-1</a>"), "{row}");
}

#[tokio::test]
async fn a_node_with_peers_is_not_deleted_and_the_page_says_how_many() {
    let stage = Running::start().await;
    let agents = [Agent::within("fra-1"), Agent::within("fra-2")];
    let scene = Scene::new(stage.rows(), &stage.api, agents).await;
    scene.peers([1]).await;
    let ada = Person::signed_in(&stage, "ada", Role::Operator, Reach::All).await;
    let held = "SELECT node_id FROM interfaces WHERE placed = 1";
    let id = stage.count(held).await;
    let other = 3 - id;

    let asked = ada.page(&format!("/nodes/{id}/delete")).await;
    let refused = ada.post(&format!("/nodes/{id}/delete"), &[]).await;

    assert!(
        asked.contains("1 peer lives here") && !asked.contains("btn danger"),
        "{asked}"
    );
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("holds 1 peer."), "{}", refused.text);
    let interface = ada.page(&format!("/interfaces/{id}/delete")).await;
    assert!(interface.contains("1 peer lives here"), "{interface}");
    assert_eq!(stage.count("SELECT count(*) FROM nodes").await, 2);
    let page = ada.page(&format!("/nodes/{id}")).await;
    assert!(
        page.contains("peer-1") && page.contains("10.8.0."),
        "{page}"
    );

    assert!(
        ada.page(&format!("/nodes/{other}/delete"))
            .await
            .contains("1 interface goes with it")
    );
    let deleted = ada.post(&format!("/nodes/{other}/delete"), &[]).await;

    assert_eq!((deleted.status, deleted.location.as_str()), (303, "/nodes"));
    assert_eq!(stage.count("SELECT count(*) FROM nodes").await, 1);
}

#[tokio::test]
async fn whoever_is_limited_to_a_pool_sees_its_nodes_alone_and_changes_none() {
    let stage = office().await;
    let ada = Person::signed_in(&stage, "ada", Role::Operator, Reach::All).await;
    for (name, port) in [("fra-1", "9"), ("fra-2", "8")] {
        let url = format!("http://127.0.0.1:{port}");
        let fields = [
            ("name", name),
            ("agent_url", &url),
            ("interface.name", "wg0"),
            ("interface.network", "1"),
            ("interface.endpoint", "a.example:1"),
        ];
        ada.post("/nodes", &fields).await;
    }
    let pool = json!({"name": "own", "members": [1]});
    let pool = stage.api.post("/pools", pool).await.ok()["id"]
        .as_i64()
        .unwrap();
    let reach = Reach::Pool(Some(PoolId(pool)));
    let bob = Person::signed_in(&stage, "bob", Role::Operator, reach).await;

    let list = bob.page("/nodes").await;
    let own = bob.page("/nodes/1").await;

    assert!(list.contains("fra-1") && !list.contains("fra-2"), "{list}");
    assert!(
        !own.contains("Peers on fra-1")
            && !own.contains("node.create")
            && !own.contains("/nodes/1/edit"),
        "{own}"
    );
    for path in [
        "/nodes/2",
        "/nodes/2/board",
        "/nodes/2/traffic",
        "/interfaces/2",
    ] {
        assert_eq!(bob.get(path).await.status, 404, "{path}");
    }
    for path in [
        "/nodes/1",
        "/nodes/1/disabled",
        "/nodes/1/delete",
        "/nodes/1/secret",
        "/interfaces/1/delete",
        "/nodes/1/test",
    ] {
        assert_eq!(
            bob.post(path, &[("version", "1")]).await.status,
            403,
            "{path}"
        );
    }
    assert_eq!(
        stage
            .count("SELECT count(*) FROM nodes WHERE enabled")
            .await,
        2
    );
}

#[tokio::test]
async fn what_went_through_a_node_is_drawn_and_told_in_a_table() {
    let stage = office().await;
    let ada = Person::signed_in(&stage, "ada", Role::Viewer, Reach::All).await;
    let fields = json!({"name": "fra-1", "agent_url": "http://127.0.0.1:9",
        "interface": {"name": "wg0", "network": "office", "endpoint": "a.example:1"}});
    stage.api.post("/nodes", fields).await.ok();
    let partitions =
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'samples_minute'::regclass";
    eventually("a place for samples", async || {
        match stage.count(partitions).await {
            0 => Err("none yet".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
    // The first began a moment ago, if the controller was started right then.
    stage
        .sql(
            r"SELECT make_samples_partition('minute', first - interval '1 hour', first) FROM (
                SELECT to_timestamp(min(substring(relname FROM '\d+$')::bigint)) AS first FROM pg_class
                WHERE relkind = 'r' AND relname ~ '^samples_minute_\d+$') AS own",
        )
        .await;

    stage
        .sql(
            "INSERT INTO samples_minute (at, interface_id, rx, tx, active, online_s)
             SELECT date_trunc('minute', now()) - n * interval '1 minute', 1, 750000, 0, 1, 60
             FROM generate_series(1, 10) AS n",
        )
        .await;

    let rate = "100\u{202f}kbit/s";
    let page = ada.page("/nodes/1").await;
    assert!(
        page.contains("class=\"chart\"") && page.contains("class=\"rx\""),
        "{page}"
    );
    assert!(
        ada.page("/nodes/1?range=24h")
            .await
            .contains("class=\"chart\"")
    );
    assert!(ada.page("/nodes/1/traffic").await.matches(rate).count() >= 9);
    let list = ada.page("/nodes").await;
    assert!(
        list.contains(rate) && list.contains("class=\"spark\""),
        "{list}"
    );
    assert_eq!(ada.get("/nodes/1?range=5y").await.status, 400);
}
