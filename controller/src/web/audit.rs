//! `/audit`: what was changed, tried and refused, as a list to narrow down, as a file, and whether its chain holds.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Query;
use askama::Template;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;

use super::answer::{protect, show};
use super::frame::{Frame, Moment, Place};
use super::table::Table;
use super::visit::Visit;
use crate::api::audit::lines;
use crate::api::caller::Administers;
use crate::api::page::{PageQuery, cursor};
use crate::api::problem::Problem;
use crate::clock;
use crate::db;
use crate::db::audit::Filter;
use crate::domain::audit::{Outcome, StoredRow};
use crate::domain::profile::Language;
use crate::fleet;
use crate::fleet::audit::Verdict;

const OUTCOMES: [Outcome; 3] = [Outcome::Done, Outcome::Refused, Outcome::Failed];

pub(super) fn configure(table: &mut Table<'_>) {
    table
        .get("/audit", index)
        .get("/audit/chain", chain)
        .get("/audit/export", export);
}

/// What is asked for. Empty fields of the form ask for nothing.
#[derive(Debug, Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    actor: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    object: String,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "audit/index.html")]
struct IndexPage {
    frame: Frame,
    wanted: Wanted,
    rows: Vec<Row>,
    next: Option<String>,
    end: String,
    end_hash: String,
}

struct Row {
    at: Moment,
    actor: String,
    /// A class and a word, unless it was done.
    outcome: Option<(&'static str, String)>,
    action: String,
    object: String,
    before: Option<String>,
    after: Option<String>,
    from: Option<String>,
    hash: String,
}

async fn index(visit: Visit<Administers>, wanted: Query<Wanted>) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Audit).await?;
    let wanted = wanted.into_inner();
    let pool = &visit.fleet.pool;
    let span = PageQuery {
        cursor: wanted.cursor.clone(),
        limit: None,
    }
    .span()?;
    let rows = db::audit::list(pool, &wanted.filter(&frame), span).await?;
    let head = db::audit::head(pool).await?;
    let is_full = i64::try_from(rows.len()) == Ok(span.limit);
    let next = rows
        .last()
        .filter(|_| is_full)
        .map(|last| wanted.href(&cursor(last.seq)));
    show(&IndexPage {
        rows: rows.into_iter().map(|row| Row::of(&frame, row)).collect(),
        next,
        end: frame.t.say_with(
            "chain-end",
            [("seq", frame.t.number(head.seq.unsigned_abs()).into())],
        ),
        end_hash: head.hash.to_string(),
        frame,
        wanted,
    })
}

#[derive(Template)]
#[template(path = "audit/chain.html")]
struct ChainPage {
    frame: Frame,
    verdict: Verdict,
    holds: String,
    verified: String,
}

/// Walks the whole chain, which takes as long as it is: nobody gets here but by asking for it.
async fn chain(visit: Visit<Administers>) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Audit).await?;
    let verdict = fleet::audit::verify(&visit.fleet.pool).await?;
    let seconds = (clock::now() - frame.now).as_seconds_f64();
    show(&ChainPage {
        holds: frame.t.count("chain-holds", verdict.rows.unsigned_abs()),
        verified: format!(
            "{}, {} s",
            frame.absolute(frame.now),
            frame.t.rough(seconds)
        ),
        frame,
        verdict,
    })
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default)]
    after: i64,
    limit: Option<i64>,
}

/// The chain as the API exports it, as a file.
async fn export(visit: Visit<Administers>, part: Query<Part>) -> Result<HttpResponse, Problem> {
    let body = lines(&visit.fleet, part.after, part.limit).await?;
    let name = format!("attachment; filename=\"audit-after-{}.ndjson\"", part.after);
    let mut answer = HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(body);
    protect(answer.headers_mut());
    Ok(answer)
}

impl Wanted {
    fn filter(&self, frame: &Frame) -> Filter<'_> {
        Filter {
            actor: some(&self.actor),
            action: some(&self.action),
            object: some(&self.object),
            outcome: OUTCOMES
                .into_iter()
                .find(|outcome| outcome.as_str() == self.outcome),
            from: day(frame, &self.from),
            until: day(frame, &self.until).map(|day| day + TimeDelta::days(1)),
        }
    }

    fn is_filtered(&self) -> bool {
        let all = [
            &self.actor,
            &self.action,
            &self.object,
            &self.outcome,
            &self.from,
            &self.until,
        ];
        all.into_iter().any(|text| !text.is_empty())
    }

    fn href(&self, cursor: &str) -> String {
        let given = [
            ("actor", self.actor.as_str()),
            ("action", &self.action),
            ("object", &self.object),
            ("outcome", &self.outcome),
            ("from", &self.from),
            ("until", &self.until),
            ("cursor", cursor),
        ];
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(given.into_iter().filter(|(_, value)| !value.is_empty()))
            .finish();
        format!("/audit?{query}")
    }
}

/// No text of the log holds a NUL, and no statement takes one: such a text finds what an empty one does.
fn some(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty() && !text.contains('\0'))
}

/// When a day begins where the visitor is. What is no day narrows nothing.
fn day(frame: &Frame, text: &str) -> Option<DateTime<Utc>> {
    let day: NaiveDate = text.parse().ok()?;
    let midnight = day.and_hms_opt(0, 0, 0)?;
    let local = midnight.and_local_timezone(frame.zone).earliest()?;
    Some(local.with_timezone(&Utc))
}

impl Row {
    fn of(frame: &Frame, row: StoredRow) -> Self {
        Self {
            at: frame.ago(row.at),
            actor: row.actor,
            outcome: outcome(frame.t, &row.outcome),
            action: row.action,
            object: row.object,
            before: row.before,
            after: row.after,
            from: row.ip.map(|ip| ip.addr().to_string()),
            hash: hex::encode(&row.hash[..4.min(row.hash.len())]),
        }
    }
}

fn outcome(t: Language, outcome: &str) -> Option<(&'static str, String)> {
    match outcome {
        "done" => None,
        "refused" => Some(("off", t.say("outcome-refused"))),
        _ => Some(("bad", t.say("outcome-failed"))),
    }
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "outcome-done",
        Outcome::Refused => "outcome-refused",
        Outcome::Failed => "outcome-failed",
    }
}
