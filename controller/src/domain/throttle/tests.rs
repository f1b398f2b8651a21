//! Limits as a guesser and as somebody with two left hands meet them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const RULES: Rules = Rules {
    address: Limit {
        failures: 5,
        window: TimeDelta::minutes(5),
        longest_wait: TimeDelta::hours(1),
    },
    account: Limit {
        failures: 10,
        window: TimeDelta::minutes(15),
        longest_wait: TimeDelta::hours(1),
    },
    captcha: CaptchaMode::Adaptive,
    captcha_after: 2,
};

fn at(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_800_000_000_000 + ms).unwrap()
}

fn judge(address: &Record, account: &Record, ms: i64) -> Verdict {
    let facts = Facts {
        address,
        account,
        proved_work: true,
    };
    RULES.judge(facts, at(ms))
}

/// Tries at each of these moments and fails; tells which attempts were let through.
fn failing(record: &mut Record, limit: &Limit, moments: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let mut through = Vec::new();
    for ms in moments {
        if record.wait(at(ms)).is_none() {
            record.count(limit, at(ms));
            through.push(ms);
        }
    }
    through
}

#[test]
fn of_twenty_attempts_a_second_for_a_minute_five_get_through() {
    let mut address = Record::default();

    let through = failing(&mut address, &RULES.address, (0..1200).map(|n| n * 50));

    assert_eq!(through, [0, 50, 100, 150, 200]);
    let wait = judge(&address, &Record::default(), 60_000);
    assert_eq!(wait, Verdict::Wait(241));
}

#[test]
fn each_time_it_is_too_much_the_wait_doubles_up_to_an_hour() {
    let mut address = Record::default();
    let mut now = 0;
    let mut waits = Vec::new();

    for _ in 0..6 {
        failing(&mut address, &RULES.address, (0..5).map(|n| now + n));
        let wait = address.wait(at(now + 4)).unwrap();
        waits.push(wait.num_minutes());
        now += 4 + wait.num_milliseconds();
    }

    assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
}

#[test]
fn an_hour_after_the_last_refusal_all_is_forgotten() {
    let mut address = Record::default();
    failing(&mut address, &RULES.address, 0..5);
    let over = address.blocked_until.unwrap();
    let forgotten = (over + TimeDelta::hours(1) - at(0)).num_milliseconds();

    assert_eq!(address.forget_at(&RULES.address), Some(at(forgotten)));
    failing(&mut address, &RULES.address, forgotten..forgotten + 5);

    assert_eq!(address.strikes, 1);
}

#[test]
fn failures_that_are_far_enough_apart_are_never_too_many() {
    let mut address = Record::default();

    let through = failing(&mut address, &RULES.address, (0..50).map(|n| n * 75_001));

    assert_eq!(through.len(), 50);
}

#[test]
fn whoever_is_refused_by_both_waits_for_the_longer() {
    let [mut address, mut account] = [Record::default(), Record::default()];
    failing(&mut address, &RULES.address, 0..5);
    failing(&mut account, &RULES.account, 0..10);

    assert_eq!(judge(&address, &account, 9), Verdict::Wait(900));
    assert_eq!(judge(&address, &Record::default(), 4), Verdict::Wait(300));
}

#[test]
fn work_is_asked_for_from_the_second_failure_of_the_address_or_the_account_on() {
    let fresh = Record::default();
    let mut failed = Record::default();
    let asked = |rules: &Rules, address: &Record, account: &Record, proved_work| {
        let facts = Facts {
            address,
            account,
            proved_work,
        };
        rules.judge(facts, at(10)) == Verdict::CaptchaNeeded
    };

    failing(&mut failed, &RULES.address, 0..1);
    assert!(!asked(&RULES, &failed, &failed, false));
    failing(&mut failed, &RULES.address, 1..2);
    assert!(asked(&RULES, &failed, &fresh, false));
    assert!(asked(&RULES, &fresh, &failed, false));
    assert!(!asked(&RULES, &failed, &failed, true));
    assert!(!asked(&RULES, &fresh, &fresh, false));
    let always = Rules {
        captcha: CaptchaMode::Always,
        ..RULES
    };
    let off = Rules {
        captcha: CaptchaMode::Off,
        ..RULES
    };
    assert!(asked(&always, &fresh, &fresh, false));
    assert!(!asked(&off, &failed, &failed, false));
}

#[test]
fn a_customer_of_ipv6_is_one_address() {
    let source_of = |text: &str| source(text.parse().unwrap());

    assert_eq!(source_of("2001:db8::1"), source_of("2001:db8::ffff:2"));
    assert_ne!(source_of("2001:db8::1"), source_of("2001:db8:0:1::1"));
    assert_eq!(source_of("::ffff:192.0.2.1"), source_of("192.0.2.1"));
    assert_ne!(source_of("192.0.2.2"), source_of("192.0.2.1"));
}

proptest! {
    #[test]
    fn within_any_window_no_more_fail_than_the_limit(pauses in vec(0..120_000i64, 1..200)) {
        let mut address = Record::default();
        let mut now = 0;
        let moments = pauses.into_iter().map(|pause| { now += pause; now });

        let through = failing(&mut address, &RULES.address, moments);

        let window = RULES.address.window.num_milliseconds();
        for (i, first) in through.iter().enumerate() {
            let within = through[i..].iter().filter(|ms| **ms < first + window).count();
            prop_assert!(within <= RULES.address.failures, "{through:?}");
        }
    }

    #[test]
    fn an_attempt_that_succeeds_leaves_no_trace(earlier in vec(0..400_000i64, 0..12), ms in 400_000..700_000i64) {
        let mut record = Record::default();
        let mut earlier = earlier;
        earlier.sort_unstable();
        failing(&mut record, &RULES.address, earlier);
        prop_assume!(record.wait(at(ms)).is_none());
        let recent = record.recent(&RULES.address, at(ms));
        let strikes = record.strikes;

        let counted = record.count(&RULES.address, at(ms));
        record.refund(counted);

        prop_assert_eq!(record.recent(&RULES.address, at(ms)), recent);
        prop_assert_eq!(record.wait(at(ms)), None);
        prop_assert!(record.strikes <= strikes);
    }
}
