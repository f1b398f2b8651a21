//! Having a node remove peers that nobody here knows.
//!
//! This is an order and no intent: there is no row that could say it. So it is written to the audit log first, then
//! given, and where the node cannot be reached it is for the caller to give it again.

use protocol::{InterfaceName, PublicKey};
use serde_json::json;

use super::object;
use crate::db;
use crate::domain::ids::InterfaceId;
use crate::fleet::change::NOTHING;
use crate::fleet::{Call, Change, Fleet, FleetError, Refusal, Result, nodes};

/// How many may be removed at once: each is a call of its own.
pub const MOST_REMOVALS: usize = 1_000;

/// Removes unknown peers from an interface. Refused whole if any of these keys is not an unknown one of it.
pub async fn remove(fleet: &Fleet, call: &Call, id: InterfaceId, keys: &[PublicKey]) -> Result<()> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let interface = db::interfaces::find(change.db(), id).await?;
    let interface = interface.ok_or_else(|| Refusal::missing("interface", id))?;
    let names: Vec<String> = keys.iter().map(PublicKey::to_string).collect();
    let limit = i64::try_from(names.len()).unwrap_or(i64::MAX);
    let unknown = db::observations::unknown::list(change.db(), id, Some(&names), "", limit).await?;
    let known: Vec<&String> = names
        .iter()
        .filter(|name| !unknown.iter().any(|row| row.public_key == **name))
        .collect();
    if !known.is_empty() {
        let text = format!(
            "{} of the keys are not unknown keys of interface {}",
            known.len(),
            interface.name
        );
        return Err(Refusal::conflict("unknown_key", text)
            .with(json!({"keys": known}))
            .into());
    }
    let told = json!({"keys": names});
    change
        .finish(
            "interface.remove_unknown",
            &object(id),
            Some(&told),
            NOTHING,
        )
        .await?;
    if call.dry_run {
        return Ok(());
    }
    let name = InterfaceName::parse(&interface.name)
        .map_err(|_| FleetError::Corrupt("an interface name"))?;
    let target = nodes::target(fleet, interface.node_id).await?;
    for (key, text) in keys.iter().zip(&names) {
        fleet.agents.delete_peer(&target, &name, key).await?;
        db::observations::unknown::removed(&fleet.pool, id, std::slice::from_ref(text)).await?;
    }
    Ok(())
}
