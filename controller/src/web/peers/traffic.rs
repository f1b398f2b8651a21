//! The traffic of a peer over time, as a picture and as a table.
//!
//! A time without a row was not measured, or was one without traffic: of a peer nobody can tell, so it is a gap.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::find;
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::db;
use crate::db::samples::{Point, Window};
use crate::domain::ids::PeerId;
use crate::domain::tier::{Tier, floor};
use crate::web::answer::show as show_page;
use crate::web::frame::{Frame, Place};
use crate::web::pictures::throughput::{Measured, Rates, Throughput};
use crate::web::visit::Visit;

const MOST_POINTS: i64 = 1500;
const BITS: f64 = 8.0;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Length {
    Day,
    #[default]
    Week,
    Month,
}

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    over: Length,
}

#[derive(Template)]
#[template(path = "peers/traffic.html")]
struct TrafficPage {
    frame: Frame,
    id: PeerId,
    name: String,
    over: Length,
    picture: Option<Throughput>,
    rows: Vec<Row>,
}

struct Row {
    at: String,
    received: String,
    sent: String,
}

pub(super) async fn show(
    visit: Visit<Reads>,
    id: Path<PeerId>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let peer = find(&visit, *id).await?;
    let frame = visit.frame(Place::Peers).await?;
    let (tier, length, format) = wanted.over.shape();
    let span = tier.span(&visit.fleet.settings.samples);
    let window = Window {
        tier,
        from: floor(frame.now - length, span),
        until: frame.now,
        limit: MOST_POINTS,
    };
    let points = db::samples::of_peer(&visit.fleet.pool, *id, window).await?;
    let t = frame.t;
    let zone = frame.zone;
    let clock = |at: DateTime<Utc>| at.with_timezone(&zone).format(format).to_string();
    let measured = measured(&points, window.from, frame.now, span);
    let name = t.say_with("peer-traffic-of", [("name", peer.name.as_str().into())]);
    let rows = points.iter().rev().map(|point| Row {
        at: frame.absolute(point.at),
        received: t.bytes(point.rx.unsigned_abs()),
        sent: t.bytes(point.tx.unsigned_abs()),
    });
    show_page(&TrafficPage {
        id: peer.id,
        over: wanted.over,
        picture: Throughput::of(t, name, &measured, None, clock),
        rows: rows.collect(),
        name: peer.name,
        frame,
    })
}

impl TrafficPage {
    fn lengths(&self) -> Vec<(&'static str, String, bool)> {
        let t = self.frame.t;
        let lengths = Length::ALL.into_iter();
        lengths
            .map(|length| (length.word(), t.say(length.name()), length == self.over))
            .collect()
    }
}

impl Length {
    const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// How fine, how long, and how its axis is written.
    fn shape(self) -> (Tier, TimeDelta, &'static str) {
        match self {
            Self::Day => (Tier::Minute, TimeDelta::days(1), "%H:%M"),
            Self::Week => (Tier::Hour, TimeDelta::days(7), "%m-%d"),
            Self::Month => (Tier::Hour, TimeDelta::days(30), "%m-%d"),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Day => "peer-over-day",
            Self::Week => "peer-over-week",
            Self::Month => "peer-over-month",
        }
    }
}

/// Each span from its beginning to its end at one rate, and gaps between those that do not touch.
fn measured(
    points: &[Point],
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    span: TimeDelta,
) -> Vec<Measured> {
    let gap = |at| Measured { at, rates: None };
    let seconds = span.as_seconds_f64().max(1.0);
    let mut measured = vec![gap(from)];
    let mut end = None;
    for point in points {
        if end.is_some_and(|end| end < point.at) {
            measured.extend(end.map(gap));
        }
        let rates = Some(Rates {
            received: point.rx as f64 * BITS / seconds,
            sent: point.tx as f64 * BITS / seconds,
        });
        let stop = (point.at + span).min(until);
        measured.push(Measured {
            at: point.at,
            rates,
        });
        measured.push(Measured { at: stop, rates });
        end = Some(stop);
    }
    measured.push(gap(until));
    measured
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_that_touch_are_one_shape_and_others_are_apart() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let hour = TimeDelta::hours(1);
        let point = |hours: i32| Point {
            at: start + hour * hours,
            rx: 450,
            tx: 0,
            active: None,
            online_s: None,
        };

        let drawn = measured(
            &[point(1), point(2), point(5)],
            start,
            start + hour * 8,
            hour,
        );

        let gaps = drawn.iter().filter(|one| one.rates.is_none()).count();
        assert_eq!((drawn.len(), gaps), (9, 3));
        assert_eq!(
            drawn[1].rates,
            Some(Rates {
                received: 1.0,
                sent: 0.0
            })
        );
    }
}
