//! The JSON bodies of answers.
//!
//! What only some agents say is an option: an agent of another make may know peers one by one and nothing of
//! generations, digests and cursors. Absent is unknown. The agent of this project says all of it.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{AllowedIps, Cidr, Endpoint, InterfaceName, PublicKey, observed};

/// One peer as the kernel shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DumpedPeer {
    #[serde(deserialize_with = "observed::key")]
    pub public_key: PublicKey,
    pub endpoint: Option<Endpoint>,
    #[serde(deserialize_with = "observed::allowed_ips")]
    pub allowed_ips: AllowedIps,
    /// Unix seconds; `null` where there was none.
    pub latest_handshake: Option<i64>,
    pub transfer_rx: u64,
    pub transfer_tx: u64,
    pub persistent_keepalive: u16,
    pub has_preshared_key: bool,
    /// Known to the kernel alone: nobody put it there through this agent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dump {
    pub interface: InterfaceName,
    pub peers: Vec<DumpedPeer>,
    pub generation: Option<u64>,
    pub digest: Option<String>,
    pub cursor: Option<String>,
    /// Only in answers to `since`: whether `peers` is everything, and who left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<bool>,
    #[serde(
        default,
        deserialize_with = "observed::named_keys",
        skip_serializing_if = "Option::is_none"
    )]
    pub removed: Option<Vec<PublicKey>>,
}

/// Where an interface stands, in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InSync {
    pub generation: Option<u64>,
    pub digest: String,
    pub peers: usize,
}

/// A write that changed what it was asked to change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Done {
    pub status: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<PeerNamed>,
    #[serde(default, flatten, skip_serializing_if = "Option::is_none")]
    pub in_sync: Option<InSync>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reloaded: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_down: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_up: Option<bool>,
}

impl Done {
    pub fn new(message: &str) -> Self {
        Self {
            status: "success".into(),
            message: message.into(),
            peer: None,
            in_sync: None,
            reloaded: None,
            was_down: None,
            was_up: None,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PeerNamed {
    pub public_key: PublicKey,
    pub allowed_ips: AllowedIps,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Config {
    pub interface: InterfaceName,
    pub config: InterfaceConfig,
}

/// Settings of an interface. The names that are always null are those that existing clients look for;
/// should another agent put something there, it is not even looked at.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct InterfaceConfig {
    #[serde(default, deserialize_with = "passed_over")]
    pub private_key: Option<()>,
    pub public_key: Option<PublicKey>,
    pub listen_port: Option<u16>,
    pub address: Option<String>,
    pub mtu: Option<u32>,
    pub dns: Option<String>,
    pub table: Option<String>,
    #[serde(default, deserialize_with = "passed_over")]
    pub post_up: Option<()>,
    #[serde(default, deserialize_with = "passed_over")]
    pub pre_down: Option<()>,
    #[serde(default, deserialize_with = "passed_over")]
    pub raw_config: Option<()>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Health {
    /// `ok`, or `degraded` with reasons.
    pub status: String,
    pub reasons: Option<Vec<String>>,
    pub timestamp: Option<i64>,
    /// Seconds since the machine started.
    pub uptime: Option<u64>,
    /// Seconds since the agent started.
    pub agent_uptime: Option<u64>,
    pub version: Option<String>,
    pub capabilities: Option<Vec<String>>,
    /// None: it does not say which it has.
    pub interfaces: Option<Vec<HealthOfInterface>>,
    pub system: Option<System>,
}

impl Health {
    /// What the agent says it can do. One that does not say so cannot.
    pub fn capabilities(&self) -> &[String] {
        self.capabilities.as_deref().unwrap_or(&[])
    }

    pub fn interface(&self, name: &str) -> Option<&HealthOfInterface> {
        let mut all = self.interfaces.iter().flatten();
        all.find(|one| one.name.as_str() == name)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HealthOfInterface {
    pub name: InterfaceName,
    /// `up`, `down` or `missing`.
    pub status: Option<String>,
    pub backend: Option<String>,
    pub public_key: Option<PublicKey>,
    pub listen_port: Option<u16>,
    pub peers: Option<usize>,
    pub foreign: Option<usize>,
    pub generation: Option<u64>,
    pub digest: Option<String>,
    /// Unix seconds at which the device was last read.
    pub observed_at: Option<i64>,
}

/// The machine's figures; a figure that could not be read is null, never 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct System {
    pub cpu_percent: Option<f64>,
    pub load: Option<[f64; 3]>,
    pub memory: Option<Memory>,
    pub disk: Option<Disk>,
    pub network: Option<Network>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    pub total: u64,
    pub available: u64,
    pub used: u64,
    pub percent: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Disk {
    pub total: u64,
    pub used: u64,
    pub free: u64,
    pub percent: f64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    pub bytes_sent: u64,
    pub bytes_recv: u64,
    pub packets_sent: u64,
    pub packets_recv: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    pub status: String,
    pub timestamp: i64,
    pub uptime: Option<u64>,
    pub version: String,
    pub system: System,
    pub wireguard: Wireguard,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wireguard {
    pub interfaces: BTreeMap<InterfaceName, StatusOfInterface>,
    pub interface_count: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusOfInterface {
    pub status: String,
    pub peer_count: Option<usize>,
    /// Peers with a handshake in the last three minutes.
    pub active_peers: Option<usize>,
    pub total_rx_bytes: Option<u64>,
    pub total_tx_bytes: Option<u64>,
}

/// What went wrong, for a human and for a program, with what some codes say beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub error: String,
    pub code: String,
    /// Where the interface stands, for whoever planned against a generation.
    #[serde(default, flatten, skip_serializing_if = "Option::is_none")]
    pub in_sync: Option<InSync>,
    /// `allowed_ip_taken`: what is taken, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_ip: Option<Cidr>,
    #[serde(
        default,
        deserialize_with = "observed::named_key",
        skip_serializing_if = "Option::is_none"
    )]
    pub owner: Option<PublicKey>,
    /// `mass_removal`: how many peers would go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// `stale_timestamp` and its like: the agent's own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    /// `before_restart`: the first second whose writes are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<i64>,
}

fn passed_over<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<()>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_with_an_odd_foreign_peer_is_read() {
        let body = r#"{"public_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","endpoint":null,"allowed_ips":["::ffff:10.0.0.1/128"],"latest_handshake":null,"transfer_rx":0,"transfer_tx":0,"persistent_keepalive":0,"has_preshared_key":false,"foreign":true}"#;

        let peer: DumpedPeer = serde_json::from_str(body).unwrap();

        assert_eq!(serde_json::to_string(&peer).unwrap(), body);
    }

    #[test]
    fn a_dump_from_which_an_odd_foreign_peer_left_is_read() {
        let body = r#"{"interface":"wg0","peers":[],"generation":null,"digest":"00","cursor":"a.1","full":false,"removed":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]}"#;

        let dump: Dump = serde_json::from_str(body).unwrap();

        assert_eq!(serde_json::to_string(&dump).unwrap(), body);
    }

    #[test]
    fn what_a_newer_agent_adds_is_passed_over() {
        let body = r#"{"generation":7,"digest":"00","peers":1,"colour":"green"}"#;

        let read: InSync = serde_json::from_str(body).unwrap();

        assert_eq!(read.generation, Some(7));
    }

    #[test]
    fn a_failure_keeps_what_it_says_beside_its_code() {
        let mismatch = r#"{"error":"e","code":"generation_mismatch","generation":null,"digest":"00","peers":3}"#;
        let taken = r#"{"error":"e","code":"allowed_ip_taken","allowed_ip":"10.0.0.2/32","owner":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#;
        let plain = r#"{"error":"e","code":"busy"}"#;

        for body in [mismatch, taken, plain] {
            let failure: Failure = serde_json::from_str(body).unwrap();
            assert_eq!(serde_json::to_string(&failure).unwrap(), body);
        }
        let failure: Failure = serde_json::from_str(mismatch).unwrap();
        assert_eq!(failure.in_sync.unwrap().peers, 3);
    }

    #[test]
    fn a_private_key_that_an_agent_should_not_have_sent_is_not_read() {
        let body = r#"{"interface":"wg0","config":{"private_key":"c2VjcmV0","post_up":["iptables"],"mtu":1420}}"#;

        let config: Config = serde_json::from_str(body).unwrap();

        assert_eq!(config.config.mtu, Some(1420));
        assert!(!format!("{config:?}").contains("c2VjcmV0"));
    }
}
