//! What is to be done, in words that can be shown, stored and carried out later.
//!
//! A plan names keys and no secrets; who carries it out looks the peers up. Its order is: removals,
//! releases, then the writes of a batch, then single writes. Carried out so, no write claims an allowed IP
//! that another peer still has.

use protocol::{AllowedIps, Cidr, InterfaceName, PublicKey, observed};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::HeldBack;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    pub removals: Vec<Removal>,
    pub releases: Vec<Release>,
    pub writes: Vec<Write>,
    /// Unknown peers to take into the database. Nothing is sent for them.
    #[serde(deserialize_with = "observed::keys")]
    #[schema(value_type = Vec<String>)]
    pub adoptions: Vec<PublicKey>,
    /// Unknown peers that stay, for a person to see.
    #[serde(deserialize_with = "observed::keys")]
    #[schema(value_type = Vec<String>)]
    pub reported: Vec<PublicKey>,
    /// Why unknown peers stay although they should go.
    pub held_back: Option<HeldBack>,
    /// Peers that cannot be written while an unknown peer stays.
    pub blocked: Vec<Blocked>,
    /// Peers whose preshared key only the node knew, and which the node lost.
    #[schema(value_type = Vec<String>)]
    pub psk_lost: Vec<PublicKey>,
    /// Peers whose preshared key may differ, which nothing at hand can tell. To write them is harmless:
    /// an agent touches only what differs.
    #[schema(value_type = Vec<String>)]
    pub unproven: Vec<PublicKey>,
}

/// A peer to remove by its key. A foreign one needs a call of its own: batches pass it over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Removal {
    #[serde(deserialize_with = "observed::key")]
    #[schema(value_type = String)]
    pub key: PublicKey,
    pub why: Why,
    /// Known to the kernel alone: something other than the agent put it there.
    pub foreign: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    Forbidden,
    Expired,
    Unknown,
}

/// A peer that has to let go of allowed IPs before another can have them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Release {
    #[schema(value_type = String)]
    pub key: PublicKey,
    /// What it keeps until it is written itself.
    #[schema(value_type = Vec<String>)]
    pub keeps: AllowedIps,
    /// Superfluous if all writes of the batch go in one request.
    pub in_batch: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Write {
    #[schema(value_type = String)]
    pub key: PublicKey,
    pub differs: Vec<Difference>,
    /// Only by an update that leaves the preshared key alone, which the controller does not know.
    pub single: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    Missing,
    AllowedIps,
    Keepalive,
    /// One has it and the other not; or both do, and the digest says that some key is another.
    PresharedKey,
    Expiry,
    /// As desired, but the agent does not know it and would not restore it.
    Foreign,
}

/// An allowed IP that a desired peer should have and an unknown one does. An agent would refuse the peer, and
/// whatever is sent along with it, so it is not written at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Blocked {
    #[schema(value_type = String)]
    pub key: PublicKey,
    #[schema(value_type = String)]
    pub allowed_ip: Cidr,
    #[serde(deserialize_with = "observed::key")]
    #[schema(value_type = String)]
    pub owner: PublicKey,
}

impl Plan {
    /// Whether there is nothing to do. There may still be something to see.
    pub fn is_empty(&self) -> bool {
        self.removals.is_empty()
            && self.releases.is_empty()
            && self.writes.is_empty()
            && self.adoptions.is_empty()
    }

    /// Keys that the controller took away and something on the node put back.
    pub fn brought_back(&self) -> impl Iterator<Item = &PublicKey> {
        let removals = self.removals.iter();
        removals
            .filter(|removal| removal.foreign && removal.why == Why::Forbidden)
            .map(|removal| &removal.key)
    }

    /// What to disable on the node so that keys do not come back, if any did.
    pub fn advice(&self, interface: &InterfaceName) -> Option<String> {
        self.brought_back().next().map(|_| {
            format!(
                "wg-quick brings removed peers back from /etc/wireguard/{interface}.conf: \
                 disable wg-quick@{interface}.service, or take SaveConfig and the peers out of that file"
            )
        })
    }
}
