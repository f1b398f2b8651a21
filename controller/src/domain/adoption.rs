//! What becomes of a peer that a node already carries when it is taken into the database.
//!
//! It keeps all that it has on the wire, so nothing is given to it and nothing taken: of its allowed IPs, hosts of the
//! network are its addresses and everything else lies behind it.

use std::net::IpAddr;

use ipnet::IpNet;
use protocol::PublicKey;

use super::names::Label;

/// How many characters of its key stand in the name of a peer that nobody named.
const NAMED_BY: usize = 8;

/// The allowed IPs of a peer, told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// At most one of each family.
    pub addresses: Vec<IpAddr>,
    pub routes: Vec<IpNet>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("has no address in the network")]
pub struct NoAddress;

/// Tells addresses in the network, the lowest of each family, from what lies behind the peer.
pub fn split(allowed_ips: &[IpNet], prefixes: &[IpNet]) -> Result<Parts, NoAddress> {
    let mut allowed_ips: Vec<IpNet> = allowed_ips.iter().map(IpNet::trunc).collect();
    allowed_ips.sort_unstable();
    allowed_ips.dedup();
    let mut parts = Parts {
        addresses: Vec::new(),
        routes: Vec::new(),
    };
    for net in allowed_ips {
        let is_host = net.prefix_len() == net.max_prefix_len();
        let is_own = is_host && prefixes.iter().any(|prefix| prefix.contains(&net));
        let is_first = |has: &IpAddr| has.is_ipv4() != net.addr().is_ipv4();
        if is_own && parts.addresses.iter().all(is_first) {
            parts.addresses.push(net.addr());
        } else {
            parts.routes.push(net);
        }
    }
    match parts.addresses.is_empty() {
        true => Err(NoAddress),
        false => Ok(parts),
    }
}

/// What a peer is called whom nobody named: `adopted-` and the beginning of its key, as far as a label can hold that.
pub fn default_name(key: &PublicKey) -> Label {
    let letters = key.to_string();
    let letters = letters.chars().take(NAMED_BY);
    let letters = letters.map(|c| if c.is_ascii_alphanumeric() { c } else { '0' });
    let name: String = "adopted-".chars().chain(letters).collect();
    Label::parse(&name).expect("letters, digits and a hyphen between them")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    proptest! {
        #[test]
        fn every_allowed_ip_ends_in_exactly_one_part(
            hosts in proptest::collection::vec((0u8..4, 22u8..=32), 0..12),
        ) {
            let allowed: Vec<IpNet> = hosts
                .into_iter()
                .map(|(low, length)| IpNet::new([10, 8, 0, low].into(), length).unwrap().trunc())
                .collect();

            match split(&allowed, &nets(&["10.8.0.0/30"])) {
                Ok(parts) => {
                    let addresses = parts.addresses.iter().copied().map(IpNet::from);
                    let mut all: Vec<IpNet> = addresses.chain(parts.routes).collect();
                    all.sort_unstable();
                    let mut expected = allowed.clone();
                    expected.sort_unstable();
                    expected.dedup();
                    prop_assert_eq!(all, expected);
                    prop_assert_eq!(parts.addresses.len(), 1);
                }
                Err(NoAddress) => prop_assert!(allowed.iter().all(|net| net.prefix_len() < 32)),
            }
        }

        #[test]
        fn every_key_gives_a_name(bytes: [u8; 32]) {
            let key = PublicKey::observed(bytes);

            let name = default_name(&key);

            prop_assert_eq!(name.as_str().len(), 16);
        }
    }

    #[test]
    fn a_host_of_the_network_is_an_address_and_all_else_lies_behind() {
        let allowed = nets(&[
            "192.168.7.0/24",
            "10.8.0.7/32",
            "fd00:8::7/128",
            "10.9.0.1/32",
        ]);

        let parts = split(&allowed, &nets(&["10.8.0.0/24", "fd00:8::/64"])).unwrap();

        let addresses: Vec<String> = parts.addresses.iter().map(IpAddr::to_string).collect();
        assert_eq!(addresses, ["10.8.0.7", "fd00:8::7"]);
        assert_eq!(parts.routes, nets(&["10.9.0.1/32", "192.168.7.0/24"]));
    }

    #[test]
    fn the_second_address_of_a_family_lies_behind() {
        let parts = split(
            &nets(&["10.8.0.9/32", "10.8.0.7/32"]),
            &nets(&["10.8.0.0/24"]),
        )
        .unwrap();

        assert_eq!(parts.addresses, ["10.8.0.7".parse::<IpAddr>().unwrap()]);
        assert_eq!(parts.routes, nets(&["10.8.0.9/32"]));
    }

    #[test]
    fn who_has_no_address_in_the_network_is_refused() {
        for allowed in [&["192.168.7.0/24"][..], &["10.8.0.0/24"], &[]] {
            assert_eq!(
                split(&nets(allowed), &nets(&["10.8.0.0/24"])),
                Err(NoAddress)
            );
        }
    }

    #[test]
    fn a_name_is_made_of_the_key() {
        let key = PublicKey::parse("AbC/9+xyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();

        assert_eq!(default_name(&key).as_str(), "adopted-abc090xy");
    }
}
