//! A node whose clock jumps. The wire stands for the other clock: what the controller dates, it judges and dates
//! anew as an agent with that clock would, so that the agent itself need not be told another time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use protocol::signing::{Request, Secret, WINDOW_S};
use serde_json::json;

use crate::agent_client::stranger::Seen;
use crate::stage::{Agent, Reply, Running, Scene, now};

#[tokio::test]
async fn a_clock_that_jumps_ten_minutes_stops_nothing_and_is_told() {
    let controller = Running::start().await;
    let scene = Scene::new(controller.rows(), &controller.api, [Agent::within("fra-1")]).await;
    let offset_s = Arc::new(AtomicI64::new(0));
    let (clock, secret) = (Arc::clone(&offset_s), scene.agent().secret.clone());
    scene.agent().wire.does(move |seen, pass| {
        let offset_s = clock.load(Ordering::Relaxed);
        let theirs = now() + offset_s;
        if theirs.abs_diff(seen.timestamp()) > WINDOW_S.unsigned_abs() {
            let body = json!({"error": "the clocks differ", "code": "stale_timestamp", "timestamp": theirs});
            return Some(Reply::new(401, &body).signed_by(&secret, theirs, seen));
        }
        let translated = dated(seen, seen.timestamp() - offset_s, &secret);
        let reply = pass(&translated)?;
        Some(reply.signed_by(&secret, theirs, seen))
    });
    scene.peers(0..2).await;
    scene.converges().await;

    for (jump_s, number) in [(600, 2), (-600, 3), (0, 4)] {
        offset_s.store(jump_s, Ordering::Relaxed);
        scene.peer(number).await;
        scene.converges().await;
        scene.is_online().await;
        let shown = if jump_s == 0 { 0 } else { 1 };
        scene
            .until(
                "SELECT count(*) FROM node_status WHERE problem = 'clock_skew'",
                shown,
            )
            .await;
    }
    assert_eq!(
        scene
            .count("SELECT count(*) FROM events WHERE kind = 'node.clock_skew'")
            .await,
        1
    );
    assert_eq!(
        scene
            .count("SELECT count(*) FROM events WHERE kind IN ('node.offline', 'node.error')")
            .await,
        0
    );
}

/// A request as if it had been made at another time.
fn dated(seen: &Seen, at: i64, secret: &Secret) -> Seen {
    let timestamp = at.to_string();
    let request = Request {
        method: &seen.method,
        target: &seen.target,
        body: &seen.body,
        timestamp: &timestamp,
        nonce: seen.header("x-nonce"),
    };
    let signature = request.sign(secret).to_string();
    let mut dated = seen.clone();
    for (name, value) in &mut dated.headers {
        match name.as_str() {
            "x-timestamp" => value.clone_from(&timestamp),
            "x-signature" => value.clone_from(&signature),
            _ => {}
        }
    }
    dated
}
