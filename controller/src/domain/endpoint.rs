//! Where a node is reached from outside: a host name or an address, and a port.
//!
//! It stands in the configuration of peers, who look the name up themselves; nothing is resolved here.
//! What a device reports as the endpoint of a peer is `protocol::Endpoint`.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::names::HostName;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a host and a port other than 0, such as vpn.example.com:51820, 192.0.2.1:51820 or [2001:db8::1]:51820"
)]
pub struct EndpointError;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    Ip(IpAddr),
    Name(HostName),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicEndpoint {
    host: Host,
    port: NonZeroU16,
}

impl PublicEndpoint {
    /// Reads `host:port`; an IPv6 address stands in brackets.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let (host, port) = text.rsplit_once(':').ok_or(EndpointError)?;
        if !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(EndpointError);
        }
        let port = port.parse().map_err(|_| EndpointError)?;
        match host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(address) if address.contains(':') => Self::from_parts(address, port),
            None if !host.contains(':') => Self::from_parts(host, port),
            _ => Err(EndpointError),
        }
    }

    /// Takes the host without brackets, as the database keeps it.
    pub fn from_parts(host: &str, port: u16) -> Result<Self, EndpointError> {
        Ok(Self {
            host: Host::parse(host)?,
            port: NonZeroU16::new(port).ok_or(EndpointError)?,
        })
    }

    /// Prints without brackets.
    pub fn host(&self) -> &Host {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port.get()
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, EndpointError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return match is_reachable(address) {
                true => Ok(Self::Ip(address)),
                false => Err(EndpointError),
            };
        }
        let name = HostName::parse(text).map_err(|_| EndpointError)?;
        // Resolvers read a name that ends in a number as an address: 10.1 as 10.0.0.1.
        let ends_in_number = name
            .as_str()
            .rsplit('.')
            .next()
            .is_none_or(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
        match ends_in_number {
            true => Err(EndpointError),
            false => Ok(Self::Name(name)),
        }
    }
}

fn is_reachable(address: IpAddr) -> bool {
    let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    !(mapped || broadcast || address.is_unspecified() || address.is_multicast())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for PublicEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

impl FromStr for PublicEndpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for PublicEndpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicEndpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|err| de::Error::custom(format!("endpoint {text:?} {err}")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn printing_and_parsing_give_the_same_endpoint(
            address: IpAddr,
            name in "[a-z0-9]{1,9}(\\.[a-z]{2,5}){0,2}",
            port: u16,
        ) {
            for host in [address.to_string(), name] {
                if let Ok(endpoint) = PublicEndpoint::from_parts(&host, port) {
                    let text = endpoint.to_string();
                    prop_assert_eq!(PublicEndpoint::parse(&text), Ok(endpoint.clone()));
                    prop_assert_eq!(endpoint.host().to_string(), host);
                    prop_assert_eq!(endpoint.port(), port);
                    let json = serde_json::to_string(&endpoint).unwrap();
                    prop_assert_eq!(serde_json::from_str::<PublicEndpoint>(&json).unwrap(), endpoint);
                }
            }
        }

        #[test]
        fn what_is_accepted_is_one_word(text in "\\PC{0,30}|[a-z0-9:\\[\\]. \n#=,]{0,30}") {
            if let Ok(endpoint) = PublicEndpoint::parse(&text) {
                let printed = endpoint.to_string();
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
                prop_assert!(printed.bytes().all(plain), "{}", printed);
            }
        }
    }

    #[test]
    fn names_and_addresses_are_accepted() {
        for (text, host, port) in [
            ("vpn1.example.com:51820", "vpn1.example.com", 51820),
            ("VPN1.Example.com:1", "vpn1.example.com", 1),
            ("192.0.2.1:65535", "192.0.2.1", 65535),
            ("[2001:db8::1]:51820", "2001:db8::1", 51820),
            ("127.0.0.1:51820", "127.0.0.1", 51820),
        ] {
            let endpoint = PublicEndpoint::parse(text).unwrap();
            assert_eq!(
                (endpoint.host().to_string().as_str(), endpoint.port()),
                (host, port)
            );
        }
        assert_eq!(
            PublicEndpoint::from_parts("2001:db8::1", 5)
                .unwrap()
                .to_string(),
            "[2001:db8::1]:5"
        );
    }

    #[test]
    fn what_no_peer_could_reach_is_refused() {
        for text in [
            "",
            ":51820",
            "vpn.example.com",
            "vpn.example.com:",
            "vpn.example.com:0",
            "vpn.example.com:65536",
            "vpn.example.com:+1",
            "vpn.example.com :1",
            "vpn.example.com:1\n",
            "vpn\n.example.com:1",
            "2001:db8::1:51820",
            "[192.0.2.1]:51820",
            "[vpn.example.com]:51820",
            "[2001:db8::1]",
            "[fe80::1%eth0]:5",
            "[::ffff:1.2.3.4]:5",
            "[::]:5",
            "0.0.0.0:5",
            "224.0.0.1:5",
            "255.255.255.255:5",
            "300.1.1.1:5",
            "10.1:5",
        ] {
            assert_eq!(PublicEndpoint::parse(text), Err(EndpointError), "{text:?}");
        }
        assert_eq!(
            PublicEndpoint::from_parts("[2001:db8::1]", 5),
            Err(EndpointError)
        );
    }
}
