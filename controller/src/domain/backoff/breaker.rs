//! A circuit breaker as a value: after enough failures in a row nobody calls, save one probe at a time.

use chrono::{DateTime, TimeDelta, Utc};

/// When a breaker opens, and how long it stays so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerRules {
    /// Failures in a row that open it; below 1 is as 1.
    pub failures: u32,
    /// From opening to a probe, and from one probe to the next should it never report.
    pub pause: TimeDelta,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    Closed {
        failures: u32,
    },
    Open {
        until: DateTime<Utc>,
    },
    /// A probe is on its way; if nothing is heard of it until then, another may follow.
    HalfOpen {
        until: DateTime<Utc>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Go,
    /// Go, and be the one whose fate decides.
    Probe,
    /// Stay away until then.
    Refused {
        until: DateTime<Utc>,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Asks to make a call; the returned breaker replaces this one.
    pub fn admit(self, rules: BreakerRules, now: DateTime<Utc>) -> (Self, Admission) {
        match self {
            Self::Closed { .. } => (self, Admission::Go),
            Self::Open { until } | Self::HalfOpen { until } if now < until => {
                (self, Admission::Refused { until })
            }
            Self::Open { .. } | Self::HalfOpen { .. } => {
                let until = now + rules.pause;
                (Self::HalfOpen { until }, Admission::Probe)
            }
        }
    }

    /// A call went well, whichever it was.
    pub fn succeeded(self) -> Self {
        Self::default()
    }

    /// A call failed. A late failure of a call made before opening changes nothing while it is open.
    pub fn failed(self, rules: BreakerRules, now: DateTime<Utc>) -> Self {
        let open = Self::Open {
            until: now + rules.pause,
        };
        match self {
            Self::Closed { failures } => {
                let failures = failures.saturating_add(1);
                if failures >= rules.failures {
                    open
                } else {
                    Self::Closed { failures }
                }
            }
            Self::Open { .. } => self,
            Self::HalfOpen { .. } => open,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const RULES: BreakerRules = BreakerRules {
        failures: 3,
        pause: TimeDelta::seconds(10),
    };

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    /// Calls at given seconds, each with whether it would go well; which of them were let through.
    fn calls(calls: &[(i64, bool)]) -> Vec<bool> {
        let mut breaker = Breaker::default();
        let call = |(second, goes_well): &(i64, bool)| {
            let now = at(*second);
            let (admitted, admission) = breaker.admit(RULES, now);
            let let_through = !matches!(admission, Admission::Refused { .. });
            breaker = match (let_through, goes_well) {
                (true, true) => admitted.succeeded(),
                (true, false) => admitted.failed(RULES, now),
                (false, _) => admitted,
            };
            let_through
        };
        calls.iter().map(call).collect()
    }

    proptest! {
        #[test]
        fn a_dead_node_is_called_three_times_and_then_once_per_pause(seconds in vec(0i64..5, 1..80)) {
            let mut now = 0;
            let tries: Vec<(i64, bool)> = seconds.iter().map(|step| { now += step; (now, false) }).collect();

            let through = calls(&tries);

            let made: Vec<i64> = tries.iter().zip(&through).filter(|(_, made)| **made).map(|((at, _), _)| *at).collect();
            for pair in made.windows(2).skip(2) {
                prop_assert!(pair[1] - pair[0] >= 10);
            }
            prop_assert_eq!(made.len().min(3), tries.len().min(3));
        }

        #[test]
        fn a_node_that_always_answers_is_never_kept_waiting(seconds in vec(0i64..1000, 0..50)) {
            let tries: Vec<(i64, bool)> = seconds.iter().map(|second| (*second, true)).collect();

            prop_assert!(calls(&tries).iter().all(|made| *made));
        }
    }

    #[test]
    fn a_probe_that_goes_well_closes_it() {
        let through = calls(&[
            (0, false),
            (1, false),
            (2, false),
            (3, true),
            (12, true),
            (12, false),
            (12, true),
        ]);

        assert_eq!(through, [true, true, true, false, true, true, true]);
    }

    #[test]
    fn a_success_in_between_starts_the_count_anew() {
        let through = calls(&[
            (0, false),
            (0, false),
            (0, true),
            (0, false),
            (0, false),
            (0, true),
        ]);

        assert_eq!(through, [true; 6]);
    }

    #[test]
    fn one_probe_goes_at_a_time_and_a_lost_one_is_replaced() {
        let open = Breaker::Open { until: at(10) };

        let (probing, first) = open.admit(RULES, at(10));
        let (_, second) = probing.admit(RULES, at(19));
        let (_, third) = probing.admit(RULES, at(20));

        assert_eq!(first, Admission::Probe);
        assert_eq!(second, Admission::Refused { until: at(20) });
        assert_eq!(third, Admission::Probe);
    }

    #[test]
    fn a_late_failure_does_not_prolong_the_pause() {
        let open = Breaker::Open { until: at(10) };

        assert_eq!(open.failed(RULES, at(9)), open);
        assert_eq!(open.succeeded(), Breaker::default());
    }
}
