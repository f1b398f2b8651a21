//! Free prefixes for a network that is about to be made.
//!
//! A suggestion is no reservation: the database refuses an overlap when the network is stored.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::prefix::overlap;
use super::range::{merge, span};

/// The space of most private networks.
pub const DEFAULT_BASE: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8);
/// How many may be asked for at once.
pub const MAX_COUNT: usize = 20;

const WIDEST: u8 = 8;
const NARROWEST: u8 = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SuggestError {
    #[error(
        "the number of peers must be 1 to {}, as many as a /{WIDEST} holds",
        hosts(WIDEST)
    )]
    MaxPeers,
    #[error("the number of suggestions must be 1 to {MAX_COUNT}")]
    Count,
    #[error("{base} has no room for a /{length}, which that many peers need")]
    BaseTooNarrow { base: Ipv4Net, length: u8 },
}

/// The longest prefix with a host for each of so many peers.
pub fn length_for(max_peers: u32) -> Result<u8, SuggestError> {
    if max_peers == 0 {
        return Err(SuggestError::MaxPeers);
    }
    (WIDEST..=NARROWEST)
        .rev()
        .find(|length| hosts(*length) >= max_peers)
        .ok_or(SuggestError::MaxPeers)
}

/// How many hosts an IPv4 prefix of this length has.
pub fn hosts(length: u8) -> u32 {
    match length {
        0 => u32::MAX - 1,
        1..=30 => (1 << (32 - length)) - 2,
        _ => 0,
    }
}

/// The lowest prefixes in `base` that hold so many peers and overlap nothing known; fewer than
/// `count`, or none, if the base has no more.
pub fn v4(
    max_peers: u32,
    count: usize,
    base: Ipv4Net,
    known: &[IpNet],
) -> Result<Vec<Ipv4Net>, SuggestError> {
    let length = length_for(max_peers)?;
    if !(1..=MAX_COUNT).contains(&count) {
        return Err(SuggestError::Count);
    }
    if base.prefix_len() > length {
        return Err(SuggestError::BaseTooNarrow { base, length });
    }
    Ok(free(length, count, base, known))
}

/// A /64 of unique local addresses (RFC 4193) made of a random global id; None if it overlaps
/// something known, and another id is to be drawn.
pub fn v6(global_id: [u8; 5], known: &[IpNet]) -> Option<Ipv6Net> {
    let mut octets = [0; 16];
    octets[0] = 0xfd;
    octets[1..6].copy_from_slice(&global_id);
    let prefix = Ipv6Net::new_assert(Ipv6Addr::from(octets), 64);
    let clash = known.iter().any(|other| overlap(*other, prefix.into()));
    (!clash).then_some(prefix)
}

/// Walks the base in steps of the wanted size and jumps over whatever is in the way, so that the
/// cost depends on how many prefixes are known, not on how large they are.
fn free(length: u8, count: usize, base: Ipv4Net, known: &[IpNet]) -> Vec<Ipv4Net> {
    let size = 1u128 << (32 - length);
    let known = merge(
        known
            .iter()
            .filter(|net| matches!(net, IpNet::V4(_)))
            .map(|net| span(*net))
            .collect(),
    );
    let mut in_the_way = known.into_iter().peekable();
    let (mut at, end) = span(base.into());
    let mut found = Vec::with_capacity(count);
    while found.len() < count && at + size - 1 <= end {
        while in_the_way.next_if(|(_, high)| *high < at).is_some() {}
        match in_the_way.peek() {
            Some((low, high)) if *low < at + size => at = (high + 1).next_multiple_of(size),
            _ => {
                let bits = u32::try_from(at).expect("inside an IPv4 prefix");
                found.push(Ipv4Net::new_assert(Ipv4Addr::from_bits(bits), length));
                at += size;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn base(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    fn known() -> impl Strategy<Value = Vec<IpNet>> {
        let one = (any::<u16>(), 20u8..=32).prop_map(|(low, length)| {
            let address = Ipv4Addr::from_bits(0x0a08_0000 | u32::from(low));
            IpNet::from(Ipv4Net::new_assert(address, length).trunc())
        });
        proptest::collection::vec(one, 0..30)
    }

    proptest! {
        #[test]
        fn suggestions_are_the_first_subnets_that_overlap_nothing(
            max_peers in 1u32..1_000,
            count in 1usize..=20,
            known in known(),
        ) {
            let base = base("10.8.0.0/18");
            let length = length_for(max_peers).unwrap();

            let suggested = v4(max_peers, count, base, &known).unwrap();

            let naive: Vec<Ipv4Net> = base
                .subnets(length)
                .unwrap()
                .filter(|net| !known.iter().any(|other| overlap(*other, (*net).into())))
                .take(count)
                .collect();
            prop_assert_eq!(suggested, naive);
        }

        #[test]
        fn the_prefix_is_the_smallest_that_holds_them(max_peers in 1u32..=16_777_214) {
            let length = length_for(max_peers).unwrap();

            prop_assert!(hosts(length) >= max_peers);
            prop_assert!(length == 30 || hosts(length + 1) < max_peers);
        }

        #[test]
        fn ipv6_suggestions_are_unique_local(global_id: [u8; 5]) {
            let prefix = v6(global_id, &[]).unwrap();

            prop_assert_eq!(prefix.prefix_len(), 64);
            prop_assert!(Ipv6Net::new_assert("fd00::".parse().unwrap(), 8).contains(&prefix));
            prop_assert_eq!(v6(global_id, &[prefix.into()]), None);
        }
    }

    #[test]
    fn fifty_peers_get_a_26_with_62_hosts() {
        let suggested = v4(50, 1, DEFAULT_BASE, &[]).unwrap();

        assert_eq!(suggested, [base("10.0.0.0/26")]);
        assert_eq!(hosts(26), 62);
    }

    #[test]
    fn known_networks_are_skipped_whatever_their_size() {
        let known = nets(&[
            "10.0.0.0/9",
            "10.128.0.64/28",
            "fd00::/8",
            "10.128.0.192/32",
        ]);

        let suggested = v4(50, 2, DEFAULT_BASE, &known).unwrap();

        assert_eq!(suggested, [base("10.128.0.0/26"), base("10.128.0.128/26")]);
    }

    #[test]
    fn a_full_base_has_nothing_to_suggest() {
        assert_eq!(v4(5, 3, DEFAULT_BASE, &nets(&["0.0.0.0/0"])), Ok(vec![]));
        assert_eq!(
            v4(5, 3, base("10.0.0.0/28"), &nets(&["10.0.0.0/29"])),
            Ok(vec![base("10.0.0.8/29")])
        );
        assert_eq!(
            v4(5, 3, base("255.255.255.248/29"), &[]),
            Ok(vec![base("255.255.255.248/29")])
        );
    }

    #[test]
    fn questions_without_an_answer_are_refused() {
        assert_eq!(v4(0, 1, DEFAULT_BASE, &[]), Err(SuggestError::MaxPeers));
        assert_eq!(
            v4(16_777_215, 1, DEFAULT_BASE, &[]),
            Err(SuggestError::MaxPeers)
        );
        assert_eq!(v4(50, 0, DEFAULT_BASE, &[]), Err(SuggestError::Count));
        assert_eq!(v4(50, 21, DEFAULT_BASE, &[]), Err(SuggestError::Count));
        assert_eq!(
            v4(50, 1, base("10.0.0.0/27"), &[]),
            Err(SuggestError::BaseTooNarrow {
                base: base("10.0.0.0/27"),
                length: 26
            })
        );
        assert!(SuggestError::MaxPeers.to_string().contains("16777214"));
    }

    #[test]
    fn thousands_of_known_networks_are_one_walk() {
        let known: Vec<IpNet> = base("10.0.0.0/10")
            .subnets(26)
            .unwrap()
            .map(IpNet::from)
            .collect();
        assert_eq!(known.len(), 65_536);

        let suggested = v4(2, 20, DEFAULT_BASE, &known).unwrap();

        assert_eq!(suggested[0], base("10.64.0.0/30"));
        assert_eq!(suggested.len(), 20);
    }
}
