use proptest::prelude::*;

use super::*;

const RHYTHM: Rhythm = Rhythm {
    every: Duration::from_secs(10),
    jitter_percent: 10,
    give_up_after: 6,
    probe_every: Duration::from_secs(30),
};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
}

fn asked(reachability: Reachability, good: i32, bad: i32, poll: Poll) -> Asked {
    Asked {
        standing: Standing {
            reachability,
            good_in_a_row: good,
            bad_in_a_row: bad,
        },
        poll,
        late: TimeDelta::zero(),
    }
}

fn within(pause: Duration, from_ms: u64, until_ms: u64) -> bool {
    (Duration::from_millis(from_ms)..=Duration::from_millis(until_ms)).contains(&pause)
}

proptest! {
    #[test]
    fn a_settled_node_is_asked_once_per_period_within_the_jitter(chance in 0.0f64..=1.0) {
        let pause = RHYTHM.pause(asked(Reachability::Online, 9, 0, Poll::Good), chance);

        prop_assert!(within(pause, 9000, 11_000), "{pause:?}");
    }

    #[test]
    fn nobody_is_left_for_longer_than_a_probe(
        good in 0..100i32, bad in 0..100i32, late_s in 0i64..100_000, chance: f64,
        reachability in prop_oneof![Just(Reachability::Pending), Just(Reachability::Online), Just(Reachability::Offline), Just(Reachability::Error)],
        poll in prop_oneof![Just(Poll::Good), Just(Poll::Unreachable)],
    ) {
        let asked = Asked { late: TimeDelta::seconds(late_s), ..asked(reachability, good, bad, poll) };

        prop_assert!(RHYTHM.pause(asked, chance) <= Duration::from_secs(33));
    }

    #[test]
    fn nodes_that_all_waited_are_spread_over_the_period(chance in 0.0f64..=1.0) {
        let late = Asked { late: TimeDelta::seconds(40), ..asked(Reachability::Online, 9, 0, Poll::Good) };

        let pause = RHYTHM.pause(late, chance);

        prop_assert!((pause.as_secs_f64() - 10.0 * chance).abs() < 0.001);
    }
}

#[test]
fn who_is_about_to_come_online_is_asked_soon() {
    for asked in [
        asked(Reachability::Pending, 1, 0, Poll::Good),
        asked(Reachability::Pending, 0, 1, Poll::Unreachable),
        asked(Reachability::Offline, 1, 0, Poll::Good),
    ] {
        let pause = RHYTHM.pause(asked, 0.5);

        assert_eq!(pause, Duration::from_secs(2), "{asked:?}");
    }
}

#[test]
fn a_first_bad_poll_is_no_reason_to_hurry() {
    let pause = RHYTHM.pause(asked(Reachability::Online, 0, 1, Poll::Unreachable), 0.5);

    assert_eq!(pause, Duration::from_secs(10));
}

#[test]
fn who_never_answers_is_only_probed() {
    for reachability in [Reachability::Offline, Reachability::Pending] {
        let pause = RHYTHM.pause(asked(reachability, 0, 6, Poll::Unreachable), 0.5);

        assert_eq!(pause, Duration::from_secs(30));
    }
}

#[test]
fn counters_begin_anew_with_the_machine_or_the_interface() {
    let same = Counting {
        booted_before: Some(at(0)),
        booted_at: Some(at(3)),
        was_missing: false,
    };
    let rebooted = Counting {
        booted_at: Some(at(600)),
        ..same
    };
    let returned = Counting {
        was_missing: true,
        ..same
    };

    assert_eq!(epoch(same), Epoch::Same);
    assert_eq!(epoch(rebooted), Epoch::New);
    assert_eq!(epoch(returned), Epoch::New);
}

#[test]
fn an_interface_is_learned_first_then_now_and_then_and_after_a_restart() {
    let every = TimeDelta::minutes(5);
    let learn = |learned: Option<i64>, started: Option<i64>| {
        is_to_be_learned(learned.map(at), started.map(at), every, at(1000))
    };

    assert!(learn(None, None));
    assert!(learn(Some(700), None));
    assert!(learn(Some(900), Some(950)));
    assert!(!learn(Some(900), Some(800)));
}

#[test]
fn a_clock_that_is_off_is_news_once() {
    let news = |before, now| skew(before, now, 30).map(|skew| skew.is_news);

    assert_eq!(news(None, Some(31)), Some(true));
    assert_eq!(news(Some(-2), Some(-31)), Some(true));
    assert_eq!(news(Some(40), Some(41)), Some(false));
    assert_eq!(news(Some(40), Some(30)), None);
    assert_eq!(news(Some(40), None), None);
}

#[test]
fn handshakes_are_told_by_our_clock_and_odd_ones_are_none() {
    let now = at(0);
    let theirs = now.timestamp() + 100;

    assert_eq!(handshake(Some(theirs), Some(100), now), Some(now));
    for odd in [0, -5, i64::MAX, i64::MIN, theirs + 90_000] {
        assert_eq!(handshake(Some(odd), None, now), None, "{odd}");
    }
}

#[test]
fn an_uptime_that_cannot_be_is_no_start() {
    assert_eq!(started(at(100), 100), Some(at(0)));
    assert_eq!(started(at(0), u64::MAX), None);
    assert_eq!(started(at(0), 1 << 40), None);
}
