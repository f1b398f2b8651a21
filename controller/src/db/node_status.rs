//! `node_status`: whose turn it is to be asked, who is asking, and what the answers said.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;

use super::sync::interval;
use crate::domain::ids::NodeId;
use crate::domain::reachability::Standing;

/// A node that this controller is to ask until its lease ends, and what was known of it.
#[derive(Debug, Clone)]
pub struct Due {
    pub node: NodeId,
    pub name: String,
    /// Tells this lease from every other one.
    pub leased_until: DateTime<Utc>,
    /// When it should have been asked.
    pub due_at: DateTime<Utc>,
    pub reachability: String,
    pub good_in_a_row: i32,
    pub bad_in_a_row: i32,
    pub problem: Option<String>,
    pub clock_offset_ms: Option<i64>,
}

/// Takes enabled nodes whose time has come, those that have waited longest first.
///
/// A node that nobody reports on is due again when the lease ends.
pub async fn claim(
    db: impl PgExecutor<'_>,
    owner: &str,
    lease: Duration,
    limit: i64,
) -> Result<Vec<Due>, sqlx::Error> {
    sqlx::query_as!(
        Due,
        r#"
        WITH due AS (
            SELECT node_status.node_id, nodes.name, next_poll_at
            FROM node_status JOIN nodes ON nodes.id = node_id
            WHERE next_poll_at <= now() AND nodes.enabled
              AND (node_status.leased_until IS NULL OR node_status.leased_until < now())
            ORDER BY next_poll_at LIMIT $3
            FOR UPDATE OF node_status SKIP LOCKED
        )
        UPDATE node_status SET leased_by = $1, leased_until = now() + $2, next_poll_at = now() + $2
        FROM due WHERE node_status.node_id = due.node_id
        RETURNING node_status.node_id AS "node: NodeId", due.name, leased_until AS "leased_until!",
            due.next_poll_at AS "due_at!", reachability, good_in_a_row, bad_in_a_row, problem, clock_offset_ms
        "#,
        owner,
        interval(lease),
        limit,
    )
    .fetch_all(db)
    .await
}

/// What one poll says of a node. What was not heard leaves what was known.
#[derive(Debug, Clone)]
pub struct Report {
    pub node: NodeId,
    pub leased_until: DateTime<Utc>,
    pub polled_at: DateTime<Utc>,
    pub good: bool,
    pub standing: Standing,
    pub problem: Option<&'static str>,
    pub problem_text: Option<String>,
    pub clock_offset_ms: Option<i64>,
    pub booted_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    pub agent_version: Option<String>,
    pub capabilities: Option<Vec<String>>,
    pub health: Option<Value>,
    pub pause: Duration,
}

/// Books reports whose lease still holds and ends these leases; tells of which nodes they are.
pub async fn book(
    db: impl PgExecutor<'_>,
    owner: &str,
    reports: &[Report],
) -> Result<Vec<NodeId>, sqlx::Error> {
    // Dates back and forth are the same to the microsecond, and so is the token.
    let column = Columns::of(reports);
    sqlx::query_scalar!(
        r#"
        UPDATE node_status SET
            since = CASE WHEN node_status.reachability = given.reachability THEN since ELSE now() END,
            reachability = given.reachability, good_in_a_row = given.good_in_a_row,
            bad_in_a_row = given.bad_in_a_row, polled_at = given.polled_at,
            good_at = CASE WHEN given.good THEN given.polled_at ELSE good_at END,
            problem = given.problem, problem_text = given.problem_text,
            clock_offset_ms = coalesce(given.clock_offset_ms, node_status.clock_offset_ms),
            booted_at = coalesce(given.booted_at, node_status.booted_at),
            started_at = coalesce(given.started_at, node_status.started_at),
            agent_version = coalesce(given.agent_version, node_status.agent_version),
            capabilities = CASE WHEN given.capabilities IS NULL THEN node_status.capabilities
                ELSE ARRAY(SELECT jsonb_array_elements_text(given.capabilities)) END,
            health = coalesce(given.health, node_status.health),
            -- Unless somebody meanwhile wants it asked sooner.
            next_poll_at = CASE WHEN next_poll_at = node_status.leased_until
                THEN now() + make_interval(secs => given.pause_s) ELSE next_poll_at END,
            leased_by = NULL, leased_until = NULL
        FROM unnest($2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::bool[], $6::text[], $7::int[], $8::int[],
                    $9::text[], $10::text[], $11::bigint[], $12::timestamptz[], $13::timestamptz[], $14::text[],
                    $15::jsonb[], $16::jsonb[], $17::float8[])
            AS given (node_id, leased_until, polled_at, good, reachability, good_in_a_row, bad_in_a_row, problem,
                      problem_text, clock_offset_ms, booted_at, started_at, agent_version, capabilities, health,
                      pause_s)
        WHERE node_status.node_id = given.node_id
          AND leased_by = $1 AND node_status.leased_until = given.leased_until
        RETURNING node_status.node_id AS "node: NodeId"
        "#,
        owner,
        &column.node,
        &column.leased_until,
        &column.polled_at,
        &column.good,
        &column.reachability,
        &column.good_in_a_row,
        &column.bad_in_a_row,
        &column.problem as &[Option<&str>],
        &column.problem_text as &[Option<&str>],
        &column.clock_offset_ms as &[Option<i64>],
        &column.booted_at as &[Option<DateTime<Utc>>],
        &column.started_at as &[Option<DateTime<Utc>>],
        &column.agent_version as &[Option<&str>],
        &column.capabilities as &[Option<Value>],
        &column.health as &[Option<Value>],
        &column.pause_s,
    )
    .fetch_all(db)
    .await
}

/// Gives nodes back of which nothing can be said; they are due again at once.
pub async fn give_back(
    db: impl PgExecutor<'_>,
    owner: &str,
    nodes: &[NodeId],
) -> Result<(), sqlx::Error> {
    let ids: Vec<i64> = nodes.iter().map(|id| id.0).collect();
    sqlx::query!(
        r#"
        UPDATE node_status SET leased_by = NULL, leased_until = NULL, next_poll_at = now()
        WHERE node_id = ANY($2) AND leased_by = $1
        "#,
        owner,
        &ids,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Reports, column by column.
#[derive(Default)]
struct Columns<'a> {
    node: Vec<i64>,
    leased_until: Vec<DateTime<Utc>>,
    polled_at: Vec<DateTime<Utc>>,
    good: Vec<bool>,
    reachability: Vec<String>,
    good_in_a_row: Vec<i32>,
    bad_in_a_row: Vec<i32>,
    problem: Vec<Option<&'a str>>,
    problem_text: Vec<Option<&'a str>>,
    clock_offset_ms: Vec<Option<i64>>,
    booted_at: Vec<Option<DateTime<Utc>>>,
    started_at: Vec<Option<DateTime<Utc>>>,
    agent_version: Vec<Option<&'a str>>,
    capabilities: Vec<Option<Value>>,
    health: Vec<Option<Value>>,
    pause_s: Vec<f64>,
}

impl<'a> Columns<'a> {
    fn of(reports: &'a [Report]) -> Self {
        let mut columns = Self::default();
        for report in reports {
            columns.node.push(report.node.0);
            columns.leased_until.push(report.leased_until);
            columns.polled_at.push(report.polled_at);
            columns.good.push(report.good);
            let standing = report.standing;
            columns.reachability.push(standing.reachability.to_string());
            columns.good_in_a_row.push(standing.good_in_a_row);
            columns.bad_in_a_row.push(standing.bad_in_a_row);
            columns.problem.push(report.problem);
            columns.problem_text.push(report.problem_text.as_deref());
            columns.clock_offset_ms.push(report.clock_offset_ms);
            columns.booted_at.push(report.booted_at);
            columns.started_at.push(report.started_at);
            columns.agent_version.push(report.agent_version.as_deref());
            let capabilities = report.capabilities.as_deref();
            columns.capabilities.push(capabilities.map(Value::from));
            columns.health.push(report.health.clone());
            columns.pause_s.push(report.pause.as_secs_f64());
        }
        columns
    }
}
