//! Whether the controller lives, whether it is of use, and its figures.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};

use super::caller::{Caller, Reads};
use super::problem::{Problem, ReadProblems};
use crate::fleet::Fleet;
use crate::startup::Readiness;

/// Whether the process serves at all.
#[utoipa::path(tag = "probes", operation_id = "probes.live", security(()), responses((status = 204)))]
#[get("/livez")]
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Whether the database answers and the workers run.
#[utoipa::path(tag = "probes", operation_id = "probes.ready", security(()),
    responses((status = 204), (status = 503, body = Problem)))]
#[get("/readyz")]
pub(crate) async fn ready(
    fleet: Data<Fleet>,
    readiness: Data<Readiness>,
) -> Result<HttpResponse, Problem> {
    if !readiness.is_ready() {
        return Err(Problem::unavailable(
            "starting",
            "the controller is starting",
        ));
    }
    crate::db::ping(&fleet.pool).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Figures for Prometheus.
#[utoipa::path(tag = "probes", operation_id = "probes.metrics",
    responses((status = 200, body = String, content_type = "application/openmetrics-text"), ReadProblems))]
#[get("")]
pub(crate) async fn metrics(
    _caller: Caller<Reads>,
    fleet: Data<Fleet>,
) -> Result<HttpResponse, Problem> {
    crate::fleet::figures::gather(&fleet).await?;
    let text = fleet.metrics.encode().map_err(|err| Problem::fault(&err))?;
    Ok(HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text))
}
