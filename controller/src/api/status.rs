//! `/status`: how the whole fleet is, in one word with its reasons.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Reads};
use super::problem::{Problem, ReadProblems};
use crate::domain::status::{Facts, Overall, Reason};
use crate::fleet::{self, Fleet};

#[derive(Debug, Serialize, ToSchema)]
pub struct FleetStatusView {
    overall: Overall,
    /// Why it is not well, the worst first.
    reasons: Vec<Reason>,
    #[serde(flatten)]
    facts: Facts,
    database: DatabaseView,
    /// The controller's own.
    version: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DatabaseView {
    /// The server's.
    version: String,
}

/// Tell how the fleet is. Where the database is away the answer is 503, which is critical.
#[utoipa::path(tag = "status", operation_id = "status.show",
    responses((status = 200, body = FleetStatusView), ReadProblems))]
#[get("/status")]
pub(crate) async fn show(
    _caller: Caller<Reads>,
    fleet: Data<Fleet>,
) -> Result<HttpResponse, Problem> {
    let status = fleet::status::read(&fleet).await?;
    Ok(HttpResponse::Ok().json(FleetStatusView {
        overall: status.overall,
        reasons: status.reasons,
        facts: status.facts,
        database: DatabaseView {
            version: status.database,
        },
        version: env!("CARGO_PKG_VERSION"),
    }))
}
