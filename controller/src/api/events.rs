//! `/events`: what happened, oldest first. Whoever remembers the last id and asks for what came after it misses nothing.

use actix_web::web::{Data, Query};
use actix_web::{HttpResponse, get};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::caller::{Caller, Reads};
use super::page::{Page, PageQuery};
use super::problem::{Problem, ReadProblems};
use crate::db;
use crate::db::Span;
use crate::db::events::{Event, Filter};
use crate::domain::ids::EventId;
use crate::fleet::{Fleet, Refusal};

/// Which events are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Only those after this id; `cursor` goes before it.
    after: Option<i64>,
    /// Such as `nodes`.
    topic: Option<String>,
    /// Such as `node.created`.
    kind: Option<String>,
    /// Such as `node/7`.
    object: Option<String>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// How many, 1 to 500; 50 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventView {
    /// Rises in the order in which things came to pass.
    id: EventId,
    at: DateTime<Utc>,
    topic: String,
    kind: String,
    object: String,
    /// What the object is now, or was when it went.
    #[schema(value_type = Object)]
    data: Value,
}

/// List what happened.
#[utoipa::path(tag = "events", operation_id = "events.list", params(EventsQuery),
    responses((status = 200, body = Page<EventView>), ReadProblems))]
#[get("/events")]
pub(crate) async fn index(
    _caller: Caller<Reads>,
    fleet: Data<Fleet>,
    query: Query<EventsQuery>,
) -> Result<HttpResponse, Problem> {
    let (filter, span) = query.into_inner().parse()?;
    let rows = db::events::list(&fleet.pool, &filter, span).await?;
    let page = Page::of(rows, span, |event| event.id.0, EventView::of);
    Ok(HttpResponse::Ok().json(page))
}

impl EventsQuery {
    fn parse(self) -> Result<(Filter, Span), Problem> {
        let goes_on = self.cursor.is_some();
        let page = PageQuery {
            cursor: self.cursor,
            limit: self.limit,
        };
        let mut span = page.span()?;
        if let Some(after) = self.after.filter(|_| !goes_on) {
            span.after = after;
        }
        let filter = Filter {
            topic: word("topic", self.topic)?,
            kind: word("kind", self.kind)?,
            object: word("object", self.object)?,
        };
        Ok((filter, span))
    }
}

/// No event's words hold a NUL, and no statement takes one.
fn word(name: &str, given: Option<String>) -> Result<Option<String>, Problem> {
    match given {
        Some(text) if text.contains('\0') => {
            let text = format!("{name} holds a NUL");
            Err(Refusal::invalid("invalid_query", text).into())
        }
        given => Ok(given),
    }
}

impl EventView {
    fn of(event: Event) -> Self {
        Self {
            id: event.id,
            at: event.at,
            topic: event.topic,
            kind: event.kind,
            object: event.object,
            data: event.data,
        }
    }
}
