//! Changing what was said of a peer. What stays as it was is not sent on: a node is told only of what concerns it.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::draft::{Extras, on_the_clock, refuse};
use super::find;
use crate::api::caller::Writes;
use crate::api::peers::PeerChange;
use crate::api::problem::Problem;
use crate::db;
use crate::db::peers::Peer;
use crate::domain::ids::PeerId;
use crate::domain::peer::PeerChanges;
use crate::fleet::{Call, peers};
use crate::web::answer::{refused, show};
use crate::web::flash;
use crate::web::form::{Form, Holds};
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

const FIELDS: [(&str, Holds); 4] = [
    ("name", Holds::Exactly),
    ("public_key", Holds::Text),
    ("notes", Holds::Exactly),
    ("routes", Holds::List),
];

#[derive(Template)]
#[template(path = "peers/edit.html")]
struct EditPage {
    frame: Frame,
    form: Form,
    id: PeerId,
    name: String,
    zone: String,
}

pub(super) async fn edit(visit: Visit<Writes>, id: Path<PeerId>) -> Result<HttpResponse, Problem> {
    let peer = find(&visit, *id).await?;
    let names = db::peers::choices::of_peer(&visit.fleet.pool, *id).await?;
    let routes: Vec<String> = peer.routes.iter().map(ToString::to_string).collect();
    let text = |value: Option<String>| value.as_deref().unwrap_or("").to_owned();
    let form = Form::with([
        ("version", peer.version.to_string()),
        ("name", peer.name.clone()),
        ("public_key", peer.public_key.clone()),
        ("owner", text(names.and_then(|names| names.owner))),
        ("tags", peer.tags.join(", ")),
        ("routes", routes.join("\n")),
        ("notes", peer.notes.clone()),
        (
            "keepalive",
            text(peer.keepalive_s.map(|seconds| seconds.to_string())),
        ),
        (
            "expires_at",
            text(peer.expires_at.map(|at| on_the_clock(at, visit.zone()))),
        ),
    ]);
    show(&page(&visit, &peer, form).await?)
}

pub(super) async fn update(
    visit: Visit<Writes>,
    id: Path<PeerId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    let peer = find(&visit, *id).await?;
    let Some(changes) = read(&visit, &peer, &mut form).await? else {
        return refused(&page(&visit, &peer, form).await?);
    };
    let call = Call {
        if_match: form.version()?,
        ..visit.call.clone()
    };
    if let Err(err) = peers::change(&visit.fleet, &call, *id, &changes).await {
        refuse(&mut form, err, visit.language)?;
        return refused(&page(&visit, &peer, form).await?);
    }
    let text = visit.language.say("peer-was-changed");
    Ok(flash::go_to(&format!("/peers/{id}"), &text))
}

async fn read(
    visit: &Visit<Writes>,
    peer: &Peer,
    form: &mut Form,
) -> Result<Option<PeerChanges>, Problem> {
    let extras = Extras::read(visit, form).await?;
    let keepalive = match form.value("keepalive").trim() {
        "" => Some(None),
        text => text.parse::<u16>().ok().map(Some),
    };
    if keepalive.is_none() {
        form.set_mistake("keepalive", visit.language.say("peer-not-seconds"));
    }
    let parsed = form.read::<PeerChange>(&FIELDS).and_then(PeerChange::parse);
    if let Err(problem) = &parsed {
        form.refuse(problem, visit.language);
    }
    let (Ok(mut changes), Some(extras), Some(keepalive)) = (parsed, extras, keepalive) else {
        return Ok(None);
    };
    changes.public_key = changes
        .public_key
        .filter(|key| key.to_string() != peer.public_key);
    changes.routes = changes.routes.filter(|routes| *routes != peer.routes);
    changes.owner = Some(extras.owner);
    changes.tags = Some(extras.tags);
    changes.keepalive_s = Some(keepalive);
    // A field of a form knows no seconds.
    let shown = |at| on_the_clock(at, visit.zone());
    let is_another = extras.expires_at.map(shown) != peer.expires_at.map(shown);
    changes.expires_at = is_another.then_some(extras.expires_at);
    Ok(Some(changes))
}

async fn page(visit: &Visit<Writes>, peer: &Peer, form: Form) -> Result<EditPage, Problem> {
    Ok(EditPage {
        frame: visit.frame(Place::Peers).await?,
        form,
        id: peer.id,
        name: peer.name.clone(),
        zone: visit.zone().name().to_owned(),
    })
}
