//! A peer that a node carries, whether it was read from the rows of observations or from the node's own answer.

use ipnet::IpNet;
use protocol::wire::answers::DumpedPeer;

use crate::db::observations::unknown::Unknown;
use crate::fleet::{FleetError, Result};

#[derive(Debug, Clone)]
pub(super) struct Carried {
    pub key: String,
    pub allowed_ips: Vec<IpNet>,
    pub keepalive_s: u16,
    pub has_psk: bool,
}

impl Carried {
    pub(super) fn seen(row: Unknown) -> Result<Self> {
        Ok(Self {
            keepalive_s: u16::try_from(row.keepalive_s)
                .map_err(|_| FleetError::Corrupt("observations.keepalive_s"))?,
            key: row.public_key,
            allowed_ips: row.allowed_ips,
            has_psk: row.has_psk,
        })
    }

    pub(super) fn dumped(peer: &DumpedPeer) -> Result<Self> {
        let nets = peer.allowed_ips.iter();
        let nets = nets.map(|cidr| IpNet::new(cidr.address(), cidr.length()));
        Ok(Self {
            key: peer.public_key.to_string(),
            allowed_ips: nets
                .collect::<std::result::Result<_, _>>()
                .map_err(|_| FleetError::Corrupt("an allowed IP"))?,
            keepalive_s: peer.persistent_keepalive,
            has_psk: peer.has_preshared_key,
        })
    }
}
