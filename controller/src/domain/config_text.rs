//! The wg-quick text that makes a device a peer.
//!
//! Every input is typed so that none can hold a line break, hence none can add a setting, and least
//! of all a command: the text never contains any.
//! A private key is written when it was made for this very answer, and is kept nowhere. Without one a
//! comment stands in its line, [`PRIVATE_KEY_PLACEHOLDER`]: `wg` refuses an empty key, but not a
//! missing one, so that the text stays readable to every tool, and a device refuses to connect
//! until the line is filled in. The hash covers the text with that placeholder, so that a text with
//! a key and one without are the same configuration.
//! Who may see a configuration, and what was issued when, is not decided here.

use std::fmt::{self, Write};
use std::net::IpAddr;

use ipnet::IpNet;
use protocol::{PresharedKey, PrivateKey, PublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::endpoint::PublicEndpoint;
use super::names::{HostName, Label};

mod routes;

pub use routes::Overlap;

/// What stands where the private key belongs. A browser that made the key puts it here.
pub const PRIVATE_KEY_PLACEHOLDER: &str = "# PrivateKey = put the private key of this device here";
const PRESHARED_KEY_PLACEHOLDER: &str = "# PresharedKey = known to this node alone, put it here";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The network and what is behind its nodes.
    Split,
    /// Everything.
    Full,
    /// The nodes themselves.
    NodeOnly,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a mode: split, full or node-only")]
pub struct ModeError;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("peer {0} has no address")]
    NoAddress(Label),
    #[error("peer {0} is on no node")]
    NoNode(Label),
    #[error("nodes {one} and {other} have the same public key")]
    SameKey { one: Label, other: Label },
    #[error("node {0} has no address in a family that the peer has one in")]
    NothingToReach(Label),
    #[error(transparent)]
    Overlap(#[from] Box<Overlap>),
}

/// All that the configuration of a peer says.
#[derive(Debug, Clone)]
pub struct Config {
    pub peer: Label,
    pub network: HostName,
    pub mode: Mode,
    pub addresses: Vec<IpAddr>,
    /// In the order they are to be asked.
    pub dns: Vec<IpAddr>,
    /// Appended to names without a dot; left out where there is no DNS server.
    pub domain: Option<HostName>,
    pub mtu: Option<u16>,
    /// 0 is off.
    pub keepalive_s: u16,
    /// The network's own.
    pub prefixes: Vec<IpNet>,
    /// The first one carries what belongs to no node in particular.
    pub nodes: Vec<Node>,
}

/// A node as one of its peers must know it.
#[derive(Debug, Clone)]
pub struct Node {
    pub name: Label,
    pub public_key: PublicKey,
    pub preshared_key: Preshared,
    pub endpoint: PublicEndpoint,
    /// Its own in the network.
    pub addresses: Vec<IpAddr>,
    /// Prefixes behind other peers that are reached through this node.
    pub routes: Vec<IpNet>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preshared {
    None,
    Key(PresharedKey),
    /// There is one, but only the node knows it.
    Unknown,
}

/// A finished text. It holds secrets, so it is wiped when dropped and does not print.
#[derive(Clone)]
pub struct Issued {
    text: Zeroizing<String>,
    hash: [u8; 32],
}

/// Writes the text, with the private key if there is one to show.
pub fn issue(config: &Config, private_key: Option<&PrivateKey>) -> Result<Issued, ConfigError> {
    let text = Zeroizing::new(text(config)?);
    let hash = Sha256::digest(text.as_bytes()).into();
    let text = match private_key {
        Some(key) => {
            let line = Zeroizing::new(format!("PrivateKey = {}", *Zeroizing::new(key.reveal())));
            Zeroizing::new(text.replacen(PRIVATE_KEY_PLACEHOLDER, &line, 1))
        }
        None => text,
    };
    Ok(Issued { text, hash })
}

impl Issued {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Equal for equal configurations, whether or not the private key is shown.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Split, Self::Full, Self::NodeOnly];

    pub fn parse(text: &str) -> Result<Self, ModeError> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or(ModeError)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Full => "full",
            Self::NodeOnly => "node-only",
        }
    }
}

fn text(config: &Config) -> Result<String, ConfigError> {
    if config.addresses.is_empty() {
        return Err(ConfigError::NoAddress(config.peer.clone()));
    }
    if config.nodes.is_empty() {
        return Err(ConfigError::NoNode(config.peer.clone()));
    }
    check_keys(&config.nodes)?;
    let allowed_ips = routes::allowed_ips(config)?;
    let mut text = String::new();
    interface_section(&mut text, config, &allowed_ips)
        .and_then(|()| {
            let mut sections = config.nodes.iter().zip(&allowed_ips);
            sections.try_for_each(|(node, ips)| node_section(&mut text, node, ips, config))
        })
        .expect("a String takes any number of characters");
    Ok(text)
}

/// wg(8) would make one peer of two sections with the same key, with the allowed IPs of both.
fn check_keys(nodes: &[Node]) -> Result<(), ConfigError> {
    for (at, other) in nodes.iter().enumerate() {
        let earlier = &nodes[..at];
        if let Some(one) = earlier
            .iter()
            .find(|one| one.public_key == other.public_key)
        {
            return Err(ConfigError::SameKey {
                one: one.name.clone(),
                other: other.name.clone(),
            });
        }
    }
    Ok(())
}

fn interface_section(
    text: &mut String,
    config: &Config,
    allowed_ips: &[Vec<IpNet>],
) -> fmt::Result {
    let mut addresses = config.addresses.clone();
    addresses.sort_unstable();
    addresses.dedup();
    writeln!(text, "# Peer {} in network {}", config.peer, config.network)?;
    writeln!(text, "[Interface]\n{PRIVATE_KEY_PLACEHOLDER}")?;
    // The prefix of a single host, of whichever family.
    writeln!(
        text,
        "Address = {}",
        list(addresses.into_iter().map(IpNet::from))
    )?;
    let dns = resolvers(config, allowed_ips);
    if !dns.is_empty() {
        write!(text, "DNS = {}", list(dns))?;
        match &config.domain {
            Some(domain) => writeln!(text, ", {domain}")?,
            None => writeln!(text)?,
        }
    }
    if let Some(mtu) = config.mtu {
        writeln!(text, "MTU = {mtu}")?;
    }
    Ok(())
}

/// A resolver inside the network that this mode does not reach would leave the device without any
/// names at all.
fn resolvers(config: &Config, allowed_ips: &[Vec<IpNet>]) -> Vec<IpAddr> {
    let holds = |net: &IpNet, address: &IpAddr| net.contains(address);
    let reached = |address: &IpAddr| allowed_ips.iter().flatten().any(|net| holds(net, address));
    let own = |address: &IpAddr| config.prefixes.iter().any(|net| holds(net, address));
    config
        .dns
        .iter()
        .filter(|address| !own(address) || reached(address))
        .copied()
        .collect()
}

fn node_section(text: &mut String, node: &Node, ips: &[IpNet], config: &Config) -> fmt::Result {
    writeln!(text, "\n# Node {}", node.name)?;
    writeln!(text, "[Peer]\nPublicKey = {}", node.public_key)?;
    match &node.preshared_key {
        Preshared::None => {}
        Preshared::Key(key) => {
            writeln!(text, "PresharedKey = {}", *Zeroizing::new(key.reveal()))?;
        }
        Preshared::Unknown => writeln!(text, "{PRESHARED_KEY_PLACEHOLDER}")?,
    }
    writeln!(text, "Endpoint = {}", node.endpoint)?;
    writeln!(text, "AllowedIPs = {}", list(ips))?;
    if config.keepalive_s > 0 {
        writeln!(text, "PersistentKeepalive = {}", config.keepalive_s)?;
    }
    Ok(())
}

fn list<T: fmt::Display>(values: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    texts.join(", ")
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Issued(***)")
    }
}

#[cfg(test)]
mod tests;
