//! `/webhooks`: who is told of events. Only for those who administer: a receiver may be any address that the controller
//! reaches, private ones included.

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, delete, get, patch, post};

use super::body::Body;
use super::caller::{Administers, Caller, WriteQuery};
use super::page::{Page, PageQuery};
use super::problem::{Problem, ReadProblems, WriteProblems};
use super::version;
use crate::db;
use crate::domain::ids::WebhookId;
use crate::fleet::webhooks::change as webhooks;
use crate::fleet::{Fleet, Refusal};

pub mod deliveries;
mod draft;
mod view;

pub use draft::{WebhookChange, WebhookDraft};
pub use view::{WebhookView, WebhookWithSecret};

/// List webhooks.
#[utoipa::path(tag = "webhooks", operation_id = "webhooks.list", params(PageQuery),
    responses((status = 200, body = Page<WebhookView>), ReadProblems))]
#[get("/webhooks")]
pub(crate) async fn index(
    _caller: Caller<Administers>,
    fleet: Data<Fleet>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let span = query.span()?;
    let rows = db::webhooks::list(&fleet.pool, span).await?;
    let page = Page::of(rows, span, |webhook| webhook.id.0, WebhookView::of);
    Ok(HttpResponse::Ok().json(page))
}

/// Make a webhook. It is told of what happens from now on.
///
/// Each event is sent as a POST, signed like a request to this API: `X-Key-Id` is the webhook's id, `X-Timestamp`,
/// `X-Nonce` and `X-Signature` as in the second form. Any 2xx is success; all else is tried again, so an event may come
/// twice: its `id` tells. The order in which events come is not promised.
#[utoipa::path(tag = "webhooks", operation_id = "webhooks.create", params(WriteQuery), request_body = WebhookDraft,
    responses((status = 201, body = WebhookWithSecret), WriteProblems))]
#[post("/webhooks")]
pub(crate) async fn create(
    caller: Caller<Administers>,
    fleet: Data<Fleet>,
    body: Body<WebhookDraft>,
) -> Result<HttpResponse, Problem> {
    let new = body.0.parse()?;
    let (webhook, secret) = webhooks::create(&fleet, &caller.call, new).await?;
    Ok(HttpResponse::Created()
        // It may hold a secret that is shown this once.
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(version::etag(webhook.version))
        .insert_header((header::LOCATION, format!("/api/v1/webhooks/{}", webhook.id)))
        .json(WebhookWithSecret::of(webhook, secret)))
}

/// Show a webhook.
#[utoipa::path(tag = "webhooks", operation_id = "webhooks.show", params(("id" = i64, Path)),
    responses((status = 200, body = WebhookView), ReadProblems))]
#[get("/webhooks/{id}")]
pub(crate) async fn show(
    _caller: Caller<Administers>,
    fleet: Data<Fleet>,
    id: Path<WebhookId>,
) -> Result<HttpResponse, Problem> {
    let webhook = db::webhooks::find(&fleet.pool, *id).await?;
    let webhook = webhook.ok_or_else(|| Refusal::missing("webhook", *id))?;
    Ok(HttpResponse::Ok()
        .insert_header(version::etag(webhook.version))
        .json(WebhookView::of(webhook)))
}

/// Change a webhook. While it is disabled nothing is sent; once enabled, it is told of what happens from then on.
#[utoipa::path(tag = "webhooks", operation_id = "webhooks.change", params(("id" = i64, Path), WriteQuery),
    request_body = WebhookChange, responses((status = 200, body = WebhookView), WriteProblems))]
#[patch("/webhooks/{id}")]
pub(crate) async fn change(
    caller: Caller<Administers>,
    fleet: Data<Fleet>,
    id: Path<WebhookId>,
    body: Body<WebhookChange>,
) -> Result<HttpResponse, Problem> {
    let changes = body.0.parse()?;
    let webhook = webhooks::change(&fleet, &caller.call, *id, changes).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version::etag(webhook.version))
        .json(WebhookView::of(webhook)))
}

/// Delete a webhook and its deliveries.
#[utoipa::path(tag = "webhooks", operation_id = "webhooks.delete", params(("id" = i64, Path), WriteQuery),
    responses((status = 204), WriteProblems))]
#[delete("/webhooks/{id}")]
pub(crate) async fn delete(
    caller: Caller<Administers>,
    fleet: Data<Fleet>,
    id: Path<WebhookId>,
) -> Result<HttpResponse, Problem> {
    webhooks::delete(&fleet, &caller.call, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}
