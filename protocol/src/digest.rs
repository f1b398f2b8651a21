//! One hash of an interface's whole configuration, so that being in sync costs one line.
//!
//! The text that is hashed is fixed by the contract (README, "Digest"); it does not depend on the
//! order in which peers or allowed IPs are given.

use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::{PeerConfig, PublicKey};

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Hashes every peer given, which must be all that the device holds, foreign ones included.
    pub fn of<'a>(peers: impl IntoIterator<Item = (&'a PublicKey, &'a PeerConfig)>) -> Self {
        let mut peers: Vec<(&PublicKey, &PeerConfig)> = peers.into_iter().collect();
        peers.sort_unstable_by_key(|(key, _)| *key);
        let mut hash = Sha256::new_with_prefix(b"wgfleet-digest-1\n");
        let mut line = String::new();
        for (key, config) in peers {
            line.clear();
            write_line(&mut line, key, config).expect("writing to a String cannot fail");
            hash.update(&line);
        }
        Self(hash.finalize().into())
    }
}

fn write_line(line: &mut String, key: &PublicKey, config: &PeerConfig) -> fmt::Result {
    use fmt::Write;

    write!(line, "{key}|")?;
    for (i, cidr) in config.allowed_ips.iter().enumerate() {
        if i > 0 {
            line.push(',');
        }
        match cidr.address() {
            std::net::IpAddr::V4(v4) => push_hex(line, &v4.octets()),
            std::net::IpAddr::V6(v6) => push_hex(line, &v6.octets()),
        }
        write!(line, "/{}", cidr.length())?;
    }
    write!(line, "|{}|", config.persistent_keepalive)?;
    match &config.preshared_key {
        Some(psk) => push_hex(line, &Sha256::digest(psk.as_bytes())),
        None => line.push('-'),
    }
    line.push('\n');
    Ok(())
}

fn push_hex(line: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        line.push(char::from(DIGITS[usize::from(byte >> 4)]));
        line.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::{AllowedIps, Cidr, PresharedKey};

    fn key() -> impl Strategy<Value = PublicKey> {
        any::<[u8; 32]>().prop_filter_map("zero", |bytes| PublicKey::from_bytes(bytes).ok())
    }

    fn config() -> impl Strategy<Value = PeerConfig> {
        let cidr =
            (any::<[u8; 4]>(), 0u8..=32).prop_map(|(ip, len)| Cidr::new(ip.into(), len).unwrap());
        let psk =
            any::<[u8; 32]>().prop_filter_map("zero", |bytes| PresharedKey::from_bytes(bytes).ok());
        (vec(cidr, 0..4), any::<u16>(), option::of(psk)).prop_map(|(ips, keepalive, psk)| {
            PeerConfig {
                allowed_ips: ips.into_iter().collect(),
                persistent_keepalive: keepalive,
                preshared_key: psk,
            }
        })
    }

    proptest! {
        #[test]
        fn the_order_of_peers_does_not_matter(peers in btree_map(key(), config(), 0..8)) {
            let forwards = Digest::of(&peers);
            let backwards = Digest::of(peers.iter().rev());

            prop_assert_eq!(forwards, backwards);
        }

        #[test]
        fn every_field_matters(key1 in key(), key2 in key(), config1 in config(), config2 in config()) {
            let same = key1 == key2 && config1 == config2;

            prop_assert_eq!(Digest::of([(&key1, &config1)]) == Digest::of([(&key2, &config2)]), same);
        }

        #[test]
        fn each_single_change_shows(key in key(), config in config(), other in config()) {
            let with_ips = PeerConfig { allowed_ips: other.allowed_ips, ..config.clone() };
            let with_keepalive = PeerConfig { persistent_keepalive: other.persistent_keepalive, ..config.clone() };
            let with_psk = PeerConfig { preshared_key: other.preshared_key, ..config.clone() };

            for changed in [with_ips, with_keepalive, with_psk] {
                let same = changed == config;
                prop_assert_eq!(Digest::of([(&key, &config)]) == Digest::of([(&key, &changed)]), same);
            }
        }
    }

    #[test]
    fn allowed_ips_count_as_a_set() {
        let list = |texts: &[&str]| -> AllowedIps {
            texts.iter().map(|t| Cidr::parse(t).unwrap()).collect()
        };

        assert_eq!(
            list(&["10.0.0.9/24", "fd00::1/128"]),
            list(&["fd00::1/128", "10.0.0.0/24", "10.0.0.1/24"])
        );
    }
}
