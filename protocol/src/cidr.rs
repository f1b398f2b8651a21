//! An address prefix with its host bits masked, so that two spellings of one prefix are equal.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an address with a prefix length, such as 10.8.0.2/32 or fd00::2/128")]
pub struct CidrError;

/// Ordered by address length, then address bytes, then prefix length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr(IpNet);

impl Cidr {
    /// Reads `address/length`; a bare address means that one host, as it does to wg(8).
    ///
    /// An IPv4 address in IPv6 clothes (`::ffff:10.0.0.1`) is refused: WireGuard would keep it as
    /// an IPv6 prefix that no packet ever matches.
    pub fn parse(text: &str) -> Result<Self, CidrError> {
        let net = if text.contains('/') {
            text.parse::<IpNet>().map_err(|_| CidrError)?
        } else {
            IpNet::from(text.parse::<IpAddr>().map_err(|_| CidrError)?)
        };
        Self::from_net(net)
    }

    pub fn new(address: IpAddr, length: u8) -> Result<Self, CidrError> {
        Self::from_net(IpNet::new(address, length).map_err(|_| CidrError)?)
    }

    /// A prefix that a device already has. What this project would refuse, other tools may have set,
    /// and a prefix left out of a list would look free.
    pub fn observed(address: IpAddr, length: u8) -> Result<Self, CidrError> {
        let net = IpNet::new(address, length).map_err(|_| CidrError)?;
        Ok(Self(net.trunc()))
    }

    /// Reads a prefix that a device already has, such as a dump names.
    pub fn parse_observed(text: &str) -> Result<Self, CidrError> {
        let net: IpNet = text.parse().map_err(|_| CidrError)?;
        Ok(Self(net.trunc()))
    }

    fn from_net(net: IpNet) -> Result<Self, CidrError> {
        match net {
            IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => Err(CidrError),
            net => Ok(Self(net.trunc())),
        }
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    pub fn address(&self) -> IpAddr {
        self.0.addr()
    }

    pub fn length(&self) -> u8 {
        self.0.prefix_len()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A dump holds tens of thousands of IPv4 prefixes, and the formatter of the standard library would
/// take a tenth of the whole time over them.
impl Serialize for Cidr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let IpNet::V4(v4) = self.0 else {
            return serializer.collect_str(self);
        };
        let mut text = String::with_capacity("255.255.255.255/32".len());
        for octet in v4.addr().octets() {
            push_decimal(&mut text, octet);
            text.push('.');
        }
        text.pop();
        text.push('/');
        push_decimal(&mut text, v4.prefix_len());
        serializer.serialize_str(&text)
    }
}

fn push_decimal(text: &mut String, number: u8) {
    for divisor in [100, 10, 1] {
        if number >= divisor || divisor == 1 {
            text.push(char::from(b'0' + number / divisor % 10));
        }
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|err| de::Error::custom(format!("allowed IP {text:?} {err}")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn printing_and_parsing_give_the_same_prefix(address: IpAddr, length in 0u8..=128) {
            if let Ok(cidr) = Cidr::new(address, length) {
                prop_assert_eq!(Cidr::parse(&cidr.to_string()), Ok(cidr));
                let json = serde_json::to_string(&cidr).unwrap();
                prop_assert_eq!(json, format!("\"{cidr}\""));
            }
        }

        #[test]
        fn any_text_is_a_prefix_or_an_error_but_never_a_panic(text in ".{0,50}") {
            let _outcome: Result<Cidr, CidrError> = Cidr::parse(&text);
        }
    }

    #[test]
    fn host_bits_are_masked() {
        assert_eq!(Cidr::parse("10.9.9.9/24"), Cidr::parse("10.9.9.0/24"));
        assert_eq!(Cidr::parse("fd00::9/64"), Cidr::parse("fd00::/64"));
    }

    #[test]
    fn what_is_no_prefix_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "10.0.0.1/",
            "/8",
            "::/129",
            "::ffff:10.0.0.1/128",
            "wg0",
        ] {
            assert_eq!(Cidr::parse(text), Err(CidrError), "{text:?}");
        }
    }

    #[test]
    fn a_device_may_show_what_nobody_may_ask_for() {
        let address: IpAddr = "::ffff:10.0.0.9".parse().unwrap();

        let cidr = Cidr::observed(address, 120).unwrap();

        assert_eq!(cidr.to_string(), "::ffff:10.0.0.0/120");
        assert_eq!(Cidr::new(address, 120), Err(CidrError));
        assert_eq!(Cidr::observed(address, 129), Err(CidrError));
    }

    #[test]
    fn the_order_is_family_then_address_then_length() {
        let mut cidrs: Vec<Cidr> = [
            "fd00::/64",
            "10.0.1.0/24",
            "192.0.2.0/25",
            "10.0.1.0/32",
            "10.0.0.0/8",
        ]
        .iter()
        .map(|text| Cidr::parse(text).unwrap())
        .collect();

        cidrs.sort();

        let printed: Vec<String> = cidrs.iter().map(Cidr::to_string).collect();
        assert_eq!(
            printed,
            [
                "10.0.0.0/8",
                "10.0.1.0/24",
                "10.0.1.0/32",
                "192.0.2.0/25",
                "fd00::/64"
            ]
        );
    }
}
