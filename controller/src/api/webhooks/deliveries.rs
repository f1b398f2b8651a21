//! `/webhooks/{id}/deliveries`: what a receiver was sent, how that went, and sending it once more.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, get, post};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::caller::{Administers, Caller, WriteQuery};
use crate::api::page::{Page, PageQuery};
use crate::api::problem::{Problem, ReadProblems, WriteProblems};
use crate::clock;
use crate::db;
use crate::db::deliveries::Delivery;
use crate::domain::ids::{DeliveryId, EventId, WebhookId};
use crate::fleet::webhooks::change as webhooks;
use crate::fleet::{Fleet, Refusal};

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryState {
    Waiting,
    Sending,
    Delivered,
    GivenUp,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    id: DeliveryId,
    event: EventId,
    state: DeliveryState,
    /// Since the event, or since somebody asked for it once more.
    attempts: i32,
    next_attempt_at: Option<DateTime<Utc>>,
    /// The last attempt whose end is known.
    attempted_at: Option<DateTime<Utc>>,
    /// What the receiver answered last, if it did.
    status: Option<i32>,
    /// Why the last attempt was none.
    problem: Option<String>,
    delivered_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryDetail {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// The very text that is signed and sent.
    body: String,
}

/// List what a webhook was sent, oldest first.
#[utoipa::path(tag = "webhooks", operation_id = "webhooks.deliveries.list", params(("id" = i64, Path), PageQuery),
    responses((status = 200, body = Page<DeliveryView>), ReadProblems))]
#[get("/webhooks/{id}/deliveries")]
pub(crate) async fn index(
    _caller: Caller<Administers>,
    fleet: Data<Fleet>,
    id: Path<WebhookId>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let span = query.span()?;
    let webhook = db::webhooks::find(&fleet.pool, *id).await?;
    webhook.ok_or_else(|| Refusal::missing("webhook", *id))?;
    let rows = db::deliveries::list(&fleet.pool, *id, span).await?;
    let now = clock::now();
    let view = |delivery: Delivery| DeliveryView::of(&delivery, now);
    let page = Page::of(rows, span, |delivery| delivery.id.0, view);
    Ok(HttpResponse::Ok().json(page))
}

/// Show a delivery with its body.
#[utoipa::path(tag = "webhooks", operation_id = "webhooks.deliveries.show",
    params(("id" = i64, Path), ("delivery" = i64, Path)),
    responses((status = 200, body = DeliveryDetail), ReadProblems))]
#[get("/webhooks/{id}/deliveries/{delivery}")]
pub(crate) async fn show(
    _caller: Caller<Administers>,
    fleet: Data<Fleet>,
    path: Path<(WebhookId, DeliveryId)>,
) -> Result<HttpResponse, Problem> {
    let (webhook, id) = path.into_inner();
    let delivery = db::deliveries::find(&fleet.pool, webhook, id).await?;
    let delivery = delivery.ok_or_else(|| Refusal::missing("delivery", id))?;
    Ok(HttpResponse::Ok().json(DeliveryDetail::of(delivery)))
}

/// Send a delivery once more, now and with the same body, whatever became of it.
#[utoipa::path(tag = "webhooks", operation_id = "webhooks.deliveries.replay",
    params(("id" = i64, Path), ("delivery" = i64, Path), WriteQuery),
    responses((status = 202, body = DeliveryDetail), WriteProblems))]
#[post("/webhooks/{id}/deliveries/{delivery}/replay")]
pub(crate) async fn replay(
    caller: Caller<Administers>,
    fleet: Data<Fleet>,
    path: Path<(WebhookId, DeliveryId)>,
) -> Result<HttpResponse, Problem> {
    let (webhook, id) = path.into_inner();
    let delivery = webhooks::replay(&fleet, &caller.call, webhook, id).await?;
    Ok(HttpResponse::Accepted().json(DeliveryDetail::of(delivery)))
}

impl DeliveryView {
    fn of(delivery: &Delivery, now: DateTime<Utc>) -> Self {
        let sending = delivery.leased_until.is_some_and(|until| until >= now);
        Self {
            id: delivery.id,
            event: delivery.event,
            state: match (delivery.next_attempt_at, delivery.delivered_at) {
                (Some(_), _) if sending => DeliveryState::Sending,
                (Some(_), _) => DeliveryState::Waiting,
                (None, Some(_)) => DeliveryState::Delivered,
                (None, None) => DeliveryState::GivenUp,
            },
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_attempt_at,
            attempted_at: delivery.attempted_at,
            status: delivery.status,
            problem: delivery.problem.clone(),
            delivered_at: delivery.delivered_at,
            created_at: delivery.created_at,
        }
    }
}

impl DeliveryDetail {
    fn of(delivery: Delivery) -> Self {
        Self {
            delivery: DeliveryView::of(&delivery, clock::now()),
            body: delivery.body,
        }
    }
}
