//! Where a request comes from, when proxies stand in between.
//!
//! Each proxy appends the address it saw to `X-Forwarded-For`. What a trusted proxy wrote is believed,
//! and nothing beyond it: the rightmost address that is no trusted proxy is the client, and whatever
//! stands left of it the client may have made up.

use std::net::{IpAddr, SocketAddr};

use protocol::Cidr;

/// Finds the client's address. `peer` is the other end of the connection; `forwarded_for` are the
/// values of the header in the order in which they came.
pub fn client_address(peer: IpAddr, forwarded_for: &[&str], trusted_proxies: &[Cidr]) -> IpAddr {
    let trusted = |address: IpAddr| trusted_proxies.iter().any(|range| range.contains(address));
    let mut client = peer.to_canonical();
    let hops = forwarded_for
        .iter()
        .rev()
        .flat_map(|value| value.rsplit(','));
    for hop in hops {
        if !trusted(client) {
            return client;
        }
        // What is no address was made up before the last proxy that can be trusted.
        let Some(address) = parse(hop.trim()) else {
            return client;
        };
        client = address;
    }
    client
}

/// Some proxies write the port too.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(hop);
    let address: Option<IpAddr> = bare.parse().ok();
    let with_port = || hop.parse().ok().map(|socket: SocketAddr| socket.ip());
    address.or_else(with_port).map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn trusted() -> Vec<Cidr> {
        ["10.0.0.0/8", "fd00::/8"]
            .map(|text| Cidr::parse(text).unwrap())
            .to_vec()
    }

    fn client(peer: &str, forwarded_for: &[&str]) -> String {
        client_address(peer.parse().unwrap(), forwarded_for, &trusted()).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(client("192.0.2.1", &["10.0.0.1"]), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &["203.0.113.9, 10.0.0.1"]), "192.0.2.1");
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_is_the_client() {
        assert_eq!(client("10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(
            client("10.0.0.1", &["203.0.113.9, 192.0.2.1,10.0.0.2"]),
            "192.0.2.1"
        );
        assert_eq!(
            client("10.0.0.1", &["203.0.113.9", "192.0.2.1", "10.0.0.2"]),
            "192.0.2.1"
        );
        assert_eq!(client("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn every_spelling_of_an_address_is_read() {
        for hop in [
            "192.0.2.1:4711",
            "::ffff:192.0.2.1",
            "[::ffff:192.0.2.1]:80",
        ] {
            assert_eq!(client("fd00::1", &[hop]), "192.0.2.1", "{hop}");
        }
        for hop in ["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443"] {
            assert_eq!(client("::ffff:10.0.0.1", &[hop]), "2001:db8::1", "{hop}");
        }
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        assert_eq!(
            client("10.0.0.1", &["192.0.2.1, unknown, 10.0.0.2"]),
            "10.0.0.2"
        );
        assert_eq!(client("10.0.0.1", &[""]), "10.0.0.1");
    }

    proptest! {
        #[test]
        fn what_a_client_writes_into_the_header_never_changes_its_address(made_up in vec(".{0,40}", 0..4)) {
            let mut values: Vec<&str> = made_up.iter().map(String::as_str).collect();
            values.push("192.0.2.1");

            prop_assert_eq!(client("10.0.0.1", &values), "192.0.2.1");
            prop_assert_eq!(client("192.0.2.1", &values), "192.0.2.1");
        }
    }
}
