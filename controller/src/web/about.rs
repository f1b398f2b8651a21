//! `/about`: what runs here, on what, and whether each thing that is done in the background is being done.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

use super::Shown;
use super::answer::show;
use super::frame::{Frame, Moment, Place};
use super::table::Table;
use super::visit::Visit;
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::db::fleetwide::{Traces, traces};
use crate::domain::role::Permission;
use crate::fleet::sign_in::oidc::Provider;
use crate::fleet::{self, Settings};
use crate::metrics::{Metrics, Task};

/// A round that is late by less than this is only busy.
const PATIENCE: TimeDelta = TimeDelta::seconds(30);

pub(super) fn configure(table: &mut Table<'_>) {
    table.get("/about", index);
}

#[derive(Template)]
#[template(path = "about/index.html")]
struct AboutPage {
    frame: Frame,
    version: &'static str,
    instance: String,
    started: Moment,
    database: String,
    database_started: Moment,
    size: String,
    connections: String,
    tasks: Vec<Row>,
    waiting: String,
    behind: String,
    is_full: bool,
}

struct Row {
    name: String,
    about: String,
    every: String,
    last: Option<Moment>,
    /// A class and a word; nothing where all is well.
    exception: Option<(&'static str, String)>,
    trace: Option<Moment>,
}

async fn index(visit: Visit<Reads>, shown: Data<Shown>) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::About).await?;
    let fleet = &visit.fleet;
    let status = fleet::status::read(fleet).await?;
    let traces = traces(&fleet.pool).await?;
    let number = |count: i64| frame.t.number(count.unsigned_abs());
    let recheck = fleet.door.provider.as_ref().map(Provider::recheck_every);
    let tasks = all(&fleet.settings, recheck, &traces);
    show(&AboutPage {
        version: env!("CARGO_PKG_VERSION"),
        instance: fleet.instance.clone(),
        started: frame.since(shown.started_at),
        database: status.database,
        connections: number(fleet.pool.size().into()),
        tasks: tasks
            .into_iter()
            .map(|task| Row::of(&frame, &fleet.metrics, shown.started_at, &task))
            .collect(),
        waiting: number(status.facts.pending.webhook_deliveries),
        behind: number(status.facts.pending.interfaces),
        is_full: visit.access.may_everywhere(Permission::Read),
        database_started: frame.since(traces.started_at),
        size: frame.t.bytes(traces.size_bytes.unsigned_abs()),
        frame,
    })
}

/// One thing that is done again and again.
struct Work {
    task: Task,
    name: &'static str,
    about: &'static str,
    every: Duration,
    /// When it last left something in the rows, whichever controller did it.
    trace: Option<DateTime<Utc>>,
}

fn all(settings: &Settings, recheck: Option<Duration>, traces: &Traces) -> Vec<Work> {
    let work = |task, name, about, every, trace| Work {
        task,
        name,
        about,
        every,
        trace,
    };
    let samples = settings.samples.every.to_std().unwrap_or(Duration::MAX);
    let polls = settings.poll.rhythm.every;
    let mut all = vec![
        work(
            Task::Poll,
            "task-poll",
            "task-poll-why",
            polls,
            traces.polled_at,
        ),
        work(
            Task::Reconcile,
            "task-reconcile",
            "task-reconcile-why",
            settings.apply_tick,
            traces.applied_at,
        ),
        work(
            Task::Samples,
            "task-samples",
            "task-samples-why",
            samples,
            traces.sampled_upto,
        ),
        work(
            Task::Webhooks,
            "task-webhooks",
            "task-webhooks-why",
            settings.webhook_tick,
            None,
        ),
        work(
            Task::Upkeep,
            "task-upkeep",
            "task-upkeep-why",
            settings.upkeep_every,
            None,
        ),
        work(
            Task::Live,
            "task-live",
            "task-live-why",
            settings.live.check_every,
            None,
        ),
    ];
    all.extend(recheck.map(|every| {
        work(
            Task::Vouching,
            "task-vouching",
            "task-vouching-why",
            every,
            None,
        )
    }));
    all
}

impl Row {
    fn of(frame: &Frame, metrics: &Metrics, started_at: DateTime<Utc>, work: &Work) -> Self {
        let last = metrics.last_round(work.task);
        let every = TimeDelta::from_std(work.every).unwrap_or(TimeDelta::MAX);
        let is_late = is_late(last.unwrap_or(started_at), every, frame.now);
        let exception = match (last, is_late) {
            (_, true) => Some(("bad", frame.t.say("task-late"))),
            (None, false) => Some(("off", frame.t.say("task-new"))),
            (Some(_), false) => None,
        };
        Self {
            name: frame.t.say(work.name),
            about: frame.t.say(work.about),
            every: frame.t.span(every.max(TimeDelta::seconds(1))),
            last: last.map(|at| frame.ago(at)),
            exception,
            trace: work.trace.map(|at| frame.ago(at)),
        }
    }
}

/// Three rounds missed, or half a minute where rounds are short.
fn is_late(last: DateTime<Utc>, every: TimeDelta, now: DateTime<Utc>) -> bool {
    let Some(three) = every.checked_mul(3) else {
        return false;
    };
    now - last > three.max(PATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_late_when_it_missed_three_rounds_and_half_a_minute() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let cases = [
            (1, 29, false),
            (1, 31, true),
            (60, 179, false),
            (60, 181, true),
        ];
        for (every, ago, late) in cases {
            let last = now - TimeDelta::seconds(ago);
            assert_eq!(
                is_late(last, TimeDelta::seconds(every), now),
                late,
                "{every} {ago}"
            );
        }
        assert!(!is_late(now - TimeDelta::days(9), TimeDelta::MAX, now));
    }
}
