//! Which node gets a packet, asked of the finished text as WireGuard would: by the longest prefix.

use super::parser::read;
use super::*;

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn allowed_ips(config: &Config) -> Vec<Vec<IpNet>> {
    let issued = issue(config, None).unwrap();
    read(issued.text())
        .iter()
        .skip(1)
        .map(|section| section.list("AllowedIPs"))
        .collect()
}

/// The node, by its place, that WireGuard sends this packet to.
fn receiver(all: &[Vec<IpNet>], address: IpAddr) -> Option<usize> {
    all.iter()
        .enumerate()
        .flat_map(|(at, nets)| nets.iter().map(move |net| (net, at)))
        .filter(|(net, _)| net.contains(&address))
        .max_by_key(|(net, _)| net.prefix_len())
        .map(|(_, at)| at)
}

fn check_refused(config: &Config, expected: (&str, &str, &str, &str)) {
    let (one, one_prefix, other, other_prefix) = expected;
    let overlap = Overlap {
        one: Label::parse(one).unwrap(),
        one_prefix: net(one_prefix),
        other: Label::parse(other).unwrap(),
        other_prefix: net(other_prefix),
    };
    let refused = issue(config, None).unwrap_err();
    assert_eq!(refused, ConfigError::Overlap(Box::new(overlap)));
}

proptest! {
    #[test]
    fn every_packet_finds_the_node_it_is_for(config in config()) {
        let all = allowed_ips(&config);
        let sendable = |address: &IpAddr| config.addresses.iter().any(|own| own.is_ipv4() == address.is_ipv4());

        for (at, node) in config.nodes.iter().enumerate() {
            for address in node.addresses.iter().filter(|address| sendable(address)) {
                prop_assert_eq!(receiver(&all, *address), Some(at));
            }
            for route in node.routes.iter().filter(|route| sendable(&route.addr())) {
                let expected = (config.mode != Mode::NodeOnly).then_some(at);
                prop_assert_eq!(receiver(&all, route.addr()), expected);
            }
        }
        for neighbour in ["10.8.200.1", "fd00:8::200:1"].map(|text| text.parse().unwrap()) {
            let expected = match config.mode {
                Mode::Full => Some(0),
                Mode::Split => sendable(&neighbour).then_some(0),
                Mode::NodeOnly => None,
            };
            prop_assert_eq!(receiver(&all, neighbour), expected);
        }
        let stranger = "198.51.100.1".parse().unwrap();
        prop_assert_eq!(receiver(&all, stranger), (config.mode == Mode::Full).then_some(0));
    }

    #[test]
    fn no_prefix_stands_twice(config in config()) {
        let mut all: Vec<IpNet> = allowed_ips(&config).concat();
        let count = all.len();
        all.sort();
        all.dedup();
        prop_assert_eq!(all.len(), count);
    }
}

#[test]
fn each_mode_reaches_as_far_as_it_says() {
    for (mode, expected) in [
        (
            Mode::Split,
            vec!["10.8.0.0/16", "192.168.7.0/24", "fd00:8::/64"],
        ),
        (Mode::Full, vec!["0.0.0.0/0", "::/0"]),
        (Mode::NodeOnly, vec!["10.8.0.1/32", "fd00:8::1/128"]),
    ] {
        let mut config = plain(mode);
        config.nodes[0].routes = vec![net("192.168.7.0/24")];

        let all = allowed_ips(&config);

        let expected: Vec<IpNet> = expected.into_iter().map(net).collect();
        assert_eq!(all, [expected], "{mode}");
    }
}

#[test]
fn a_full_tunnel_over_several_nodes_goes_through_the_first() {
    let mut config = plain(Mode::Full);
    config.nodes.push(plain_node(2));
    config.nodes[1].routes = vec![net("192.168.7.0/24")];

    let all = allowed_ips(&config);

    assert_eq!(all[0], ["0.0.0.0/0", "::/0"].map(net));
    assert_eq!(
        all[1],
        ["10.8.0.2/32", "192.168.7.0/24", "fd00:8::2/128"].map(net)
    );
}

#[test]
fn a_family_without_an_address_is_left_out_but_not_let_past_a_full_tunnel() {
    let mut config = plain(Mode::Split);
    config.addresses.retain(IpAddr::is_ipv4);
    assert_eq!(allowed_ips(&config), [[net("10.8.0.0/16")]]);

    config.mode = Mode::Full;
    assert_eq!(allowed_ips(&config), [["0.0.0.0/0", "::/0"].map(net)]);
}

#[test]
fn two_nodes_with_the_same_route_are_refused_by_name() {
    for mode in [Mode::Split, Mode::Full] {
        let mut config = plain(mode);
        config.nodes.push(plain_node(2));
        config.nodes[0].routes = vec![net("192.168.7.0/24")];
        config.nodes[1].routes = vec![net("192.168.7.0/24")];
        check_refused(
            &config,
            ("fra-1", "192.168.7.0/24", "fra-2", "192.168.7.0/24"),
        );

        config.nodes[1].routes = vec![net("192.168.0.0/16")];
        check_refused(
            &config,
            ("fra-1", "192.168.7.0/24", "fra-2", "192.168.0.0/16"),
        );

        config.mode = Mode::NodeOnly;
        assert!(issue(&config, None).is_ok());
    }
}

#[test]
fn a_route_that_hides_the_network_is_refused() {
    let mut config = plain(Mode::Split);
    config.nodes.push(plain_node(2));
    for wide in ["10.0.0.0/8", "10.8.0.0/16"] {
        config.nodes[1].routes = vec![net(wide)];
        // It takes the first node's own address as well, which is named first.
        check_refused(&config, ("fra-1", "10.8.0.1/32", "fra-2", wide));
    }

    config.nodes[0].addresses.retain(IpAddr::is_ipv6);
    check_refused(&config, ("fra-1", "10.8.0.0/16", "fra-2", "10.8.0.0/16"));

    config.nodes[1].routes = vec![net("10.8.128.0/17")];
    assert!(issue(&config, None).is_ok());
}

#[test]
fn two_nodes_with_one_address_or_one_key_are_refused() {
    let mut config = plain(Mode::NodeOnly);
    config.nodes.push(plain_node(2));
    config.nodes[1].addresses = config.nodes[0].addresses.clone();
    check_refused(&config, ("fra-1", "10.8.0.1/32", "fra-2", "10.8.0.1/32"));

    let mut config = plain(Mode::NodeOnly);
    config.nodes.push(plain_node(2));
    config.nodes[1].public_key = config.nodes[0].public_key;
    let [one, other] = ["fra-1", "fra-2"].map(|name| Label::parse(name).unwrap());
    assert_eq!(
        issue(&config, None).unwrap_err(),
        ConfigError::SameKey { one, other }
    );
}

#[test]
fn a_peer_that_could_reach_nothing_gets_no_configuration() {
    let peer = Label::parse("laptop").unwrap();

    let mut config = plain(Mode::Split);
    config.addresses.clear();
    assert_eq!(
        issue(&config, None).unwrap_err(),
        ConfigError::NoAddress(peer.clone())
    );

    let mut config = plain(Mode::Split);
    config.nodes.clear();
    assert_eq!(issue(&config, None).unwrap_err(), ConfigError::NoNode(peer));

    let mut config = plain(Mode::NodeOnly);
    config.addresses.retain(IpAddr::is_ipv4);
    config.nodes[0].addresses.retain(IpAddr::is_ipv6);
    let node = config.nodes[0].name.clone();
    assert_eq!(
        issue(&config, None).unwrap_err(),
        ConfigError::NothingToReach(node)
    );
}
