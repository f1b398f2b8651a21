//! Where a peer is reached: a numeric address and a port. Names are never resolved here.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a numeric address and a port other than 0, such as 192.0.2.1:51820 or [2001:db8::1]:51820"
)]
pub struct EndpointError;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint(SocketAddr);

impl Endpoint {
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        Self::new(text.parse().map_err(|_| EndpointError)?)
    }

    /// Refuses port 0 and the unspecified address, to which the kernel says yes and then sends nothing.
    /// The flow label of an IPv6 address is dropped: it has no spelling.
    pub fn new(mut address: SocketAddr) -> Result<Self, EndpointError> {
        if let SocketAddr::V6(v6) = &mut address {
            v6.set_flowinfo(0);
        }
        let mapped = matches!(address.ip(), IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
        if address.port() == 0 || address.ip().is_unspecified() || mapped {
            return Err(EndpointError);
        }
        Ok(Self(address))
    }

    pub fn address(&self) -> SocketAddr {
        self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Endpoint {
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
        fn printing_and_parsing_give_the_same_endpoint(address: SocketAddr) {
            if let Ok(endpoint) = Endpoint::new(address) {
                prop_assert_eq!(Endpoint::parse(&endpoint.to_string()), Ok(endpoint));
            }
        }
    }

    #[test]
    fn what_cannot_be_sent_to_is_refused() {
        for text in [
            "",
            "192.0.2.1",
            "192.0.2.1:0",
            "0.0.0.0:5",
            "[::]:5",
            "host:51820",
            "[::ffff:1.2.3.4]:5",
            "[fe80::1%eth0]:5",
        ] {
            assert_eq!(Endpoint::parse(text), Err(EndpointError), "{text:?}");
        }
    }
}
