//! Samples as charts draw them.

use super::*;

const RULES: Rules = Rules {
    every: TimeDelta::minutes(1),
    keep_minutes: TimeDelta::days(2),
    keep_hours: TimeDelta::days(90),
    keep_days: TimeDelta::days(730),
};

fn drawn(range: Range, minutes_ago: &[(i64, i64)]) -> Vec<Measured> {
    let now = DateTime::from_timestamp(1_800_000_010, 0).unwrap();
    let window = range.window(&RULES, now);
    let point = |(minutes, rx): &(i64, i64)| Point {
        at: window.until - TimeDelta::minutes(*minutes),
        rx: *rx,
        tx: 0,
        active: None,
        online_s: None,
    };
    let points: Vec<Point> = minutes_ago.iter().rev().map(point).collect();
    course(&window, range.tier().span(&RULES), &points)
}

fn received(measured: &Measured) -> Option<f64> {
    measured.rates.map(|rates| rates.received)
}

#[test]
fn spans_without_a_sample_are_gaps_except_the_one_that_just_ended() {
    let course = drawn(Range::Hour, &[(2, 750), (4, 0)]);

    assert_eq!(course.len(), 59);
    assert_eq!(received(&course[58]), Some(100.0));
    assert_eq!(received(&course[57]), None);
    assert_eq!(received(&course[56]), Some(0.0));
    let lately = Lately::by(&course);
    assert_eq!(lately.rate, Some(100.0));
    assert_eq!(lately.fact(), Fact::Yes);
}

#[test]
fn a_day_is_drawn_with_few_points_that_keep_their_rate() {
    let course = drawn(Range::Day, &[(1, 750), (2, 750)]);

    assert_eq!(course.len(), 288);
    assert_eq!(received(&course[287]), Some(100.0));
}

#[test]
fn what_was_sampled_long_ago_says_nothing_of_now() {
    let lately = Lately::by(&drawn(Range::Hour, &[(9, 750)]));

    assert_eq!((lately.rate, lately.fact()), (None, Fact::Unknown));
    assert!(lately.spark().is_some());
}
