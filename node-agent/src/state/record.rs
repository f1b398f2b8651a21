//! One line of the journal: what changed, in the words of the contract.

use protocol::{AllowedIps, Endpoint, PeerConfig, PresharedKey, PrivateKey, PublicKey, observed};
use serde::{Deserialize, Serialize, Serializer};

use super::Remembered;
use crate::ledger::Managed;

/// Settings that were accepted over the API and stand above the configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    #[serde(serialize_with = "reveal", skip_serializing_if = "Option::is_none")]
    pub private_key: Option<PrivateKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<ipnet::IpNet>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The link was set down on purpose.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// The interface was removed on purpose.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
    /// The agent made the interface, so it may remove it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub created: bool,
}

/// A peer as it is kept. It may have been taken over from the device, so its names are read as a
/// device's are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    #[serde(deserialize_with = "observed::key")]
    pub public_key: PublicKey,
    #[serde(deserialize_with = "observed::allowed_ips")]
    pub allowed_ips: AllowedIps,
    #[serde(
        default,
        serialize_with = "reveal_preshared",
        skip_serializing_if = "Option::is_none"
    )]
    pub preshared_key: Option<PresharedKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persistent_keepalive: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl Stored {
    pub fn peer(self) -> Managed {
        Managed {
            config: PeerConfig {
                allowed_ips: self.allowed_ips,
                persistent_keepalive: self.persistent_keepalive.unwrap_or(0),
                preshared_key: self.preshared_key,
            },
            endpoint: self.endpoint,
            expires_at: self.expires_at,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Record {
    /// Forget everything before this line.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,
    /// The highest timestamp among the requests that this line records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<i64>,
    /// The device is known to hold what all lines before this one say.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub put: Vec<Stored>,
    #[serde(
        deserialize_with = "observed::keys",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub remove: Vec<PublicKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
}

impl Record {
    pub fn put_peer(&mut self, key: &PublicKey, peer: &Managed) {
        let keepalive = peer.config.persistent_keepalive;
        self.put.push(Stored {
            public_key: *key,
            allowed_ips: peer.config.allowed_ips.clone(),
            preshared_key: peer.config.preshared_key.clone(),
            persistent_keepalive: (keepalive != 0).then_some(keepalive),
            endpoint: peer.endpoint,
            expires_at: peer.expires_at,
        });
    }

    /// One line that says all of `memory`.
    pub fn of(memory: &Remembered) -> Self {
        let mut record = Self {
            anew: true,
            request: memory.latest_request,
            generation: memory.generation,
            remove: memory.leaving.iter().copied().collect(),
            settings: Some(memory.settings.clone()),
            ..Self::default()
        };
        for (key, peer) in &memory.peers {
            record.put_peer(key, peer);
        }
        record
    }

    pub(super) fn replay_on(self, memory: &mut Remembered) {
        if self.anew {
            *memory = Remembered::default();
        }
        if self.settled {
            memory.leaving.clear();
        }
        memory.latest_request = memory.latest_request.max(self.request);
        memory.generation = self.generation.or(memory.generation);
        for key in self.remove {
            memory.peers.remove(&key);
            memory.leaving.insert(key);
        }
        for stored in self.put {
            memory.leaving.remove(&stored.public_key);
            memory.peers.insert(stored.public_key, stored.peer());
        }
        if let Some(settings) = self.settings {
            memory.settings = settings;
        }
    }
}

fn reveal<S: Serializer>(key: &Option<PrivateKey>, serializer: S) -> Result<S::Ok, S::Error> {
    match key {
        Some(key) => serializer.serialize_some(&key.reveal()),
        None => serializer.serialize_none(),
    }
}

fn reveal_preshared<S: Serializer>(
    key: &Option<PresharedKey>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match key {
        Some(key) => serializer.serialize_some(&key.reveal()),
        None => serializer.serialize_none(),
    }
}
