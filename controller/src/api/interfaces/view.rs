//! Interfaces as they are shown: what people said, what should be, and what was seen and how long ago.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chrono::{DateTime, Utc};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::interfaces::Interface;
use crate::domain::ids::{InterfaceId, NetworkId, NodeId};

#[derive(Debug, Serialize, ToSchema)]
pub struct InterfaceView {
    id: InterfaceId,
    node_id: NodeId,
    node_name: String,
    network_id: NetworkId,
    network_name: String,
    name: String,
    /// `host:port`, where peers reach it.
    endpoint: String,
    #[schema(value_type = Option<String>)]
    ip_pool_v4: Option<Ipv4Net>,
    #[schema(value_type = Option<String>)]
    ip_pool_v6: Option<Ipv6Net>,
    #[schema(value_type = Option<String>)]
    address_v4: Option<Ipv4Addr>,
    #[schema(value_type = Option<String>)]
    address_v6: Option<Ipv6Addr>,
    drift_policy: String,
    /// Null until the node has told it.
    public_key: Option<String>,
    /// That it has another key than before: null if it has not, or once somebody has acknowledged it.
    key_change: Option<KeyChangeView>,
    /// How many peers are placed on it.
    peers: i32,
    sync: SyncView,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A node showed another key than before: configurations that were handed out before it are of no use any more.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyChangeView {
    /// The key before the first change that nobody has acknowledged.
    former_public_key: String,
    /// When the last one was seen.
    changed_at: DateTime<Utc>,
}

/// How far an interface is, and what was last seen of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncView {
    /// Rises with every change of what it should hold.
    desired_generation: i64,
    /// The last one that its node is known to have taken over.
    applied_generation: i64,
    applied_at: Option<DateTime<Utc>>,
    /// Since when the node is behind; null if it is not.
    pending_since: Option<DateTime<Utc>>,
    /// How often the latest change was tried in vain.
    attempts: i32,
    /// Why it is not applied, in one word and in a sentence.
    problem: Option<String>,
    problem_text: Option<String>,
    problem_at: Option<DateTime<Utc>>,
    /// `up`, `down` or `missing`; null if nobody looked yet.
    link: Option<String>,
    observed_generation: Option<i64>,
    observed_digest: Option<String>,
    observed_peers: Option<i32>,
    observed_at: Option<DateTime<Utc>>,
    /// Seconds since then.
    observed_age_s: Option<i64>,
    /// Peers on the device that no desired state holds.
    unknown_peers: i32,
}

impl InterfaceView {
    pub(in crate::api) fn of(interface: Interface, now: DateTime<Utc>) -> Self {
        let sync = SyncView::of(&interface, now);
        let key_change = interface.former_public_key.zip(interface.key_changed_at);
        let (ip_pool_v4, ip_pool_v6) = pools(&interface.ip_pools);
        let (address_v4, address_v6) = addresses(&interface.addresses);
        Self {
            id: interface.id,
            node_id: interface.node_id,
            node_name: interface.node_name,
            network_id: interface.network_id,
            network_name: interface.network_name,
            name: interface.name,
            endpoint: endpoint(&interface.endpoint_host, interface.endpoint_port),
            ip_pool_v4,
            ip_pool_v6,
            address_v4,
            address_v6,
            drift_policy: interface.drift_policy,
            public_key: interface.public_key,
            key_change: key_change.map(|(former_public_key, changed_at)| KeyChangeView {
                former_public_key,
                changed_at,
            }),
            peers: interface.peers,
            sync,
            version: interface.version,
            created_at: interface.created_at,
            updated_at: interface.updated_at,
        }
    }
}

impl SyncView {
    fn of(interface: &Interface, now: DateTime<Utc>) -> Self {
        let behind = interface.desired_generation > interface.applied_generation;
        Self {
            desired_generation: interface.desired_generation,
            applied_generation: interface.applied_generation,
            applied_at: interface.applied_at,
            pending_since: behind.then_some(interface.desired_at),
            attempts: interface.attempts,
            problem: interface.problem.clone(),
            problem_text: interface.problem_text.clone(),
            problem_at: interface.problem_at,
            link: interface.link.clone(),
            observed_generation: interface.observed_generation,
            observed_digest: interface.observed_digest.clone(),
            observed_peers: interface.observed_peers,
            observed_at: interface.observed_at,
            observed_age_s: interface.observed_at.map(|at| (now - at).num_seconds()),
            unknown_peers: interface.unknown_peers,
        }
    }
}

fn pools(pools: &[IpNet]) -> (Option<Ipv4Net>, Option<Ipv6Net>) {
    let (mut v4, mut v6) = (None, None);
    for pool in pools {
        match pool {
            IpNet::V4(pool) => v4 = Some(*pool),
            IpNet::V6(pool) => v6 = Some(*pool),
        }
    }
    (v4, v6)
}

fn addresses(addresses: &[IpNet]) -> (Option<Ipv4Addr>, Option<Ipv6Addr>) {
    let (mut v4, mut v6) = (None, None);
    for address in addresses {
        match address.addr() {
            IpAddr::V4(address) => v4 = Some(address),
            IpAddr::V6(address) => v6 = Some(address),
        }
    }
    (v4, v6)
}

/// As it is written in configurations: an IPv6 address in brackets.
pub(crate) fn endpoint(host: &str, port: i32) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_host_stands_in_brackets() {
        assert_eq!(endpoint("2001:db8::1", 51820), "[2001:db8::1]:51820");
        assert_eq!(endpoint("fra-1.example", 51820), "fra-1.example:51820");
    }
}
