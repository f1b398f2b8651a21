//! The hosts of a prefix that may be given at all.
//!
//! The first and the last address of an IPv4 prefix are its network and broadcast addresses, the
//! first of an IPv6 prefix is the anycast address of its routers: they are never given. This holds
//! for a pool inside a network as well, and covers the network's own edges too, since a pool that
//! contains one has it as its own edge. An IPv4 /31 or /32 therefore has no host to give; such
//! prefixes are refused when a person enters them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("is not inside {0}")]
    Outside(IpNet),
    #[error("is the network, broadcast or routers' address of {0}")]
    Edge(IpNet),
    #[error("is reserved")]
    Reserved,
}

/// A prefix to draw addresses from, with what is reserved in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    prefix: IpNet,
    first: u128,
    /// Below `first` where there is no host to give.
    last: u128,
    /// Inclusive spans inside `first..=last`, ascending, neither overlapping nor touching.
    reserved: Vec<(u128, u128)>,
}

impl Range {
    pub fn new(prefix: IpNet, reserved: &[IpNet]) -> Self {
        let (low, high) = span(prefix);
        let (first, last) = match prefix {
            // No host: the first lies behind the last.
            IpNet::V4(v4) if v4.prefix_len() > 30 => (low + 1, low),
            IpNet::V4(_) => (low + 1, high - 1),
            IpNet::V6(v6) if v6.prefix_len() == 128 => (1, 0),
            IpNet::V6(_) => (low + 1, high),
        };
        let inside = reserved
            .iter()
            .filter(|other| same_family(**other, prefix))
            .map(|other| span(*other))
            .map(|(low, high)| (low.max(first), high.min(last)))
            .filter(|(low, high)| low <= high);
        Self {
            prefix,
            first,
            last,
            reserved: merge(inside.collect()),
        }
    }

    pub fn prefix(&self) -> IpNet {
        self.prefix
    }

    /// The lowest and the highest host, reserved or not; none if the prefix is too long to have any.
    pub fn bounds(&self) -> Option<(IpAddr, IpAddr)> {
        (self.first <= self.last).then(|| (self.address(self.first), self.address(self.last)))
    }

    /// How many hosts there are, the reserved ones included.
    pub fn hosts(&self) -> u128 {
        match self.first <= self.last {
            true => self.last - self.first + 1,
            false => 0,
        }
    }

    /// How many of the hosts are reserved.
    pub fn reserved(&self) -> u128 {
        self.reserved.iter().map(|(low, high)| high - low + 1).sum()
    }

    /// Whether this address may be given to somebody who asks for it by name.
    pub fn check(&self, address: IpAddr) -> Result<(), Unusable> {
        if !self.prefix.contains(&address) {
            return Err(Unusable::Outside(self.prefix));
        }
        let number = number(address);
        if number < self.first || number > self.last {
            return Err(Unusable::Edge(self.prefix));
        }
        match self.span_with(number) {
            Some(_) => Err(Unusable::Reserved),
            None => Ok(()),
        }
    }

    pub(super) fn numbers(&self) -> (u128, u128) {
        (self.first, self.last)
    }

    /// The reserved span that holds this number.
    pub(super) fn span_with(&self, number: u128) -> Option<(u128, u128)> {
        let after = self.reserved.partition_point(|(low, _)| *low <= number);
        let (low, high) = *self.reserved.get(after.checked_sub(1)?)?;
        (number <= high).then_some((low, high))
    }

    pub(super) fn address(&self, number: u128) -> IpAddr {
        match self.prefix {
            IpNet::V4(_) => {
                let bits = u32::try_from(number).expect("a number inside an IPv4 prefix");
                Ipv4Addr::from_bits(bits).into()
            }
            IpNet::V6(_) => Ipv6Addr::from_bits(number).into(),
        }
    }
}

pub(super) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The numbers of a prefix, all of them.
pub(super) fn span(prefix: IpNet) -> (u128, u128) {
    (number(prefix.network()), number(prefix.broadcast()))
}

/// Joins spans that overlap or touch.
pub(super) fn merge(mut spans: Vec<(u128, u128)>) -> Vec<(u128, u128)> {
    spans.sort_unstable();
    let mut merged: Vec<(u128, u128)> = Vec::with_capacity(spans.len());
    for (low, high) in spans {
        match merged.last_mut() {
            Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
            _ => merged.push((low, high)),
        }
    }
    merged
}

fn same_family(one: IpNet, other: IpNet) -> bool {
    one.max_prefix_len() == other.max_prefix_len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn range(prefix: &str, reserved: &[&str]) -> Range {
        let reserved: Vec<IpNet> = reserved.iter().map(|text| net(text)).collect();
        Range::new(net(prefix), &reserved)
    }

    fn prefix() -> impl Strategy<Value = IpNet> {
        (any::<u16>(), 24u8..=32).prop_map(|(low, length)| {
            let address = Ipv4Addr::from_bits(0x0a08_0000 | u32::from(low & 0x3ff));
            IpNet::new(address.into(), length).unwrap().trunc()
        })
    }

    proptest! {
        #[test]
        fn counting_and_asking_agree(
            prefix in prefix(),
            reserved in proptest::collection::vec(prefix(), 0..6),
        ) {
            let range = Range::new(prefix, &reserved);

            let given: Vec<IpAddr> = all(prefix).filter(|address| range.check(*address).is_ok()).collect();

            prop_assert_eq!(given.len() as u128, range.hosts() - range.reserved());
            for address in given {
                prop_assert!(!reserved.iter().any(|net| net.contains(&address)));
                prop_assert!(address != prefix.network() && address != prefix.broadcast());
            }
        }
    }

    fn all(prefix: IpNet) -> impl Iterator<Item = IpAddr> {
        let (low, high) = span(prefix);
        (low..=high).map(|number| Ipv4Addr::from_bits(number as u32).into())
    }

    #[test]
    fn edges_are_never_given() {
        let v4 = range("10.8.0.0/27", &[]);
        assert_eq!(v4.bounds(), Some((ip("10.8.0.1"), ip("10.8.0.30"))));
        assert_eq!(v4.hosts(), 30);
        assert_eq!(
            v4.check(ip("10.8.0.0")),
            Err(Unusable::Edge(net("10.8.0.0/27")))
        );
        assert_eq!(
            v4.check(ip("10.8.0.31")),
            Err(Unusable::Edge(net("10.8.0.0/27")))
        );
        assert_eq!(
            v4.check(ip("10.8.0.32")),
            Err(Unusable::Outside(net("10.8.0.0/27")))
        );
        assert_eq!(
            v4.check(ip("fd00::1")),
            Err(Unusable::Outside(net("10.8.0.0/27")))
        );

        let v6 = range("fd00::/64", &[]);
        assert_eq!(
            v6.bounds(),
            Some((ip("fd00::1"), ip("fd00::ffff:ffff:ffff:ffff")))
        );
        assert_eq!(v6.hosts(), (1 << 64) - 1);
        assert_eq!(
            v6.check(ip("fd00::")),
            Err(Unusable::Edge(net("fd00::/64")))
        );
    }

    #[test]
    fn the_longest_prefixes_have_no_host() {
        for text in [
            "10.8.0.0/31",
            "10.8.0.0/32",
            "0.0.0.0/32",
            "255.255.255.255/32",
            "::/128",
            "fd00::/128",
        ] {
            let range = range(text, &[]);
            assert_eq!((range.bounds(), range.hosts()), (None, 0), "{text}");
        }
        assert_eq!(range("10.8.0.0/30", &[]).hosts(), 2);
    }

    #[test]
    fn the_widest_prefix_can_be_counted() {
        assert_eq!(range("::/0", &[]).hosts(), u128::MAX);
        assert_eq!(range("::/0", &["::/0"]).reserved(), u128::MAX);
        assert_eq!(range("0.0.0.0/0", &[]).hosts(), (1 << 32) - 2);
    }

    #[test]
    fn reserved_ranges_count_once_and_only_inside() {
        let range = range(
            "10.8.0.0/24",
            &[
                "10.8.0.0/28",
                "10.8.0.8/29",
                "10.8.0.16/28",
                "10.9.0.0/16",
                "fd00::/8",
            ],
        );

        assert_eq!(range.reserved(), 31);
        assert_eq!(range.check(ip("10.8.0.31")), Err(Unusable::Reserved));
        assert_eq!(range.check(ip("10.8.0.32")), Ok(()));
    }
}
