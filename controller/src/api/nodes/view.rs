//! Nodes as they are shown: what people said, and what was seen and how long ago. No secret, but once.

use chrono::{DateTime, Utc};
use protocol::signing::Secret;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::interfaces::InterfaceView;
use crate::db::interfaces::Interface;
use crate::db::nodes::Node;
use crate::domain::ids::{NodeId, PoolId};
use crate::domain::node::State;

#[derive(Debug, Serialize, ToSchema)]
pub struct NodeView {
    id: NodeId,
    name: String,
    agent_url: String,
    /// What the agent calls the secret that it is called with.
    key_id: Option<String>,
    enabled: bool,
    weight: i32,
    /// 0 is no limit.
    max_peers: i32,
    country: Option<String>,
    operator_country: Option<String>,
    region: Option<String>,
    notes: String,
    legacy: bool,
    timeout_ms: Option<i32>,
    pools: Vec<PoolId>,
    /// How many peers are placed on it.
    peers: i64,
    state: State,
    status: StatusView,
    interfaces: Vec<InterfaceView>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What was last seen of a node.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusView {
    /// What the polls say, or said when they stopped: `pending`, `online`, `offline` or `error`.
    reachability: String,
    /// Since when they say so.
    since: DateTime<Utc>,
    polled_at: Option<DateTime<Utc>>,
    /// Seconds since it was last asked.
    age_s: Option<i64>,
    /// When it last answered as it should.
    good_at: Option<DateTime<Utc>>,
    /// What was wrong with the last poll, in one word and in a sentence.
    problem: Option<String>,
    problem_text: Option<String>,
    /// How far its clock is ahead of this controller's.
    clock_offset_ms: Option<i64>,
    agent_version: Option<String>,
    capabilities: Vec<String>,
    booted_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
}

/// A node with its last health answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeDetail {
    #[serde(flatten)]
    node: NodeView,
    /// As the agent gave it; null until it did.
    #[schema(value_type = Option<Object>)]
    health: Option<Value>,
}

/// A node, and the secret that was made up for it. It cannot be read again.
#[derive(Serialize, ToSchema)]
pub struct NodeWithSecret {
    #[serde(flatten)]
    node: NodeView,
    /// Absent if the secret was given, and on a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl NodeView {
    pub(super) fn of(node: Node, interfaces: Vec<Interface>, now: DateTime<Utc>) -> Self {
        Self {
            state: node.state(),
            id: node.id,
            name: node.name,
            agent_url: node.agent_url,
            key_id: node.key_id,
            enabled: node.enabled,
            weight: node.weight,
            max_peers: node.max_peers,
            country: node.country,
            operator_country: node.operator_country,
            region: node.region,
            notes: node.notes,
            legacy: node.legacy,
            timeout_ms: node.timeout_ms,
            pools: node.pools,
            peers: node.peers,
            status: StatusView {
                reachability: node.reachability,
                since: node.since,
                polled_at: node.polled_at,
                age_s: node.polled_at.map(|at| (now - at).num_seconds()),
                good_at: node.good_at,
                problem: node.problem,
                problem_text: node.problem_text,
                clock_offset_ms: node.clock_offset_ms,
                agent_version: node.agent_version,
                capabilities: node.capabilities,
                booted_at: node.booted_at,
                started_at: node.started_at,
            },
            interfaces: interfaces
                .into_iter()
                .map(|interface| InterfaceView::of(interface, now))
                .collect(),
            version: node.version,
            created_at: node.created_at,
            updated_at: node.updated_at,
        }
    }
}

impl NodeDetail {
    pub(super) fn of(
        node: Node,
        interfaces: Vec<Interface>,
        now: DateTime<Utc>,
        health: Option<Value>,
    ) -> Self {
        Self {
            node: NodeView::of(node, interfaces, now),
            health,
        }
    }
}

impl NodeWithSecret {
    pub(super) fn of(
        node: Node,
        interfaces: Vec<Interface>,
        now: DateTime<Utc>,
        generated: Option<&Secret>,
    ) -> Self {
        Self {
            node: NodeView::of(node, interfaces, now),
            secret: generated.map(|secret| secret.reveal().to_owned()),
        }
    }
}
