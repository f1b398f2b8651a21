//! `/nodes`: the servers whose agents make peers real.

use std::iter;

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, delete, get, patch, post};
use serde::Deserialize;
use sqlx::PgPool;
use utoipa::IntoParams;

use super::body::Body;
use super::caller::{Caller, ReadsWithin, WriteQuery, Writes};
use super::page::{Page, PageQuery};
use super::problem::{Problem, ReadProblems, WriteProblems};
use super::{lookup, version};
use crate::clock;
use crate::db;
use crate::db::interfaces::Interface;
use crate::db::nodes::{Filter, Node};
use crate::domain::ids::NodeId;
use crate::domain::names::Label;
use crate::domain::node::State;
use crate::domain::reach::{Access, Belongs};
use crate::domain::role::Permission;
use crate::fleet::nodes::Added;
use crate::fleet::{self, Fleet, Refusal};

pub mod connection;
mod draft;
mod view;

pub use draft::{NodeChange, NodeDraft, SecretDraft};
pub use view::{NodeDetail, NodeView, NodeWithSecret, StatusView};

/// Which nodes are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NodeQuery {
    /// A part of the name.
    q: Option<String>,
    #[param(inline)]
    state: Option<State>,
    /// Members of this pool: an id or a name.
    pool: Option<String>,
    /// Those that serve this network: an id or a name.
    network: Option<String>,
    region: Option<String>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// How many, 1 to 500; 50 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// List nodes.
#[utoipa::path(tag = "nodes", operation_id = "nodes.list", params(NodeQuery),
    responses((status = 200, body = Page<NodeView>), ReadProblems))]
#[get("/nodes")]
pub(crate) async fn index(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    query: Query<NodeQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.into_inner();
    let (cursor, limit) = (query.cursor, query.limit);
    let span = PageQuery { cursor, limit }.span()?;
    let pool = lookup::pool(&fleet.pool, query.pool.as_deref()).await?;
    let network = lookup::network(&fleet.pool, query.network.as_deref()).await?;
    let rows = match caller.access.reach.narrow(pool, network) {
        Some((pool, network)) => {
            let filter = Filter {
                q: lookup::part(query.q.as_deref())?,
                state: query.state,
                pool,
                network,
                region: region(query.region.as_deref())?,
            };
            db::nodes::list(&fleet.pool, &filter, span).await?
        }
        None => Vec::new(),
    };
    let mut rows = with_interfaces(&fleet.pool, rows).await?;
    for (node, interfaces) in &mut rows {
        interfaces.retain(|interface| covers(&caller.access, node, interface));
    }
    let now = clock::now();
    let view = |(node, interfaces)| NodeView::of(node, interfaces, now);
    Ok(HttpResponse::Ok().json(Page::of(rows, span, |(node, _)| node.id.0, view)))
}

/// Add a node, and with it its first interface. Whether it can be reached shows afterwards; to know before, test it.
#[utoipa::path(tag = "nodes", operation_id = "nodes.create", params(WriteQuery), request_body = NodeDraft,
    responses((status = 201, body = NodeWithSecret), WriteProblems))]
#[post("/nodes")]
pub(crate) async fn create(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    body: Body<NodeDraft>,
) -> Result<HttpResponse, Problem> {
    let (new, secret, interface) = body.0.parse()?;
    let added =
        fleet::nodes::create(&fleet, &caller.call, &new, secret, interface.as_ref()).await?;
    let Added {
        node,
        interfaces,
        generated,
    } = added;
    Ok(HttpResponse::Created()
        // It may hold a secret that is shown this once.
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(version::etag(node.version))
        .insert_header((header::LOCATION, format!("/api/v1/nodes/{}", node.id)))
        .json(NodeWithSecret::of(
            node,
            interfaces,
            clock::now(),
            generated.as_ref(),
        )))
}

/// Show a node, with what was last seen of it.
#[utoipa::path(tag = "nodes", operation_id = "nodes.show", params(("id" = i64, Path)),
    responses((status = 200, body = NodeDetail), ReadProblems))]
#[get("/nodes/{id}")]
pub(crate) async fn show(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    id: Path<NodeId>,
) -> Result<HttpResponse, Problem> {
    let (node, interfaces) = find(&fleet.pool, &caller.access, *id).await?;
    let health = db::nodes::health(&fleet.pool, node.id).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version::etag(node.version))
        .json(NodeDetail::of(node, interfaces, clock::now(), health)))
}

/// Change a node. A disabled one is neither asked nor told anything and keeps its peers.
#[utoipa::path(tag = "nodes", operation_id = "nodes.change", params(("id" = i64, Path), WriteQuery),
    request_body = NodeChange, responses((status = 200, body = NodeView), WriteProblems))]
#[patch("/nodes/{id}")]
pub(crate) async fn change(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<NodeId>,
    body: Body<NodeChange>,
) -> Result<HttpResponse, Problem> {
    let changes = body.0.parse()?;
    let node = fleet::nodes::change(&fleet, &caller.call, *id, &changes).await?;
    let interfaces = db::interfaces::of_nodes(&fleet.pool, &[node.id]).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version::etag(node.version))
        .json(NodeView::of(node, interfaces, clock::now())))
}

/// Delete a node that holds no peers, with its interfaces. The machine is not told.
#[utoipa::path(tag = "nodes", operation_id = "nodes.delete", params(("id" = i64, Path), WriteQuery),
    responses((status = 204), WriteProblems))]
#[delete("/nodes/{id}")]
pub(crate) async fn delete(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<NodeId>,
) -> Result<HttpResponse, Problem> {
    fleet::nodes::delete(&fleet, &caller.call, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take note of a secret that was, or is about to be, replaced on the machine.
#[utoipa::path(tag = "nodes", operation_id = "nodes.replace_secret", params(("id" = i64, Path), WriteQuery),
    request_body = SecretDraft, responses((status = 200, body = NodeWithSecret), WriteProblems))]
#[post("/nodes/{id}/secret")]
pub(crate) async fn replace_secret(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<NodeId>,
    body: Body<SecretDraft>,
) -> Result<HttpResponse, Problem> {
    let secret = body.0.parse()?;
    let (node, generated) = fleet::nodes::replace_secret(&fleet, &caller.call, *id, secret).await?;
    let interfaces = db::interfaces::of_nodes(&fleet.pool, &[node.id]).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(version::etag(node.version))
        .json(NodeWithSecret::of(
            node,
            interfaces,
            clock::now(),
            generated.as_ref(),
        )))
}

/// A node with those of its interfaces that are reached; one beyond reach is not there.
pub(crate) async fn find(
    pool: &PgPool,
    access: &Access,
    id: NodeId,
) -> Result<(Node, Vec<Interface>), Problem> {
    let missing = || Refusal::missing("node", id);
    let node = db::nodes::find(pool, id).await?.ok_or_else(missing)?;
    let mut interfaces = db::interfaces::of_nodes(pool, &[id]).await?;
    interfaces.retain(|interface| covers(access, &node, interface));
    let networks: Vec<_> = interfaces.iter().map(|one| one.network_id).collect();
    let belongs = Belongs {
        pools: &node.pools,
        networks: &networks,
    };
    match access.may_to(Permission::Read, belongs) {
        true => Ok((node, interfaces)),
        false => Err(missing().into()),
    }
}

/// Whether an interface of a node is reached: it belongs to all pools of the node, and to the network that it serves.
pub(crate) fn covers(access: &Access, node: &Node, interface: &Interface) -> bool {
    let belongs = Belongs {
        pools: &node.pools,
        networks: &[interface.network_id],
    };
    access.may_to(Permission::Read, belongs)
}

/// Both lists are ordered by node, so one walk joins them.
async fn with_interfaces(
    pool: &PgPool,
    nodes: Vec<Node>,
) -> Result<Vec<(Node, Vec<Interface>)>, Problem> {
    let ids: Vec<NodeId> = nodes.iter().map(|node| node.id).collect();
    let interfaces = db::interfaces::of_nodes(pool, &ids).await?;
    let mut interfaces = interfaces.into_iter().peekable();
    let joined = nodes.into_iter().map(|node| {
        let own = iter::from_fn(|| interfaces.next_if(|interface| interface.node_id == node.id));
        let own = own.collect();
        (node, own)
    });
    Ok(joined.collect())
}

fn region(region: Option<&str>) -> Result<Option<Label>, Problem> {
    let parsed = region.map(Label::parse).transpose();
    parsed.map_err(|err| Refusal::invalid("invalid_query", format!("region {err}")).into())
}
