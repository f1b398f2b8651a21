//! Moving one peer: first where it is to be, then what that means, then the act.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;

use super::find;
use super::target::{Places, Target};
use super::why::Why;
use crate::api::caller::Writes;
use crate::api::peers::relocation::permit;
use crate::api::problem::Problem;
use crate::db;
use crate::db::peers::Peer;
use crate::domain::ids::{InterfaceId, PeerId};
use crate::fleet::peers::relocate::{self, Fate, Preview};
use crate::fleet::{Call, FleetError, peers};
use crate::web::answer::{refused, show as show_page};
use crate::web::flash;
use crate::web::form::Form;
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

/// Empty fields name nothing.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    to_node: String,
    #[serde(default)]
    to_pool: String,
}

#[derive(Template)]
#[template(path = "peers/move.html")]
struct MovePage {
    frame: Frame,
    heading: String,
    id: PeerId,
    name: String,
    version: i64,
    nodes: Vec<String>,
    target: Target,
    places: Places,
    /// Why it cannot go there.
    refusal: Option<String>,
    found: Option<Found>,
}

/// What would become of it.
struct Found {
    text: String,
    /// There is something to do.
    is_change: bool,
    why: Option<Why>,
}

pub(super) async fn ask(
    visit: Visit<Writes>,
    id: Path<PeerId>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let peer = find(&visit, *id).await?;
    let wanted = wanted.into_inner();
    let target = Target {
        node: wanted.to_node,
        pool: wanted.to_pool,
    };
    let mut page = MovePage::of(&visit, peer.clone(), target).await?;
    if page.target.is_named() {
        match look(&visit, &peer, &page).await {
            Ok(found) => page.found = Some(found),
            Err(FleetError::Refused(refusal)) => {
                page.refusal = Some(visit.language.refusal(refusal));
            }
            Err(err) => return Err(err.into()),
        }
    }
    show_page(&page)
}

pub(super) async fn run(
    visit: Visit<Writes>,
    id: Path<PeerId>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let peer = find(&visit, *id).await?;
    let call = Call {
        if_match: form.version()?,
        ..visit.call.clone()
    };
    let target = Target::of(&form);
    let moved = match target.wish().and_then(|wish| {
        permit(&visit.access, &peer, wish)?;
        Ok(wish)
    }) {
        Ok(wish) => peers::relocate(&visit.fleet, &call, *id, wish).await,
        Err(refusal) => Err(refusal.into()),
    };
    match moved {
        Ok(made) => {
            let text = match made.peer.version == peer.version {
                true => visit.language.say("peer-was-there"),
                false => visit.language.say("peer-was-moved"),
            };
            Ok(flash::go_to(&format!("/peers/{id}"), &text))
        }
        Err(FleetError::Refused(refusal)) => {
            let mut page = MovePage::of(&visit, peer, target).await?;
            page.refusal = Some(visit.language.refusal(refusal));
            refused(&page)
        }
        Err(err) => Err(err.into()),
    }
}

async fn look(visit: &Visit<Writes>, peer: &Peer, page: &MovePage) -> Result<Found, FleetError> {
    let wish = page.target.wish()?;
    permit(&visit.access, peer, wish)?;
    let Preview { fates, nodes } = relocate::preview(&visit.fleet, &[peer.id], wish).await?;
    let t = visit.language;
    let from = page.nodes.join(", ");
    Ok(match fates.into_iter().next() {
        None | Some(Fate::Already) => Found {
            text: t.say("peer-move-already"),
            is_change: false,
            why: None,
        },
        Some(Fate::Stays) => Found {
            text: t.say_with("peer-move-stays", [("node", from.into())]),
            is_change: true,
            why: None,
        },
        Some(Fate::Goes(route)) => Found {
            text: t.say_with(
                "peer-move-goes",
                [
                    ("from", from.into()),
                    ("to", named(&route.interfaces, &nodes).join(", ").into()),
                ],
            ),
            is_change: true,
            why: route
                .explanation
                .map(|why| Why::of(&page.frame, &why, page.frame.ago(page.frame.now))),
        },
        Some(Fate::Cannot(refusal)) => return Err(refusal.into()),
    })
}

/// The names of the nodes that have these interfaces.
fn named(interfaces: &[InterfaceId], nodes: &BTreeMap<InterfaceId, String>) -> Vec<String> {
    let names = interfaces
        .iter()
        .filter_map(|interface| nodes.get(interface));
    names.cloned().collect()
}

impl MovePage {
    async fn of(visit: &Visit<Writes>, peer: Peer, target: Target) -> Result<Self, Problem> {
        let homes = db::peers::homes::of_peers(&visit.fleet.pool, &[peer.id]).await?;
        let reach = visit.access.reach;
        let places = Places::within(&visit.fleet, reach, Some(peer.network)).await?;
        Ok(Self {
            frame: visit.frame(Place::Peers).await?,
            heading: visit
                .language
                .say_with("peer-move-ask", [("name", peer.name.as_str().into())]),
            id: peer.id,
            name: peer.name,
            version: peer.version,
            nodes: homes.into_iter().map(|home| home.node_name).collect(),
            target,
            places,
            refusal: None,
            found: None,
        })
    }
}
