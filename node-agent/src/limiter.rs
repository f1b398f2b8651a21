//! Limits how often one source may fail to sign, so that guessing and flooding cost the guesser.
//!
//! A token bucket per source: an IPv4 address, or the /64 of an IPv6 address, which is what one
//! customer gets. Only failures take a token, so whoever signs well is never refused. The memory is
//! bounded: a source that has not failed for long is forgotten first, being as good as new.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// More sources than any honest mistake has; at about 64 bytes each.
const MOST_SOURCES: usize = 65_536;

/// Too many failures: the source may try again after so many seconds, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many failed signatures, try again in {0} s")]
pub(crate) struct RetryAfterSeconds(pub(crate) u64);

#[derive(Debug)]
pub(crate) struct FailureLimiter {
    burst: u32,
    /// How long one token takes to come back.
    refill: Duration,
    most_sources: usize,
    sources: Mutex<HashMap<IpAddr, Bucket>>,
}

/// A bucket, told by the moment at which it is full again. A moment past means full.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    full_at: Instant,
}

impl FailureLimiter {
    /// Allows `burst` failures at once and `per_minute` in the long run; 0 counts as 1.
    pub(crate) fn new(burst: u32, per_minute: u32) -> Self {
        Self {
            burst: burst.max(1),
            refill: Duration::from_secs(60) / per_minute.max(1),
            most_sources: MOST_SOURCES,
            sources: Mutex::default(),
        }
    }

    /// Counts one failure of `from`, or refuses where its failures are used up.
    pub(crate) fn take(&self, from: IpAddr, now: Instant) -> Result<(), RetryAfterSeconds> {
        let from = source(from);
        // A thread that panicked here left at worst one count behind.
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= self.most_sources && !sources.contains_key(&from) {
            make_room(&mut sources, now);
        }
        let bucket = sources.entry(from).or_insert(Bucket { full_at: now });
        bucket.take(now, self.burst, self.refill)
    }
}

impl Bucket {
    fn take(
        &mut self,
        now: Instant,
        burst: u32,
        refill: Duration,
    ) -> Result<(), RetryAfterSeconds> {
        let full_at = self.full_at.max(now) + refill;
        let excess = (full_at - now).saturating_sub(refill * burst);
        if !excess.is_zero() {
            return Err(RetryAfterSeconds(excess.as_secs_f64().ceil() as u64));
        }
        self.full_at = full_at;
        Ok(())
    }
}

/// Forgets what is full; where nothing is, the half that will be full first, so that this is rare.
fn make_room(sources: &mut HashMap<IpAddr, Bucket>, now: Instant) {
    let before = sources.len();
    sources.retain(|_, bucket| bucket.full_at > now);
    if sources.len() < before {
        return;
    }
    let mut moments: Vec<Instant> = sources.values().map(|bucket| bucket.full_at).collect();
    let middle = moments.len() / 2;
    let (_, median, _) = moments.select_nth_unstable(middle);
    let median = *median;
    sources.retain(|_, bucket| bucket.full_at > median);
}

/// What counts as one source.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        v4 @ IpAddr::V4(_) => v4,
        IpAddr::V6(v6) => {
            let network = v6.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn v4(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(number))
    }

    #[test]
    fn after_the_burst_failures_are_counted_by_the_minute() {
        let limiter = FailureLimiter::new(3, 60);
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);

        for _ in 0..3 {
            assert_eq!(limiter.take(v4(1), at(0)), Ok(()));
        }
        assert_eq!(limiter.take(v4(1), at(0)), Err(RetryAfterSeconds(1)));
        assert_eq!(limiter.take(v4(1), at(999)), Err(RetryAfterSeconds(1)));
        assert_eq!(limiter.take(v4(1), at(1000)), Ok(()));
        assert_eq!(limiter.take(v4(1), at(1000)), Err(RetryAfterSeconds(1)));
        assert_eq!(limiter.take(v4(2), at(1000)), Ok(()));
    }

    #[test]
    fn the_wait_that_is_told_is_enough() {
        let limiter = FailureLimiter::new(1, 2);
        let start = Instant::now();
        assert_eq!(limiter.take(v4(1), start), Ok(()));

        let wait = limiter.take(v4(1), start).unwrap_err();

        assert_eq!(wait, RetryAfterSeconds(30));
        assert_eq!(limiter.take(v4(1), start + Duration::from_secs(30)), Ok(()));
    }

    #[test]
    fn a_customer_of_ipv6_is_one_source_and_an_ipv4_address_is_itself_in_any_spelling() {
        let source_of = |text: &str| source(text.parse().unwrap());

        assert_eq!(source_of("2001:db8::1"), source_of("2001:db8::ffff:2"));
        assert_ne!(source_of("2001:db8::1"), source_of("2001:db8:0:1::1"));
        assert_eq!(source_of("::ffff:192.0.2.1"), source_of("192.0.2.1"));
        assert_ne!(source_of("192.0.2.2"), source_of("192.0.2.1"));
    }

    #[test]
    fn a_flood_of_sources_forgets_the_longest_quiet_and_keeps_the_worst() {
        let mut limiter = FailureLimiter::new(5, 60);
        limiter.most_sources = 100;
        let start = Instant::now();
        for _ in 0..5 {
            assert_eq!(limiter.take(v4(0), start), Ok(()));
        }

        for number in 1..1000 {
            assert_eq!(limiter.take(v4(number), start), Ok(()));
            assert!(limiter.sources.lock().unwrap().len() <= 100);
        }

        assert!(limiter.take(v4(0), start).is_err());
    }

    proptest! {
        #[test]
        fn no_more_pass_than_burst_and_rate_allow(
            burst in 1u32..10,
            per_minute in 1u32..300,
            steps in vec(0u64..3000, 1..200),
        ) {
            let limiter = FailureLimiter::new(burst, per_minute);
            let start = Instant::now();
            let mut now = start;
            let mut passed = 0_u32;
            for step in steps {
                now += Duration::from_millis(step);
                passed += u32::from(limiter.take(v4(1), now).is_ok());

                let elapsed = (now - start).as_secs_f64();
                let allowed = f64::from(burst) + elapsed * f64::from(per_minute) / 60.0;
                prop_assert!(f64::from(passed) <= allowed + 1e-6, "{passed} > {allowed}");
            }
        }

        #[test]
        fn who_waits_as_told_is_let_through(
            burst in 1u32..10,
            per_minute in 1u32..300,
            failures in 1usize..40,
        ) {
            let limiter = FailureLimiter::new(burst, per_minute);
            let mut now = Instant::now();
            for _ in 0..failures {
                if let Err(RetryAfterSeconds(wait)) = limiter.take(v4(1), now) {
                    prop_assert!(wait >= 1);
                    now += Duration::from_secs(wait);
                    prop_assert_eq!(limiter.take(v4(1), now), Ok(()));
                }
            }
        }
    }
}
