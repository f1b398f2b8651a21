//! Events over the API, and the order in which readers see them.

use std::time::Duration;

use controller::db;
use controller::db::Span;
use controller::db::events::Filter;
use serde_json::json;
use sqlx::{PgConnection, PgPool};

use crate::stage::{Running, fresh};

#[tokio::test]
async fn what_happened_is_read_page_by_page_and_by_what_it_concerns() {
    let stage = Running::start().await;
    let api = &stage.api;
    for number in 0..5 {
        let draft = json!({"name": format!("n{number}"), "cidr_v4": format!("10.{number}.0.0/16")});
        api.post("/networks", draft).await.ok();
    }
    api.delete("/networks/2").await.ok();

    let mut seen = Vec::new();
    let mut path = "/events?limit=4".to_owned();
    loop {
        let page = api.get(&path).await.ok();
        seen.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => path = format!("/events?limit=4&cursor={next}"),
            None => break,
        }
    }

    let kinds: Vec<&str> = seen
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(&kinds[..5], ["network.created"; 5]);
    assert_eq!(&kinds[5..], ["network.deleted"]);
    let ids: Vec<i64> = seen
        .iter()
        .map(|event| event["id"].as_i64().unwrap())
        .collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    let count = async |query: &str| {
        let page = api.get(&format!("/events?{query}")).await.ok();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("kind=network.deleted").await, 1);
    assert_eq!(count("object=network/2").await, 2);
    assert_eq!(count("topic=networks").await, 6);
    assert_eq!(count("topic=nodes").await, 0);
    assert_eq!(count(&format!("after={}", ids[3])).await, 2);
    assert_eq!(
        api.get("/events?kinds=x").await.refused(400),
        "invalid_query"
    );
}

async fn tell(db: &mut PgConnection, object: &str) -> Result<(), sqlx::Error> {
    db::events::insert(db, "tests", "test.happened", object, &json!({})).await
}

/// What a reader sees who goes on after the last id that it knows.
async fn read_on(pool: &PgPool, after: &mut i64) -> Vec<String> {
    let span = Span {
        after: *after,
        limit: 100,
    };
    let events = db::events::list(pool, &Filter::default(), span)
        .await
        .unwrap();
    *after = events.last().map_or(*after, |event| event.id.0);
    events.into_iter().map(|event| event.object).collect()
}

#[tokio::test]
async fn a_reader_who_goes_on_after_the_last_id_misses_no_slower_transaction() {
    let db = fresh().await;
    let mut after = 0;
    let mut slow = db.pool.begin().await.unwrap();
    tell(&mut slow, "slow").await.unwrap();

    let pool = db.pool.clone();
    let quick = tokio::spawn(async move {
        let mut quick = pool.begin().await.unwrap();
        tell(&mut quick, "quick").await.unwrap();
        quick.commit().await.unwrap();
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let meanwhile = read_on(&db.pool, &mut after).await;
    slow.commit().await.unwrap();
    quick.await.unwrap();

    assert_eq!(meanwhile, [""; 0]);
    assert_eq!(read_on(&db.pool, &mut after).await, ["slow", "quick"]);
}

#[tokio::test]
async fn many_writers_at_once_are_read_in_order_and_none_twice() {
    let db = fresh().await;
    let writers: Vec<_> = (0..6)
        .map(|writer| {
            let pool = db.pool.clone();
            tokio::spawn(async move {
                for number in 0..20_u64 {
                    let mut tx = pool.begin().await.unwrap();
                    tell(&mut tx, &format!("{writer}/{number}")).await.unwrap();
                    tokio::time::sleep(Duration::from_millis((writer * 7 + number) % 5)).await;
                    if number % 5 == 4 {
                        tx.rollback().await.unwrap();
                    } else {
                        tx.commit().await.unwrap();
                    }
                }
            })
        })
        .collect();

    let mut after = 0;
    let mut seen = Vec::new();
    while writers.iter().any(|writer| !writer.is_finished()) {
        seen.extend(read_on(&db.pool, &mut after).await);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    seen.extend(read_on(&db.pool, &mut after).await);

    let mut distinct = seen.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((seen.len(), distinct.len()), (6 * 16, 6 * 16));
}

#[tokio::test]
async fn old_events_are_forgotten_unless_a_webhook_has_not_come_to_them() {
    let db = fresh().await;
    for object in ["one", "two", "three"] {
        tell(&mut db.pool.acquire().await.unwrap(), object)
            .await
            .unwrap();
    }
    let statement = "UPDATE events SET at = at - interval '8 days' WHERE object <> 'three'";
    sqlx::query(statement).execute(&db.pool).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO data_keys (purpose, master_id, wrapped) VALUES ('seal', '', '');
         INSERT INTO webhooks (name, url, sealed, data_key_id, seen)
         SELECT 'slow', 'http://localhost/', '', id, 1 FROM data_keys",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let week_ago = controller::clock::now() - chrono::TimeDelta::days(7);

    db::events::prune(&db.pool, week_ago).await.unwrap();
    assert_eq!(read_on(&db.pool, &mut 0).await, ["two", "three"]);

    let statement = "UPDATE webhooks SET enabled = false";
    sqlx::query(statement).execute(&db.pool).await.unwrap();
    db::events::prune(&db.pool, week_ago).await.unwrap();
    assert_eq!(read_on(&db.pool, &mut 0).await, ["three"]);
}
