//! Received above and sent below one axis, to the same scale: the throughput of a node, a peer, the fleet.
//!
//! Where nothing was measured there is a gap: no traffic and no knowledge are not the same.

use askama::Template;
use chrono::{DateTime, Utc};

use super::{point, round_up};
use crate::domain::profile::Language;

/// The axis lies in the middle; the ends of the scale leave some room.
const MIDDLE: f64 = 50.0;
const REACH: f64 = 48.0;
/// The least that the ends of the scale stand for, in bits per second: below, it would tell of nothing.
const LEAST: f64 = 1000.0;

/// What was measured from one moment to the next, in bits per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    pub at: DateTime<Utc>,
    pub rates: Option<Rates>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    pub received: f64,
    pub sent: f64,
}

#[derive(Template)]
#[template(path = "pictures/throughput.html")]
pub struct Throughput {
    name: String,
    label: String,
    scale: [String; 5],
    times: Vec<String>,
    received: String,
    sent: String,
    /// Where something happened, from left to right.
    event: Option<String>,
}

impl Throughput {
    /// `clock` writes a moment as the axis shows it. None: nothing was measured in all that time.
    pub fn of(
        language: Language,
        name: String,
        measured: &[Measured],
        event: Option<DateTime<Utc>>,
        clock: impl Fn(DateTime<Utc>) -> String,
    ) -> Option<Self> {
        let (first, last) = (measured.first()?.at, measured.last()?.at);
        let rates = || measured.iter().filter_map(|one| one.rates);
        rates().next()?;
        let highest = |of: fn(Rates) -> f64| rates().map(of).fold(0.0, f64::max);
        let (received, sent) = (highest(|rates| rates.received), highest(|rates| rates.sent));
        let end = round_up(received.max(sent).max(LEAST));
        let length = (last - first).as_seconds_f64().max(1.0);
        let x = |at: DateTime<Utc>| (at - first).as_seconds_f64() / length * 100.0;
        let trace = |of: fn(Rates) -> f64| {
            let points = measured.iter().map(|one| (x(one.at), one.rates.map(of)));
            area(points, end)
        };
        let labels = [end, end / 2.0, 0.0, end / 2.0, end];
        let inside = |at: &DateTime<Utc>| (first..=last).contains(at);
        Some(Self {
            label: language.say_with(
                "throughput-in-words",
                [
                    ("received", language.bits_per_second(received).into()),
                    ("sent", language.bits_per_second(sent).into()),
                ],
            ),
            name,
            scale: labels.map(|rate| match (received.max(sent) > 0.0, rate > 0.0) {
                (true, true) => language.bits_per_second(rate),
                (_, false) => "0".to_owned(),
                // Where nothing flowed there is nothing to measure by.
                (false, true) => String::new(),
            }),
            times: times(first, last, clock, language),
            received: trace(|rates| -rates.received),
            sent: trace(|rates| rates.sent),
            event: event.filter(inside).map(|at| format!("{:.1}", x(at))),
        })
    }
}

/// Closed shapes from the axis, one for each stretch without a gap.
fn area(points: impl Iterator<Item = (f64, Option<f64>)>, end: f64) -> String {
    let mut path = String::new();
    let mut last: Option<f64> = None;
    for (x, value) in points {
        match (value, last) {
            (Some(value), before) => {
                if before.is_none() {
                    point(&mut path, 'M', x, MIDDLE);
                }
                point(&mut path, 'L', x, MIDDLE + value / end * REACH);
                last = Some(x);
            }
            (None, Some(before)) => {
                point(&mut path, 'L', before, MIDDLE);
                path.push('Z');
                last = None;
            }
            (None, None) => {}
        }
    }
    if let Some(before) = last {
        point(&mut path, 'L', before, MIDDLE);
        path.push('Z');
    }
    path
}

/// Five moments, the last of them now.
fn times(
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    clock: impl Fn(DateTime<Utc>) -> String,
    language: Language,
) -> Vec<String> {
    let step = (last - first) / 4;
    let earlier = (0..4).map(|quarter| clock(first + step * quarter));
    earlier.chain([language.say("now")]).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn measured(rates: &[Option<(f64, f64)>]) -> Vec<Measured> {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let at = |minute: usize| start + TimeDelta::minutes(minute as i64);
        let rates = rates
            .iter()
            .map(|rates| rates.map(|(received, sent)| Rates { received, sent }));
        rates
            .enumerate()
            .map(|(minute, rates)| Measured {
                at: at(minute),
                rates,
            })
            .collect()
    }

    fn drawn(rates: &[Option<(f64, f64)>]) -> Option<Throughput> {
        let clock = |at: DateTime<Utc>| at.format("%H:%M").to_string();
        Throughput::of(
            Language::En,
            "all".to_owned(),
            &measured(rates),
            None,
            clock,
        )
    }

    #[test]
    fn both_ways_have_one_scale_and_lie_on_their_side_of_the_axis() {
        let chart = drawn(&[Some((8e8, 4e8)), Some((1e9, 0.0))]).unwrap();

        assert_eq!(chart.scale[0].replace('\u{202f}', " "), "1.00 Gbit/s");
        assert_eq!(chart.received, "M0.0 50.0L0.0 11.6L100.0 2.0L100.0 50.0Z");
        assert_eq!(chart.sent, "M0.0 50.0L0.0 69.2L100.0 50.0L100.0 50.0Z");
    }

    #[test]
    fn a_time_without_traffic_has_an_axis_and_no_scale() {
        let chart = drawn(&[Some((0.0, 0.0)), Some((0.0, 0.0))]).unwrap();

        assert_eq!(chart.scale, ["", "", "0", "", ""]);
    }

    #[test]
    fn what_was_not_measured_is_a_gap_and_not_nothing() {
        let chart = drawn(&[Some((1.0, 1.0)), None, Some((1.0, 1.0))]).unwrap();

        assert_eq!(chart.received.matches('Z').count(), 2);
        assert_eq!(chart.scale[0].replace('\u{202f}', " "), "1.00 kbit/s");
        assert!(drawn(&[None, None]).is_none());
    }
}
