//! `/interfaces`: the WireGuard devices of nodes, each serving one network.

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, delete, get, patch, post};
use protocol::PublicKey;
use serde::Deserialize;
use sqlx::PgPool;
use utoipa::{IntoParams, ToSchema};

use super::body::Body;
use super::caller::{Caller, ReadsWithin, WriteQuery, Writes};
use super::fields::Fields;
use super::page::{Page, PageQuery};
use super::problem::{Problem, ReadProblems, WriteProblems};
use super::{lookup, nodes, version};
use crate::clock;
use crate::db;
use crate::db::interfaces::Interface;
use crate::domain::ids::{InterfaceId, NodeId};
use crate::domain::reach::Access;
use crate::fleet::{self, Fleet, Refusal};

mod draft;
mod view;

pub use draft::{InterfaceChange, InterfaceDraft};
pub(crate) use view::endpoint;
pub use view::{InterfaceView, KeyChangeView, SyncView};

/// Which interfaces are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InterfaceQuery {
    /// Those of this node.
    #[param(value_type = Option<i64>)]
    node: Option<NodeId>,
    /// Those that serve this network: an id or a name.
    network: Option<String>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// How many, 1 to 500; 50 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// List interfaces.
#[utoipa::path(tag = "interfaces", operation_id = "interfaces.list", params(InterfaceQuery),
    responses((status = 200, body = Page<InterfaceView>), ReadProblems))]
#[get("/interfaces")]
pub(crate) async fn index(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    query: Query<InterfaceQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.into_inner();
    let (cursor, limit) = (query.cursor, query.limit);
    let span = PageQuery { cursor, limit }.span()?;
    let network = lookup::network(&fleet.pool, query.network.as_deref()).await?;
    let rows = match caller.access.reach.narrow(None, network) {
        Some((pool, network)) => {
            db::interfaces::list(&fleet.pool, query.node, network, pool, span).await?
        }
        None => Vec::new(),
    };
    let now = clock::now();
    let view = |interface| InterfaceView::of(interface, now);
    Ok(HttpResponse::Ok().json(Page::of(rows, span, |interface| interface.id.0, view)))
}

/// Add an interface to a node.
#[utoipa::path(tag = "interfaces", operation_id = "interfaces.create", params(("id" = i64, Path), WriteQuery),
    request_body = InterfaceDraft, responses((status = 201, body = InterfaceView), WriteProblems))]
#[post("/nodes/{id}/interfaces")]
pub(crate) async fn create(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    node: Path<NodeId>,
    body: Body<InterfaceDraft>,
) -> Result<HttpResponse, Problem> {
    let new = body.0.parse()?;
    let interface = fleet::interfaces::create(&fleet, &caller.call, *node, &new).await?;
    let location = format!("/api/v1/interfaces/{}", interface.id);
    Ok(HttpResponse::Created()
        .insert_header(version::etag(interface.version))
        .insert_header((header::LOCATION, location))
        .json(InterfaceView::of(interface, clock::now())))
}

/// Show an interface, with what was last seen of it.
#[utoipa::path(tag = "interfaces", operation_id = "interfaces.show", params(("id" = i64, Path)),
    responses((status = 200, body = InterfaceView), ReadProblems))]
#[get("/interfaces/{id}")]
pub(crate) async fn show(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    id: Path<InterfaceId>,
) -> Result<HttpResponse, Problem> {
    Ok(shown(find(&fleet.pool, &caller.access, *id).await?))
}

/// Change an interface.
#[utoipa::path(tag = "interfaces", operation_id = "interfaces.change", params(("id" = i64, Path), WriteQuery),
    request_body = InterfaceChange, responses((status = 200, body = InterfaceView), WriteProblems))]
#[patch("/interfaces/{id}")]
pub(crate) async fn change(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<InterfaceId>,
    body: Body<InterfaceChange>,
) -> Result<HttpResponse, Problem> {
    let changes = body.0.parse()?;
    let interface = fleet::interfaces::change(&fleet, &caller.call, *id, &changes).await?;
    Ok(shown(interface))
}

/// Delete an interface that holds no peers. The device stays as it is.
#[utoipa::path(tag = "interfaces", operation_id = "interfaces.delete", params(("id" = i64, Path), WriteQuery),
    responses((status = 204), WriteProblems))]
#[delete("/interfaces/{id}")]
pub(crate) async fn delete(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<InterfaceId>,
) -> Result<HttpResponse, Problem> {
    fleet::interfaces::delete(&fleet, &caller.call, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The key that somebody has seen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeySeen {
    /// Base64: the one that the interface has now.
    public_key: String,
}

/// Acknowledge that an interface has another key than before. Refused where it has yet another by now.
#[utoipa::path(tag = "interfaces", operation_id = "interfaces.acknowledge_key", params(("id" = i64, Path), WriteQuery),
    request_body = KeySeen, responses((status = 200, body = InterfaceView), WriteProblems))]
#[post("/interfaces/{id}/key-acknowledgement")]
pub(crate) async fn acknowledge_key(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<InterfaceId>,
    body: Body<KeySeen>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let seen = fields.take("public_key", PublicKey::parse(&body.0.public_key));
    let seen = fields.finish(seen)?;
    let interface = fleet::interfaces::acknowledge_key(&fleet, &caller.call, *id, &seen).await?;
    Ok(shown(interface))
}

/// An interface that is reached; one beyond that is not there.
pub(crate) async fn find(
    pool: &PgPool,
    access: &Access,
    id: InterfaceId,
) -> Result<Interface, Problem> {
    let missing = || Refusal::missing("interface", id);
    let interface = db::interfaces::find(pool, id).await?;
    let interface = interface.ok_or_else(missing)?;
    let node = db::nodes::find(pool, interface.node_id).await?;
    match node.is_some_and(|node| nodes::covers(access, &node, &interface)) {
        true => Ok(interface),
        false => Err(missing().into()),
    }
}

fn shown(interface: Interface) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(version::etag(interface.version))
        .json(InterfaceView::of(interface, clock::now()))
}
