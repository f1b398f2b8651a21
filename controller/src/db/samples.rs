//! `samples_minute`, `samples_hour`, `samples_day`: traffic and state over time, written here and in [`partitions`].

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::domain::ids::{InterfaceId, NodeId, PeerId};
use crate::domain::tier::Tier;

pub mod partitions;

/// Any number that no other advisory lock of this database has.
const LOCK: i64 = 0x7767_6673_616d_706c;

/// What came to pass in one span. Only interfaces and nodes have the last two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    pub at: DateTime<Utc>,
    pub rx: i64,
    pub tx: i64,
    pub active: Option<i64>,
    pub online_s: Option<i32>,
}

/// A span at whose end samples are taken.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub at: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

/// The part of the time that somebody wants to see.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub tier: Tier,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    pub limit: i64,
}

/// Makes this transaction the only one that writes samples, unless another is.
pub async fn try_lock(db: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "locked!""#, LOCK)
        .fetch_one(db)
        .await
}

/// Up to where a tier is complete.
pub async fn progress(
    db: impl PgExecutor<'_>,
    tier: Tier,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT upto FROM sample_progress WHERE tier = $1",
        tier.as_str()
    )
    .fetch_optional(db)
    .await
}

pub async fn set_progress(
    db: impl PgExecutor<'_>,
    tier: Tier,
    upto: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO sample_progress (tier, upto) VALUES ($1, $2) ON CONFLICT (tier) DO UPDATE SET upto = $2",
        tier.as_str(),
        upto,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Some interfaces that have no sample of this span.
pub async fn missing(
    db: &mut PgConnection,
    at: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT id FROM interfaces
        WHERE NOT EXISTS (
            SELECT FROM samples_minute WHERE at = $1 AND interface_id = interfaces.id AND peer_id IS NULL)
        ORDER BY id LIMIT $2
        "#,
        at,
        limit,
    )
    .fetch_all(db)
    .await
}

/// Writes down what was added on these interfaces.
///
/// Rows that a poll holds are not waited for: what was added there belongs to the next span.
pub async fn take(
    db: &mut PgConnection,
    span: Span,
    fresh: TimeDelta,
    interfaces: &[i64],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        WITH held AS MATERIALIZED (
            SELECT interface_id, public_key, peer_id,
                greatest(rx_total - rx_sampled, 0) AS rx, greatest(tx_total - tx_sampled, 0) AS tx
            FROM observations
            WHERE interface_id = ANY ($4) AND (rx_total > rx_sampled OR tx_total > tx_sampled)
            FOR UPDATE SKIP LOCKED
        ), moved AS (
            UPDATE observations SET rx_sampled = rx_sampled + held.rx, tx_sampled = tx_sampled + held.tx
            FROM held
            WHERE observations.interface_id = ANY ($4)
              AND observations.interface_id = held.interface_id AND observations.public_key = held.public_key
        ), of_peers AS (
            INSERT INTO samples_minute (at, interface_id, peer_id, rx, tx)
            SELECT $1, interface_id, peer_id, sum(rx), sum(tx) FROM held
            WHERE peer_id IS NOT NULL GROUP BY interface_id, peer_id
        ), added AS (
            SELECT interface_id, sum(rx) AS rx, sum(tx) AS tx FROM held GROUP BY interface_id
        ), lively AS (
            SELECT interface_id, count(*) AS count FROM observations
            WHERE interface_id = ANY ($4) AND gone_at IS NULL
              AND handshake_at > $2::timestamptz - $3::interval
            GROUP BY interface_id
        )
        INSERT INTO samples_minute (at, interface_id, rx, tx, active, online_s)
            SELECT $1, interfaces.id, coalesce(added.rx, 0), coalesce(added.tx, 0), coalesce(lively.count, 0),
                -- Evidence that is older than the span by more than a minute says nothing about it.
                greatest(0, extract(epoch FROM CASE
                    WHEN polled_at IS NULL OR polled_at < $1 - interval '1 minute' THEN interval '0'
                    WHEN reachability = 'online' THEN $2 - greatest(since, $1)
                    WHEN reachability <> 'pending' AND since > $1 THEN least(good_at, since, $2) - $1
                    ELSE interval '0' END))
            FROM interfaces
            LEFT JOIN added ON added.interface_id = interfaces.id
            LEFT JOIN lively ON lively.interface_id = interfaces.id
            LEFT JOIN node_status USING (node_id)
            WHERE interfaces.id = ANY ($4)
        "#,
        span.at,
        span.until,
        fresh as TimeDelta,
        interfaces,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Sums minutes into hours. The most peers at any time is what an hour keeps of them.
pub async fn roll_up_minutes(
    db: &mut PgConnection,
    from: Option<DateTime<Utc>>,
    until: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO samples_hour (at, interface_id, peer_id, rx, tx, active, online_s)
        SELECT date_bin('1 hour', at, 'epoch'), interface_id, peer_id, sum(rx), sum(tx), max(active), sum(online_s)
        FROM samples_minute
        WHERE at >= coalesce($1::timestamptz, '-infinity') AND at < $2
        GROUP BY 1, 2, 3
        "#,
        from,
        until,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Sums hours into days.
pub async fn roll_up_hours(
    db: &mut PgConnection,
    from: Option<DateTime<Utc>>,
    until: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO samples_day (at, interface_id, peer_id, rx, tx, active, online_s)
        SELECT date_bin('1 day', at, 'epoch'), interface_id, peer_id, sum(rx), sum(tx), max(active), sum(online_s)
        FROM samples_hour
        WHERE at >= coalesce($1::timestamptz, '-infinity') AND at < $2
        GROUP BY 1, 2, 3
        "#,
        from,
        until,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An interface as a whole.
pub async fn of_interface(
    db: impl PgExecutor<'_>,
    id: InterfaceId,
    window: Window,
) -> Result<Vec<Point>, sqlx::Error> {
    sqlx::query_as!(
        Point,
        r#"
        SELECT at AS "at!", rx AS "rx!", tx AS "tx!", active::bigint AS active, online_s
        FROM samples
        WHERE tier = $1 AND interface_id = $2 AND peer_id IS NULL AND at >= $3 AND at < $4
        ORDER BY at LIMIT $5
        "#,
        window.tier.as_str(),
        id.0,
        window.from,
        window.until,
        window.limit,
    )
    .fetch_all(db)
    .await
}

/// The interfaces of a node together. It is online where one of them says so.
pub async fn of_node(
    db: impl PgExecutor<'_>,
    id: NodeId,
    window: Window,
) -> Result<Vec<Point>, sqlx::Error> {
    sqlx::query_as!(
        Point,
        r#"
        SELECT at AS "at!", sum(rx)::bigint AS "rx!", sum(tx)::bigint AS "tx!", sum(active)::bigint AS active,
            max(online_s) AS online_s
        FROM samples
        WHERE tier = $1 AND interface_id = ANY (SELECT id FROM interfaces WHERE node_id = $2)
          AND peer_id IS NULL AND at >= $3 AND at < $4
        GROUP BY at ORDER BY at LIMIT $5
        "#,
        window.tier.as_str(),
        id.0,
        window.from,
        window.until,
        window.limit,
    )
    .fetch_all(db)
    .await
}

/// What went through a node in one minute, both ways together.
#[derive(Debug, Clone)]
pub struct Throughput {
    pub node: NodeId,
    pub at: DateTime<Utc>,
    pub bytes: i64,
}

/// Minute by minute what went through these nodes since a moment, node by node and the oldest first.
pub async fn throughput(
    db: impl PgExecutor<'_>,
    nodes: &[NodeId],
    since: DateTime<Utc>,
) -> Result<Vec<Throughput>, sqlx::Error> {
    let ids: Vec<i64> = nodes.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Throughput,
        r#"
        SELECT node_id AS "node: NodeId", at, sum(rx + tx)::bigint AS "bytes!"
        FROM interfaces JOIN samples_minute ON interface_id = interfaces.id
        WHERE node_id = ANY($1) AND peer_id IS NULL AND at >= $2
        GROUP BY node_id, at ORDER BY node_id, at
        "#,
        &ids,
        since,
    )
    .fetch_all(db)
    .await
}

/// A peer on all its interfaces together.
pub async fn of_peer(
    db: impl PgExecutor<'_>,
    id: PeerId,
    window: Window,
) -> Result<Vec<Point>, sqlx::Error> {
    sqlx::query_as!(
        Point,
        r#"
        SELECT at AS "at!", sum(rx)::bigint AS "rx!", sum(tx)::bigint AS "tx!",
            NULL::bigint AS active, NULL::integer AS online_s
        FROM samples
        WHERE tier = $1 AND peer_id = $2 AND at >= $3 AND at < $4
        GROUP BY at ORDER BY at LIMIT $5
        "#,
        window.tier.as_str(),
        id.0,
        window.from,
        window.until,
        window.limit,
    )
    .fetch_all(db)
    .await
}
