//! A prefix cut into parts of equal size, few enough to be drawn and many enough to show where addresses lie.

use std::net::Ipv6Addr;

use ipnet::{IpNet, Ipv6Net};

/// More parts than this are not told apart in a picture.
const MOST_BITS: u8 = 8;
/// Below this many, parts of single addresses would say more than they hide.
const LEAST_BITS: u8 = 6;
/// A part of four addresses is small enough, as long as there are parts enough.
const SMALLEST_BITS: u8 = 2;

/// Fewer addresses of IPv6 than this many bits count are no picture, and a wider corner cannot be counted through.
const CORNER: std::ops::RangeInclusive<u8> = 66..=120;

/// The corner of a prefix of IPv6 that holds all from the first address to the last; none where that is no corner.
pub fn corner(prefix: Ipv6Net, first: Ipv6Addr, last: Ipv6Addr) -> Option<Ipv6Net> {
    let common = (u128::from(first) ^ u128::from(last)).leading_zeros();
    let length = u8::try_from(common).map_or(128, |common| common.min(*CORNER.end()));
    let length = length.max(prefix.prefix_len());
    let corner = Ipv6Net::new(first, length).ok()?.trunc();
    (length >= *CORNER.start()).then_some(corner)
}

/// The parts in their order: 64 to 256 of them, or single addresses where the prefix has no more.
pub fn parts(prefix: IpNet) -> Vec<IpNet> {
    let length = length(prefix);
    let parts = prefix.subnets(length);
    parts
        .expect("a part is no larger than its prefix and no smaller than an address")
        .collect()
}

/// How many addresses a part of this prefix has, which is no wider than a corner.
pub fn part_size(prefix: IpNet) -> i64 {
    1 << (prefix.max_prefix_len() - length(prefix)).min(62)
}

fn length(prefix: IpNet) -> u8 {
    let (own, most) = (prefix.prefix_len(), prefix.max_prefix_len());
    let fine = (own + MOST_BITS).min(most - SMALLEST_BITS);
    fine.max(own + LEAST_BITS).min(most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use ipnet::Ipv4Net;

    use super::*;

    proptest! {
        #[test]
        fn parts_make_up_the_prefix_and_can_be_drawn(bits: u32, length in 8u8..=30) {
            let prefix = IpNet::from(Ipv4Net::new(bits.into(), length).unwrap().trunc());

            let parts = parts(prefix);

            let size = u64::try_from(part_size(prefix)).unwrap();
            prop_assert_eq!(size * parts.len() as u64, 1 << (32 - length));
            prop_assert_eq!(parts[0].network(), prefix.network());
            prop_assert_eq!(parts[parts.len() - 1].broadcast(), prefix.broadcast());
            prop_assert!(parts.len() <= 256);
            prop_assert!(parts.len() >= 64 || size == 1);
        }

        #[test]
        fn a_corner_is_inside_the_prefix_and_holds_both_ends(low: u64, high: u64, length in 32u8..=126) {
            let base = u128::from(u64::from_be_bytes(*b"\xfd\0\0\x08\0\0\0\0")) << 64;
            let prefix = Ipv6Net::new(base.into(), length).unwrap().trunc();
            let inside = |bits: u64| Ipv6Addr::from(u128::from(prefix.network()) | u128::from(bits) & u128::from(prefix.hostmask()));
            let (first, last) = (inside(low.min(high)), inside(low.max(high)));

            if let Some(corner) = corner(prefix, first, last) {
                prop_assert!(prefix.contains(&corner));
                prop_assert!(corner.contains(&first) && corner.contains(&last));
                let parts = parts(corner.into());
                let size = u128::try_from(part_size(corner.into())).unwrap();
                prop_assert_eq!(size * parts.len() as u128, 1 << (128 - corner.prefix_len()));
                prop_assert!(parts.len() <= 256);
            } else {
                prop_assert!(length < 66 && u128::from(first) ^ u128::from(last) >= 1 << 62);
            }
        }
    }
}
