//! `interface_sync`: how far each interface is, who is at work on it, and what was seen of it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use crate::domain::ids::{InterfaceId, NodeId};

pub mod desired;
pub mod observed;

/// An interface that this controller is at work on until its lease ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub interface: InterfaceId,
    pub node: NodeId,
    pub name: String,
    pub drift_policy: String,
    pub urgent: bool,
    pub applied_generation: i64,
    pub attempts: i32,
    /// Since when there is something to do.
    pub desired_at: DateTime<Utc>,
    pub capabilities: Vec<String>,
}

macro_rules! claim {
    ($which:literal, $owner:expr, $lease:expr, $limit:expr $(, $argument:expr)?) => {
        sqlx::query_as!(
            Claimed,
            r#"
            WITH due AS (
                SELECT interface_id, node_id, interfaces.name, drift_policy, urgent, applied_generation, attempts,
                    desired_at, capabilities
                FROM interface_sync
                JOIN interfaces ON interfaces.id = interface_id
                JOIN nodes ON nodes.id = node_id
                JOIN node_status USING (node_id)
                WHERE "# + $which + r#" desired_generation > applied_generation
                  AND next_attempt_at <= now()
                  AND (interface_sync.leased_until IS NULL OR interface_sync.leased_until < now())
                  AND nodes.enabled AND reachability <> 'pending'
                ORDER BY urgent DESC, next_attempt_at, interface_id LIMIT $3
                FOR UPDATE OF interface_sync SKIP LOCKED
            )
            UPDATE interface_sync SET leased_by = $1, leased_until = now() + $2
            FROM due WHERE interface_sync.interface_id = due.interface_id
            RETURNING interface_sync.interface_id AS "interface: InterfaceId", due.node_id AS "node: NodeId",
                due.name, due.drift_policy, due.urgent, due.applied_generation, due.attempts, due.desired_at,
                due.capabilities
            "#,
            $owner,
            interval($lease),
            $limit,
            $($argument,)?
        )
    };
}

/// Takes interfaces whose desired generation is ahead, those first where somebody is to be locked out.
pub async fn claim(
    db: impl PgExecutor<'_>,
    owner: &str,
    lease: Duration,
    limit: i64,
) -> Result<Vec<Claimed>, sqlx::Error> {
    claim!("", owner, lease, limit).fetch_all(db).await
}

/// The same among these alone, which are looked up and not searched for.
pub async fn claim_of(
    db: impl PgExecutor<'_>,
    owner: &str,
    lease: Duration,
    interfaces: &[InterfaceId],
    limit: i64,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let ids: Vec<i64> = interfaces.iter().map(|id| id.0).collect();
    claim!("interface_id = ANY($4) AND", owner, lease, limit, &ids)
        .fetch_all(db)
        .await
}

/// Takes one interface whether or not there is something to do, unless somebody else is at work on it.
pub async fn claim_one(
    db: impl PgExecutor<'_>,
    owner: &str,
    lease: Duration,
    interface: InterfaceId,
) -> Result<Option<Claimed>, sqlx::Error> {
    sqlx::query_as!(
        Claimed,
        r#"
        UPDATE interface_sync SET leased_by = $1, leased_until = now() + $2
        FROM interfaces, nodes, node_status
        WHERE interface_sync.interface_id = $3
          AND (interface_sync.leased_until IS NULL OR interface_sync.leased_until < now())
          AND interfaces.id = $3 AND nodes.id = interfaces.node_id AND node_status.node_id = nodes.id
        RETURNING interface_sync.interface_id AS "interface: InterfaceId", nodes.id AS "node: NodeId",
            interfaces.name, drift_policy, urgent, applied_generation, attempts, desired_at, capabilities
        "#,
        owner,
        interval(lease),
        interface.0,
    )
    .fetch_optional(db)
    .await
}

/// The same without taking it, for whoever only reads.
pub async fn look(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
) -> Result<Option<Claimed>, sqlx::Error> {
    sqlx::query_as!(
        Claimed,
        r#"
        SELECT interfaces.id AS "interface: InterfaceId", nodes.id AS "node: NodeId", interfaces.name, drift_policy,
            urgent, applied_generation, attempts, desired_at, capabilities
        FROM interfaces
        JOIN interface_sync ON interface_id = interfaces.id
        JOIN nodes ON nodes.id = interfaces.node_id
        JOIN node_status ON node_status.node_id = nodes.id
        WHERE interfaces.id = $1
        "#,
        interface.0,
    )
    .fetch_optional(db)
    .await
}

/// Keeps an interface for longer. False: the lease ended and somebody else may be at work on it.
pub async fn renew(
    db: impl PgExecutor<'_>,
    owner: &str,
    lease: Duration,
    interface: InterfaceId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        r#"
        UPDATE interface_sync SET leased_until = now() + $2
        WHERE interface_id = $3 AND leased_by = $1 AND leased_until >= now()
        "#,
        owner,
        interval(lease),
        interface.0,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives an interface back. Nothing happens if the lease has gone to somebody else.
pub async fn release(
    db: impl PgExecutor<'_>,
    owner: &str,
    interface: InterfaceId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE interface_sync SET leased_by = NULL, leased_until = NULL
        WHERE interface_id = $2 AND leased_by = $1
        "#,
        owner,
        interface.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What an interface answered when it was last written or read.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    pub generation: Option<i64>,
    pub digest: &'a str,
    pub peers: i32,
}

/// What was booked of an interface.
#[derive(Debug, Clone, Copy)]
pub struct Booked {
    /// What it should be at, by now.
    pub desired_generation: i64,
    /// It was given back, too.
    pub released: bool,
}

/// Books that a generation is applied. Only who holds the lease may, and never backwards: none, if it ended.
///
/// With `release`, it is given back at once, unless there is more to do.
pub async fn applied(
    db: impl PgExecutor<'_>,
    owner: &str,
    interface: InterfaceId,
    generation: i64,
    evidence: Option<Evidence<'_>>,
    release: bool,
) -> Result<Option<Booked>, sqlx::Error> {
    let (seen_generation, digest, peers) = match evidence {
        Some(seen) => (seen.generation, Some(seen.digest), Some(seen.peers)),
        None => (None, None, None),
    };
    sqlx::query_as!(
        Booked,
        r#"
        WITH booked AS (
            UPDATE interface_sync SET
                applied_generation = greatest(applied_generation, $3), applied_at = now(), urgent = false,
                attempts = 0, next_attempt_at = now(), problem = NULL, problem_text = NULL, problem_at = NULL,
                observed_generation = CASE WHEN $5::text IS NULL THEN observed_generation ELSE $4 END,
                observed_digest = coalesce($5, observed_digest),
                observed_peers = coalesce($6, observed_peers),
                observed_at = CASE WHEN $5::text IS NULL THEN observed_at ELSE now() END,
                -- Who left is told by the next look alone, and one that stays empty is not looked at.
                cursor = CASE WHEN $6 = 0 THEN NULL ELSE cursor END,
                leased_by = CASE WHEN $7 AND desired_generation <= $3 THEN NULL ELSE leased_by END,
                leased_until = CASE WHEN $7 AND desired_generation <= $3 THEN NULL ELSE leased_until END
            FROM interfaces
            WHERE interface_id = $2 AND interfaces.id = interface_id AND leased_by = $1
            RETURNING interface_id, desired_generation, leased_by IS NULL AS released
        ), gone AS (
            DELETE FROM departures USING booked
            WHERE departures.interface_id = booked.interface_id AND generation <= $3
        )
        SELECT desired_generation, released AS "released!" FROM booked
        "#,
        owner,
        interface.0,
        generation,
        seen_generation,
        digest,
        peers,
        release,
    )
    .fetch_optional(db)
    .await
}

/// Books a failure and when to try again. Tells whether it is news: the problem before was another, or none.
pub async fn failed(
    db: impl PgExecutor<'_>,
    owner: &str,
    interface: InterfaceId,
    problem: &str,
    text: &str,
    again_in: Duration,
) -> Result<bool, sqlx::Error> {
    let before = sqlx::query_scalar!(
        r#"
        WITH before AS (SELECT interface_id, problem FROM interface_sync WHERE interface_id = $2 FOR UPDATE)
        UPDATE interface_sync SET attempts = attempts + 1, next_attempt_at = now() + $5, problem = $3,
            problem_text = $4, problem_at = now(), leased_by = NULL, leased_until = NULL
        FROM before
        WHERE interface_sync.interface_id = before.interface_id AND leased_by = $1
        RETURNING before.problem
        "#,
        owner,
        interface.0,
        problem,
        text,
        interval(again_in),
    )
    .fetch_optional(db)
    .await?;
    Ok(before.is_some_and(|before| before.as_deref() != Some(problem)))
}

/// Has an interface's next attempts begin now: its node is back.
pub async fn retry_now(db: impl PgExecutor<'_>, node: NodeId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE interface_sync SET next_attempt_at = now()
        FROM interfaces WHERE interfaces.id = interface_id AND node_id = $1 AND next_attempt_at > now()
        "#,
        node.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Raises an interface's desired generation to at least this, because its node has seen higher ones.
pub async fn raise_to(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
    generation: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE interfaces SET desired_generation = greatest(desired_generation, $2), desired_at = now()
        WHERE id = $1 AND desired_generation < $2
        "#,
        interface.0,
        generation,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Raises an interface's desired generation unless it moved since it was read: the new one then says what that said.
pub async fn raise_from(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
    read: i64,
    generation: i64,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        r#"
        UPDATE interfaces SET desired_generation = $3, desired_at = now()
        WHERE id = $1 AND desired_generation = $2
        "#,
        interface.0,
        read,
        generation,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Remembers a difference that was seen and left: while the device has this digest it is not looked at again.
pub async fn settled(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
    generation: i64,
    digest: &str,
    unknown_peers: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE interface_sync SET settled_generation = $2, settled_digest = $3, unknown_peers = $4
        WHERE interface_id = $1
        "#,
        interface.0,
        generation,
        digest,
        unknown_peers,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Postgres' interval of a duration.
pub(crate) fn interval(duration: Duration) -> sqlx::postgres::types::PgInterval {
    let microseconds = TimeDelta::from_std(duration)
        .ok()
        .and_then(|delta| delta.num_microseconds());
    sqlx::postgres::types::PgInterval {
        months: 0,
        days: 0,
        microseconds: microseconds.unwrap_or(i64::MAX),
    }
}
