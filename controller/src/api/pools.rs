//! `/pools`: named sets of nodes, with members that are chosen by hand.

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, delete, get, patch, post, put};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Body;
use super::caller::{Caller, ReadsWithin, WriteQuery, Writes};
use super::fields::Fields;
use super::page::{Page, PageQuery};
use super::problem::{Problem, ReadProblems, WriteProblems};
use super::{lookup, reached, texts, version};
use crate::db;
use crate::db::pools::Pool;
use crate::domain::ids::{NodeId, PoolId};
use crate::domain::names::Label;
use crate::domain::placement::Placement;
use crate::domain::pool::{Changes, NewPool};
use crate::domain::reach::Belongs;
use crate::fleet::{self, Fleet, Refusal};

/// A pool to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "north", "placement": "one", "members": [1, 2]}))]
pub struct PoolDraft {
    /// A DNS label.
    #[schema(value_type = texts::Label)]
    name: String,
    /// On `one` of the nodes or on `all` of them is where a peer lives; `one` if absent.
    placement: Option<Placement>,
    #[serde(default)]
    #[schema(value_type = texts::Notes)]
    description: String,
    #[serde(default)]
    members: Vec<NodeId>,
}

/// What to change of a pool; absent keeps.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolChange {
    #[schema(value_type = Option<texts::Label>)]
    name: Option<String>,
    /// Refused while peers name the pool.
    placement: Option<Placement>,
    #[schema(value_type = Option<texts::Notes>)]
    description: Option<String>,
    /// All members from now on.
    members: Option<Vec<NodeId>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PoolView {
    id: PoolId,
    name: String,
    placement: String,
    description: String,
    members: Vec<NodeId>,
    /// How many peers name it.
    peers: i64,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Which pools are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PoolQuery {
    /// A part of the name.
    q: Option<String>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// How many, 1 to 500; 50 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// List pools.
#[utoipa::path(tag = "pools", operation_id = "pools.list", params(PoolQuery),
    responses((status = 200, body = Page<PoolView>), ReadProblems))]
#[get("/pools")]
pub(crate) async fn index(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    query: Query<PoolQuery>,
) -> Result<HttpResponse, Problem> {
    let PoolQuery { q, cursor, limit } = query.into_inner();
    let span = PageQuery { cursor, limit }.span()?;
    let q = lookup::part(q.as_deref())?;
    let rows = reached::pools(&fleet.pool, caller.access.reach, q, span).await?;
    Ok(HttpResponse::Ok().json(Page::of(rows, span, |pool| pool.id.0, PoolView::of)))
}

/// Make a pool.
#[utoipa::path(tag = "pools", operation_id = "pools.create", params(WriteQuery), request_body = PoolDraft,
    responses((status = 201, body = PoolView), WriteProblems))]
#[post("/pools")]
pub(crate) async fn create(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    body: Body<PoolDraft>,
) -> Result<HttpResponse, Problem> {
    let new = body.0.parse()?;
    let pool = fleet::pools::create(&fleet, &caller.call, &new).await?;
    Ok(HttpResponse::Created()
        .insert_header(version::etag(pool.version))
        .insert_header((header::LOCATION, format!("/api/v1/pools/{}", pool.id)))
        .json(PoolView::of(pool)))
}

/// Show a pool.
#[utoipa::path(tag = "pools", operation_id = "pools.show", params(("id" = i64, Path)),
    responses((status = 200, body = PoolView), ReadProblems))]
#[get("/pools/{id}")]
pub(crate) async fn show(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    id: Path<PoolId>,
) -> Result<HttpResponse, Problem> {
    let belongs = Belongs {
        pools: &[*id],
        ..Belongs::default()
    };
    caller.check("pool", *id, belongs)?;
    let pool = db::pools::find(&fleet.pool, *id).await?;
    Ok(shown(pool.ok_or_else(|| Refusal::missing("pool", *id))?))
}

/// Change a pool.
#[utoipa::path(tag = "pools", operation_id = "pools.change", params(("id" = i64, Path), WriteQuery),
    request_body = PoolChange, responses((status = 200, body = PoolView), WriteProblems))]
#[patch("/pools/{id}")]
pub(crate) async fn change(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<PoolId>,
    body: Body<PoolChange>,
) -> Result<HttpResponse, Problem> {
    let changes = body.0.parse()?;
    let pool = fleet::pools::change(&fleet, &caller.call, *id, &changes).await?;
    Ok(shown(pool))
}

/// Delete a pool that no peer names.
#[utoipa::path(tag = "pools", operation_id = "pools.delete", params(("id" = i64, Path), WriteQuery),
    responses((status = 204), WriteProblems))]
#[delete("/pools/{id}")]
pub(crate) async fn delete(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<PoolId>,
) -> Result<HttpResponse, Problem> {
    fleet::pools::delete(&fleet, &caller.call, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Make a node a member of a pool. Whoever is one stays one.
#[utoipa::path(tag = "pools", operation_id = "pools.add_member",
    params(("id" = i64, Path), ("node_id" = i64, Path), WriteQuery),
    responses((status = 200, body = PoolView), WriteProblems))]
#[put("/pools/{id}/members/{node_id}")]
pub(crate) async fn add_member(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    path: Path<(PoolId, NodeId)>,
) -> Result<HttpResponse, Problem> {
    let (id, node) = path.into_inner();
    let pool = fleet::pools::add_member(&fleet, &caller.call, id, node).await?;
    Ok(shown(pool))
}

/// Take a node out of a pool. Where the pool places on all members, its peers leave the node.
#[utoipa::path(tag = "pools", operation_id = "pools.remove_member",
    params(("id" = i64, Path), ("node_id" = i64, Path), WriteQuery),
    responses((status = 200, body = PoolView), WriteProblems))]
#[delete("/pools/{id}/members/{node_id}")]
pub(crate) async fn remove_member(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    path: Path<(PoolId, NodeId)>,
) -> Result<HttpResponse, Problem> {
    let (id, node) = path.into_inner();
    let pool = fleet::pools::remove_member(&fleet, &caller.call, id, node).await?;
    Ok(shown(pool))
}

fn shown(pool: Pool) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(version::etag(pool.version))
        .json(PoolView::of(pool))
}

impl PoolDraft {
    pub(crate) fn parse(self) -> Result<NewPool, Problem> {
        let mut fields = Fields::default();
        let name = fields.take("name", Label::parse(&self.name));
        fields.text("description", &self.description);
        fields.finish(name.map(|name| NewPool {
            name,
            placement: self.placement.unwrap_or(Placement::One),
            description: self.description,
            members: self.members,
        }))
    }
}

impl PoolChange {
    pub(crate) fn parse(self) -> Result<Changes, Problem> {
        let mut fields = Fields::default();
        let name = self
            .name
            .and_then(|name| fields.take("name", Label::parse(&name)));
        if let Some(description) = &self.description {
            fields.text("description", description);
        }
        fields.finish(Some(Changes {
            name,
            placement: self.placement,
            description: self.description,
            members: self.members,
        }))
    }
}

impl PoolView {
    fn of(pool: Pool) -> Self {
        Self {
            id: pool.id,
            name: pool.name,
            placement: pool.placement,
            description: pool.description,
            members: pool.members,
            peers: pool.peers,
            version: pool.version,
            created_at: pool.created_at,
            updated_at: pool.updated_at,
        }
    }
}
