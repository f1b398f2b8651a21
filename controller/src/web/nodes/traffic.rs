//! What goes through a node over time, from its samples: as a chart, as a table, at a glance.
//!
//! A span that nobody saw is a gap and not nothing. The sample of the span that ended last may still be on its way, so a
//! gap at the very end is none.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::whole;
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::db;
use crate::db::nodes::Node;
use crate::db::samples::{Point, Throughput as Sampled, Window};
use crate::domain::ids::NodeId;
use crate::domain::tier::{Rules, Tier, floor};
use crate::web::answer::show;
use crate::web::frame::{Frame, Place};
use crate::web::pictures::evidence::Fact;
use crate::web::pictures::spark::Spark;
use crate::web::pictures::throughput::{Measured, Rates, Throughput};
use crate::web::visit::Visit;

/// No chart has more points: several spans become one.
const MOST_POINTS: i64 = 300;
/// Samples of this age still say what goes through a node now.
const FRESH_SPANS: i32 = 3;

/// How far back somebody wants to see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Range {
    #[default]
    #[serde(rename = "1h")]
    Hour,
    #[serde(rename = "24h")]
    Day,
    #[serde(rename = "7d")]
    Week,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RangeQuery {
    #[serde(default)]
    pub range: Range,
}

impl Range {
    pub(super) const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hour => "node-range-1h",
            Self::Day => "node-range-24h",
            Self::Week => "node-range-7d",
        }
    }

    fn tier(self) -> Tier {
        match self {
            Self::Hour | Self::Day => Tier::Minute,
            Self::Week => Tier::Hour,
        }
    }

    fn length(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
            Self::Week => TimeDelta::days(7),
        }
    }

    fn window(self, rules: &Rules, now: DateTime<Utc>) -> Window {
        let until = floor(now, self.tier().span(rules));
        Window {
            tier: self.tier(),
            from: until - self.length(),
            until,
            limit: i64::MAX,
        }
    }

    /// A moment as the axis shows it.
    fn clock(self, frame: &Frame, at: DateTime<Utc>) -> String {
        let at = at.with_timezone(&frame.zone);
        match self {
            Self::Hour | Self::Day => at.format("%H:%M").to_string(),
            Self::Week => at.format("%d.%m. %H:%M").to_string(),
        }
    }
}

/// The spans of a range, the oldest first, each with what went through then.
pub(super) struct Course {
    range: Range,
    pub points: Vec<Measured>,
}

impl Course {
    pub(super) async fn read(
        visit: &Visit<Reads>,
        frame: &Frame,
        node: NodeId,
        range: Range,
    ) -> Result<Self, Problem> {
        let rules = &visit.fleet.settings.samples;
        let window = range.window(rules, frame.now);
        let points = db::samples::of_node(&visit.fleet.pool, node, window).await?;
        Ok(Self {
            range,
            points: course(&window, range.tier().span(rules), &points),
        })
    }

    pub(super) fn draw(&self, frame: &Frame, name: String) -> Option<Throughput> {
        let clock = |at| self.range.clock(frame, at);
        Throughput::of(frame.t, name, &self.points, None, clock)
    }
}

/// Every span of a window, with gaps where there is no sample; of long windows several spans at once.
fn course(window: &Window, span: TimeDelta, points: &[Point]) -> Vec<Measured> {
    let spans = (window.until - window.from).num_seconds() / span.num_seconds().max(1);
    let at_once = (spans + MOST_POINTS - 1) / MOST_POINTS;
    let step = span * i32::try_from(at_once.max(1)).unwrap_or(1);
    let mut sums: BTreeMap<i64, (i64, i64, i64)> = BTreeMap::new();
    let slot =
        |at: DateTime<Utc>| (at - window.from).num_milliseconds() / step.num_milliseconds().max(1);
    for point in points {
        let sum = sums.entry(slot(point.at)).or_insert((0, 0, 0));
        *sum = (sum.0 + point.rx, sum.1 + point.tx, sum.2 + 1);
    }
    let measured = |n: i64| Measured {
        at: window.from + step * i32::try_from(n).unwrap_or(i32::MAX),
        // Of several spans at once only those count that somebody saw.
        rates: sums.get(&n).map(|(rx, tx, seen)| {
            let seconds = span.as_seconds_f64() * *seen as f64;
            Rates {
                received: *rx as f64 * 8.0 / seconds,
                sent: *tx as f64 * 8.0 / seconds,
            }
        }),
    };
    let slots = slot(window.until);
    let mut course: Vec<Measured> = (0..slots).map(measured).collect();
    course.pop_if(|last| last.rates.is_none());
    course
}

/// The last hour of a node, and what goes through it now.
pub(super) struct Lately {
    /// Bits per second, both ways together. None: there is no fresh sample.
    pub rate: Option<f64>,
    values: Vec<Option<f64>>,
}

impl Lately {
    pub(super) fn since(visit: &Visit<Reads>, now: DateTime<Utc>) -> DateTime<Utc> {
        floor(now, visit.fleet.settings.samples.every) - Range::Hour.length()
    }

    pub(super) fn of(
        visit: &Visit<Reads>,
        now: DateTime<Utc>,
        samples: impl Iterator<Item = Sampled>,
    ) -> Self {
        let every = visit.fleet.settings.samples.every;
        let window = Range::Hour.window(&visit.fleet.settings.samples, now);
        let points: Vec<Point> = samples
            .map(|one| Point {
                at: one.at,
                rx: one.bytes,
                tx: 0,
                active: None,
                online_s: None,
            })
            .collect();
        Self::by(&course(&window, every, &points))
    }

    /// From the course of the last hour.
    pub(super) fn by(course: &[Measured]) -> Self {
        let both = |rates: Rates| rates.received + rates.sent;
        let values: Vec<Option<f64>> = course.iter().map(|one| one.rates.map(both)).collect();
        let fresh = values
            .iter()
            .rev()
            .take(usize::try_from(FRESH_SPANS).unwrap_or(1));
        Self {
            rate: fresh.flatten().next().copied(),
            values,
        }
    }

    /// An idle tunnel is no broken one: without traffic nothing is known of it.
    pub(super) fn fact(&self) -> Fact {
        match self.rate {
            Some(rate) if rate > 0.0 => Fact::Yes,
            Some(_) | None => Fact::Unknown,
        }
    }

    pub(super) fn spark(&self) -> Option<Spark> {
        Spark::of(&self.values)
    }
}

/// The moment from which on samples say what goes on now.
pub(super) fn fresh_since(visit: &Visit<Reads>, now: DateTime<Utc>) -> DateTime<Utc> {
    let every = visit.fleet.settings.samples.every;
    floor(now, every) - every * FRESH_SPANS
}

#[derive(Template)]
#[template(path = "nodes/traffic.html")]
struct TrafficPage {
    frame: Frame,
    node: Node,
    range: Range,
    rows: Vec<Row>,
}

impl TrafficPage {
    fn heading(&self) -> String {
        self.frame.t.say_with(
            "node-traffic-of",
            [("name", self.node.name.as_str().into())],
        )
    }
}

struct Row {
    at: String,
    received: Option<String>,
    sent: Option<String>,
}

/// The chart in figures.
pub(super) async fn table(
    visit: Visit<Reads>,
    id: Path<NodeId>,
    query: Query<RangeQuery>,
) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Nodes).await?;
    let node = whole::find(&visit, *id).await?.node;
    let course = Course::read(&visit, &frame, *id, query.range).await?;
    let t = frame.t;
    let rows = course.points.iter().rev().map(|one| Row {
        at: frame.absolute(one.at),
        received: one.rates.map(|rates| t.bits_per_second(rates.received)),
        sent: one.rates.map(|rates| t.bits_per_second(rates.sent)),
    });
    show(&TrafficPage {
        rows: rows.collect(),
        range: query.range,
        frame,
        node,
    })
}

#[cfg(test)]
mod tests;
