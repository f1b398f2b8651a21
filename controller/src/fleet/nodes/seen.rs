//! What audit and events show of a node: never a secret, of which at most the id is named.

use serde::Serialize;

use crate::db::interfaces::Interface;
use crate::db::nodes::Node;
use crate::fleet::interfaces;

#[derive(Serialize)]
pub(super) struct Seen<'a> {
    name: &'a str,
    agent_url: &'a str,
    key_id: Option<&'a str>,
    enabled: bool,
    weight: i32,
    max_peers: i32,
    country: Option<&'a str>,
    operator_country: Option<&'a str>,
    region: Option<&'a str>,
    notes: &'a str,
    legacy: bool,
    timeout_ms: Option<i32>,
}

/// A node together with its interfaces.
#[derive(Serialize)]
pub(super) struct SeenWhole<'a> {
    #[serde(flatten)]
    node: Seen<'a>,
    interfaces: Vec<interfaces::Seen<'a>>,
}

impl<'a> Seen<'a> {
    pub(super) fn of(node: &'a Node) -> Self {
        Self {
            name: &node.name,
            agent_url: &node.agent_url,
            key_id: node.key_id.as_deref(),
            enabled: node.enabled,
            weight: node.weight,
            max_peers: node.max_peers,
            country: node.country.as_deref(),
            operator_country: node.operator_country.as_deref(),
            region: node.region.as_deref(),
            notes: &node.notes,
            legacy: node.legacy,
            timeout_ms: node.timeout_ms,
        }
    }
}

impl<'a> SeenWhole<'a> {
    pub(super) fn of(node: &'a Node, interfaces: &'a [Interface]) -> Self {
        Self {
            node: Seen::of(node),
            interfaces: interfaces.iter().map(interfaces::Seen::of).collect(),
        }
    }
}
