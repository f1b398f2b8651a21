//! The text read back by a parser of its own, by wg-quick where there is one, and case by case.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

mod parser;
mod routing;
mod wg_quick;

pub(super) fn label() -> impl Strategy<Value = Label> {
    "[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?".prop_map(|text| Label::parse(&text).unwrap())
}

fn host_name() -> impl Strategy<Value = HostName> {
    proptest::collection::vec(label(), 1..4).prop_map(|labels| {
        let labels: Vec<&str> = labels.iter().map(Label::as_str).collect();
        HostName::parse(&labels.join(".")).unwrap()
    })
}

fn endpoint() -> impl Strategy<Value = PublicEndpoint> {
    let host = prop_oneof![
        any::<IpAddr>().prop_map(|address| address.to_string()),
        host_name().prop_map(|name| name.to_string()),
    ];
    (host, any::<u16>()).prop_filter_map("no peer could reach it", |(host, port)| {
        PublicEndpoint::from_parts(&host, port).ok()
    })
}

fn preshared() -> impl Strategy<Value = Preshared> {
    prop_oneof![
        Just(Preshared::None),
        Just(Preshared::Unknown),
        any::<[u8; 32]>().prop_filter_map("all zero", |bytes| {
            PresharedKey::from_bytes(bytes).ok().map(Preshared::Key)
        }),
    ]
}

/// A node whose addresses and routes are like no other number's.
fn node(number: u8) -> impl Strategy<Value = Node> {
    let key = any::<[u8; 31]>().prop_map(move |bytes| {
        let mut key = [number + 1; 32];
        key[..31].copy_from_slice(&bytes);
        PublicKey::from_bytes(key).unwrap()
    });
    let route = (any::<[u8; 2]>(), 16u8..=32).prop_map(move |(bytes, length)| {
        let address = Ipv4Addr::new(172, 16 + number, bytes[0], bytes[1]);
        IpNet::new(address.into(), length).unwrap().trunc()
    });
    let routes = proptest::collection::vec(route, 0..4);
    (label(), key, preshared(), endpoint(), routes).prop_map(
        move |(name, public_key, preshared_key, endpoint, routes)| Node {
            name,
            public_key,
            preshared_key,
            endpoint,
            addresses: vec![
                Ipv4Addr::new(10, 8, 0, number + 1).into(),
                Ipv6Addr::new(0xfd00, 8, 0, 0, 0, 0, 0, u16::from(number) + 1).into(),
            ],
            routes,
        },
    )
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    (1usize..=3, node(0), node(1), node(2))
        .prop_map(|(count, a, b, c)| [a, b, c].into_iter().take(count).collect())
}

pub(super) fn config() -> impl Strategy<Value = Config> {
    let names = (label(), host_name(), prop::sample::select(&Mode::ALL[..]));
    let addresses = prop_oneof![
        Just(vec!["10.8.3.9"]),
        Just(vec!["fd00:8::9"]),
        Just(vec!["fd00:8::9", "10.8.3.9"]),
    ];
    let dns = proptest::collection::vec(any::<IpAddr>(), 0..3);
    let settings = (
        dns,
        proptest::option::of(host_name()),
        proptest::option::of(1280u16..),
        any::<u16>(),
    );
    (names, addresses, settings, nodes()).prop_map(|(names, addresses, settings, nodes)| Config {
        peer: names.0,
        network: names.1,
        mode: names.2,
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        dns: settings.0,
        domain: settings.1,
        mtu: settings.2,
        keepalive_s: settings.3,
        prefixes: vec![
            "10.8.0.0/16".parse().unwrap(),
            "fd00:8::/64".parse().unwrap(),
        ],
        nodes,
    })
}

pub(super) fn private_key() -> PrivateKey {
    PrivateKey::from_random([7; 32])
}

/// One node, both families.
pub(super) fn plain(mode: Mode) -> Config {
    Config {
        peer: Label::parse("laptop").unwrap(),
        network: HostName::parse("home.example").unwrap(),
        mode,
        addresses: vec!["fd00:8::9".parse().unwrap(), "10.8.3.9".parse().unwrap()],
        dns: vec!["10.8.0.1".parse().unwrap()],
        domain: Some(HostName::parse("internal").unwrap()),
        mtu: Some(1420),
        keepalive_s: 25,
        prefixes: vec![
            "10.8.0.0/16".parse().unwrap(),
            "fd00:8::/64".parse().unwrap(),
        ],
        nodes: vec![plain_node(1)],
    }
}

pub(super) fn plain_node(number: u8) -> Node {
    Node {
        name: Label::parse(&format!("fra-{number}")).unwrap(),
        public_key: PublicKey::from_bytes([number; 32]).unwrap(),
        preshared_key: Preshared::None,
        endpoint: PublicEndpoint::parse("[2001:db8::1]:51820").unwrap(),
        addresses: vec![
            Ipv4Addr::new(10, 8, 0, number).into(),
            Ipv6Addr::new(0xfd00, 8, 0, 0, 0, 0, 0, number.into()).into(),
        ],
        routes: vec![],
    }
}

#[test]
fn a_configuration_reads_like_this() {
    let mut config = plain(Mode::Split);
    config.nodes[0].preshared_key = Preshared::Key(PresharedKey::from_bytes([2; 32]).unwrap());
    config.nodes[0].routes = vec!["192.168.7.0/24".parse().unwrap()];

    let issued = issue(&config, Some(&private_key())).unwrap();

    assert_eq!(
        issued.text(),
        "\
# Peer laptop in network home.example
[Interface]
PrivateKey = AAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHB0c=
Address = 10.8.3.9/32, fd00:8::9/128
DNS = 10.8.0.1, internal
MTU = 1420

# Node fra-1
[Peer]
PublicKey = AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=
PresharedKey = AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=
Endpoint = [2001:db8::1]:51820
AllowedIPs = 10.8.0.0/16, 192.168.7.0/24, fd00:8::/64
PersistentKeepalive = 25
"
    );
}

#[test]
fn without_a_private_key_a_comment_stands_in_its_place() {
    let config = plain(Mode::Full);

    let with = issue(&config, Some(&private_key())).unwrap();
    let without = issue(&config, None).unwrap();

    assert!(
        without
            .text()
            .contains(&format!("\n{PRIVATE_KEY_PLACEHOLDER}\n"))
    );
    assert!(!without.text().contains(&private_key().reveal()));
    assert!(with.text().contains(&private_key().reveal()));
    assert_eq!(with.hash(), without.hash());
}

#[test]
fn the_hash_tells_one_configuration_from_another() {
    let hash = |change: fn(&mut Config)| {
        let mut config = plain(Mode::Split);
        change(&mut config);
        *issue(&config, None).unwrap().hash()
    };
    let unchanged = hash(|_| {});

    assert_eq!(unchanged, hash(|config| config.addresses.reverse()));
    let changes: [fn(&mut Config); 7] = [
        |config| config.mode = Mode::Full,
        |config| config.mtu = None,
        |config| config.keepalive_s = 0,
        |config| config.dns.clear(),
        |config| config.addresses.truncate(1),
        |config| config.nodes.push(plain_node(2)),
        |config| config.nodes[0].preshared_key = Preshared::Unknown,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        assert_ne!(unchanged, hash(change), "change {at}");
    }
}

#[test]
fn a_resolver_that_the_mode_does_not_reach_is_left_out() {
    let mut config = plain(Mode::NodeOnly);
    config.dns = ["10.8.0.1", "10.8.0.53", "9.9.9.9"]
        .map(|text| text.parse().unwrap())
        .into();
    let text = |config: &Config| issue(config, None).unwrap().text().to_owned();
    assert!(text(&config).contains("DNS = 10.8.0.1, 9.9.9.9, internal\n"));

    config.mode = Mode::Split;
    assert!(text(&config).contains("DNS = 10.8.0.1, 10.8.0.53, 9.9.9.9, internal\n"));

    config.mode = Mode::NodeOnly;
    config.dns = vec!["10.8.0.53".parse().unwrap()];
    assert!(!text(&config).contains("DNS"));
}

#[test]
fn a_preshared_key_that_only_the_node_knows_is_not_left_out_in_silence() {
    let mut config = plain(Mode::Split);
    config.nodes[0].preshared_key = Preshared::Unknown;

    let issued = issue(&config, None).unwrap();

    assert!(
        issued
            .text()
            .contains(&format!("\n{PRESHARED_KEY_PLACEHOLDER}\n"))
    );
}

#[test]
fn no_secret_is_printed() {
    let mut config = plain(Mode::Split);
    let psk = PresharedKey::from_bytes([2; 32]).unwrap();
    config.nodes[0].preshared_key = Preshared::Key(psk.clone());

    let printed = format!(
        "{:?} {config:?}",
        issue(&config, Some(&private_key())).unwrap()
    );

    assert!(!printed.contains(&psk.reveal()));
    assert!(!printed.contains(&private_key().reveal()));
}

#[test]
fn modes_have_one_spelling() {
    for mode in Mode::ALL {
        assert_eq!(Mode::parse(mode.as_str()), Ok(mode));
        assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
    }
    for text in ["", "Split", "node_only", "split "] {
        assert_eq!(Mode::parse(text), Err(ModeError), "{text:?}");
    }
}
