//! One word for the whole fleet, with its reasons. The facts are counted elsewhere, at one moment.
//!
//! Critical is what keeps peers from being served or changes from being taken; degraded is what somebody should look
//! at. A disabled node is as somebody wanted it, and a node without a verdict is too new to be judged.

use serde::Serialize;
use utoipa::ToSchema;

/// A change that was not taken for this long is late: twice the longest pause between attempts.
const LATE_AFTER_S: i64 = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overall {
    Ok,
    Degraded,
    Critical,
}

/// What is counted of a fleet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Facts {
    pub nodes: Nodes,
    pub interfaces: Interfaces,
    pub pools: Pools,
    pub peers: Peers,
    pub pending: Pending,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Nodes {
    pub total: i64,
    pub pending: i64,
    pub online: i64,
    pub offline: i64,
    pub error: i64,
    pub disabled: i64,
}

/// Of nodes that are not disabled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Interfaces {
    pub total: i64,
    /// Changes wait for them.
    pub behind: i64,
    /// How long the oldest change waits.
    pub behind_s: Option<i64>,
    /// The last attempt to change them failed.
    pub failing: i64,
    /// The link is down, or the node has no such interface.
    pub down: i64,
    /// They hold peers that nobody wants there.
    pub with_unknown_peers: i64,
    /// They have another key than the configurations handed out before, and nobody has acknowledged it.
    pub with_new_keys: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Pools {
    pub total: i64,
    /// Pools with peers none of whose nodes is online.
    pub without_online_node: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Peers {
    pub total: i64,
    pub isolated: i64,
    /// On nodes, and unknown here.
    pub unknown: i64,
}

/// Work that is not done yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Pending {
    pub interfaces: i64,
    pub webhook_deliveries: i64,
}

/// Something that keeps the fleet from being well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reason {
    pub level: Overall,
    /// One word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub text: String,
}

/// Everything that is wrong, the worst first.
pub fn judge(facts: &Facts) -> Vec<Reason> {
    let mut reasons = Vec::new();
    judge_nodes(&facts.nodes, &mut reasons);
    judge_pools(&facts.pools, &mut reasons);
    judge_interfaces(&facts.interfaces, &mut reasons);
    if facts.peers.unknown > 0 {
        let text = format!(
            "{} unknown here, on {}",
            are(facts.peers.unknown, "peer"),
            counted(facts.interfaces.with_unknown_peers, "interface"),
        );
        reasons.push(degraded("unknown_peers", text));
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.level));
    reasons
}

/// As bad as the worst of the reasons.
pub fn overall(reasons: &[Reason]) -> Overall {
    let levels = reasons.iter().map(|reason| reason.level);
    levels.max().unwrap_or(Overall::Ok)
}

fn judge_nodes(nodes: &Nodes, reasons: &mut Vec<Reason>) {
    let down = nodes.offline + nodes.error;
    if down > 0 && nodes.online == 0 {
        reasons.push(critical("no_node_online", "no node is online".into()));
    }
    if nodes.offline > 0 {
        let text = format!("{} offline", are(nodes.offline, "node"));
        reasons.push(degraded("nodes_offline", text));
    }
    if nodes.error > 0 {
        let text = format!("{} not answering as agreed", are(nodes.error, "node"));
        reasons.push(degraded("nodes_in_error", text));
    }
}

fn judge_pools(pools: &Pools, reasons: &mut Vec<Reason>) {
    for pool in &pools.without_online_node {
        let text = format!("no node of pool {pool} is online, and it has peers");
        reasons.push(critical("pool_without_online_node", text));
    }
}

fn judge_interfaces(interfaces: &Interfaces, reasons: &mut Vec<Reason>) {
    if interfaces.down > 0 {
        let text = format!("{} down or missing", are(interfaces.down, "interface"));
        reasons.push(degraded("interfaces_down", text));
    }
    if interfaces.failing > 0 {
        let text = format!(
            "{} not taking changes",
            are(interfaces.failing, "interface")
        );
        reasons.push(degraded("interfaces_failing", text));
    }
    if interfaces.with_new_keys > 0 {
        let has = match interfaces.with_new_keys {
            1 => "has another key",
            _ => "have other keys",
        };
        let interfaces = counted(interfaces.with_new_keys, "interface");
        let text = format!("{interfaces} {has} than peers were told");
        reasons.push(degraded("interface_keys_changed", text));
    }
    if let Some(waited_s) = interfaces.behind_s.filter(|waited| *waited > LATE_AFTER_S) {
        let text = format!(
            "{} behind, for up to {waited_s} s",
            are(interfaces.behind, "interface")
        );
        reasons.push(degraded("interfaces_behind", text));
    }
}

fn critical(code: &'static str, text: String) -> Reason {
    Reason {
        level: Overall::Critical,
        code,
        text,
    }
}

fn degraded(code: &'static str, text: String) -> Reason {
    Reason {
        level: Overall::Degraded,
        code,
        text,
    }
}

fn counted(count: i64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

fn are(count: i64, noun: &str) -> String {
    let verb = if count == 1 { "is" } else { "are" };
    format!("{} {verb}", counted(count, noun))
}

#[cfg(test)]
mod tests;
