//! What can be said about a peer and compared: its configuration, without what is only observed.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Cidr, PresharedKey};

/// Allowed IPs, sorted and without repetition, so that equal sets are equal values.
///
/// Shared, because what should be and what is are mostly the same lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedIps(Arc<[Cidr]>);

impl AllowedIps {
    pub fn iter(&self) -> std::slice::Iter<'_, Cidr> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Cidr> for AllowedIps {
    fn from_iter<I: IntoIterator<Item = Cidr>>(cidrs: I) -> Self {
        let mut cidrs: Vec<Cidr> = cidrs.into_iter().collect();
        cidrs.sort_unstable();
        cidrs.dedup();
        Self(cidrs.into())
    }
}

impl<'a> IntoIterator for &'a AllowedIps {
    type Item = &'a Cidr;
    type IntoIter = std::slice::Iter<'a, Cidr>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for AllowedIps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de> Deserialize<'de> for AllowedIps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Cidr>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}

/// The configuration of one peer. Endpoint, handshake and counters are observations and stay out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeerConfig {
    pub allowed_ips: AllowedIps,
    /// Seconds; 0 is off.
    pub persistent_keepalive: u16,
    pub preshared_key: Option<PresharedKey>,
}
