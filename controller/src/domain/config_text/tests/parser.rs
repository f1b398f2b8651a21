//! A reader of configurations that knows nothing of how they are written.

use super::*;

pub(super) struct Section {
    pub(super) name: String,
    pub(super) settings: Vec<(String, String)>,
}

impl Section {
    pub(super) fn one(&self, key: &str) -> Option<&str> {
        let mut values = self.settings.iter().filter(|(name, _)| name == key);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{key} stands twice");
        value
    }

    pub(super) fn list<T: std::str::FromStr>(&self, key: &str) -> Vec<T> {
        let values = self.one(key).into_iter().flat_map(|list| list.split(','));
        values
            .map(|value| {
                value
                    .trim()
                    .parse()
                    .unwrap_or_else(|_| panic!("{key}: {value}"))
            })
            .collect()
    }

    fn keys(&self) -> Vec<&str> {
        self.settings.iter().map(|(key, _)| key.as_str()).collect()
    }
}

pub(super) fn read(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines() {
        let line = line
            .split_once('#')
            .map_or(line, |(setting, _)| setting)
            .trim();
        if line.is_empty() {
            continue;
        }
        match line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(name) => sections.push(Section {
                name: name.to_owned(),
                settings: Vec::new(),
            }),
            None => {
                let (key, value) = line.split_once('=').expect("a setting has a value");
                let setting = (key.trim().to_owned(), value.trim().to_owned());
                let section = sections.last_mut().expect("a setting is in a section");
                section.settings.push(setting);
            }
        }
    }
    sections
}

proptest! {
    #[test]
    fn what_was_put_in_is_read_back(config in config(), shown: bool) {
        let key = private_key();

        let issued = issue(&config, shown.then_some(&key)).unwrap();

        let sections = read(issued.text());
        let (interface, peers) = sections.split_first().unwrap();
        prop_assert_eq!(interface.name.as_str(), "Interface");
        prop_assert_eq!(
            interface.one("PrivateKey").map(str::to_owned),
            shown.then(|| key.reveal())
        );
        let mut addresses: Vec<IpNet> = config.addresses.iter().map(|ip| IpNet::from(*ip)).collect();
        addresses.sort();
        prop_assert_eq!(interface.list::<IpNet>("Address"), addresses);
        prop_assert_eq!(interface.one("MTU").map(str::to_owned), config.mtu.map(|mtu| mtu.to_string()));
        let known = ["PrivateKey", "Address", "DNS", "MTU"];
        prop_assert!(interface.keys().iter().all(|key| known.contains(key)));

        prop_assert_eq!(peers.len(), config.nodes.len());
        for (peer, node) in peers.iter().zip(&config.nodes) {
            check_peer(peer, node, &config);
        }
    }

    #[test]
    fn the_private_key_is_all_that_differs(config in config()) {
        let with = issue(&config, Some(&private_key())).unwrap();
        let without = issue(&config, None).unwrap();

        prop_assert_eq!(with.hash(), without.hash());
        let differing = with.text().lines().zip(without.text().lines()).filter(|(a, b)| a != b);
        prop_assert_eq!(differing.count(), 1);
        prop_assert_eq!(with.text().lines().count(), without.text().lines().count());
    }
}

fn check_peer(peer: &Section, node: &Node, config: &Config) {
    assert_eq!(peer.name, "Peer");
    assert_eq!(
        peer.one("PublicKey"),
        Some(node.public_key.to_string().as_str())
    );
    let preshared = match &node.preshared_key {
        Preshared::Key(key) => Some(key.reveal()),
        Preshared::None | Preshared::Unknown => None,
    };
    assert_eq!(peer.one("PresharedKey"), preshared.as_deref());
    let endpoint = peer.one("Endpoint").map(PublicEndpoint::parse);
    assert_eq!(endpoint, Some(Ok(node.endpoint.clone())));
    let keepalive = (config.keepalive_s > 0).then(|| config.keepalive_s.to_string());
    assert_eq!(peer.one("PersistentKeepalive"), keepalive.as_deref());
    assert!(!peer.list::<IpNet>("AllowedIPs").is_empty());
    let known = [
        "PublicKey",
        "PresharedKey",
        "Endpoint",
        "AllowedIPs",
        "PersistentKeepalive",
    ];
    assert!(peer.keys().iter().all(|key| known.contains(key)));
}
