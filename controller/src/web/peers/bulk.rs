//! Many peers at once: first a page that says what will be, then the act.
//!
//! All that match are looked up again when it is done. Where that are more or fewer than were confirmed, nothing is.
//! It is done part by part, each a request, so that whoever waits sees how far it is and can end it.

mod progress;

use actix_web::HttpResponse;
use askama::Template;
use progress::Progress;

use super::export;
use super::wanted::Selection;
use crate::api::caller::{Reads, Writes};
use crate::api::problem::Problem;
use crate::db::Span;
use crate::db::peers::{bulk as rows, listing};
use crate::domain::ids::PeerId;
use crate::domain::profile::Language;
use crate::domain::role::Permission;
use crate::fleet::peers::bulk::{self, Act};
use crate::web::answer::{refused, show};
use crate::web::flash;
use crate::web::form::Form;
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

/// Above that many, the number is written by hand.
const CONFIRMED: u64 = 25;

#[derive(Template)]
#[template(path = "peers/bulk.html")]
struct BulkPage {
    frame: Frame,
    form: Form,
    selection: Selection,
    act: &'static str,
    heading: String,
    consequences: Vec<String>,
    button: String,
    count: u64,
    needs_tag: bool,
    needs_confirmation: bool,
    is_dangerous: bool,
}

#[derive(Template)]
#[template(path = "peers/progress.html")]
struct ProgressPage {
    frame: Frame,
    heading: String,
    standing: String,
    act: &'static str,
    new_tag: String,
    selection: Selection,
    far: Progress,
}

pub(super) async fn preview(visit: Visit<Reads>, form: Form) -> Result<HttpResponse, Problem> {
    let selection = Selection::of(&form);
    let wanted = form.value("do").to_owned();
    if let Some(format) = export::Format::of_word(&wanted) {
        return export::answer(&visit, &selection, format);
    }
    let act = word(&wanted)?;
    permit(&visit)?;
    let ids = find(&visit, &selection).await?;
    if ids.is_empty() {
        let text = visit.language.say("bulk-nothing");
        return Ok(flash::go_to(&selection.wanted.href("/peers", None), &text));
    }
    show(&page(&visit, form, selection, act, &ids).await?)
}

pub(super) async fn run(visit: Visit<Writes>, mut form: Form) -> Result<HttpResponse, Problem> {
    let selection = Selection::of(&form);
    let word = word(form.value("do"))?;
    let ids = find(&visit, &selection).await?;
    let t = visit.language;
    let act = match Act::parse(word, form.value("new_tag")) {
        Ok(act) => act,
        Err(refusal) => {
            form.set_mistake("new_tag", t.refusal(refusal));
            return refused(&page(&visit, form, selection, word, &ids).await?);
        }
    };
    let count = ids.len() as u64;
    let shown = form.value("count").parse() == Ok(count);
    let written: String = form
        .value("confirm")
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    if ids.len() > bulk::MOST {
        form.refusal = Some(t.count("bulk-too-many", bulk::MOST as u64));
    } else if !shown {
        form.refusal = Some(t.say("bulk-moved-on"));
    } else if count > CONFIRMED && written != count.to_string() {
        form.set_mistake("confirm", t.count("bulk-confirm-wrong", count));
    }
    if form.is_mistaken() {
        form.forget("confirm");
        return refused(&page(&visit, form, selection, word, &ids).await?);
    }
    let Some(until) = ids.last() else {
        let text = t.say("bulk-nothing");
        return Ok(flash::go_to(&selection.wanted.href("/peers", None), &text));
    };
    let begun = Progress {
        asked: ids.len(),
        done: 0,
        changed: 0,
        after: PeerId(0),
        until: *until,
    };
    let ids = &ids[..ids.len().min(bulk::PART)];
    advance(visit, form, selection, (word, act), ids, begun).await
}

/// Goes on with what was begun: with those behind the last part.
pub(super) async fn go_on(visit: Visit<Writes>, form: Form) -> Result<HttpResponse, Problem> {
    let selection = Selection::of(&form);
    let word = word(form.value("do"))?;
    permit(&visit)?;
    let act = Act::parse(word, form.value("new_tag"))?;
    let far = Progress::of(&form).ok_or_else(Problem::not_found)?;
    let left = far.asked.saturating_sub(far.done).min(bulk::PART);
    let mut ids = find_after(&visit, &selection, far.after, left).await?;
    // Who came later was not confirmed.
    ids.retain(|id| *id <= far.until);
    advance(visit, form, selection, (word, act), &ids, far).await
}

/// Does the next part, and tells how far it is, or that it is done.
async fn advance(
    visit: Visit<Writes>,
    form: Form,
    selection: Selection,
    (word, act): (&'static str, Act),
    ids: &[PeerId],
    mut far: Progress,
) -> Result<HttpResponse, Problem> {
    let t = visit.language;
    far.changed += bulk::run(&visit.fleet, &visit.call, &act, ids)
        .await?
        .changed;
    far.done += ids.len();
    match ids.last() {
        Some(last) if *last < far.until && far.done < far.asked => far.after = *last,
        _ => {
            let text = t.say_with(
                "bulk-done",
                [
                    ("changed", t.number(far.changed as u64).into()),
                    ("asked", t.number(far.asked as u64).into()),
                ],
            );
            return Ok(flash::go_to(&selection.wanted.href("/peers", None), &text));
        }
    }
    let (_, heading) = names(t, word, far.asked as u64);
    let standing = t.say_with(
        "bulk-standing",
        [
            ("done", t.number(far.done as u64).into()),
            ("asked", t.number(far.asked as u64).into()),
        ],
    );
    show(&ProgressPage {
        frame: visit.frame(Place::Peers).await?,
        heading,
        standing,
        act: word,
        new_tag: form.value("new_tag").to_owned(),
        selection,
        far,
    })
}

fn word(wanted: &str) -> Result<&'static str, Problem> {
    let known = Act::WORDS.into_iter().find(|word| *word == wanted);
    Ok(known.ok_or_else(Act::unknown)?)
}

fn permit<D>(visit: &Visit<D>) -> Result<(), Problem> {
    match visit.access.may(Permission::Write) {
        true => Ok(()),
        false => Err(super::beyond()),
    }
}

/// Those that are meant and reached. One more than can be changed at once, where there are more.
async fn find<D>(visit: &Visit<D>, selection: &Selection) -> Result<Vec<PeerId>, Problem> {
    find_after(visit, selection, PeerId(0), bulk::MOST + 1).await
}

async fn find_after<D>(
    visit: &Visit<D>,
    selection: &Selection,
    after: PeerId,
    most: usize,
) -> Result<Vec<PeerId>, Problem> {
    let Some(filter) = selection.filter(visit.access.reach)? else {
        return Ok(Vec::new());
    };
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let span = Span {
        after: after.0,
        limit,
    };
    Ok(listing::ids(&visit.fleet.pool, &filter, span).await?)
}

async fn page<D>(
    visit: &Visit<D>,
    mut form: Form,
    selection: Selection,
    act: &'static str,
    ids: &[PeerId],
) -> Result<BulkPage, Problem> {
    let t = visit.language;
    let radius = rows::radius(&visit.fleet.pool, ids).await?;
    let count = ids.len() as u64;
    let is_too_many = ids.len() > bulk::MOST;
    if is_too_many {
        form.refusal = Some(t.count("bulk-too-many", bulk::MOST as u64));
    }
    let (heading, button) = names(t, act, count);
    let is_dangerous = matches!(act, "disable" | "delete");
    let mut consequences = Vec::new();
    if is_dangerous {
        consequences.push(t.count("bulk-lose-session", radius.online.unsigned_abs()));
        consequences.push(t.count("bulk-nodes-told", radius.nodes.unsigned_abs()));
        if radius.routes > 0 {
            consequences.push(t.count("bulk-routes-lost", radius.routes.unsigned_abs()));
        }
    }
    if act == "delete" {
        let rest = t.span(visit.fleet.settings.address_rest);
        consequences.push(t.say_with("peer-delete-means", [("rest", rest.into())]));
    }
    Ok(BulkPage {
        frame: visit.frame(Place::Peers).await?,
        needs_confirmation: count > CONFIRMED,
        needs_tag: matches!(act, "tag" | "untag"),
        form,
        selection,
        act,
        heading,
        consequences,
        button,
        count,
        is_dangerous,
    })
}

/// What an act is called: as a question, and as the button that answers it.
fn names(t: Language, act: &str, count: u64) -> (String, String) {
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
        _ => (
            t.count("bulk-untag-ask", count),
            t.count("bulk-untag-button", count),
        ),
    }
}
