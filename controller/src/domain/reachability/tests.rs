use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn poll() -> impl Strategy<Value = Poll> {
    prop_oneof![
        3 => Just(Poll::Good),
        2 => Just(Poll::Unreachable),
        1 => Just(Poll::Wrong(Wrong::Secret)),
        1 => Just(Poll::Wrong(Wrong::InterfaceMissing)),
    ]
}

fn watch(polls: &[Poll], thresholds: Thresholds) -> Vec<Verdict> {
    let mut standing = Standing::NEW;
    let step = |poll: &Poll| {
        let verdict = observe(standing, *poll, thresholds);
        standing = verdict.standing;
        verdict
    };
    polls.iter().map(step).collect()
}

/// The same rule, said over the whole history: the last long enough row decides.
fn reference(polls: &[Poll], good: usize, bad: usize) -> Reachability {
    for end in (1..=polls.len()).rev() {
        let history = &polls[..end];
        let row = |is_good: bool| {
            let same = |poll: &&Poll| (**poll == Poll::Good) == is_good;
            history.iter().rev().take_while(same).count()
        };
        match history[end - 1] {
            Poll::Good if row(true) >= good => return Reachability::Online,
            Poll::Unreachable if row(false) >= bad => return Reachability::Offline,
            Poll::Wrong(_) if row(false) >= bad => return Reachability::Error,
            _ => {}
        }
    }
    Reachability::Pending
}

proptest! {
    #[test]
    fn the_last_long_enough_row_of_polls_decides(polls in vec(poll(), 0..40), good in 1usize..5, bad in 1usize..5) {
        let thresholds = Thresholds { good: good as i32, bad: bad as i32 };

        let verdicts = watch(&polls, thresholds);

        for (n, verdict) in verdicts.iter().enumerate() {
            prop_assert_eq!(verdict.standing.reachability, reference(&polls[..=n], good, bad));
        }
    }

    #[test]
    fn a_change_is_told_exactly_when_there_is_one(polls in vec(poll(), 0..40)) {
        let mut before = Reachability::Pending;

        for verdict in watch(&polls, Thresholds::default()) {
            let now = verdict.standing.reachability;
            prop_assert_eq!(verdict.changed_from, (now != before).then_some(before));
            before = now;
        }
    }
}

#[test]
fn two_good_polls_make_a_node_online_and_three_bad_ones_offline() {
    use Poll::{Good, Unreachable};

    let polls = [
        Good,
        Good,
        Unreachable,
        Unreachable,
        Good,
        Unreachable,
        Unreachable,
        Unreachable,
    ];
    let verdicts = watch(&polls, Thresholds::default());

    let states: Vec<&str> = verdicts
        .iter()
        .map(|verdict| verdict.standing.reachability.as_str())
        .collect();
    assert_eq!(
        states,
        [
            "pending", "online", "online", "online", "online", "online", "online", "offline"
        ]
    );
}

#[test]
fn a_node_that_answers_wrongly_is_in_error_and_not_offline() {
    let polls = [
        Poll::Unreachable,
        Poll::Unreachable,
        Poll::Wrong(Wrong::Signature),
    ];

    let last = watch(&polls, Thresholds::default())[2];

    assert_eq!(last.standing.reachability, Reachability::Error);
    assert_eq!(last.changed_from, Some(Reachability::Pending));
}

#[test]
fn a_count_at_its_end_stays_there() {
    let tired = Standing {
        reachability: Reachability::Offline,
        good_in_a_row: 0,
        bad_in_a_row: i32::MAX,
    };

    let verdict = observe(tired, Poll::Unreachable, Thresholds::default());

    assert_eq!(verdict.standing, tired);
    assert_eq!(verdict.changed_from, None);
}

#[test]
fn states_are_read_as_they_are_written() {
    use Reachability::{Error, Offline, Online, Pending};

    for state in [Pending, Online, Offline, Error] {
        assert_eq!(Reachability::parse(state.as_str()), Ok(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    assert_eq!(Reachability::parse("Online"), Err(ReachabilityError));
}
