//! Testing a connection: signed calls that change nothing, to a node or to what may become one.
//!
//! What is found is an answer, not a failure: only what cannot be asked at all is refused. Nothing is written, so the
//! state of a node does not move by being tested.

use std::time::Duration;

use protocol::InterfaceName;

use super::target;
use crate::agent::{Clients, Diagnosis, Target};
use crate::db;
use crate::domain::agent_url::AgentUrl;
use crate::domain::ids::NodeId;
use crate::domain::node::KeyId;
use crate::fleet::change::Call;
use crate::fleet::{Fleet, FleetError, Refusal, Result};
use crate::random;

/// How a node that is not in the database would be called.
pub struct Untried {
    pub agent_url: AgentUrl,
    pub secret: protocol::signing::Secret,
    pub key_id: Option<KeyId>,
    pub interface: InterfaceName,
    pub legacy: bool,
    pub timeout_ms: Option<u32>,
}

/// Tests one interface of a node: that of this name, which need not be in the database, else its first one.
pub async fn test(
    fleet: &Fleet,
    call: &Call,
    node: NodeId,
    interface: Option<InterfaceName>,
) -> Result<Diagnosis> {
    let target = target(fleet, node).await?;
    let interface = match interface {
        Some(interface) => interface,
        None => first_interface(fleet, node).await?,
    };
    Ok(clients(fleet, call).diagnose(&target, &interface).await)
}

pub async fn test_untried(fleet: &Fleet, call: &Call, untried: Untried) -> Diagnosis {
    let timeout_ms = untried
        .timeout_ms
        .map(|ms| Duration::from_millis(ms.into()));
    let target = Target {
        node: nobody(),
        url: untried.agent_url,
        secret: untried.secret.into(),
        key_id: untried.key_id.map(|id| id.as_str().to_owned()),
        legacy: untried.legacy,
        timeout: timeout_ms.unwrap_or(fleet.settings.agent_timeout),
    };
    let clients = clients(fleet, call);
    let diagnosis = clients.diagnose(&target, &untried.interface).await;
    clients.forget(target.node);
    diagnosis
}

async fn first_interface(fleet: &Fleet, node: NodeId) -> Result<InterfaceName> {
    let interfaces = db::interfaces::of_nodes(&fleet.pool, &[node]).await?;
    let Some(first) = interfaces.first() else {
        let text = "the node has no interface yet: name the one to look at";
        return Err(Refusal::invalid("no_interface", text).into());
    };
    InterfaceName::parse(&first.name).map_err(|_| FleetError::Corrupt("interfaces.name"))
}

fn clients(fleet: &Fleet, call: &Call) -> Clients {
    match &call.actor.request_id {
        Some(id) => fleet.agents.on_behalf_of(id),
        None => fleet.agents.clone(),
    }
}

/// An id that no row has and no other test under way: what one learns of a clock must not date another's calls.
fn nobody() -> NodeId {
    NodeId(i64::from_be_bytes(random::bytes()) | i64::MIN)
}
