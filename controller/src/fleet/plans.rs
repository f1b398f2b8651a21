//! Plans: what would be done about an interface, kept, looked at, and carried out as long as nothing moved.

use serde_json::json;

use super::change::{Call, Change, NOTHING};
use super::reconcile::{self, Basis, Mended, Planned};
use super::{Fleet, Refusal, Result};
use crate::db;
use crate::db::plans::Plan;
use crate::domain::ids::{InterfaceId, PlanId};

/// Makes a plan for an interface and keeps it.
pub async fn create(fleet: &Fleet, call: &Call, interface: InterfaceId) -> Result<Plan> {
    let Planned { plan, basis } = reconcile::plan(fleet, interface).await?;
    let steps = serde_json::to_value(&plan)?;
    let mut change = Change::begin(&fleet.pool, call).await?;
    let kept = db::plans::insert(
        change.db(),
        interface,
        basis.desired_generation,
        &basis.observed_digest,
        &steps,
        &call.actor.name,
    )
    .await?;
    change
        .finish("plan.create", &object(kept.id), NOTHING, Some(&steps))
        .await?;
    Ok(kept)
}

/// Carries a plan out, unless intent or device have moved since. Only tried, it tells what would be done.
pub async fn apply(
    fleet: &Fleet,
    call: &Call,
    id: PlanId,
    allow_removals: Option<usize>,
) -> Result<Mended> {
    let plan = db::plans::find(&fleet.pool, id).await?;
    let plan = plan.ok_or_else(|| Refusal::missing("plan", id))?;
    if let Some(at) = plan.applied_at {
        let text = format!("plan {id} was carried out at {at}");
        return Err(Refusal::conflict("plan_applied", text).into());
    }
    let basis = Basis {
        desired_generation: plan.desired_generation,
        observed_digest: plan.observed_digest,
    };
    if call.dry_run {
        return reconcile::try_out(fleet, plan.interface, &basis, allow_removals).await;
    }
    let mended = reconcile::carry_out(fleet, plan.interface, &basis, allow_removals).await?;
    let mut change = Change::begin(&fleet.pool, call).await?;
    db::plans::applied(change.db(), id).await?;
    let told = json!({
        "interface": plan.interface, "generation": mended.generation, "allow_removals": allow_removals,
    });
    change
        .finish("plan.apply", &object(id), NOTHING, Some(&told))
        .await?;
    Ok(mended)
}

fn object(id: PlanId) -> String {
    format!("plan/{id}")
}
