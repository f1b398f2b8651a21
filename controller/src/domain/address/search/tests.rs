//! The search beside a naive one, and over ranges too large to walk.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::IpNet;
use proptest::prelude::*;

use super::*;

const WINDOW: NonZeroU16 = NonZeroU16::new(100).unwrap();

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Answers every question out of a set, as the database would, and counts them.
fn run(mut search: Search<'_>, taken: &BTreeSet<IpAddr>) -> (Outcome, usize) {
    let mut questions = 0;
    while let Some(Question { from, until, limit }) = search.question() {
        let rows: Vec<IpAddr> = taken
            .range(from..=until)
            .take(usize::from(limit.get()))
            .copied()
            .collect();
        search.answer(&rows);
        questions += 1;
        assert!(questions < 10_000, "the search does not end");
    }
    (search.outcome(), questions)
}

/// Every address from the hint round to the one before it, kept if nothing speaks against it.
fn naive(range: &Range, hint: IpAddr, wanted: usize, taken: &BTreeSet<IpAddr>) -> Vec<IpAddr> {
    let hosts: Vec<IpAddr> = range.prefix().trunc().hosts().collect();
    let start = match range.prefix().contains(&hint) {
        true => hosts.iter().position(|host| *host >= hint),
        false => Some(0),
    };
    // Beyond the last host is where the last host is.
    let start = start.unwrap_or(hosts.len().saturating_sub(1));
    let (before, after) = hosts.split_at(start);
    after
        .iter()
        .chain(before)
        .filter(|host| range.check(**host).is_ok() && !taken.contains(host))
        .take(wanted)
        .copied()
        .collect()
}

/// Addresses and prefixes in and a little around 10.8.0.0/25.
fn address() -> impl Strategy<Value = IpAddr> {
    (0u32..160).prop_map(|low| Ipv4Addr::from_bits(0x0a08_0000 + low).into())
}

fn prefix(lengths: std::ops::RangeInclusive<u8>) -> impl Strategy<Value = IpNet> {
    (address(), lengths).prop_map(|(address, length)| IpNet::new(address, length).unwrap().trunc())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_finds_what_a_naive_search_finds(
        prefix in prefix(25..=30),
        reserved in proptest::collection::vec(prefix(26..=32), 0..4),
        taken in proptest::collection::btree_set(address(), 0..150),
        hint in address(),
        wanted in 0usize..12,
        window in 1u16..40,
    ) {
        let range = Range::new(prefix, &reserved);
        let window = NonZeroU16::new(window).unwrap();

        let (outcome, _) = run(Search::new(&range, hint, wanted, window), &taken);

        prop_assert_eq!(&outcome.addresses, &naive(&range, hint, wanted, &taken));
        match outcome.addresses.last() {
            Some(_) => prop_assert!(prefix.contains(&outcome.next)),
            None => prop_assert_eq!(outcome.next, hint),
        }
    }

    #[test]
    fn the_size_of_the_windows_changes_nothing(
        taken in proptest::collection::btree_set(address(), 0..150),
        hint in address(),
        window in 1u16..40,
    ) {
        let range = Range::new(net("10.8.0.0/25"), &[net("10.8.0.32/29")]);
        let window = NonZeroU16::new(window).unwrap();

        let (small, _) = run(Search::new(&range, hint, 5, window), &taken);
        let (large, _) = run(Search::new(&range, hint, 5, NonZeroU16::MAX), &taken);

        prop_assert_eq!(small, large);
    }
}

#[test]
fn a_prefix_of_thirty_hosts_is_filled_exactly() {
    let range = Range::new(net("10.8.0.0/27"), &[]);
    let mut taken = BTreeSet::from([ip("10.8.0.1")]);
    let mut hint = ip("10.8.0.0");

    for _ in 0..29 {
        let (outcome, _) = run(Search::new(&range, hint, 1, WINDOW), &taken);
        assert_eq!(outcome.addresses.len(), 1);
        assert!(taken.insert(outcome.addresses[0]), "given twice");
        hint = outcome.next;
    }

    let (outcome, _) = run(Search::new(&range, hint, 1, WINDOW), &taken);
    assert_eq!(outcome.addresses, [] as [IpAddr; 0]);
    assert_eq!(outcome.next, hint);
    assert_eq!(taken.len(), 30);
}

#[test]
fn a_released_address_waits_until_the_search_has_come_round() {
    let range = Range::new(net("10.8.0.0/29"), &[]);
    let mut taken: BTreeSet<IpAddr> = ["10.8.0.1", "10.8.0.2", "10.8.0.3"].map(ip).into();

    taken.remove(&ip("10.8.0.2"));
    let (outcome, _) = run(Search::new(&range, ip("10.8.0.4"), 4, WINDOW), &taken);

    assert_eq!(
        outcome.addresses,
        ["10.8.0.4", "10.8.0.5", "10.8.0.6", "10.8.0.2"].map(ip)
    );
    assert_eq!(outcome.next, ip("10.8.0.3"));
}

#[test]
fn many_are_found_with_one_question() {
    let range = Range::new(net("fd00::/64"), &[]);

    let (outcome, questions) = run(
        Search::new(&range, ip("fd00::"), 1000, WINDOW),
        &BTreeSet::new(),
    );

    assert_eq!(questions, 1);
    assert_eq!(outcome.addresses[0], ip("fd00::1"));
    assert_eq!(outcome.addresses[999], ip("fd00::3e8"));
    assert_eq!(outcome.next, ip("fd00::3e9"));
}

#[test]
fn the_end_of_all_addresses_is_no_edge_to_fall_from() {
    for (prefix, last) in [
        ("255.255.255.248/29", "255.255.255.254"),
        (
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff8/125",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
    ] {
        let range = Range::new(net(prefix), &[]);

        let (outcome, _) = run(Search::new(&range, ip(last), 1, WINDOW), &BTreeSet::new());

        assert_eq!(outcome.addresses, [ip(last)]);
        assert_eq!(outcome.next, range.bounds().unwrap().0);
    }
}

#[test]
fn a_reserved_range_of_any_size_is_one_step() {
    let range = Range::new(net("fd00::/64"), &[net("fd00::/65")]);

    let (outcome, questions) = run(
        Search::new(&range, ip("fd00::"), 1, WINDOW),
        &BTreeSet::new(),
    );

    assert_eq!(outcome.addresses, [ip("fd00::8000:0:0:0")]);
    assert_eq!(questions, 1);
}

#[test]
fn a_prefix_without_hosts_yields_none() {
    for text in ["10.8.0.0/31", "0.0.0.0/32", "fd00::/128"] {
        let range = Range::new(net(text), &[]);
        let hint = range.prefix().addr();

        let (outcome, questions) = run(Search::new(&range, hint, 3, WINDOW), &BTreeSet::new());

        assert_eq!((outcome.addresses, outcome.next), (vec![], hint));
        assert_eq!(questions, 0);
    }
}

#[test]
fn an_answer_nobody_asked_for_is_left_alone() {
    let range = Range::new(net("10.8.0.0/30"), &[]);
    let mut search = Search::new(&range, ip("10.8.0.1"), 5, WINDOW);
    while search.question().is_some() {
        search.answer(&[]);
    }

    search.answer(&[]);

    assert_eq!(search.outcome().addresses, ["10.8.0.1", "10.8.0.2"].map(ip));
}
