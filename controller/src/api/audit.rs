//! `/audit`: what was changed, tried and refused; as pages, as the chain itself, and whether the chain holds.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use actix_web::{HttpResponse, get};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::{Administers, Caller};
use super::page::{Page, PageQuery};
use super::problem::{Problem, ReadProblems};
use crate::db;
use crate::db::Span;
use crate::db::audit::Filter;
use crate::domain::audit::Outcome;
use crate::fleet::{Fleet, Refusal, audit};

mod view;

pub use view::{AuditLine, AuditView, ChainView};

const EXPORTED: i64 = 1000;
const EXPORTED_MOST: i64 = 10_000;

/// Which rows are wanted; all of it must fit.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// The login name of a person, or the id of a key.
    actor: Option<String>,
    /// An action or how it begins, such as `network.` or `network.delete`.
    action: Option<String>,
    /// Such as `network/7`; of a refused call, its path.
    object: Option<String>,
    #[param(inline)]
    outcome: Option<Outcome>,
    /// The first moment.
    from: Option<DateTime<Utc>>,
    /// The moment after the last.
    until: Option<DateTime<Utc>>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// How many, 1 to 500; 50 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// Which part of the chain is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// The `seq` of the last row of the part before; 0 if absent.
    #[serde(default)]
    #[param(minimum = 0)]
    after: i64,
    /// How many rows, 1 to 10000; 1000 if absent.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<i64>,
}

/// List what was changed and what was refused, the newest first.
#[utoipa::path(tag = "audit", operation_id = "audit.list", params(AuditQuery),
    responses((status = 200, body = Page<AuditView>), ReadProblems))]
#[get("/audit")]
pub(crate) async fn index(
    _caller: Caller<Administers>,
    fleet: Data<Fleet>,
    query: Query<AuditQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.into_inner();
    let filter = Filter {
        actor: text(query.actor.as_deref())?,
        action: text(query.action.as_deref())?,
        object: text(query.object.as_deref())?,
        outcome: query.outcome,
        from: query.from,
        until: query.until,
    };
    let (cursor, limit) = (query.cursor, query.limit);
    let span = PageQuery { cursor, limit }.span()?;
    let rows = db::audit::list(&fleet.pool, &filter, span).await?;
    let page = Page::of(rows, span, |row| row.seq, AuditView::of);
    Ok(HttpResponse::Ok().json(page))
}

/// Hand out the chain in order, with its hashes, one JSON object a line. Nothing comes after the last row.
#[utoipa::path(tag = "audit", operation_id = "audit.export", params(ExportQuery),
    responses((status = 200, body = AuditLine, content_type = "application/x-ndjson"), ReadProblems))]
#[get("/audit/export")]
pub(crate) async fn export(
    _caller: Caller<Administers>,
    fleet: Data<Fleet>,
    query: Query<ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let lines = lines(&fleet, query.after, query.limit).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .body(lines))
}

/// A part of the chain, one row a line.
pub(crate) async fn lines(
    fleet: &Fleet,
    after: i64,
    limit: Option<i64>,
) -> Result<Vec<u8>, Problem> {
    let limit = limit.unwrap_or(EXPORTED);
    if !(1..=EXPORTED_MOST).contains(&limit) || after < 0 {
        let text = format!("limit is 1 to {EXPORTED_MOST}, and after is not negative");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_query", text));
    }
    let span = Span { after, limit };
    let mut lines = Vec::new();
    for row in db::audit::part(&fleet.pool, span).await? {
        serde_json::to_writer(&mut lines, &AuditLine::of(row))
            .map_err(|err| Problem::fault(&err))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// Walk the whole chain and tell whether it holds, or which row is the first that does not fit.
#[utoipa::path(tag = "audit", operation_id = "audit.verify",
    responses((status = 200, body = ChainView), ReadProblems))]
#[get("/audit/verification")]
pub(crate) async fn verify(
    _caller: Caller<Administers>,
    fleet: Data<Fleet>,
) -> Result<HttpResponse, Problem> {
    let verdict = audit::verify(&fleet.pool).await?;
    Ok(HttpResponse::Ok().json(ChainView::of(&verdict)))
}

/// No text of the log holds a NUL, and no statement takes one.
fn text(text: Option<&str>) -> Result<Option<&str>, Problem> {
    match text {
        Some(text) if text.contains('\0') => {
            Err(Refusal::invalid("invalid_query", "a text holds a NUL").into())
        }
        _ => Ok(text),
    }
}
