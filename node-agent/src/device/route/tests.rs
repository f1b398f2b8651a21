//! Messages about links and addresses made by hand.

use proptest::prelude::*;

use super::*;
use crate::device::netlink::push_attribute;

fn with(header: &[u8], attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut message = header.to_vec();
    for (kind, value) in attributes {
        push_attribute(&mut message, *kind, value);
    }
    message
}

#[test]
fn a_link_is_read_with_kind_mtu_and_state() {
    let info = with(&[], &[(IFLA_INFO_KIND, b"wireguard\0"), (2, b"data")]);
    let message = with(
        &link_header(7, IFF_UP | 0x10000, 0),
        &[
            (IFLA_IFNAME, b"wg0\0"),
            (IFLA_MTU, &1420_u32.to_ne_bytes()),
            (IFLA_LINKINFO, &info),
            (99, b"later"),
        ],
    );

    let mut seen = Seen::default();
    seen.read(&message).unwrap();

    let link = Link {
        index: 7,
        up: true,
        mtu: Some(1420),
        addresses: Vec::new(),
    };
    let kind = Some(b"wireguard".to_vec());
    assert_eq!(seen, Seen { link, kind });
}

#[test]
fn only_addresses_of_the_interface_itself_count() {
    let v4 = |index: u32| address_header(AF_INET, 24, index);
    let v6 = address_header(AF_INET6, 64, 7);
    let octets = |text: &str| text.parse::<std::net::Ipv6Addr>().unwrap().octets();
    let own = with(
        &v4(7),
        &[(IFA_ADDRESS, &[10, 0, 0, 2]), (IFA_LOCAL, &[10, 0, 0, 1])],
    );
    let other = with(&v4(8), &[(IFA_ADDRESS, &[10, 0, 0, 1])]);
    let set = with(&v6, &[(IFA_ADDRESS, &octets("fd00::1"))]);
    let made_up = with(
        &v6,
        &[
            (IFA_ADDRESS, &octets("fe80::1")),
            (IFA_FLAGS, &0x880_u32.to_ne_bytes()),
        ],
    );

    assert_eq!(read_address(&own, 7), Ok("10.0.0.1/24".parse().ok()));
    assert_eq!(read_address(&other, 7), Ok(None));
    assert_eq!(read_address(&set, 7), Ok("fd00::1/64".parse().ok()));
    assert_eq!(read_address(&made_up, 7), Ok(None));
    assert_eq!(read_address(&v4(7), 7), Err(Garbled));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let mut seen = Seen::default();
        let _outcome: Result<(), Garbled> = seen.read(&bytes);
        let _outcome: Result<(), Garbled> = seen.read(&[&link_header(1, 0, 0)[..], &bytes].concat());
        let _outcome: Result<_, Garbled> = read_address(&bytes, 1);
        let header = address_header(AF_INET, 255, 1);
        let _outcome: Result<_, Garbled> = read_address(&[&header[..], &bytes].concat(), 1);
    }
}
