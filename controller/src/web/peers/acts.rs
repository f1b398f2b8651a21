//! What is done to one peer at the press of a button, and the page that says what deleting it means.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::find;
use crate::api::caller::Writes;
use crate::api::problem::Problem;
use crate::db;
use crate::domain::ids::PeerId;
use crate::domain::peer::PeerChanges;
use crate::fleet::peers;
use crate::web::answer::show;
use crate::web::flash;
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "peers/delete.html")]
struct DeletePage {
    frame: Frame,
    id: PeerId,
    name: String,
    nodes: Vec<String>,
    routes: Vec<String>,
    heading: String,
    consequence: String,
}

pub(super) async fn enable(
    visit: Visit<Writes>,
    id: Path<PeerId>,
) -> Result<HttpResponse, Problem> {
    let text = visit.language.say("peer-was-enabled");
    set_enabled(&visit, *id, true, text).await
}

pub(super) async fn disable(
    visit: Visit<Writes>,
    id: Path<PeerId>,
) -> Result<HttpResponse, Problem> {
    let text = visit.language.say("peer-was-disabled");
    set_enabled(&visit, *id, false, text).await
}

async fn set_enabled(
    visit: &Visit<Writes>,
    id: PeerId,
    enabled: bool,
    text: String,
) -> Result<HttpResponse, Problem> {
    let peer = find(visit, id).await?;
    if peer.enabled != enabled {
        let changes = PeerChanges {
            enabled: Some(enabled),
            ..PeerChanges::default()
        };
        peers::change(&visit.fleet, &visit.call, id, &changes).await?;
    }
    Ok(flash::go_to(&format!("/peers/{id}"), &text))
}

pub(super) async fn isolate(
    visit: Visit<Writes>,
    id: Path<PeerId>,
) -> Result<HttpResponse, Problem> {
    find(&visit, *id).await?;
    peers::isolate(&visit.fleet, &visit.call, *id).await?;
    let text = visit.language.say("peer-was-isolated");
    Ok(flash::go_to(&format!("/peers/{id}"), &text))
}

pub(super) async fn release(
    visit: Visit<Writes>,
    id: Path<PeerId>,
) -> Result<HttpResponse, Problem> {
    find(&visit, *id).await?;
    peers::release(&visit.fleet, &visit.call, *id).await?;
    let text = visit.language.say("peer-was-released");
    Ok(flash::go_to(&format!("/peers/{id}"), &text))
}

pub(super) async fn ask(visit: Visit<Writes>, id: Path<PeerId>) -> Result<HttpResponse, Problem> {
    let peer = find(&visit, *id).await?;
    let homes = db::peers::homes::of_peers(&visit.fleet.pool, &[*id]).await?;
    let rest = visit.language.span(visit.fleet.settings.address_rest);
    let consequence = visit
        .language
        .say_with("peer-delete-means", [("rest", rest.into())]);
    show(&DeletePage {
        frame: visit.frame(Place::Peers).await?,
        heading: visit
            .language
            .say_with("peer-delete-ask", [("name", peer.name.as_str().into())]),
        id: peer.id,
        name: peer.name,
        nodes: homes.into_iter().map(|home| home.node_name).collect(),
        routes: peer.routes.iter().map(ToString::to_string).collect(),
        consequence,
    })
}

pub(super) async fn delete(
    visit: Visit<Writes>,
    id: Path<PeerId>,
) -> Result<HttpResponse, Problem> {
    let peer = find(&visit, *id).await?;
    peers::change::delete(&visit.fleet, &visit.call, *id).await?;
    let text = visit
        .language
        .say_with("peer-was-deleted", [("name", peer.name.into())]);
    Ok(flash::go_to("/peers", &text))
}
