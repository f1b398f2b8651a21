//! Limits how often one source may fail to prove who it is, so that guessing costs the guesser.
//!
//! A token bucket per source: an IPv4 address, or the /64 of an IPv6 address, which is what one customer
//! gets. Only failures take a token, so whoever signs well is never refused. The memory is this
//! controller's alone and bounded: whoever has not failed for long is forgotten first.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const MOST_SOURCES: usize = 65_536;
const BURST: u32 = 20;
/// How long one token takes to come back.
const REFILL: Duration = Duration::from_secs(3);

/// The source may try again after so many seconds, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RetryAfterSeconds(pub(super) u64);

/// Each bucket is told by the moment at which it is full again; a moment past means full.
#[derive(Debug, Default)]
pub(super) struct FailureLimiter {
    full_at: Mutex<HashMap<IpAddr, Instant>>,
}

impl FailureLimiter {
    /// Counts one failure of `from`, or refuses where its failures are used up.
    pub(super) fn take(&self, from: IpAddr, now: Instant) -> Result<(), RetryAfterSeconds> {
        let from = source(from);
        // A thread that panicked here left at worst one count behind.
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= MOST_SOURCES && !full_at.contains_key(&from) {
            make_room(&mut full_at, now);
        }
        let bucket = full_at.entry(from).or_insert(now);
        let after = (*bucket).max(now) + REFILL;
        let excess = (after - now).saturating_sub(REFILL * BURST);
        if !excess.is_zero() {
            return Err(RetryAfterSeconds(excess.as_secs_f64().ceil() as u64));
        }
        *bucket = after;
        Ok(())
    }
}

/// Forgets what is full; where nothing is, the half that will be full first, so that this is rare.
fn make_room(full_at: &mut HashMap<IpAddr, Instant>, now: Instant) {
    let before = full_at.len();
    full_at.retain(|_, at| *at > now);
    if full_at.len() < before {
        return;
    }
    let mut moments: Vec<Instant> = full_at.values().copied().collect();
    let middle = moments.len() / 2;
    let (_, median, _) = moments.select_nth_unstable(middle);
    let median = *median;
    full_at.retain(|_, at| *at > median);
}

/// What counts as one source.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        v4 @ IpAddr::V4(_) => v4,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn v4(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(number))
    }

    #[test]
    fn after_the_burst_one_source_waits_and_the_others_do_not() {
        let limiter = FailureLimiter::default();
        let start = Instant::now();
        for _ in 0..BURST {
            assert_eq!(limiter.take(v4(1), start), Ok(()));
        }

        let wait = limiter.take(v4(1), start).unwrap_err();

        assert_eq!(wait, RetryAfterSeconds(3));
        assert_eq!(limiter.take(v4(2), start), Ok(()));
        let almost = start + Duration::from_millis(2999);
        assert_eq!(limiter.take(v4(1), almost), Err(RetryAfterSeconds(1)));
        assert_eq!(limiter.take(v4(1), start + Duration::from_secs(3)), Ok(()));
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
    fn a_flood_of_sources_is_bounded_and_forgets_the_busiest_last() {
        let limiter = FailureLimiter::default();
        let start = Instant::now();
        for _ in 0..BURST {
            limiter.take(v4(0), start).unwrap();
        }

        for number in 1..=2 * MOST_SOURCES as u32 {
            limiter.take(v4(number), start).unwrap();
        }

        let known = limiter.full_at.lock().unwrap().len();
        assert!(known <= MOST_SOURCES, "{known}");
        assert!(limiter.take(v4(0), start).is_err());
    }
}
