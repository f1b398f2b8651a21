//! Samples on a real Postgres, with the time as the tests have it.

use chrono::{DateTime, TimeDelta, Utc};
use controller::domain::tier::{Rules, Tier};
use controller::fleet::samples::round;
use sqlx::{AssertSqlSafe, PgPool};

use crate::stage::{TestDb, fresh};

mod reading;

const MINUTE: TimeDelta = TimeDelta::minutes(1);

fn rules() -> Rules {
    Rules {
        every: MINUTE,
        keep_minutes: TimeDelta::hours(24),
        keep_hours: TimeDelta::days(30),
        keep_days: TimeDelta::days(730),
    }
}

/// Shortly after midnight, so that each tier is at a border of its spans.
fn midnight() -> DateTime<Utc> {
    "2026-11-20T00:00:00Z".parse().unwrap()
}

async fn run(pool: &PgPool, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(pool)
        .await
        .unwrap();
}

/// Sums of a tier: the interfaces', then the peers'.
async fn sums(pool: &PgPool, tier: Tier) -> [(i64, i64); 2] {
    let statement = "SELECT coalesce(sum(rx) FILTER (WHERE peer_id IS NULL), 0)::bigint,
            coalesce(sum(tx) FILTER (WHERE peer_id IS NULL), 0)::bigint,
            coalesce(sum(rx) FILTER (WHERE peer_id IS NOT NULL), 0)::bigint,
            coalesce(sum(tx) FILTER (WHERE peer_id IS NOT NULL), 0)::bigint
        FROM samples WHERE tier = $1";
    let (a, b, c, d) = sqlx::query_as(statement)
        .bind(tier.as_str())
        .fetch_one(pool)
        .await
        .unwrap();
    [(a, b), (c, d)]
}

async fn rows(pool: &PgPool, tier: Tier) -> i64 {
    let statement = "SELECT count(*) FROM samples WHERE tier = $1";
    sqlx::query_scalar(statement)
        .bind(tier.as_str())
        .fetch_one(pool)
        .await
        .unwrap()
}

/// One node with two interfaces, and on each three peers and one key that nobody knows.
async fn fleet() -> TestDb {
    let db = fresh().await;
    run(
        &db.pool,
        "INSERT INTO networks (name) VALUES ('office');
         INSERT INTO nodes (name, agent_url) VALUES ('fra-1', 'http://fra-1:1');
         INSERT INTO node_status (node_id) SELECT id FROM nodes;
         INSERT INTO interfaces (node_id, network_id, name, endpoint_host, endpoint_port)
         SELECT 1, 1, 'wg' || n, 'fra-1', 51820 + n FROM generate_series(0, 1) AS n;
         INSERT INTO peers (network_id, name, public_key)
         SELECT 1, 'p' || n, translate(encode(sha256(n::text::bytea), 'base64'), E'\\n', '') FROM generate_series(1, 3) AS n;
         INSERT INTO observations (interface_id, public_key, peer_id)
         SELECT interfaces.id, peers.public_key, peers.id FROM interfaces, peers
         UNION ALL SELECT id, 'stranger', NULL FROM interfaces;",
    )
    .await;
    db
}

#[tokio::test]
async fn what_was_added_is_written_once_for_those_who_had_any() {
    let db = fleet().await;
    let pool = &db.pool;
    let added = "UPDATE observations SET rx_total = rx_total + 100, tx_total = tx_total + 7
                 WHERE interface_id = 1 AND (peer_id = 1 OR peer_id IS NULL)";
    run(pool, added).await;

    for second in [5, 20, 59] {
        let now = midnight() + TimeDelta::seconds(second);
        round(pool, &rules(), now).await.unwrap();
    }

    assert_eq!(sums(pool, Tier::Minute).await, [(200, 14), (100, 7)]);
    assert_eq!(rows(pool, Tier::Minute).await, 2 + 1);
    let at: DateTime<Utc> = sqlx::query_scalar("SELECT DISTINCT at FROM samples_minute")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(at, midnight() - MINUTE);

    run(pool, added).await;
    round(pool, &rules(), midnight() + MINUTE).await.unwrap();
    assert_eq!(sums(pool, Tier::Minute).await, [(400, 28), (200, 14)]);
    assert_eq!(rows(pool, Tier::Minute).await, 2 * (2 + 1));
}

#[tokio::test]
async fn counters_that_begin_again_are_not_counted_twice() {
    let db = fleet().await;
    let pool = &db.pool;
    let poll = async |counter: i64, total: i64| {
        let statement = format!(
            "UPDATE observations SET rx_counter = {counter}, rx_total = {total} WHERE interface_id = 1 AND peer_id = 1"
        );
        run(pool, &statement).await;
    };

    for (minute, counter, total) in [(0, 500, 500), (1, 900, 900), (2, 30, 930), (3, 70, 970)] {
        poll(counter, total).await;
        round(pool, &rules(), midnight() + MINUTE * minute)
            .await
            .unwrap();
    }

    assert_eq!(sums(pool, Tier::Minute).await, [(970, 0), (970, 0)]);
}

#[tokio::test]
async fn days_and_hours_have_the_sums_of_the_minutes_they_are_made_of() {
    let db = fleet().await;
    let pool = &db.pool;
    let mut total = 0;
    // Two days and a half, in steps that meet and miss all borders.
    let mut now = midnight();
    let mut step = 0;
    while now < midnight() + TimeDelta::hours(60) {
        step += 1;
        let added = (step * 7919) % 1000;
        total += added;
        let peer = step % 4;
        let whose = if peer == 0 {
            "peer_id IS NULL".to_owned()
        } else {
            format!("peer_id = {peer}")
        };
        let statement = format!(
            "UPDATE observations SET rx_total = rx_total + {added}, tx_total = tx_total + 1
             WHERE interface_id = {} AND {whose}",
            1 + step % 2
        );
        run(pool, &statement).await;
        round(pool, &rules(), now).await.unwrap();
        now += TimeDelta::seconds([3600, 1740, 65, 7200, 59][usize::try_from(step % 5).unwrap()]);
    }

    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let upto: Vec<(String, DateTime<Utc>)> =
        sqlx::query_as("SELECT tier, upto FROM sample_progress ORDER BY upto")
            .fetch_all(pool)
            .await
            .unwrap();
    assert_eq!(upto[0], ("day".into(), at("2026-11-22T00:00:00Z")));
    let of = async |tier: &str, until: &DateTime<Utc>| {
        let statement = "SELECT sum(rx)::bigint, sum(tx)::bigint FROM samples
                         WHERE tier = $1 AND at < $2 AND peer_id IS NULL";
        let sums: (i64, i64) = sqlx::query_as(statement)
            .bind(tier)
            .bind(until)
            .fetch_one(pool)
            .await
            .unwrap();
        sums
    };
    let (day, hour) = (&upto[0].1, &upto[1].1);
    assert_eq!(of("hour", day).await, of("day", day).await);
    let sampled: i64 = sqlx::query_scalar("SELECT sum(rx_sampled)::bigint FROM observations")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(sampled, total);
    // Minutes are gone after a day: what they were is in the hours.
    let rest = "SELECT coalesce(sum(rx), 0)::bigint FROM samples_minute WHERE at >= $1 AND peer_id IS NULL";
    let rest: i64 = sqlx::query_scalar(rest)
        .bind(hour)
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(of("hour", hour).await.0 + rest, total);
}

#[tokio::test]
async fn partitions_are_there_before_they_are_needed_and_go_when_they_are_over() {
    let db = fleet().await;
    let pool = &db.pool;
    let mut now = midnight();
    let mut most = 0;
    for step in 0..240 {
        round(pool, &rules(), now).await.unwrap();
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_inherits WHERE inhparent::regclass::text IN ('samples_minute', 'samples_hour', 'samples_day')",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        most = most.max(count);
        now += if step % 3 == 0 {
            TimeDelta::days(9)
        } else {
            TimeDelta::days(3) + MINUTE
        };
    }

    // Three years went by: 24 h of 6 h each, 30 days of weeks, two years of 90 days, and what is about to come.
    assert!(most <= 7 + 8 + 12, "{most}");
    let oldest: DateTime<Utc> = sqlx::query_scalar("SELECT min(at) FROM samples_day")
        .fetch_one(pool)
        .await
        .unwrap();
    let kept = now - oldest;
    assert!(
        (TimeDelta::days(720)..TimeDelta::days(840)).contains(&kept),
        "{kept}"
    );
}

#[tokio::test]
async fn a_node_is_online_for_as_long_as_there_is_evidence() {
    let db = fleet().await;
    let pool = &db.pool;
    let mut online = Vec::new();
    for (minute, status) in [
        "reachability = 'online', since = '2026-11-19 23:59:20', polled_at = '2026-11-19 23:59:55'",
        "reachability = 'online', polled_at = '2026-11-20 00:00:55'",
        "reachability = 'offline', since = '2026-11-20 00:01:50', good_at = '2026-11-20 00:01:15', polled_at = '2026-11-20 00:01:55'",
        "polled_at = '2026-11-20 00:02:55'",
        "reachability = 'online', since = '2026-11-20 00:00:10', polled_at = '2026-11-20 00:00:55'",
    ]
    .into_iter()
    .enumerate()
    {
        run(pool, &format!("SET timezone = 'UTC'; UPDATE node_status SET {status}")).await;
        let minute = i32::try_from(minute).unwrap();
        round(pool, &rules(), midnight() + MINUTE * minute).await.unwrap();
        let last = "SELECT online_s FROM samples_minute WHERE interface_id = 1 AND peer_id IS NULL ORDER BY at DESC LIMIT 1";
        let last: i32 = sqlx::query_scalar(last).fetch_one(pool).await.unwrap();
        online.push(last);
    }

    assert_eq!(online, [40, 60, 15, 0, 0]);
}

#[tokio::test]
async fn a_poll_under_way_is_not_waited_for_and_its_traffic_comes_later() {
    let db = fleet().await;
    let pool = &db.pool;
    run(pool, "UPDATE observations SET rx_total = 10").await;
    let mut poll = pool.begin().await.unwrap();
    sqlx::query("UPDATE observations SET rx_total = 15 WHERE interface_id = 1 AND peer_id = 1")
        .execute(&mut *poll)
        .await
        .unwrap();

    round(pool, &rules(), midnight()).await.unwrap();
    let meanwhile = sums(pool, Tier::Minute).await;
    poll.commit().await.unwrap();
    round(pool, &rules(), midnight() + MINUTE).await.unwrap();

    assert_eq!(meanwhile, [(70, 0), (50, 0)]);
    assert_eq!(sums(pool, Tier::Minute).await, [(85, 0), (65, 0)]);
}

#[tokio::test]
async fn several_controllers_at_once_write_everything_once_while_polls_go_on() {
    let db = fleet().await;
    let pool = &db.pool;
    for minute in 0..15 {
        let now = midnight() + MINUTE * minute;
        let rules = rules();
        let rounds = (0..4).map(|_| round(pool, &rules, now));
        let polls = async {
            for _ in 0..10 {
                run(pool, "UPDATE observations SET rx_total = rx_total + 3").await;
            }
        };
        let (done, ()) = tokio::join!(futures_util::future::join_all(rounds), polls);
        for done in done {
            done.unwrap();
        }
    }

    let twice = "SELECT count(*) FROM (SELECT FROM samples_minute GROUP BY at, interface_id, peer_id HAVING count(*) > 1) AS t";
    let twice: i64 = sqlx::query_scalar(twice).fetch_one(pool).await.unwrap();
    let sampled: i64 = sqlx::query_scalar("SELECT sum(rx_sampled)::bigint FROM observations")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(twice, 0);
    assert_eq!(sums(pool, Tier::Minute).await[0].0, sampled);
    assert!(sampled > 0);
}
