//! The prefix of a network or of an interface's own pool, as a person gives it.
//!
//! Whether it is still free is for the database to say.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::IpNet;

/// From the widest private network there is to the longest prefix with a host left to give.
pub const V4_LENGTHS: RangeInclusive<u8> = 8..=30;
/// From what a registry hands to a provider to the longest prefix with two hosts left to give.
pub const V6_LENGTHS: RangeInclusive<u8> = 32..=126;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    #[error("is not an address with a prefix length, such as 10.8.0.0/24 or fd00:8::/64")]
    Malformed,
    #[error("has bits set beyond its length; the prefix that holds it is {right}")]
    HostBits { right: IpNet },
    #[error("has a length outside /{shortest} to /{longest}")]
    Length { shortest: u8, longest: u8 },
    #[error("overlaps {special}, which is for {purpose} and no place for peers")]
    Special {
        special: IpNet,
        purpose: &'static str,
    },
}

/// Reads a prefix that peers may live in. A suggested correction is itself acceptable in length, but
/// may still be refused for where it lies.
pub fn parse(text: &str) -> Result<IpNet, PrefixError> {
    parse_within(text, V4_LENGTHS, V6_LENGTHS)
}

/// Reads a prefix behind a peer, or one that nobody gets: from half of everything down to a single host.
pub fn parse_route(text: &str) -> Result<IpNet, PrefixError> {
    parse_within(text, 1..=32, 1..=128)
}

fn parse_within(
    text: &str,
    v4: RangeInclusive<u8>,
    v6: RangeInclusive<u8>,
) -> Result<IpNet, PrefixError> {
    let prefix: IpNet = text.parse().map_err(|_| PrefixError::Malformed)?;
    let lengths = match prefix {
        IpNet::V4(_) => v4,
        IpNet::V6(_) => v6,
    };
    if !lengths.contains(&prefix.prefix_len()) {
        return Err(PrefixError::Length {
            shortest: *lengths.start(),
            longest: *lengths.end(),
        });
    }
    if prefix != prefix.trunc() {
        return Err(PrefixError::HostBits {
            right: prefix.trunc(),
        });
    }
    match special().find(|(special, _)| overlap(*special, prefix)) {
        Some((special, purpose)) => Err(PrefixError::Special { special, purpose }),
        None => Ok(prefix),
    }
}

/// Whether every address of the pool is one of the network's.
pub fn inside(pool: IpNet, network: IpNet) -> bool {
    network.contains(&pool)
}

/// Two prefixes overlap only when one contains the other.
pub fn overlap(one: IpNet, other: IpNet) -> bool {
    one.contains(&other) || other.contains(&one)
}

/// Who of these overlaps one before it under the same key, and which one: `later -> earlier`, as indices.
///
/// Two prefixes are apart or one within the other, so in order of their first addresses those around the next one are
/// a stack.
pub fn clashes<K: Ord>(claims: &[(K, IpNet)]) -> BTreeMap<usize, usize> {
    let mut order: Vec<usize> = (0..claims.len()).collect();
    order.sort_by_key(|at| {
        let (key, prefix) = &claims[*at];
        (key, *prefix, *at)
    });
    let mut found = BTreeMap::new();
    let mut around: Vec<Around> = Vec::new();
    for at in order {
        let (key, prefix) = &claims[at];
        while let Some(last) = around.last() {
            let (other, outer) = &claims[last.at];
            if other == key && outer.contains(prefix) {
                break;
            }
            close(&mut around, &mut found);
        }
        let earliest_around = around.last().map(|last| last.at.min(last.earliest_around));
        let earliest_around = earliest_around.unwrap_or(usize::MAX);
        if earliest_around < at {
            found.insert(at, earliest_around);
        }
        around.push(Around {
            at,
            earliest_around,
            earliest_within: usize::MAX,
        });
    }
    while !around.is_empty() {
        close(&mut around, &mut found);
    }
    found
}

/// A prefix that may hold the next ones.
struct Around {
    at: usize,
    earliest_around: usize,
    earliest_within: usize,
}

/// Leaves the innermost prefix, whose whole content is known now.
fn close(around: &mut Vec<Around>, found: &mut BTreeMap<usize, usize>) {
    let Some(done) = around.pop() else { return };
    if done.earliest_within < done.at {
        found.entry(done.at).or_insert(done.earliest_within);
    }
    if let Some(outer) = around.last_mut() {
        let earliest = done.at.min(done.earliest_within);
        outer.earliest_within = outer.earliest_within.min(earliest);
    }
}

fn special() -> impl Iterator<Item = (IpNet, &'static str)> {
    let v4 = |a, b, length, purpose| (IpAddr::from(Ipv4Addr::new(a, b, 0, 0)), length, purpose);
    let v6 = |segments: [u16; 8], length, purpose| {
        (IpAddr::from(Ipv6Addr::from(segments)), length, purpose)
    };
    [
        v4(0, 0, 8, "addresses of this very host"),
        v4(127, 0, 8, "loopback"),
        v4(169, 254, 16, "link-local addresses"),
        v4(224, 0, 4, "multicast"),
        v4(240, 0, 4, "a future that never came"),
        v6([0; 8], 96, "loopback and addresses never assigned"),
        v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, "IPv4 in IPv6 clothes"),
        v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "link-local addresses"),
        v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "multicast"),
    ]
    .into_iter()
    .map(|(address, length, purpose)| (IpNet::new_assert(address, length), purpose))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    proptest! {
        #[test]
        fn what_is_accepted_prints_as_it_was_read(address: IpAddr, length in 0u8..=128) {
            let text = format!("{address}/{length}");
            match parse(&text) {
                Ok(prefix) => prop_assert_eq!(prefix.to_string(), text),
                Err(PrefixError::HostBits { right }) => {
                    prop_assert!(right.contains(&address));
                    prop_assert_eq!(right.prefix_len(), length);
                    let again = parse(&right.to_string());
                    let special = matches!(again, Err(PrefixError::Special { .. }));
                    prop_assert!(again == Ok(right) || special);
                }
                Err(_) => {}
            }
        }

        #[test]
        fn of_many_those_are_named_that_overlap_an_earlier_one(
            claims in prop::collection::vec((0..2u8, any::<u8>(), 25..=32u8), 0..12)
        ) {
            let claims: Vec<(u8, IpNet)> = claims
                .into_iter()
                .map(|(key, host, length)| {
                    let prefix = IpNet::new_assert(Ipv4Addr::new(10, 0, 0, host).into(), length);
                    (key, prefix.trunc())
                })
                .collect();
            let clash = |at: usize, other: usize| {
                claims[at].0 == claims[other].0 && overlap(claims[at].1, claims[other].1)
            };
            let found = clashes(&claims);
            for at in 0..claims.len() {
                match found.get(&at) {
                    Some(earlier) => prop_assert!(*earlier < at && clash(at, *earlier)),
                    None => prop_assert!(!(0..at).any(|earlier| clash(at, earlier))),
                }
            }
        }

        #[test]
        fn any_text_is_a_prefix_or_an_error_but_never_a_panic(text in ".{0,50}") {
            let _outcome: Result<IpNet, PrefixError> = parse(&text);
        }
    }

    #[test]
    fn host_bits_are_refused_with_the_prefix_that_was_meant() {
        let err = parse("10.255.238.0/22").unwrap_err();

        assert_eq!(
            err,
            PrefixError::HostBits {
                right: net("10.255.236.0/22")
            }
        );
        assert!(err.to_string().contains("10.255.236.0/22"));
    }

    #[test]
    fn prefixes_for_peers_are_accepted() {
        for text in [
            "10.0.0.0/8",
            "10.8.0.0/30",
            "100.64.0.0/10",
            "203.0.113.0/24",
            "fd00:8::/64",
            "2001:db8::/32",
            "fd00::4/126",
        ] {
            assert_eq!(parse(text), Ok(net(text)));
        }
    }

    #[test]
    fn lengths_without_room_or_without_measure_are_refused() {
        for text in ["8.0.0.0/7", "10.8.0.0/31", "10.8.0.1/32", "0.0.0.0/0"] {
            let expected = PrefixError::Length {
                shortest: 8,
                longest: 30,
            };
            assert_eq!(parse(text), Err(expected), "{text}");
        }
        for text in ["fd00::/31", "fd00::/127", "fd00::1/128", "::/0"] {
            let expected = PrefixError::Length {
                shortest: 32,
                longest: 126,
            };
            assert_eq!(parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_route_may_be_a_single_host_but_not_everything() {
        for text in ["192.168.7.1/32", "fd09::1/128", "172.16.0.0/12"] {
            assert_eq!(parse_route(text), Ok(net(text)));
        }
        for text in ["0.0.0.0/0", "::/0"] {
            let refused = matches!(parse_route(text), Err(PrefixError::Length { .. }));
            assert!(refused, "{text}");
        }
        let right = net("192.168.7.0/24");
        let expected = PrefixError::HostBits { right };
        assert_eq!(parse_route("192.168.7.1/24"), Err(expected));
    }

    #[test]
    fn special_addresses_are_refused_even_deep_inside() {
        for text in [
            "0.0.0.0/8",
            "127.0.0.0/8",
            "127.3.0.0/24",
            "169.0.0.0/8",
            "169.254.7.0/24",
            "224.0.0.0/24",
            "255.255.255.0/24",
            "::/64",
            "::ffff:10.0.0.0/120",
            "fe80::/64",
            "ff02::/64",
        ] {
            let refused = matches!(parse(text), Err(PrefixError::Special { .. }));
            assert!(refused, "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn what_is_no_prefix_is_refused() {
        for text in [
            "",
            "10.8.0.0",
            "10.8.0/24",
            " 10.8.0.0/24",
            "10.8.0.0/24\n",
            "a/8",
        ] {
            assert_eq!(parse(text), Err(PrefixError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn a_pool_lies_inside_its_network_or_not() {
        assert!(inside(net("10.8.0.128/25"), net("10.8.0.0/24")));
        assert!(inside(net("10.8.0.0/24"), net("10.8.0.0/24")));
        assert!(!inside(net("10.8.0.0/23"), net("10.8.0.0/24")));
        assert!(!inside(net("10.9.0.0/25"), net("10.8.0.0/24")));
        assert!(!inside(net("fd00::/120"), net("10.8.0.0/24")));
    }
}
