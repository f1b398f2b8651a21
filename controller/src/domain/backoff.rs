//! How long to leave alone what just failed: longer each time, by chance, and after enough failures not at all.
//!
//! Chance and time are parameters. Nothing is given up here: a caller that waits still has its work.

use std::time::Duration;

mod breaker;

pub use breaker::{Admission, Breaker, BreakerRules};

/// Waits that double from `base` up to `cap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    pub base: Duration,
    pub cap: Duration,
}

impl Backoff {
    /// The wait after so many failures in a row; the first failure is 1, and none means no wait.
    ///
    /// `jitter`, from 0 to 1, is drawn by the caller and spreads the wait over all of the range, so
    /// that nodes which failed together do not come back together. What is not such a number is 1.
    pub fn wait(&self, failures: u32, jitter: f64) -> Duration {
        let jitter = if (0.0..=1.0).contains(&jitter) {
            jitter
        } else {
            1.0
        };
        self.longest(failures).mul_f64(jitter)
    }

    fn longest(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(1) else {
            return Duration::ZERO;
        };
        let grown = 2u32
            .checked_pow(doublings)
            .and_then(|factor| self.base.checked_mul(factor));
        grown.map_or(self.cap, |grown| grown.min(self.cap))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PRODUCT: Backoff = Backoff {
        base: Duration::from_millis(500),
        cap: Duration::from_secs(30),
    };

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_cap(base_ms in 0u64..100_000, cap_ms in 0u64..100_000, failures: u32, jitter in 0.0f64..=1.0) {
            let backoff = Backoff { base: Duration::from_millis(base_ms), cap: Duration::from_millis(cap_ms) };

            prop_assert!(backoff.wait(failures, jitter) <= backoff.cap);
        }

        #[test]
        fn more_failures_never_wait_less(failures in 0u32..u32::MAX, jitter in 0.0f64..=1.0) {
            prop_assert!(PRODUCT.wait(failures, jitter) <= PRODUCT.wait(failures + 1, jitter));
        }

        #[test]
        fn any_jitter_gives_a_wait(failures: u32, jitter: f64) {
            prop_assert!(PRODUCT.wait(failures, jitter) <= PRODUCT.cap);
        }
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let waits: Vec<u128> = (0..9)
            .map(|failures| PRODUCT.wait(failures, 1.0).as_millis())
            .collect();

        assert_eq!(
            waits,
            [0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]
        );
        assert_eq!(PRODUCT.wait(u32::MAX, 1.0), PRODUCT.cap);
    }

    #[test]
    fn jitter_spreads_over_the_whole_range() {
        assert_eq!(PRODUCT.wait(4, 0.0), Duration::ZERO);
        assert_eq!(PRODUCT.wait(4, 0.25), Duration::from_secs(1));
        assert_eq!(PRODUCT.wait(4, f64::NAN), Duration::from_secs(4));
    }
}
