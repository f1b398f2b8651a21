//! What a test of a connection learnt on the way. What was not heard is absent.

use protocol::wire::answers::HealthOfInterface;
use serde::Serialize;
use utoipa::ToSchema;

use super::Facts;

#[derive(Debug, Clone, PartialEq, Default, Serialize, ToSchema)]
pub struct Learnt {
    pub version: Option<String>,
    pub capabilities: Option<Vec<String>>,
    /// Why the agent calls itself degraded; empty if it does not.
    pub reasons: Option<Vec<String>>,
    /// The names of all interfaces that the agent serves.
    pub interfaces: Option<Vec<String>>,
    /// `up`, `down` or `missing`.
    pub link: Option<String>,
    pub public_key: Option<String>,
    pub listen_port: Option<u16>,
    pub addresses: Option<Vec<String>>,
    pub mtu: Option<u32>,
    pub peers: Option<usize>,
    /// Peers that were not put there through the agent.
    pub foreign: Option<usize>,
    pub generation: Option<u64>,
    pub digest: Option<String>,
    /// From a signed request to its verified answer, over a connection that was open.
    pub round_trip_ms: Option<u64>,
    /// How far the node's clock is ahead of ours.
    pub clock_offset_s: Option<i64>,
}

impl Learnt {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let mut learnt = Self {
            round_trip_ms: facts.round_trip_ms,
            clock_offset_s: facts.clock_offset_s,
            ..Self::default()
        };
        if let Ok(health) = &facts.health {
            learnt.version.clone_from(&health.version);
            learnt.capabilities.clone_from(&health.capabilities);
            learnt.reasons.clone_from(&health.reasons);
            let names = |all: &Vec<HealthOfInterface>| {
                let names = all.iter().map(|one| one.name.to_string());
                names.collect()
            };
            learnt.interfaces = health.interfaces.as_ref().map(names);
            if let Some(one) = health.interface(facts.name.as_str()) {
                learnt.link.clone_from(&one.status);
                learnt.public_key = one.public_key.map(|key| key.to_string());
                learnt.listen_port = one.listen_port;
                learnt.peers = one.peers;
                learnt.foreign = one.foreign;
            }
        }
        if let Some(Ok((held, config))) = &facts.interface {
            learnt.peers = Some(held.peers);
            learnt.generation = held.generation;
            learnt.digest.clone_from(&held.digest);
            let config = &config.config;
            learnt.public_key = config.public_key.map(|key| key.to_string());
            learnt.listen_port = config.listen_port;
            learnt.mtu = config.mtu;
            learnt.addresses = config.address.as_deref().map(addresses);
        }
        learnt
    }
}

fn addresses(text: &str) -> Vec<String> {
    let parts = text.split(',').map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}
