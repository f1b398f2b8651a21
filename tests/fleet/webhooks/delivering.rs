//! Receivers that take what they are sent.

use std::time::Duration;

use protocol::signing::Secret;
use serde_json::{Value, json};

use super::{delivered, deliveries, event_of, happen, is_believed, start, taking, tell, times};
use super::{until, url};
use crate::stage::{Running, fresh};

#[tokio::test]
async fn an_event_is_sent_once_signed_and_as_the_log_shows_it() {
    let stage = start().await;
    let receiver = taking();
    let (webhook, secret) = tell(&stage.api, "one", &url(&receiver)).await;

    happen(&stage.api, 1, 1).await;
    delivered(&stage.api, &webhook, 1).await;
    tokio::time::sleep(Duration::from_millis(500)).await;

    let [seen] = receiver.seen().try_into().unwrap();
    assert_eq!(
        (&*seen.method, &*seen.target),
        ("POST", "/hook?from=wgfleet")
    );
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("x-key-id"), webhook.strip_prefix("/webhooks/"));
    assert!(is_believed(&seen, &secret));
    let other = Secret::parse("another secret, of some other receiver").unwrap();
    assert!(!is_believed(&seen, &other));
    let event = stage.api.get("/events?topic=networks").await.ok()["items"][0].clone();
    assert_eq!(event_of(&seen), event);
    let log = deliveries(&stage.api, &webhook).await;
    assert_eq!(
        (&log[0]["status"], &log[0]["attempts"]),
        (&json!(204), &json!(1))
    );
    let shown = stage
        .api
        .get(&format!("{webhook}/deliveries/{}", log[0]["id"]))
        .await;
    assert_eq!(shown.ok()["body"].as_str().unwrap().as_bytes(), seen.body);
}

#[tokio::test]
async fn a_receiver_is_told_only_of_the_kinds_it_wants() {
    let stage = start().await;
    let api = &stage.api;
    let (gone, all) = (taking(), taking());
    let wants = |name: &str, receiver, kinds: Value| {
        let draft = json!({"name": name, "url": url(receiver), "kinds": kinds});
        api.post("/webhooks", draft)
    };
    wants("gone", &gone, json!(["network.deleted"])).await.ok();
    wants("all", &all, json!([])).await.ok();

    happen(api, 1, 3).await;
    api.delete("/networks/2").await.ok();

    // Its own making is the first that it is told of, where it wants to hear of everything.
    until("all is told", async || all.seen().len() == 5).await;
    until("the end is told", async || gone.seen().len() == 1).await;
    let event = event_of(&gone.seen()[0]);
    assert_eq!(
        (&event["kind"], &event["object"]),
        (&json!("network.deleted"), &json!("network/2"))
    );
}

#[tokio::test]
async fn two_controllers_on_one_database_send_each_event_once() {
    let db = fresh().await;
    let one = Running::on(&db.url, QUICK).await;
    let other = Running::on(&db.url, QUICK).await;
    let receiver = taking();
    let (webhook, _) = tell(&one.api, "both", &url(&receiver)).await;

    tokio::join!(happen(&one.api, 0, 30), happen(&other.api, 30, 30));
    delivered(&one.api, &webhook, 60).await;

    let times = times(&receiver);
    assert_eq!(times.len(), 60);
    assert!(times.values().all(|&times| times == 1), "{times:?}");
}

#[tokio::test]
async fn what_happened_while_no_controller_ran_is_sent_by_the_next() {
    let db = fresh().await;
    let receiver = taking();
    let mut first = Running::on(&db.url, QUICK).await;
    let (webhook, _) = tell(&first.api, "patient", &url(&receiver)).await;
    happen(&first.api, 1, 2).await;
    delivered(&first.api, &webhook, 2).await;
    first.stop().await;

    let mut connection = db.pool.acquire().await.unwrap();
    for _ in 0..1200 {
        controller::db::events::insert(
            &mut *connection,
            "networks",
            "network.made",
            "x",
            &json!({}),
        )
        .await
        .unwrap();
    }
    let second = Running::on(&db.url, QUICK).await;
    until("all has come", async || times(&receiver).len() == 1202).await;

    let times = times(&receiver);
    assert!(times.values().all(|&times| times == 1), "{times:?}");
    drop(second);
}

#[tokio::test]
async fn what_a_controller_that_died_had_begun_is_sent_when_its_lease_ends() {
    let stage = start().await;
    let receiver = taking();
    let (webhook, _) = tell(&stage.api, "patient", &url(&receiver)).await;
    let mut tx = stage.fleet.pool.begin().await.unwrap();
    let statement = "WITH event AS (INSERT INTO events (topic, kind, object) VALUES ('networks', 'x', 'y') RETURNING id)
        INSERT INTO webhook_deliveries (webhook_id, event_id, body, attempts, leased_until)
        SELECT webhooks.id, event.id, jsonb_build_object('id', event.id)::text, 1, now() + interval '1 s' FROM webhooks, event";
    sqlx::query(statement).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();

    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(receiver.seen().len(), 0);
    delivered(&stage.api, &webhook, 1).await;

    assert_eq!(times(&receiver).into_values().collect::<Vec<_>>(), [1]);
    assert_eq!(deliveries(&stage.api, &webhook).await[0]["attempts"], 2);
}

const QUICK: &str = "[apply]\ntick_ms = 100\n[webhooks]\ntimeout_ms = 5000\n";
