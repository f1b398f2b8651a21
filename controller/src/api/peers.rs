//! `/peers`: the devices and sites that nodes let in.

use std::net::IpAddr;

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, delete, get, patch, post};
use ipnet::IpNet;
use serde::Deserialize;
use utoipa::IntoParams;

use super::body::Body;
use super::caller::{Caller, Demand, ReadsWithin, WriteQuery, WritesWithin};
use super::page::{Page, PageQuery};
use super::problem::{Problem, ReadProblems, WriteProblems};
use super::{lookup, version};
use crate::clock;
use crate::db;
use crate::db::peers::Peer;
use crate::db::peers::listing::Filter;
use crate::domain::ids::{PeerId, UserId};
use crate::domain::peer::NewPeer;
use crate::domain::reach::{Access, Belongs, Reach};
use crate::domain::role::Permission;
use crate::fleet::{self, Fleet, Refusal};

pub mod bulk;
pub mod config;
pub mod relocation;
pub mod sessions;

pub(crate) mod directory;
mod draft;
mod made;
mod view;

use directory::Directory;
pub(crate) use draft::Row;
pub use draft::{PeerChange, PeerDraft, PskDraft};
pub use made::PeerMade;
pub use relocation::PeerMove;
pub use view::{EvidenceView, IssuedView, PeerDetail, PeerView, PlacementView};

/// Which peers are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PeerQuery {
    /// Those of this network: an id or a name.
    network: Option<String>,
    /// Those of this pool: an id or a name.
    pool: Option<String>,
    /// Those that are on this node: an id or a name.
    node: Option<String>,
    /// Those of this user.
    #[param(value_type = Option<i64>)]
    owner: Option<UserId>,
    tag: Option<String>,
    /// Whether their nodes are to let them in: enabled, not expired, not isolated.
    active: Option<bool>,
    /// A part of name, key or notes; or an address, whole.
    q: Option<String>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// How many, 1 to 500; 50 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// List peers.
#[utoipa::path(tag = "peers", operation_id = "peers.list", params(PeerQuery),
    responses((status = 200, body = Page<PeerView>), ReadProblems))]
#[get("/peers")]
pub(crate) async fn index(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    query: Query<PeerQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.into_inner();
    let (cursor, limit) = (query.cursor, query.limit);
    let span = PageQuery { cursor, limit }.span()?;
    let q = lookup::part(query.q.as_deref())?;
    let address = q
        .and_then(|q| q.trim().parse().ok())
        .map(|address: IpAddr| IpNet::from(address));
    let filter = Filter {
        network: lookup::network(&fleet.pool, query.network.as_deref()).await?,
        pool: lookup::pool(&fleet.pool, query.pool.as_deref()).await?,
        node: lookup::node(&fleet.pool, query.node.as_deref()).await?,
        owner: query.owner,
        tag: lookup::part(query.tag.as_deref())?.map(str::to_owned),
        active: query.active,
        text: q.filter(|_| address.is_none()).map(str::to_owned),
        address,
        ..Filter::default()
    };
    let Some(filter) = within(filter, caller.access.reach) else {
        return Ok(HttpResponse::Ok().json(Page::of(
            Vec::new(),
            span,
            |peer| peer.id.0,
            PeerView::of,
        )));
    };
    let rows = db::peers::listing::list(&fleet.pool, &filter, span).await?;
    let page = Page::of(rows, span, |peer| peer.id.0, PeerView::of);
    Ok(HttpResponse::Ok().json(page))
}

/// Make a peer. Without a public key it gets a key pair, which only this answer shows.
#[utoipa::path(tag = "peers", operation_id = "peers.create", params(WriteQuery), request_body = PeerDraft,
    responses((status = 201, body = PeerMade), WriteProblems))]
#[post("/peers")]
pub(crate) async fn create(
    caller: Caller<WritesWithin>,
    fleet: Data<Fleet>,
    body: Body<PeerDraft>,
) -> Result<HttpResponse, Problem> {
    let mut directory = Directory::new(&fleet.pool);
    let row = body.0.read(&mut directory, clock::now()).await??;
    place(&caller.access, &row.peer)?;
    let made = fleet::peers::create(&fleet, &caller.call, row.peer).await?;
    let (id, version) = (made.peer.id, made.peer.version);
    let shown = made::show(&fleet, &caller.call, vec![made], vec![row.private_key]).await?;
    let mut answer = HttpResponse::Created();
    answer
        .insert_header(version::etag(version))
        .insert_header((header::LOCATION, format!("/api/v1/peers/{id}")));
    Ok(made::keep_out(&mut answer, &shown).json(shown.first()))
}

/// Show a peer in full.
#[utoipa::path(tag = "peers", operation_id = "peers.show", params(("id" = i64, Path)),
    responses((status = 200, body = PeerDetail), ReadProblems))]
#[get("/peers/{id}")]
pub(crate) async fn show(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    id: Path<PeerId>,
) -> Result<HttpResponse, Problem> {
    let peer = find(&fleet, &caller, *id).await?;
    shown(&fleet, peer).await
}

/// Change a peer. Its nodes are told only of what concerns them: not of a new name, say.
#[utoipa::path(tag = "peers", operation_id = "peers.change", params(("id" = i64, Path), WriteQuery),
    request_body = PeerChange, responses((status = 200, body = PeerDetail), WriteProblems))]
#[patch("/peers/{id}")]
pub(crate) async fn change(
    caller: Caller<WritesWithin>,
    fleet: Data<Fleet>,
    id: Path<PeerId>,
    body: Body<PeerChange>,
) -> Result<HttpResponse, Problem> {
    let changes = body.0.parse()?;
    find(&fleet, &caller, *id).await?;
    let peer = fleet::peers::change(&fleet, &caller.call, *id, &changes).await?;
    shown(&fleet, peer).await
}

/// Delete a peer. Its key is removed wherever it is seen, and its addresses rest.
#[utoipa::path(tag = "peers", operation_id = "peers.delete", params(("id" = i64, Path), WriteQuery),
    responses((status = 204), WriteProblems))]
#[delete("/peers/{id}")]
pub(crate) async fn delete(
    caller: Caller<WritesWithin>,
    fleet: Data<Fleet>,
    id: Path<PeerId>,
) -> Result<HttpResponse, Problem> {
    find(&fleet, &caller, *id).await?;
    fleet::peers::delete(&fleet, &caller.call, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Isolate a peer: its key goes from every node before anything else is done there. It keeps all it has.
#[utoipa::path(tag = "peers", operation_id = "peers.isolate", params(("id" = i64, Path), WriteQuery),
    responses((status = 200, body = PeerDetail), WriteProblems))]
#[post("/peers/{id}/isolation")]
pub(crate) async fn isolate(
    caller: Caller<WritesWithin>,
    fleet: Data<Fleet>,
    id: Path<PeerId>,
) -> Result<HttpResponse, Problem> {
    find(&fleet, &caller, *id).await?;
    let peer = fleet::peers::isolate(&fleet, &caller.call, *id).await?;
    shown(&fleet, peer).await
}

/// Let an isolated peer in again.
#[utoipa::path(tag = "peers", operation_id = "peers.release", params(("id" = i64, Path), WriteQuery),
    responses((status = 200, body = PeerDetail), WriteProblems))]
#[delete("/peers/{id}/isolation")]
pub(crate) async fn release(
    caller: Caller<WritesWithin>,
    fleet: Data<Fleet>,
    id: Path<PeerId>,
) -> Result<HttpResponse, Problem> {
    find(&fleet, &caller, *id).await?;
    let peer = fleet::peers::release(&fleet, &caller.call, *id).await?;
    shown(&fleet, peer).await
}

/// Finds a peer that the caller reaches; one beyond that is not there.
pub(crate) async fn find<D: Demand>(
    fleet: &Fleet,
    caller: &Caller<D>,
    id: PeerId,
) -> Result<Peer, Problem> {
    let peer = db::peers::find(&fleet.pool, id).await?;
    let peer = peer.ok_or_else(|| Refusal::missing("peer", id))?;
    let belongs = Belongs {
        pools: peer.pool.as_slice(),
        networks: &[peer.network],
    };
    caller.check("peer", id, belongs)?;
    Ok(peer)
}

/// Refuses to make a peer where whoever asks reaches nothing.
pub(crate) fn place(access: &Access, peer: &NewPeer) -> Result<(), Refusal> {
    let belongs = Belongs {
        pools: peer.pool.as_slice(),
        networks: &[peer.network],
    };
    match access.may_to(Permission::Write, belongs) {
        true => Ok(()),
        false => Err(Refusal::missing("place within reach for peer", &peer.name)),
    }
}

/// Narrows a list to what a caller reaches. None: that is nothing.
pub(crate) fn within(filter: Filter, reach: Reach) -> Option<Filter> {
    let (pool, network) = reach.narrow(filter.pool, filter.network)?;
    Some(Filter {
        pool,
        network,
        ..filter
    })
}

async fn shown(fleet: &Fleet, peer: Peer) -> Result<HttpResponse, Problem> {
    let etag = version::etag(peer.version);
    let detail = PeerDetail::read(fleet, peer).await?;
    Ok(HttpResponse::Ok().insert_header(etag).json(detail))
}
