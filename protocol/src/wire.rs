//! The JSON bodies of requests. They refuse fields they do not know, by name.
//!
//! [`answers`] holds what the agent says; those are read leniently, so that a newer agent may say
//! more than an older controller understands.

use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{AllowedIps, Endpoint, PeerConfig, PresharedKey, PrivateKey, PublicKey};

pub mod answers;

/// A complete peer: an entry of a batch or a full set, or the body of an add. Absent is none or 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerSpec {
    pub public_key: PublicKey,
    pub allowed_ips: AllowedIps,
    #[serde(
        default,
        serialize_with = "reveal",
        skip_serializing_if = "Option::is_none"
    )]
    pub preshared_key: Option<PresharedKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persistent_keepalive: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// Unix seconds after which the agent removes the peer by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl PeerSpec {
    pub fn config(&self) -> PeerConfig {
        PeerConfig {
            allowed_ips: self.allowed_ips.clone(),
            persistent_keepalive: self.persistent_keepalive.unwrap_or(0),
            preshared_key: self.preshared_key.clone(),
        }
    }
}

/// The fields of a peer to replace. Absent keeps; `null` clears, where there is something to clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerUpdate {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_ips: Option<AllowedIps>,
    #[serde(
        default,
        deserialize_with = "given",
        serialize_with = "reveal_given",
        skip_serializing_if = "Option::is_none"
    )]
    pub preshared_key: Option<Option<PresharedKey>>,
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    pub persistent_keepalive: Option<Option<u16>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<Option<i64>>,
}

/// Changes from one generation to the next, all or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The generation the agent must be at; `null` or 0 where none came yet.
    pub base_generation: Option<u64>,
    pub generation: u64,
    #[serde(default)]
    pub upsert: Vec<PeerSpec>,
    #[serde(default)]
    pub remove: Vec<PublicKey>,
}

/// Everything an interface should hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FullSet {
    pub generation: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_generation: Option<u64>,
    pub peers: Vec<PeerSpec>,
    /// How many peers the caller knows this will remove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_removals: Option<usize>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncConf {
    /// Base64 of a text in the syntax of `wg setconf`, private and preshared keys included.
    pub config: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_removals: Option<usize>,
}

impl fmt::Debug for SyncConf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncConf")
            .field("config", &"***")
            .field("allow_removals", &self.allow_removals)
            .finish()
    }
}

/// Interface settings to replace. Commands are read so that they can be refused by name, and never written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigUpdate {
    #[serde(
        default,
        serialize_with = "reveal_private",
        skip_serializing_if = "Option::is_none"
    )]
    pub private_key: Option<PrivateKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen_port: Option<u16>,
    /// Addresses with prefix lengths, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    pub dns: Option<Option<String>>,
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    pub table: Option<Option<String>>,
    #[serde(default, skip_serializing)]
    pub pre_up: Option<IgnoredAny>,
    #[serde(default, skip_serializing)]
    pub post_up: Option<IgnoredAny>,
    #[serde(default, skip_serializing)]
    pub pre_down: Option<IgnoredAny>,
    #[serde(default, skip_serializing)]
    pub post_down: Option<IgnoredAny>,
    #[serde(default, skip_serializing)]
    pub raw_config: Option<IgnoredAny>,
}

impl ConfigUpdate {
    /// The first field that would have the node run a command, if any is given.
    pub fn command(&self) -> Option<&'static str> {
        let commands = [
            ("pre_up", &self.pre_up),
            ("post_up", &self.post_up),
            ("pre_down", &self.pre_down),
            ("post_down", &self.post_down),
            ("raw_config", &self.raw_config),
        ];
        commands
            .iter()
            .find(|(_, given)| given.is_some())
            .map(|(name, _)| *name)
    }
}

/// One half of a key exchange, in either direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyExchange {
    pub id: String,
    pub public_key: PublicKey,
}

/// Tells an absent field from one that is `null`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

fn reveal<S: Serializer>(key: &Option<PresharedKey>, serializer: S) -> Result<S::Ok, S::Error> {
    match key {
        Some(key) => serializer.serialize_some(&key.reveal()),
        None => serializer.serialize_none(),
    }
}

fn reveal_given<S: Serializer>(
    key: &Option<Option<PresharedKey>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match key {
        Some(key) => reveal(key, serializer),
        None => serializer.serialize_none(),
    }
}

fn reveal_private<S: Serializer>(
    key: &Option<PrivateKey>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match key {
        Some(key) => serializer.serialize_some(&key.reveal()),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let body = r#"{"public_key":"S/QlsM66mP3ZL3zVXRBksX4aHla+tqaEhm74lVkThYM=","allowed_ips":[],"name":"x"}"#;

        let err = serde_json::from_str::<PeerSpec>(body).unwrap_err();

        assert!(err.to_string().contains("`name`"), "{err}");
    }

    #[test]
    fn null_and_absent_are_told_apart() {
        let absent: PeerUpdate = serde_json::from_str("{}").unwrap();
        let null: PeerUpdate = serde_json::from_str(r#"{"preshared_key":null}"#).unwrap();

        assert_eq!(absent.preshared_key, None);
        assert_eq!(null.preshared_key, Some(None));
    }

    #[test]
    fn a_bad_preshared_key_is_not_repeated_in_the_error() {
        let err =
            serde_json::from_str::<PeerUpdate>(r#"{"preshared_key":"c2VjcmV0"}"#).unwrap_err();

        assert!(!err.to_string().contains("c2VjcmV0"), "{err}");
    }

    #[test]
    fn a_peer_survives_being_written_and_read() {
        let body = r#"{"public_key":"S/QlsM66mP3ZL3zVXRBksX4aHla+tqaEhm74lVkThYM=","allowed_ips":["10.0.0.2/32"],"preshared_key":"WGUQw8lQx/h7nNsJj8shlbgShp2jr3u4jXHBWsPILsU=","persistent_keepalive":25,"endpoint":"192.0.2.1:51820","expires_at":1766000000}"#;

        let peer: PeerSpec = serde_json::from_str(body).unwrap();

        assert_eq!(serde_json::to_string(&peer).unwrap(), body);
    }

    /// What was written reads as the same text again.
    fn is_written_as_read<T: Serialize + serde::de::DeserializeOwned>(body: &str) -> T {
        let read: T = serde_json::from_str(body).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), body);
        read
    }

    #[test]
    fn an_update_is_written_as_it_was_read_absent_apart_from_null() {
        for body in [
            "{}",
            r#"{"preshared_key":null}"#,
            r#"{"persistent_keepalive":null,"expires_at":null}"#,
            r#"{"allowed_ips":[],"preshared_key":"WGUQw8lQx/h7nNsJj8shlbgShp2jr3u4jXHBWsPILsU=","persistent_keepalive":0,"endpoint":"192.0.2.1:51820","expires_at":1766000000}"#,
        ] {
            is_written_as_read::<PeerUpdate>(body);
        }
    }

    #[test]
    fn batches_sets_and_settings_are_written_as_they_were_read() {
        let key = r#""S/QlsM66mP3ZL3zVXRBksX4aHla+tqaEhm74lVkThYM=""#;
        let peer = format!(r#"{{"public_key":{key},"allowed_ips":["10.0.0.2/32"]}}"#);
        for base in ["null", "0", "6"] {
            is_written_as_read::<Batch>(&format!(
                r#"{{"base_generation":{base},"generation":7,"upsert":[{peer}],"remove":[{key}]}}"#
            ));
        }
        is_written_as_read::<FullSet>(&format!(r#"{{"generation":7,"peers":[{peer}]}}"#));
        is_written_as_read::<FullSet>(
            r#"{"generation":7,"base_generation":9,"peers":[],"allow_removals":3}"#,
        );
        is_written_as_read::<ConfigUpdate>("{}");
        is_written_as_read::<ConfigUpdate>(
            r#"{"private_key":"QDZ7dLmQMIv8jkVsAQEwJzPiSwaWgq1ZyBcW5j1ww1g=","listen_port":51820,"address":"10.0.0.1/24","mtu":1420,"dns":null,"table":"off"}"#,
        );
    }

    #[test]
    fn settings_are_written_without_any_command() {
        let read: ConfigUpdate =
            serde_json::from_str(r#"{"mtu":1420,"post_up":"reboot","raw_config":""}"#).unwrap();

        assert_eq!(read.command(), Some("post_up"));
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"mtu":1420}"#);
    }

    #[test]
    fn no_body_prints_its_secrets() {
        let psk = "WGUQw8lQx/h7nNsJj8shlbgShp2jr3u4jXHBWsPILsU=";
        let private = "QDZ7dLmQMIv8jkVsAQEwJzPiSwaWgq1ZyBcW5j1ww1g=";
        let update = format!(r#"{{"preshared_key":"{psk}"}}"#);
        let config = format!(r#"{{"private_key":"{private}"}}"#);

        let sync =
            is_written_as_read::<SyncConf>(r#"{"config":"UHJpdmF0ZUtleQ==","allow_removals":1}"#);
        let printed = format!(
            "{:?} {:?} {sync:?}",
            is_written_as_read::<PeerUpdate>(&update),
            is_written_as_read::<ConfigUpdate>(&config),
        );

        for secret in [psk, private, "UHJpdmF0ZUtleQ=="] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
