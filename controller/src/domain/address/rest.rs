//! Addresses that were given back and rest for a while, so that what still remembers the old holder
//! (a firewall, a log, a cache) does not take the new one for it.
//!
//! Scarcity goes before rest: rather than refuse a peer, the address that has rested longest is given
//! early. Where the release times come from, and that two callers do not reuse the same one, is the
//! database's part.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use super::range::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resting {
    pub address: IpAddr,
    pub released_at: DateTime<Utc>,
}

/// Addresses released at or before this moment have rested enough and are as free as any other.
pub fn rested_since(now: DateTime<Utc>, rest: TimeDelta) -> DateTime<Utc> {
    now.checked_sub_signed(rest)
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// Whether an address still counts as taken. One released in the future, by another clock, does.
pub fn is_resting(released_at: DateTime<Utc>, now: DateTime<Utc>, rest: TimeDelta) -> bool {
    released_at > rested_since(now, rest)
}

/// What to give when the range holds nothing free: those released longest ago, the lower address
/// first where two were released together. Only what may be given at all is.
pub fn reuse(range: &Range, resting: &[Resting], wanted: usize) -> Vec<IpAddr> {
    let mut oldest: Vec<&Resting> = resting
        .iter()
        .filter(|one| range.check(one.address).is_ok())
        .collect();
    oldest.sort_unstable_by_key(|one| (one.released_at, one.address));
    oldest
        .into_iter()
        .take(wanted)
        .map(|one| one.address)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn resting(low: u8, released_at: i64) -> Resting {
        Resting {
            address: Ipv4Addr::new(10, 8, 0, low).into(),
            released_at: at(released_at),
        }
    }

    fn range(reserved: &[&str]) -> Range {
        let reserved: Vec<_> = reserved.iter().map(|text| text.parse().unwrap()).collect();
        Range::new("10.8.0.0/24".parse().unwrap(), &reserved)
    }

    proptest! {
        #[test]
        fn nothing_left_out_was_released_before_something_given(
            rows in proptest::collection::btree_map(0u8..=255, 0i64..50, 0..40),
            wanted in 0usize..50,
        ) {
            let rows: Vec<Resting> = rows.into_iter().map(|(low, at)| resting(low, at)).collect();
            let range = range(&["10.8.0.64/26"]);

            let given = reuse(&range, &rows, wanted);

            let (chosen, left): (Vec<&Resting>, Vec<&Resting>) = rows
                .iter()
                .filter(|row| range.check(row.address).is_ok())
                .partition(|row| given.contains(&row.address));
            prop_assert_eq!(given.len(), wanted.min(chosen.len() + left.len()));
            prop_assert_eq!(given.len(), chosen.len());
            let newest_chosen = chosen.iter().map(|row| row.released_at).max();
            let oldest_left = left.iter().map(|row| row.released_at).min();
            prop_assert!(newest_chosen.zip(oldest_left).is_none_or(|(chosen, left)| chosen <= left));
        }
    }

    #[test]
    fn rest_ends_to_the_second() {
        let rest = TimeDelta::seconds(600);

        assert!(is_resting(at(1_000), at(1_000), rest));
        assert!(is_resting(at(1_000), at(1_599), rest));
        assert!(!is_resting(at(1_000), at(1_600), rest));
        assert!(is_resting(at(9_999), at(1_600), rest));
    }

    #[test]
    fn no_rest_at_all_is_allowed_and_an_endless_one_too() {
        assert!(!is_resting(at(1_000), at(1_000), TimeDelta::zero()));
        assert!(is_resting(at(0), at(4_000_000_000), TimeDelta::MAX));
    }

    #[test]
    fn the_one_released_first_is_reused_first() {
        let rows = [
            resting(9, 30),
            resting(7, 20),
            resting(8, 20),
            resting(5, 40),
        ];

        let given = reuse(&range(&[]), &rows, 3);

        let lows: Vec<String> = given.iter().map(IpAddr::to_string).collect();
        assert_eq!(lows, ["10.8.0.7", "10.8.0.8", "10.8.0.9"]);
    }

    #[test]
    fn what_was_reserved_meanwhile_is_not_reused() {
        let given = reuse(
            &range(&["10.8.0.7/32"]),
            &[resting(7, 20), resting(0, 10)],
            3,
        );

        assert_eq!(given, [] as [IpAddr; 0]);
    }
}
