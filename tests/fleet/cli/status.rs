//! `wgfleet status`: its words, its exit status, and how soon.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{out, wgfleet, wgfleet_as};
use crate::nodes::{add, office};
use crate::stage::{Own, Running};

#[tokio::test]
async fn the_exit_status_tells_well_from_degraded_from_critical() {
    let stage = office().await;
    let status = || {
        let output = wgfleet(&stage, &["status"]);
        (output.status.code().unwrap(), out(&output))
    };

    let (code, text) = status();
    assert_eq!((code, text.lines().next()), (0, Some("ok")), "{text}");
    assert!(text.contains("nodes.total"), "{text}");

    let node = add(&stage, "fra-1").await;
    add(&stage, "fra-2").await;
    stage
        .sql("UPDATE node_status SET reachability = CASE node_id WHEN 1 THEN 'online' ELSE 'offline' END, next_poll_at = now() + interval '1 day', leased_until = NULL")
        .await;
    let (code, text) = status();
    assert_eq!((code, text.lines().next()), (1, Some("degraded")), "{text}");
    assert!(text.contains("1 node is offline"), "{text}");

    stage
        .sql("UPDATE node_status SET reachability = 'offline', next_poll_at = now() + interval '1 day', leased_until = NULL")
        .await;
    let output = wgfleet(&stage, &["status", "--json"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let status: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(status["overall"], "critical");
    assert_eq!(status["nodes"]["offline"], 2);
    assert_eq!(status["reasons"][0]["code"], "no_node_online");
    assert_eq!(node, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_gone_is_critical_within_two_seconds() {
    let mut postgres = Own::start().await;
    let stage = Running::on(&postgres.url(), "").await;
    let (api, base) = (stage.api.clone(), stage.base.clone());
    let status = async || {
        let (api, base) = (api.clone(), base.clone());
        let started = Instant::now();
        let asked =
            tokio::task::spawn_blocking(move || wgfleet_as(&api, &base, &["status", "--json"]));
        (asked.await.unwrap(), started.elapsed())
    };
    assert_eq!(status().await.0.status.code(), Some(0));

    postgres.stop().await;

    let (output, took) = status().await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let critical: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(critical["overall"], "critical");

    postgres.start_again().await;
    let mut code = None;
    for _ in 0..40 {
        code = status().await.0.status.code();
        if code == Some(0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert_eq!(code, Some(0));
}
