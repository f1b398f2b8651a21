//! Interfaces as people ask for them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use protocol::InterfaceName;

use super::drift::DriftPolicy;
use super::endpoint::PublicEndpoint;
use super::reference::Reference;

/// An interface to be added to a node.
#[derive(Debug, Clone)]
pub struct NewInterface {
    pub name: InterfaceName,
    pub network: Reference,
    pub endpoint: PublicEndpoint,
    /// Where peers of this interface preferably get their addresses; at most one of each family.
    pub ip_pools: Vec<IpNet>,
    /// Its own addresses in the network; at most one of each family.
    pub addresses: Vec<IpAddr>,
    pub drift_policy: DriftPolicy,
}

/// What to replace; the rest stays. The outer option of what may be empty says whether it is replaced at all.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub name: Option<InterfaceName>,
    pub network: Option<Reference>,
    pub endpoint: Option<PublicEndpoint>,
    pub ip_pool_v4: Option<Option<Ipv4Net>>,
    pub ip_pool_v6: Option<Option<Ipv6Net>>,
    pub address_v4: Option<Option<Ipv4Addr>>,
    pub address_v6: Option<Option<Ipv6Addr>>,
    pub drift_policy: Option<DriftPolicy>,
}
