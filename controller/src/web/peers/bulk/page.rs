//! The page that says what an act on many peers means, before it is done.

use askama::Template;

use super::super::target::Target;
use super::super::wanted::Selection;
use super::moving::{self, Means};
use crate::api::problem::Problem;
use crate::db::peers::bulk as rows;
use crate::domain::ids::PeerId;
use crate::domain::profile::Language;
use crate::fleet::peers::bulk;
use crate::web::form::Form;
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

/// Above that many, the number is written by hand.
pub(super) const CONFIRMED: u64 = 25;

#[derive(Template)]
#[template(path = "peers/bulk.html")]
pub(super) struct BulkPage {
    frame: Frame,
    form: Form,
    selection: Selection,
    act: &'static str,
    action: &'static str,
    heading: String,
    consequences: Vec<String>,
    button: String,
    /// Where to, of a move.
    moving: Option<Means>,
    count: u64,
    needs_tag: bool,
    needs_confirmation: bool,
    is_dangerous: bool,
}

pub(super) async fn page<D>(
    visit: &Visit<D>,
    mut form: Form,
    selection: Selection,
    act: &'static str,
    ids: &[PeerId],
) -> Result<BulkPage, Problem> {
    let t = visit.language;
    let count = ids.len() as u64;
    if ids.len() > bulk::MOST {
        form.refusal = Some(t.count("bulk-too-many", bulk::MOST as u64));
    }
    let (heading, button) = names(t, act, count);
    let mut page = BulkPage {
        frame: visit.frame(Place::Peers).await?,
        needs_confirmation: count > CONFIRMED,
        needs_tag: matches!(act, "tag" | "untag"),
        is_dangerous: matches!(act, "disable" | "delete" | "move"),
        form,
        selection,
        act,
        action: "/peers/bulk/run",
        heading,
        consequences: Vec::new(),
        button,
        count,
        moving: None,
    };
    match act {
        "move" => page.move_means(visit, ids).await?,
        "disable" | "delete" => page.consequences = lost(visit, act, ids).await?,
        _ => {}
    }
    Ok(page)
}

/// What stops when peers are kept out or gone.
async fn lost<D>(visit: &Visit<D>, act: &str, ids: &[PeerId]) -> Result<Vec<String>, Problem> {
    let t = visit.language;
    let radius = rows::radius(&visit.fleet.pool, ids).await?;
    let mut consequences = vec![
        t.count("bulk-lose-session", radius.online.unsigned_abs()),
        t.count("bulk-nodes-told", radius.nodes.unsigned_abs()),
    ];
    if radius.routes > 0 {
        consequences.push(t.count("bulk-routes-lost", radius.routes.unsigned_abs()));
    }
    if act == "delete" {
        let rest = t.span(visit.fleet.settings.address_rest);
        consequences.push(t.say_with("peer-delete-means", [("rest", rest.into())]));
    }
    Ok(consequences)
}

impl BulkPage {
    /// Says what the move means that the form names; where that is nothing, another one can be chosen.
    async fn move_means<D>(&mut self, visit: &Visit<D>, ids: &[PeerId]) -> Result<(), Problem> {
        let t = visit.language;
        let mut means = moving::means(visit, Target::of(&self.form), ids).await?;
        self.consequences = std::mem::take(&mut means.consequences);
        self.button = t.count("bulk-move-button", means.changing);
        if means.choose.is_some() {
            self.action = "/peers/bulk";
            self.button = t.say("peer-move-look");
            self.needs_confirmation = false;
            self.is_dangerous = false;
        }
        self.moving = Some(means);
        Ok(())
    }
}

/// What an act is called: as a question, and as the button that answers it.
pub(super) fn names(t: Language, act: &str, count: u64) -> (String, String) {
    match act {
        "enable" => (
            t.count("bulk-enable-ask", count),
            t.count("bulk-enable-button", count),
        ),
        "disable" => (
            t.count("bulk-disable-ask", count),
            t.count("bulk-disable-button", count),
        ),
        "delete" => (
            t.count("bulk-delete-ask", count),
            t.count("bulk-delete-button", count),
        ),
        "tag" => (
            t.count("bulk-tag-ask", count),
            t.count("bulk-tag-button", count),
        ),
        "move" => (
            t.count("bulk-move-ask", count),
            t.count("bulk-move-button", count),
        ),
        _ => (
            t.count("bulk-untag-ask", count),
            t.count("bulk-untag-button", count),
        ),
    }
}
