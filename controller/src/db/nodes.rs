//! `nodes`, shown together with what `node_status` knows of them.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};

use super::Span;
use crate::domain::ids::{NetworkId, NodeId, PoolId};
use crate::domain::names::Label;
use crate::domain::node::{Changes, NewNode, State};
use crate::domain::reachability::Reachability;
use crate::domain::reference::Reference;

/// A node: what people said of it, what it serves, and what was last seen of it.
#[derive(Debug, Clone)]
pub struct Node {
    pub id: NodeId,
    pub name: String,
    pub agent_url: String,
    pub enabled: bool,
    pub weight: i32,
    pub max_peers: i32,
    pub country: Option<String>,
    pub operator_country: Option<String>,
    pub region: Option<String>,
    pub notes: String,
    pub legacy: bool,
    pub timeout_ms: Option<i32>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// The id of the secret that signs.
    pub key_id: Option<String>,
    pub pools: Vec<PoolId>,
    /// How many placements its interfaces hold.
    pub peers: i64,
    pub reachability: String,
    pub since: DateTime<Utc>,
    pub polled_at: Option<DateTime<Utc>>,
    pub good_at: Option<DateTime<Utc>>,
    pub problem: Option<String>,
    pub problem_text: Option<String>,
    pub clock_offset_ms: Option<i64>,
    pub agent_version: Option<String>,
    pub capabilities: Vec<String>,
    pub booted_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
}

impl Node {
    pub fn state(&self) -> State {
        let reachability = Reachability::parse(&self.reachability)
            .expect("the constraint node_status_reachability_known lets nothing else in");
        State::of(self.enabled, reachability)
    }
}

/// Which nodes of a list are wanted; none is all.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    /// A part of the name.
    pub q: Option<&'a str>,
    pub state: Option<State>,
    pub pool: Option<PoolId>,
    pub network: Option<NetworkId>,
    pub region: Option<Label>,
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("a node with this name exists")]
    NameTaken,
    #[error("a node with this agent URL exists")]
    AgentUrlTaken,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    #[error("peers are placed on it")]
    InUse,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

macro_rules! select {
    ($rest:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Node,
            r#"
            SELECT id AS "id: NodeId", name, agent_url, enabled, weight, max_peers, country, operator_country, region,
                notes, legacy, timeout_ms, version, created_at, updated_at,
                (SELECT key_id FROM node_secrets WHERE node_id = nodes.id AND state = 'active') AS key_id,
                ARRAY(SELECT pool_id FROM pool_members WHERE node_id = nodes.id ORDER BY pool_id)
                    AS "pools!: Vec<PoolId>",
                (SELECT coalesce(sum(placed), 0) FROM interfaces WHERE node_id = nodes.id) AS "peers!",
                reachability, since, polled_at, good_at, problem, problem_text, clock_offset_ms, agent_version,
                capabilities, booted_at, started_at
            FROM nodes JOIN node_status ON node_status.node_id = nodes.id
            "# + $rest
            $(, $argument)*
        )
    };
}

pub async fn find(db: impl PgExecutor<'_>, id: NodeId) -> Result<Option<Node>, sqlx::Error> {
    select!("WHERE nodes.id = $1", id.0)
        .fetch_optional(db)
        .await
}

pub async fn list(
    db: impl PgExecutor<'_>,
    filter: &Filter<'_>,
    span: Span,
) -> Result<Vec<Node>, sqlx::Error> {
    select!(
        r#"
        WHERE nodes.id > $1
            AND ($3::text IS NULL OR name ILIKE $3)
            AND ($4::bool IS NULL OR enabled = $4)
            AND ($5::text IS NULL OR reachability = $5)
            AND ($6::bigint IS NULL
                OR EXISTS (SELECT FROM pool_members WHERE node_id = nodes.id AND pool_id = $6))
            AND ($7::bigint IS NULL
                OR EXISTS (SELECT FROM interfaces WHERE node_id = nodes.id AND network_id = $7))
            AND ($8::text IS NULL OR region = $8)
        ORDER BY nodes.id LIMIT $2
        "#,
        span.after,
        span.limit,
        filter.q.map(super::containing),
        filter.state.map(|state| state != State::Disabled),
        filter
            .state
            .and_then(State::reachability)
            .map(Reachability::as_str),
        filter.pool.map(|id| id.0),
        filter.network.map(|id| id.0),
        filter.region.as_ref().map(|region| region.as_str()),
    )
    .fetch_all(db)
    .await
}

pub async fn resolve(
    db: impl PgExecutor<'_>,
    node: &Reference,
) -> Result<Option<NodeId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT id AS "id: NodeId" FROM nodes WHERE id = $1 OR name = $2"#,
        node.id(),
        node.name(),
    )
    .fetch_optional(db)
    .await
}

/// The last health answer of a node, as it came.
pub async fn health(db: impl PgExecutor<'_>, id: NodeId) -> Result<Option<Value>, sqlx::Error> {
    sqlx::query_scalar!("SELECT health FROM node_status WHERE node_id = $1", id.0)
        .fetch_optional(db)
        .await
        .map(Option::flatten)
}

/// Adds a node that was not yet asked anything.
pub async fn insert(db: &mut PgConnection, node: &NewNode) -> Result<NodeId, WriteError> {
    let id = sqlx::query_scalar!(
        r#"
        INSERT INTO nodes (name, agent_url, enabled, weight, max_peers, country, operator_country, region, notes,
            legacy, timeout_ms)
        VALUES ($1, $2, $3, $4::bigint, $5::bigint, $6, $7, $8, $9, $10, $11::bigint)
        RETURNING id AS "id: NodeId"
        "#,
        node.name.as_str(),
        node.agent_url.as_str(),
        node.enabled,
        i64::from(node.weight),
        i64::from(node.max_peers),
        node.country.map(|country| country.to_string()),
        node.operator_country.map(|country| country.to_string()),
        node.region.as_ref().map(|region| region.as_str()),
        node.notes,
        node.legacy,
        node.timeout_ms.map(i64::from),
    )
    .fetch_one(&mut *db)
    .await
    .map_err(taken)?;
    sqlx::query!("INSERT INTO node_status (node_id) VALUES ($1)", id.0)
        .execute(db)
        .await
        .map_err(WriteError::Db)?;
    Ok(id)
}

/// Holds a node until the transaction ends, and tells whether it exists.
pub async fn lock(db: impl PgExecutor<'_>, id: NodeId) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!("SELECT id FROM nodes WHERE id = $1 FOR UPDATE", id.0)
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}

/// Replaces what is given and counts the version up.
pub async fn update(
    db: impl PgExecutor<'_>,
    id: NodeId,
    changes: &Changes,
) -> Result<(), WriteError> {
    sqlx::query!(
        r#"
        UPDATE nodes SET
            name = coalesce($2, name),
            agent_url = coalesce($3, agent_url),
            enabled = coalesce($4, enabled),
            weight = coalesce($5::bigint, weight),
            max_peers = coalesce($6::bigint, max_peers),
            country = CASE WHEN $7 THEN $8 ELSE country END,
            operator_country = CASE WHEN $9 THEN $10 ELSE operator_country END,
            region = CASE WHEN $11 THEN $12 ELSE region END,
            notes = coalesce($13, notes),
            legacy = coalesce($14, legacy),
            timeout_ms = CASE WHEN $15 THEN $16::bigint ELSE timeout_ms END,
            version = version + 1,
            updated_at = now()
        WHERE id = $1
        "#,
        id.0,
        changes.name.as_ref().map(|name| name.as_str()),
        changes.agent_url.as_ref().map(|url| url.as_str()),
        changes.enabled,
        changes.weight.map(i64::from),
        changes.max_peers.map(i64::from),
        changes.country.is_some(),
        changes.country.flatten().map(|country| country.to_string()),
        changes.operator_country.is_some(),
        changes
            .operator_country
            .flatten()
            .map(|country| country.to_string()),
        changes.region.is_some(),
        changes
            .region
            .as_ref()
            .and_then(|region| region.as_ref())
            .map(|region| region.as_str()),
        changes.notes,
        changes.legacy,
        changes.timeout_ms.is_some(),
        changes.timeout_ms.flatten().map(i64::from),
    )
    .execute(db)
    .await
    .map(|_| ())
    .map_err(taken)
}

/// Counts the version up: something changed that belongs to the node and is kept elsewhere.
pub async fn touch(db: impl PgExecutor<'_>, id: NodeId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE nodes SET version = version + 1, updated_at = now() WHERE id = $1",
        id.0
    )
    .execute(db)
    .await
    .map(|_| ())
}

/// Has a node asked as soon as somebody has time.
pub async fn poll_now(db: impl PgExecutor<'_>, id: NodeId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE node_status SET next_poll_at = now() WHERE node_id = $1",
        id.0
    )
    .execute(db)
    .await
    .map(|_| ())
}

/// Deletes a node with its interfaces; their addresses rest.
pub async fn delete(db: impl PgExecutor<'_>, id: NodeId) -> Result<(), DeleteError> {
    sqlx::query!("DELETE FROM nodes WHERE id = $1", id.0)
        .execute(db)
        .await
        .map(|_| ())
        .map_err(|err| match super::violated(&err) {
            Some("placements_interface") => DeleteError::InUse,
            _ => DeleteError::Db(err),
        })
}

fn taken(err: sqlx::Error) -> WriteError {
    match super::violated(&err) {
        Some("nodes_name_key") => WriteError::NameTaken,
        Some("nodes_agent_url_key") => WriteError::AgentUrlTaken,
        _ => WriteError::Db(err),
    }
}
