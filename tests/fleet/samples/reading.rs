//! Samples over the API.

use serde_json::json;

use super::run;
use crate::stage::Running;

#[tokio::test]
async fn samples_are_read_by_interface_node_and_peer() {
    let stage = Running::start().await;
    let api = &stage.api;
    run(
        &stage.fleet.pool,
        "INSERT INTO networks (name) VALUES ('office');
         INSERT INTO nodes (name, agent_url, enabled) VALUES ('fra-1', 'http://127.0.0.1:1', false);
         INSERT INTO node_status (node_id) SELECT id FROM nodes;
         INSERT INTO interfaces (node_id, network_id, name, endpoint_host, endpoint_port)
         SELECT 1, 1, 'wg' || n, 'fra-1', 51820 + n FROM generate_series(0, 1) AS n;
         INSERT INTO interface_sync (interface_id) SELECT id FROM interfaces;
         INSERT INTO peers (network_id, name, public_key)
         VALUES (1, 'laptop', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=');
         CREATE TABLE samples_hour_old PARTITION OF samples_hour FOR VALUES FROM ('2020-01-01Z') TO ('2020-02-01Z');
         INSERT INTO samples_hour SELECT '2020-01-02 00:00Z'::timestamptz + n * interval '1 hour', i, p,
            CASE WHEN p IS NULL THEN 100 ELSE 40 END, 1, CASE WHEN p IS NULL THEN 5 END, CASE WHEN p IS NULL THEN 3600 END
         FROM generate_series(0, 9) AS n, generate_series(1, 2) AS i, (VALUES (1), (NULL)) AS p (p);",
    )
    .await;
    let window = "tier=hour&from=2020-01-02T02:30:00Z&until=2020-01-02T05:00:00Z";

    let interface = api
        .get(&format!("/interfaces/1/samples?{window}"))
        .await
        .ok();
    let node = api.get(&format!("/nodes/1/samples?{window}")).await.ok();
    let peer = api.get(&format!("/peers/1/samples?{window}")).await.ok();

    let points = interface["points"].as_array().unwrap();
    assert_eq!((points.len(), &interface["span_s"]), (3, &json!(3600)));
    assert_eq!(
        points[0],
        json!({"at": "2020-01-02T02:00:00Z", "rx": 100, "tx": 1, "active": 5, "online_s": 3600})
    );
    assert_eq!(
        node["points"][2],
        json!({"at": "2020-01-02T04:00:00Z", "rx": 200, "tx": 2, "active": 10, "online_s": 3600})
    );
    assert_eq!(
        peer["points"][1],
        json!({"at": "2020-01-02T03:00:00Z", "rx": 80, "tx": 2})
    );
    let now = api.get("/interfaces/1/samples").await.ok();
    assert_eq!(
        (&now["tier"], &now["span_s"]),
        (&json!("minute"), &json!(60))
    );
}

#[tokio::test]
async fn too_much_time_at_once_and_nobodys_samples_are_refused() {
    let stage = Running::start().await;
    let api = &stage.api;
    for path in ["/interfaces/7", "/nodes/7", "/peers/7"] {
        let refused = api.get(&format!("{path}/samples?tier=day")).await;
        assert_eq!(refused.refused(404), "not_found", "{path}");
        for query in ["tier=week", "from=yesterday", "form=2020-01-02T00:00:00Z"] {
            let refused = api.get(&format!("{path}/samples?{query}")).await;
            assert_eq!(refused.refused(400), "invalid_query", "{path} {query}");
        }
        for query in [
            "from=2020-01-02T00:00:00Z",
            "tier=hour&from=2020-01-01T00:00:00Z&until=2020-03-31T00:00:00Z",
            "from=2020-01-02T00:00:00Z&until=2020-01-02T00:00:00Z",
            "until=-262143-01-01T00:00:00Z",
        ] {
            let refused = api.get(&format!("{path}/samples?{query}")).await;
            assert_eq!(refused.refused(422), "invalid_query", "{path} {query}");
        }
    }
}
