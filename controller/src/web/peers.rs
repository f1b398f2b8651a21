//! `/peers`: the devices and sites that nodes let in.
//!
//! Whoever is limited to a pool or a network sees and deletes what belongs to it, as at the API; the rest of what
//! changes peers takes somebody who reaches everything.

mod acts;
mod bulk;
mod config;
mod density;
mod draft;
mod edit;
mod evidence;
mod export;
mod import;
mod index;
mod new;
mod relocate;
mod sessions;
mod show;
mod target;
mod traffic;
mod wanted;
mod why;

use actix_web::http::StatusCode;

use super::table::Table;
use super::visit::Visit;
use crate::api::caller::Demand;
use crate::api::problem::Problem;
use crate::db;
use crate::db::peers::Peer;
use crate::domain::ids::PeerId;
use crate::domain::reach::Belongs;
use crate::fleet::Refusal;

pub(super) fn configure(table: &mut Table<'_>) {
    table
        .get("/peers", index::index)
        .post("/peers", new::create)
        .get("/peers/rows", index::rows)
        .get("/peers/new", new::new)
        .post("/peers/bulk", bulk::preview)
        .post("/peers/bulk/run", bulk::run)
        .post("/peers/bulk/next", bulk::go_on)
        .get("/peers/import", import::show)
        .post("/peers/import", import::run)
        .get("/peers/{id:\\d+}", show::show)
        .post("/peers/{id:\\d+}", edit::update)
        .get("/peers/{id:\\d+}/edit", edit::edit)
        .get("/peers/{id:\\d+}/config", config::show)
        .get("/peers/{id:\\d+}/stale", show::stale)
        .get("/peers/{id:\\d+}/sessions", sessions::index)
        .get("/peers/{id:\\d+}/traffic", traffic::show)
        .post("/peers/{id:\\d+}/enable", acts::enable)
        .post("/peers/{id:\\d+}/disable", acts::disable)
        .post("/peers/{id:\\d+}/isolate", acts::isolate)
        .post("/peers/{id:\\d+}/release", acts::release)
        .get("/peers/{id:\\d+}/move", relocate::ask)
        .post("/peers/{id:\\d+}/move", relocate::run)
        .get("/peers/{id:\\d+}/delete", acts::ask)
        .post("/peers/{id:\\d+}/delete", acts::delete);
}

/// Finds a peer that the visitor reaches; one beyond that is not there.
async fn find<D: Demand>(visit: &Visit<D>, id: PeerId) -> Result<Peer, Problem> {
    let peer = db::peers::find(&visit.fleet.pool, id).await?;
    let reached = peer.filter(|peer| {
        let belongs = Belongs {
            pools: peer.pool.as_slice(),
            networks: &[peer.network],
        };
        visit.access.may_to(D::PERMISSION, belongs)
    });
    Ok(reached.ok_or_else(|| Refusal::missing("peer", id))?)
}

fn beyond() -> Problem {
    let text = "your role does not extend to this";
    Problem::new(StatusCode::FORBIDDEN, "forbidden", text)
}
