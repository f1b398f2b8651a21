//! What audit and events show of an interface.

use ipnet::IpNet;
use serde::Serialize;

use crate::db::interfaces::Interface;
use crate::domain::ids::{NetworkId, NodeId};

#[derive(Serialize)]
pub(in crate::fleet) struct Seen<'a> {
    node_id: NodeId,
    network_id: NetworkId,
    name: &'a str,
    endpoint_host: &'a str,
    endpoint_port: i32,
    ip_pools: &'a [IpNet],
    addresses: &'a [IpNet],
    drift_policy: &'a str,
}

impl<'a> Seen<'a> {
    pub(in crate::fleet) fn of(interface: &'a Interface) -> Self {
        Self {
            node_id: interface.node_id,
            network_id: interface.network_id,
            name: &interface.name,
            endpoint_host: &interface.endpoint_host,
            endpoint_port: interface.endpoint_port,
            ip_pools: &interface.ip_pools,
            addresses: &interface.addresses,
            drift_policy: &interface.drift_policy,
        }
    }
}
