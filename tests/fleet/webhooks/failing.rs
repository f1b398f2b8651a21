//! Receivers that fail, hang, go away and come back.

use std::time::Duration;

use serde_json::json;

use super::{
    all_are, delivered, deliveries, event_of, happen, is_believed, start, taking, tell, times,
    until, url,
};
use crate::agent_client::stranger::{Stranger, plain};

#[tokio::test]
async fn what_a_receiver_refuses_is_sent_again_until_it_is_taken() {
    let stage = start().await;
    let receiver = Stranger::answering(|number, _| match number {
        0..3 => plain(503, "", b"come\nback later"),
        _ => plain(200, "", b"{}"),
    });
    let (webhook, secret) = tell(&stage.api, "busy", &url(&receiver)).await;

    happen(&stage.api, 1, 1).await;
    let mut problems = Vec::new();
    until("it is taken", async || {
        let log = deliveries(&stage.api, &webhook).await;
        problems.extend(
            log.iter()
                .filter_map(|one| one["problem"].as_str().map(str::to_owned)),
        );
        log.first().is_some_and(|one| one["state"] == "delivered")
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;

    let seen = receiver.seen();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|one| is_believed(one, &secret)));
    assert!(seen.iter().all(|one| one.body == seen[0].body));
    let mut nonces: Vec<_> = seen.iter().map(|one| one.header("x-nonce")).collect();
    nonces.dedup();
    assert_eq!(nonces.len(), 4);
    let said = "answered 503 Service Unavailable come back later";
    assert!(
        problems.iter().all(|problem| problem == said),
        "{problems:?}"
    );
    let log = deliveries(&stage.api, &webhook).await;
    assert_eq!(
        (&log[0]["attempts"], &log[0]["problem"]),
        (&json!(4), &json!(null))
    );
}

#[tokio::test]
async fn a_receiver_whose_answer_got_lost_gets_the_same_event_again() {
    let stage = start().await;
    let receiver = Stranger::answering(|number, _| match number {
        0 => Vec::new(),
        _ => plain(200, "", b""),
    });
    let (webhook, _) = tell(&stage.api, "lossy", &url(&receiver)).await;

    happen(&stage.api, 1, 1).await;
    delivered(&stage.api, &webhook, 1).await;

    assert_eq!(times(&receiver).into_values().collect::<Vec<_>>(), [2]);
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_other() {
    let stage = start().await;
    let hangs = Stranger::serving(|_, _, _| std::thread::sleep(Duration::from_secs(60)));
    let takes = taking();
    let (stuck, _) = tell(&stage.api, "stuck", &url(&hangs)).await;
    let (well, _) = tell(&stage.api, "well", &url(&takes)).await;

    happen(&stage.api, 1, 40).await;
    let last = std::time::Duration::from_millis(1500);
    tokio::time::timeout(last, delivered(&stage.api, &well, 40))
        .await
        .unwrap();

    assert!(times(&takes).values().all(|&times| times == 1));
    // It is left alone for as long as it has as much as it may have at once.
    assert!(
        (4..40).contains(&hangs.seen().len()),
        "{}",
        hangs.seen().len()
    );
    until("it is told why", async || {
        let log = deliveries(&stage.api, &stuck).await;
        log.iter()
            .any(|one| one["problem"] == "there was no answer in time")
    })
    .await;
    assert_eq!(deliveries(&stage.api, &stuck).await.len(), 40);
}

#[tokio::test]
async fn a_receiver_that_went_away_gets_everything_where_it_is_now() {
    let stage = start().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let (webhook, secret) = tell(&stage.api, "moved", &format!("http://{address}/")).await;
    happen(&stage.api, 1, 5).await;
    until("it is missed", async || {
        let log = deliveries(&stage.api, &webhook).await;
        let missed = |one: &serde_json::Value| {
            let problem = one["problem"].as_str();
            problem.is_some_and(|problem| problem.starts_with("cannot be reached: "))
        };
        log.len() == 5 && log.iter().all(missed)
    })
    .await;
    assert_eq!(stage.api.get(&webhook).await.ok()["waiting"], 5);
    let figures = stage.api.get("//metrics").await.text;
    assert!(
        figures.contains("wgfleet_pending_work{kind=\"webhook\"} 5"),
        "{figures}"
    );

    let receiver = taking();
    let moved = json!({"url": url(&receiver)});
    stage.api.patch(&webhook, moved).await.ok();
    delivered(&stage.api, &webhook, 5).await;

    assert_eq!(times(&receiver).len(), 5);
    assert!(receiver.seen().iter().all(|one| is_believed(one, &secret)));
    let kinds: Vec<_> = receiver
        .seen()
        .iter()
        .map(|one| event_of(one)["kind"].clone())
        .collect();
    assert_eq!(kinds, ["network.created"; 5]);
}

#[tokio::test]
async fn a_redirect_is_a_refusal_and_nobody_else_gets_the_event() {
    let stage = start().await;
    let elsewhere = taking();
    let location = format!("Location: http://{}/\r\n", elsewhere.address);
    let receiver = Stranger::answering(move |_, _| plain(307, &location, b""));
    let (webhook, _) = tell(&stage.api, "moved", &url(&receiver)).await;

    happen(&stage.api, 1, 1).await;
    until("it is tried twice", async || receiver.seen().len() >= 2).await;

    assert_eq!(elsewhere.seen().len(), 0);
    assert_eq!(deliveries(&stage.api, &webhook).await[0]["status"], 307);
}

#[tokio::test]
async fn a_delivery_is_given_up_in_the_end_and_can_be_asked_for_again() {
    let stage = start().await;
    let receiver = Stranger::answering(|_, seen| {
        let status = if seen.target == "/good" { 200 } else { 500 };
        plain(status, "", b"")
    });
    let bad = format!("http://{}/bad", receiver.address);
    let (webhook, _) = tell(&stage.api, "broken", &bad).await;
    happen(&stage.api, 1, 1).await;
    until("it is tried", async || !receiver.seen().is_empty()).await;

    let long_ago = "UPDATE webhook_deliveries SET wanted_at = wanted_at - interval '73 h'";
    sqlx::query(long_ago)
        .execute(&stage.fleet.pool)
        .await
        .unwrap();
    until("it is given up", async || {
        all_are(&stage.api, &webhook, "given_up", 1).await
    })
    .await;
    let tried = receiver.seen().len();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(receiver.seen().len(), tried);

    let good = json!({"url": format!("http://{}/good", receiver.address)});
    stage.api.patch(&webhook, good).await.ok();
    let id = deliveries(&stage.api, &webhook).await[0]["id"].clone();
    let again = format!("{webhook}/deliveries/{id}/replay");
    assert_eq!(stage.api.post(&again, json!({})).await.status, 202);
    delivered(&stage.api, &webhook, 1).await;

    assert_eq!(receiver.seen().len(), tried + 1);
}
