//! Which of a peer's nodes gets which packets.
//!
//! Each node has what is its own: its addresses, and in the modes that reach further the prefixes
//! behind it. The first node has besides what belongs to nobody in particular: the network's
//! prefixes (split) or everything (full). Packets go by the longest prefix, so that a node's own part
//! of these still finds its way. What would be ambiguous is refused: two nodes that both have an
//! address as their own, and a prefix of another node that hides one which the first has for
//! everybody; of two equal ones WireGuard would silently keep the last.
//!
//! A family in which the peer has no address is left out, since no packet of it can be sent; but in
//! full mode it is caught all the same, so that it does not leave the device around the tunnel.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Config, ConfigError, Mode, Node};
use crate::domain::address::prefix::overlap;
use crate::domain::names::Label;

const EVERYTHING: [IpNet; 2] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0)),
];

/// Two nodes that would both get the same packets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{one_prefix} of node {one} overlaps {other_prefix} of node {other}")]
pub struct Overlap {
    pub one: Label,
    pub one_prefix: IpNet,
    pub other: Label,
    pub other_prefix: IpNet,
}

/// The allowed IPs of each node, in the order of the nodes.
pub(super) fn allowed_ips(config: &Config) -> Result<Vec<Vec<IpNet>>, ConfigError> {
    let mut all: Vec<Vec<IpNet>> = config.nodes.iter().map(|node| own(node, config)).collect();
    check_apart(config, &all)?;
    let shared = shared(config);
    check_not_hidden(config, &shared, &all)?;
    if let Some(first) = all.first_mut() {
        first.extend(shared);
    }
    for (node, ips) in config.nodes.iter().zip(&mut all) {
        shorten(ips);
        if ips.is_empty() {
            return Err(ConfigError::NothingToReach(node.name.clone()));
        }
    }
    Ok(all)
}

fn own(node: &Node, config: &Config) -> Vec<IpNet> {
    let routes: &[IpNet] = match config.mode {
        Mode::Split | Mode::Full => &node.routes,
        Mode::NodeOnly => &[],
    };
    let addresses = node.addresses.iter().map(|address| IpNet::from(*address));
    addresses
        .chain(routes.iter().map(IpNet::trunc))
        .filter(|net| has_family(config, net))
        .collect()
}

fn shared(config: &Config) -> Vec<IpNet> {
    match config.mode {
        Mode::Full => EVERYTHING.to_vec(),
        Mode::NodeOnly => Vec::new(),
        Mode::Split => {
            let prefixes = config.prefixes.iter().map(IpNet::trunc);
            prefixes.filter(|net| has_family(config, net)).collect()
        }
    }
}

fn has_family(config: &Config, net: &IpNet) -> bool {
    let v4 = matches!(net, IpNet::V4(_));
    config
        .addresses
        .iter()
        .any(|address| address.is_ipv4() == v4)
}

fn check_apart(config: &Config, all: &[Vec<IpNet>]) -> Result<(), Box<Overlap>> {
    for (at, (other, other_ips)) in config.nodes.iter().zip(all).enumerate() {
        for (one, one_ips) in config.nodes.iter().zip(all).take(at) {
            refuse(one, one_ips, other, other_ips, overlap)?;
        }
    }
    Ok(())
}

fn check_not_hidden(
    config: &Config,
    shared: &[IpNet],
    all: &[Vec<IpNet>],
) -> Result<(), Box<Overlap>> {
    let mut nodes = config.nodes.iter().zip(all);
    let Some((first, _)) = nodes.next() else {
        return Ok(());
    };
    for (other, ips) in nodes {
        refuse(first, shared, other, ips, |shared, net| {
            net.contains(&shared)
        })?;
    }
    Ok(())
}

fn refuse(
    one: &Node,
    one_ips: &[IpNet],
    other: &Node,
    other_ips: &[IpNet],
    clash: impl Fn(IpNet, IpNet) -> bool,
) -> Result<(), Box<Overlap>> {
    for one_prefix in one_ips {
        for other_prefix in other_ips {
            if clash(*one_prefix, *other_prefix) {
                return Err(Box::new(Overlap {
                    one: one.name.clone(),
                    one_prefix: *one_prefix,
                    other: other.name.clone(),
                    other_prefix: *other_prefix,
                }));
            }
        }
    }
    Ok(())
}

/// Sorts, and drops what another prefix of the same node contains.
fn shorten(ips: &mut Vec<IpNet>) {
    ips.sort_unstable();
    ips.dedup();
    let all = ips.clone();
    ips.retain(|net| !all.iter().any(|other| other != net && other.contains(net)));
}
