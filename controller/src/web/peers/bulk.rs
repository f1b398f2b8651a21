//! Many peers at once: first a page that says what will be, then the act.
//!
//! All that match are looked up again when it is done. Where that are more or fewer than were confirmed, nothing is.
//! It is done part by part, each a request, so that whoever waits sees how far it is and can end it.

mod moving;
mod page;
mod progress;

use actix_web::HttpResponse;
use askama::Template;
use page::{CONFIRMED, names, page};
use progress::Progress;

use super::export;
use super::target::Target;
use super::wanted::Selection;
use crate::api::caller::{Reads, Writes};
use crate::api::problem::Problem;
use crate::db::Span;
use crate::db::peers::listing;
use crate::domain::ids::PeerId;
use crate::domain::role::Permission;
use crate::fleet::Refusal;
use crate::fleet::peers::bulk::{self, Act};
use crate::web::answer::{refused, show};
use crate::web::flash;
use crate::web::form::Form;
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "peers/progress.html")]
struct ProgressPage {
    frame: Frame,
    heading: String,
    standing: String,
    act: &'static str,
    new_tag: String,
    target: Target,
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
    let act = match read(word, &form) {
        Ok(act) => act,
        Err(refusal) => {
            match word {
                "move" => form.refusal = Some(t.refusal(refusal)),
                _ => form.set_mistake("new_tag", t.refusal(refusal)),
            }
            return refused(&page(&visit, form, selection, word, &ids).await?);
        }
    };
    reach(&visit, &act)?;
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
    let act = read(word, &form)?;
    reach(&visit, &act)?;
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
            let changed = t.number(far.changed as u64);
            let asked = t.number(far.asked as u64);
            let facts = [("changed", changed.into()), ("asked", asked.into())];
            let text = match act {
                Act::Move(_) => t.say_with("bulk-moved", facts),
                _ => t.say_with("bulk-done", facts),
            };
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
        target: Target::of(&form),
        selection,
        far,
    })
}

fn word(wanted: &str) -> Result<&'static str, Problem> {
    let known = Act::WORDS.into_iter().find(|word| *word == wanted);
    Ok(known.ok_or_else(Act::unknown)?)
}

fn read(word: &str, form: &Form) -> Result<Act, Refusal> {
    match word {
        "move" => Target::of(form).wish().map(Act::Move),
        _ => Act::parse(word, form.value("new_tag")),
    }
}

/// Refuses to take peers out of somebody's reach, or into what lies beyond it.
fn reach<D>(visit: &Visit<D>, act: &Act) -> Result<(), Problem> {
    match act {
        Act::Move(wish) => moving::permit(visit, *wish).map(|_| ()),
        _ => Ok(()),
    }
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
