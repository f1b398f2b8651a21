//! What it takes to call nodes: their rows, with the secrets opened.

use std::sync::Arc;
use std::time::Duration;

use protocol::signing::Secret;

use super::secrets;
use crate::agent::Target;
use crate::db::node_secrets::{self, Access};
use crate::domain::agent_url::AgentUrl;
use crate::domain::ids::NodeId;
use crate::domain::node::KeyId;
use crate::fleet::{Fleet, FleetError, Refusal, Result};
use crate::keyring::OpenError;

/// How to call a node.
pub async fn target(fleet: &Fleet, node: NodeId) -> Result<Target> {
    let found = targets(fleet, &[node]).await?;
    match found.into_iter().next() {
        Some((_, target)) => target,
        None => Err(Refusal::missing("node", node).into()),
    }
}

/// How to call each of these nodes, by ascending id, in one query. Those that are gone are left out; a secret that
/// does not open concerns its own node alone.
pub async fn targets(fleet: &Fleet, nodes: &[NodeId]) -> Result<Vec<(NodeId, Result<Target>)>> {
    let rows = node_secrets::access(&fleet.pool, nodes).await?;
    let mut targets = Vec::with_capacity(rows.len());
    for row in rows {
        targets.push((row.node, read(fleet, row).await));
    }
    Ok(targets)
}

async fn read(fleet: &Fleet, row: Access) -> Result<Target> {
    let secret = match open(fleet, &row) {
        // Another controller made the key that sealed it.
        Err(FleetError::Open(OpenError::UnknownKey(_))) => {
            fleet.keyring.refresh(&fleet.pool).await?;
            open(fleet, &row)?
        }
        opened => opened?,
    };
    Ok(Target {
        node: row.node,
        url: AgentUrl::parse(&row.agent_url).map_err(|_| FleetError::Corrupt("nodes.agent_url"))?,
        secret: Arc::new(secret),
        // Whoever gave no id for the secret may not know it; the agent then tries what it has.
        key_id: Some(row.key_id).filter(|id| id != KeyId::INITIAL),
        legacy: row.legacy,
        timeout: timeout(fleet, row.timeout_ms)?,
    })
}

fn open(fleet: &Fleet, row: &Access) -> Result<Secret> {
    let place = secrets::place(row.node, &row.key_id);
    let plain = fleet
        .keyring
        .open_sealed(&place, &row.sealed, row.data_key_id)?;
    let secret = std::str::from_utf8(&plain).ok().map(Secret::parse);
    match secret {
        Some(Ok(secret)) => Ok(secret),
        _ => Err(FleetError::Corrupt("node_secrets.sealed")),
    }
}

fn timeout(fleet: &Fleet, timeout_ms: Option<i32>) -> Result<Duration> {
    match timeout_ms.map(u64::try_from) {
        Some(Ok(timeout_ms)) => Ok(Duration::from_millis(timeout_ms)),
        Some(Err(_)) => Err(FleetError::Corrupt("nodes.timeout_ms")),
        None => Ok(fleet.settings.agent_timeout),
    }
}
