//! The tiers in which traffic and state are kept over time: fine for a day, coarse for years.
//!
//! Spans are cut by the clock in UTC, so that all controllers cut alike. A tier's partitions are whole multiples of its
//! spans from the beginning of the clock on; a month has no such length, so they are counted in days.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const HOUR_S: i64 = 3600;
const DAY_S: i64 = 24 * HOUR_S;

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// As often as figures are written down, which is each minute unless set otherwise.
    Minute,
    Hour,
    Day,
}

/// How the tiers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How often figures are written down.
    pub every: TimeDelta,
    pub keep_minutes: TimeDelta,
    pub keep_hours: TimeDelta,
    pub keep_days: TimeDelta,
}

/// Part of a tier's time, dropped as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition {
    pub tier: Tier,
    pub from: DateTime<Utc>,
}

impl Tier {
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// The time that one row stands for.
    pub fn span(self, rules: &Rules) -> TimeDelta {
        match self {
            Self::Minute => rules.every,
            Self::Hour => TimeDelta::seconds(HOUR_S),
            Self::Day => TimeDelta::seconds(DAY_S),
        }
    }

    pub fn keep(self, rules: &Rules) -> TimeDelta {
        match self {
            Self::Minute => rules.keep_minutes,
            Self::Hour => rules.keep_hours,
            Self::Day => rules.keep_days,
        }
    }

    /// A part of what is kept, so that not much more is kept than was asked for.
    fn partition_span(self) -> TimeDelta {
        TimeDelta::seconds(match self {
            Self::Minute => 6 * HOUR_S,
            Self::Hour => 7 * DAY_S,
            Self::Day => 90 * DAY_S,
        })
    }

    pub fn partition(self, at: DateTime<Utc>) -> Partition {
        Partition {
            tier: self,
            from: floor(at, self.partition_span()),
        }
    }

    /// The partitions for all that is written at `now`, and the one after them.
    pub fn needed(self, now: DateTime<Utc>, rules: &Rules) -> Vec<Partition> {
        // The last sample lies in the span before, and that in an hour and a day that began before.
        let oldest = floor(now - rules.every - rules.every, self.span(rules));
        let mut needed = vec![self.partition(oldest)];
        while let Some(last) = needed.last().filter(|last| last.from <= now) {
            needed.push(self.partition(last.until()));
        }
        needed
    }
}

impl Partition {
    pub fn until(self) -> DateTime<Utc> {
        self.from + self.tier.partition_span()
    }

    /// Whether nothing in it is younger than what is kept, or than what the next tier still needs of it.
    pub fn is_over(self, now: DateTime<Utc>, needed_from: DateTime<Utc>, rules: &Rules) -> bool {
        let kept_from = now.checked_sub_signed(self.tier.keep(rules));
        kept_from.is_some_and(|kept_from| self.until() <= kept_from.min(needed_from))
    }
}

/// The beginning of the span in which `at` lies, spans being counted from the beginning of the clock.
pub fn floor(at: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
    let span_s = span.num_seconds().max(1);
    let into = TimeDelta::seconds(at.timestamp().rem_euclid(span_s))
        + TimeDelta::nanoseconds(at.timestamp_subsec_nanos().into());
    at - into
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules(every_s: i64) -> Rules {
        Rules {
            every: TimeDelta::seconds(every_s),
            keep_minutes: TimeDelta::hours(24),
            keep_hours: TimeDelta::days(30),
            keep_days: TimeDelta::days(730),
        }
    }

    fn at(s: i64, ns: u32) -> DateTime<Utc> {
        DateTime::from_timestamp(s, ns).unwrap()
    }

    proptest! {
        #[test]
        fn a_span_begins_at_or_before_what_lies_in_it(s in 0i64..4_000_000_000, ns in 0u32..1_000_000_000, span_s in 1i64..1_000_000) {
            let span = TimeDelta::seconds(span_s);
            let begin = floor(at(s, ns), span);

            prop_assert!(begin <= at(s, ns) && at(s, ns) < begin + span);
            prop_assert_eq!(floor(begin, span), begin);
        }

        #[test]
        fn whatever_is_written_has_a_partition_and_so_has_what_comes_next(s in 1_000_000_000i64..4_000_000_000, every_s in 1i64..=3600) {
            let rules = rules(every_s);
            let now = at(s, 0);
            for tier in Tier::ALL {
                let needed = tier.needed(now, &rules);

                let sample = floor(now, rules.every) - rules.every;
                for written in [floor(sample, tier.span(&rules)), now, now + tier.partition_span()] {
                    prop_assert!(needed.contains(&tier.partition(written)), "{tier:?} {written} {needed:?}");
                }
                prop_assert!(needed.windows(2).all(|two| two[0].until() == two[1].from));
                prop_assert!(needed.iter().all(|one| !one.is_over(now, now, &rules)));
            }
        }
    }

    #[test]
    fn a_partition_is_over_when_all_of_it_is_older_than_what_is_kept_or_needed() {
        let rules = rules(60);
        let partition = Tier::Minute.partition(at(1_800_000_000, 0));
        let kept = partition.until() + rules.keep_minutes;
        let second = TimeDelta::seconds(1);

        assert!(partition.is_over(kept, kept, &rules));
        assert!(!partition.is_over(kept - second, kept, &rules));
        assert!(!partition.is_over(kept, partition.until() - second, &rules));
    }
}
