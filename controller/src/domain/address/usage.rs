//! How full a range is, and when it will be.
//!
//! The counts come from the database; what is done about a full range is for a person to decide.

use chrono::TimeDelta;

use super::range::Range;

/// Further off than this, a forecast says nothing.
const HORIZON_DAYS: i64 = 36_500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Hosts that may be given, apart from the reserved ones.
    pub capacity: u128,
    pub used: u128,
    /// Given back, and given again before their time only when nothing is free.
    pub resting: u128,
    pub reserved: u128,
    pub free: u128,
}

impl Usage {
    /// `used` and `resting` count rows inside the range and outside its reserved parts. Rows from
    /// before a part was reserved may exceed the capacity: then nothing is free.
    pub fn new(range: &Range, used: u64, resting: u64) -> Self {
        let (used, resting) = (u128::from(used), u128::from(resting));
        let reserved = range.reserved();
        let capacity = range.hosts() - reserved;
        Self {
            capacity,
            used,
            resting,
            reserved,
            free: capacity.saturating_sub(used + resting),
        }
    }

    /// How much of the capacity is used, 0 to 100. A range without capacity is full.
    pub fn percent(&self) -> f64 {
        if self.used >= self.capacity {
            return 100.0;
        }
        self.used as f64 * 100.0 / self.capacity as f64
    }

    /// When the last address is given if the use goes on growing as it did: by `growth` addresses
    /// (given less given back) in `window`. None if it does not grow, or not within a century.
    /// Resting addresses are given too in the end, so they count as still to come.
    pub fn time_to_full(&self, growth: i64, window: TimeDelta) -> Option<TimeDelta> {
        if growth <= 0 || window <= TimeDelta::zero() {
            return None;
        }
        let left = self.capacity.saturating_sub(self.used);
        let seconds = left as f64 * window.num_seconds() as f64 / growth as f64;
        let horizon = TimeDelta::days(HORIZON_DAYS);
        if seconds > horizon.num_seconds() as f64 {
            return None;
        }
        // Within the horizon, hence far inside an i64.
        Some(TimeDelta::seconds(seconds as i64))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(prefix: &str, reserved: &[&str]) -> Range {
        let reserved: Vec<_> = reserved.iter().map(|text| text.parse().unwrap()).collect();
        Range::new(prefix.parse().unwrap(), &reserved)
    }

    proptest! {
        #[test]
        fn the_parts_make_up_the_whole(used: u64, resting: u64, length in 8u8..=128) {
            let prefix = ipnet::IpNet::new("fd00::".parse().unwrap(), length).unwrap().trunc();
            let usage = Usage::new(&Range::new(prefix, &[]), used, resting);

            if usage.used + usage.resting <= usage.capacity {
                prop_assert_eq!(usage.used + usage.resting + usage.free, usage.capacity);
            } else {
                prop_assert_eq!(usage.free, 0);
            }
            prop_assert!((0.0..=100.0).contains(&usage.percent()));
        }

        #[test]
        fn what_is_left_is_given_when_the_forecast_says(used in 0u64..65_534, growth in 1i64..1_000) {
            let usage = Usage::new(&range("10.8.0.0/16", &[]), used, 0);
            let day = TimeDelta::days(1);

            let Some(left) = usage.time_to_full(growth, day) else {
                let days = (65_534 - used) / growth as u64;
                prop_assert!(days >= 36_499);
                return Ok(());
            };

            let given = left.num_seconds() as f64 / 86_400.0 * growth as f64;
            prop_assert!((given - (65_534 - used) as f64).abs() < 0.1);
        }
    }

    #[test]
    fn reserved_addresses_are_no_capacity() {
        let usage = Usage::new(&range("10.8.0.0/24", &["10.8.0.0/25"]), 10, 5);

        assert_eq!(usage.reserved, 127);
        assert_eq!(usage.capacity, 127);
        assert_eq!(usage.free, 112);
        assert!((usage.percent() - 7.874).abs() < 0.001);
    }

    #[test]
    fn what_does_not_grow_is_never_full() {
        let usage = Usage::new(&range("10.8.0.0/24", &[]), 54, 0);
        let week = TimeDelta::days(7);

        assert_eq!(usage.time_to_full(0, week), None);
        assert_eq!(usage.time_to_full(-3, week), None);
        assert_eq!(usage.time_to_full(3, TimeDelta::zero()), None);
        assert_eq!(usage.time_to_full(100, week), Some(TimeDelta::days(14)));
    }

    #[test]
    fn a_range_that_a_century_cannot_fill_has_no_date() {
        let usage = Usage::new(&range("fd00::/64", &[]), 1, 0);

        assert_eq!(usage.time_to_full(1_000_000, TimeDelta::days(1)), None);
    }

    #[test]
    fn a_full_range_is_full_now() {
        let usage = Usage::new(&range("10.8.0.0/30", &[]), 2, 0);

        assert_eq!(usage.free, 0);
        assert_eq!(usage.percent(), 100.0);
        assert_eq!(
            usage.time_to_full(1, TimeDelta::days(1)),
            Some(TimeDelta::zero())
        );
    }

    #[test]
    fn resting_addresses_are_not_free_but_will_be_given() {
        let usage = Usage::new(&range("10.8.0.0/24", &[]), 54, 200);
        let week = TimeDelta::days(7);

        assert_eq!(usage.free, 0);
        assert_eq!(usage.time_to_full(100, week), Some(TimeDelta::days(14)));
    }
}
