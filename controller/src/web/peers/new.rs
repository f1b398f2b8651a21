//! A new peer. Its key comes from the device's owner, from their browser, or from here; only in the last case does a
//! private key pass through, and is shown once.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use askama::Template;

use super::config::{ConfigPage, Device};
use super::draft::{Extras, refuse};
use crate::api::caller::Writes;
use crate::api::peers::directory::Directory;
use crate::api::peers::{PeerDraft, place};
use crate::api::problem::Problem;
use crate::clock;
use crate::db;
use crate::db::peers::choices::Choices;
use crate::domain::config_text::Mode;
use crate::fleet;
use crate::fleet::peers::issue;
use crate::web::answer::{answer_once, refused, show};
use crate::web::flash;
use crate::web::form::{Form, Holds};
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

const FIELDS: [(&str, Holds); 9] = [
    ("network", Holds::Exactly),
    ("pool", Holds::Text),
    ("node", Holds::Text),
    ("name", Holds::Exactly),
    ("public_key", Holds::Text),
    ("notes", Holds::Exactly),
    ("keepalive", Holds::Number),
    ("address_v4", Holds::Text),
    ("address_v6", Holds::Text),
];

#[derive(Template)]
#[template(path = "peers/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    choices: Choices,
    zone: String,
}

pub(super) async fn new(visit: Visit<Writes>) -> Result<HttpResponse, Problem> {
    let form = Form::with([
        ("key", "controller".to_owned()),
        ("mode", Mode::Split.to_string()),
    ]);
    show(&page(&visit, form).await?)
}

pub(super) async fn create(visit: Visit<Writes>, mut form: Form) -> Result<HttpResponse, Problem> {
    let mode = Mode::parse(form.value("mode")).unwrap_or(Mode::Split);
    let row = match read(&visit, &mut form).await? {
        Some(row) => row,
        None => return refused(&page(&visit, form).await?),
    };
    let made = match fleet::peers::create(&visit.fleet, &visit.call, row.peer).await {
        Ok(made) => made,
        Err(err) => {
            refuse(&mut form, err, visit.language)?;
            return refused(&page(&visit, form).await?);
        }
    };
    let id = made.peer.id;
    let Some(key) = row.private_key else {
        let text = visit
            .language
            .say_with("peer-made", [("name", made.peer.name.into())]);
        return Ok(flash::go_to(
            &format!("/peers/{id}/config?mode={mode}"),
            &text,
        ));
    };
    let keys = BTreeMap::from([(id, key)]);
    let mut texts = issue::issue_whole(&visit.fleet, &keys, mode).await?;
    let (issued, problem) = match texts.remove(&id) {
        Some(Ok(issued)) => (Some(issued), None),
        Some(Err(refusal)) => (None, Some(visit.language.refusal(refusal))),
        None => (None, None),
    };
    let device = Device {
        id,
        name: made.peer.name,
        key: keys.into_values().next(),
        issued,
        problem,
    };
    answer_once(&ConfigPage::of(
        visit.frame(Place::Peers).await?,
        device,
        mode,
    )?)
}

/// What the form asks for; none if something in it is wrong, which it then says.
async fn read(
    visit: &Visit<Writes>,
    form: &mut Form,
) -> Result<Option<crate::api::peers::Row>, Problem> {
    let now = clock::now();
    let t = visit.language;
    let is_made_here = form.is("key", "controller");
    if is_made_here {
        form.forget("public_key");
    } else if form.value("public_key").trim().is_empty() {
        form.set_mistake("public_key", t.say("peer-key-missing"));
    }
    let extras = Extras::read(visit, form).await?;
    if extras
        .as_ref()
        .and_then(|extras| extras.expires_at)
        .is_some_and(|at| at <= now)
    {
        form.set_mistake("expires_at", t.say("peer-expiry-past"));
    }
    let row = match form.read::<PeerDraft>(&FIELDS) {
        Ok(draft) => {
            draft
                .read(&mut Directory::new(&visit.fleet.pool), now)
                .await?
        }
        Err(problem) => Err(problem),
    };
    let row = row.and_then(|row| Ok(place(&visit.access, &row.peer).map(|()| row)?));
    if let Err(problem) = &row {
        form.refuse(problem, visit.language);
    }
    let (Ok(mut row), Some(extras), false) = (row, extras, form.is_mistaken()) else {
        return Ok(None);
    };
    row.peer.owner = extras.owner;
    row.peer.tags = extras.tags;
    row.peer.expires_at = extras.expires_at;
    Ok(Some(row))
}

async fn page(visit: &Visit<Writes>, form: Form) -> Result<NewPage, Problem> {
    Ok(NewPage {
        frame: visit.frame(Place::Peers).await?,
        form,
        choices: db::peers::choices::within(&visit.fleet.pool, visit.access.reach).await?,
        zone: visit.zone().name().to_owned(),
    })
}
