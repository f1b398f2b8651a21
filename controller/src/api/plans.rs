//! Plans: what would be done about an interface, before it is done.

use actix_web::http::header;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Body;
use super::caller::{Caller, Reads, WriteQuery, Writes};
use super::problem::{Problem, ReadProblems, WriteProblems};
use crate::db;
use crate::db::plans::Plan as Kept;
use crate::domain::drift::Plan;
use crate::domain::ids::{InterfaceId, PlanId};
use crate::fleet::{self, Fleet, FleetError, Refusal, reconcile};

/// A plan that was kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanView {
    id: PlanId,
    interface: InterfaceId,
    /// What it rests on: if either moved, it is not carried out.
    desired_generation: i64,
    observed_digest: String,
    steps: Plan,
    created_by: String,
    created_at: DateTime<Utc>,
    applied_at: Option<DateTime<Utc>>,
}

/// What would be done now, kept nowhere.
#[derive(Debug, Serialize, ToSchema)]
pub struct LookView {
    interface: InterfaceId,
    desired_generation: i64,
    observed_digest: String,
    /// Whether there is nothing to do. There may still be something to see.
    empty: bool,
    steps: Plan,
}

/// How a plan is to be carried out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// How many unknown peers may go at once, where the guard against mass removal holds them back.
    allow_removals: Option<usize>,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppliedView {
    /// The generation that the interface is at now.
    generation: i64,
    steps: Plan,
}

/// Show what would be done about an interface. Its node is asked, and told nothing.
#[utoipa::path(tag = "plans", operation_id = "interfaces.plan", params(("id" = i64, Path)),
    responses((status = 200, body = LookView), (status = 502, description = "The node is not to be had.", body = Problem),
        ReadProblems))]
#[get("/interfaces/{id}/plan")]
pub(crate) async fn look(
    _caller: Caller<Reads>,
    fleet: Data<Fleet>,
    id: Path<InterfaceId>,
) -> Result<HttpResponse, Problem> {
    let planned = reconcile::plan(&fleet, *id).await?;
    Ok(HttpResponse::Ok().json(LookView {
        interface: *id,
        desired_generation: planned.basis.desired_generation,
        observed_digest: planned.basis.observed_digest,
        empty: planned.plan.is_empty(),
        steps: planned.plan,
    }))
}

/// Make a plan for an interface and keep it.
#[utoipa::path(tag = "plans", operation_id = "plans.create", params(("id" = i64, Path), WriteQuery),
    responses((status = 201, body = PlanView), (status = 502, description = "The node is not to be had.", body = Problem),
        WriteProblems))]
#[post("/interfaces/{id}/plans")]
pub(crate) async fn create(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<InterfaceId>,
) -> Result<HttpResponse, Problem> {
    let kept = fleet::plans::create(&fleet, &caller.call, *id).await?;
    let location = format!("/api/v1/plans/{}", kept.id);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .json(PlanView::of(kept)?))
}

/// Show a plan.
#[utoipa::path(tag = "plans", operation_id = "plans.show", params(("id" = i64, Path)),
    responses((status = 200, body = PlanView), ReadProblems))]
#[get("/plans/{id}")]
pub(crate) async fn show(
    _caller: Caller<Reads>,
    fleet: Data<Fleet>,
    id: Path<PlanId>,
) -> Result<HttpResponse, Problem> {
    let kept = db::plans::find(&fleet.pool, *id).await?;
    let kept = kept.ok_or_else(|| Refusal::missing("plan", *id))?;
    Ok(HttpResponse::Ok().json(PlanView::of(kept)?))
}

/// Carry a plan out, unless what should be or what is has moved since.
#[utoipa::path(tag = "plans", operation_id = "plans.apply", params(("id" = i64, Path), WriteQuery),
    request_body = Application,
    responses((status = 200, body = AppliedView),
        (status = 502, description = "The node is not to be had.", body = Problem), WriteProblems))]
#[post("/plans/{id}/application")]
pub(crate) async fn apply(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<PlanId>,
    body: Body<Application>,
) -> Result<HttpResponse, Problem> {
    let allow = body.0.allow_removals;
    let mended = fleet::plans::apply(&fleet, &caller.call, *id, allow).await?;
    Ok(HttpResponse::Ok().json(AppliedView {
        generation: mended.generation,
        steps: mended.plan,
    }))
}

impl PlanView {
    fn of(kept: Kept) -> Result<Self, FleetError> {
        Ok(Self {
            id: kept.id,
            interface: kept.interface,
            desired_generation: kept.desired_generation,
            observed_digest: kept.observed_digest,
            steps: serde_json::from_value(kept.steps)
                .map_err(|_| FleetError::Corrupt("plans.steps"))?,
            created_by: kept.created_by,
            created_at: kept.created_at,
            applied_at: kept.applied_at,
        })
    }
}
