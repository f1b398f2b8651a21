//! The node's figures in the text format of Prometheus. Pure: figures in, text out.
//!
//! A figure that is not known is left out rather than written as 0. Public keys become labels only
//! where the configuration says so: they are names of people to whoever reads the metrics.

use std::fmt::{Display, Write};
use std::sync::Arc;

use protocol::wire::answers::{Dump, System};

use crate::writer::{Presence, Published};

pub(crate) struct Figures<'a> {
    pub(crate) interfaces: &'a [Arc<Published>],
    pub(crate) system: &'a System,
    pub(crate) uptime: Option<u64>,
    pub(crate) agent_uptime: u64,
    pub(crate) degraded: bool,
    /// Requests refused since the start, by reason.
    pub(crate) refused: &'a [(&'static str, u64)],
    /// One per interface where peers are shown one by one, else none.
    pub(crate) dumps: &'a [Dump],
}

pub(crate) fn render(figures: &Figures<'_>) -> String {
    let mut page = Page::default();
    interfaces(&mut page, figures.interfaces);
    node(&mut page, figures);
    peers(&mut page, figures.dumps);
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    /// Writes one family: its type once, then its samples.
    fn family<V: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = (String, V)>,
    ) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        let mut text = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (labels, value) in samples {
            writeln!(text, "{name}{labels} {value}").expect("writing to a String cannot fail");
        }
        self.text.push_str(&text);
    }
}

/// One label; the values used here hold nothing that needs escaping (names, base64, fixed words).
fn label(name: &str, value: impl Display) -> String {
    format!("{{{name}=\"{value}\"}}")
}

fn interfaces(page: &mut Page, interfaces: &[Arc<Published>]) {
    let each = |figure: fn(&Published) -> Option<u64>| {
        interfaces
            .iter()
            .filter_map(move |one| Some((label("interface", &one.name), figure(one)?)))
    };
    let count = |of: Option<usize>| of.map(|n| n as u64);
    let present = interfaces
        .iter()
        .filter(|one| one.presence != Presence::Missing)
        .count();
    page.family(
        "wireguard_interface_count",
        "gauge",
        "Interfaces that exist.",
        [(String::new(), present)],
    );
    let up = |one: &Published| Some(u64::from(one.presence == Presence::Up));
    page.family(
        "wireguard_interface_up",
        "gauge",
        "Whether the link is up.",
        each(up),
    );
    page.family(
        "wireguard_peers_total",
        "gauge",
        "Peers on the device.",
        each(|one| one.status().peer_count.map(|n| n as u64)),
    );
    page.family(
        "wireguard_peers_active",
        "gauge",
        "Peers with a recent handshake.",
        each(|one| one.status().active_peers.map(|n| n as u64)),
    );
    page.family(
        "wireguard_interface_receive_bytes_total",
        "counter",
        "Bytes received from peers.",
        each(|one| one.status().total_rx_bytes),
    );
    page.family(
        "wireguard_interface_transmit_bytes_total",
        "counter",
        "Bytes sent to peers.",
        each(|one| one.status().total_tx_bytes),
    );
    let foreign = interfaces
        .iter()
        .filter_map(|one| Some((label("interface", &one.name), count(one.health().foreign)?)));
    page.family(
        "wgfleet_agent_foreign_peers",
        "gauge",
        "Peers that only the device knows.",
        foreign,
    );
    page.family(
        "wgfleet_agent_managed_peers",
        "gauge",
        "Peers that were accepted over the API.",
        each(|one| Some(one.managed as u64)),
    );
    page.family(
        "wgfleet_agent_generation",
        "gauge",
        "Generation of the desired state.",
        each(|one| one.generation),
    );
    page.family(
        "wgfleet_agent_writes_total",
        "counter",
        "Requests to change peers that were carried out.",
        each(|one| Some(one.writes)),
    );
    page.family(
        "wgfleet_agent_journal_syncs_total",
        "counter",
        "Times that the disk was waited for. Writes that came together share one.",
        each(|one| Some(one.journal_syncs)),
    );
}

fn node(page: &mut Page, figures: &Figures<'_>) {
    let alone = |value: Option<f64>| value.map(|value| (String::new(), value));
    let system = figures.system;
    page.family(
        "wgfleet_agent_degraded",
        "gauge",
        "Whether health is degraded.",
        [(String::new(), u8::from(figures.degraded))],
    );
    page.family(
        "wgfleet_agent_uptime_seconds",
        "gauge",
        "Seconds since the agent started.",
        [(String::new(), figures.agent_uptime)],
    );
    page.family(
        "wgfleet_node_uptime_seconds",
        "gauge",
        "Seconds since the machine started.",
        figures.uptime.map(|s| (String::new(), s)),
    );
    let refused = figures
        .refused
        .iter()
        .map(|(reason, count)| (label("reason", reason), count));
    page.family(
        "wgfleet_agent_requests_refused_total",
        "counter",
        "Requests refused before they acted.",
        refused,
    );
    page.family(
        "wgfleet_node_cpu_percent",
        "gauge",
        "Processor time in use.",
        alone(system.cpu_percent),
    );
    page.family(
        "wgfleet_node_load1",
        "gauge",
        "Load average over one minute.",
        alone(system.load.map(|load| load[0])),
    );
    let memory = system.memory.iter().flat_map(|m| {
        [
            (label("kind", "total"), m.total),
            (label("kind", "available"), m.available),
        ]
    });
    page.family(
        "wgfleet_node_memory_bytes",
        "gauge",
        "Memory of the machine.",
        memory,
    );
    let disk = system.disk.iter().flat_map(|d| {
        [
            (label("kind", "total"), d.total),
            (label("kind", "free"), d.free),
        ]
    });
    page.family(
        "wgfleet_node_disk_bytes",
        "gauge",
        "Disk that holds the agent's state.",
        disk,
    );
    let bytes = system.network.iter().flat_map(|n| {
        [
            (label("direction", "sent"), n.bytes_sent),
            (label("direction", "received"), n.bytes_recv),
        ]
    });
    page.family(
        "wgfleet_node_network_bytes_total",
        "counter",
        "Bytes over all links but loopback.",
        bytes,
    );
}

fn peers(page: &mut Page, dumps: &[Dump]) {
    let each = |figure: fn(&protocol::wire::answers::DumpedPeer) -> Option<u64>| {
        dumps.iter().flat_map(move |dump| {
            dump.peers.iter().filter_map(move |peer| {
                let labels = format!(
                    "{{interface=\"{}\",public_key=\"{}\"}}",
                    dump.interface, peer.public_key
                );
                Some((labels, figure(peer)?))
            })
        })
    };
    page.family(
        "wireguard_peer_receive_bytes_total",
        "counter",
        "Bytes received from a peer.",
        each(|peer| Some(peer.transfer_rx)),
    );
    page.family(
        "wireguard_peer_transmit_bytes_total",
        "counter",
        "Bytes sent to a peer.",
        each(|peer| Some(peer.transfer_tx)),
    );
    let handshake = each(|peer| peer.latest_handshake.and_then(|at| u64::try_from(at).ok()));
    page.family(
        "wireguard_peer_latest_handshake_seconds",
        "gauge",
        "When a peer's last handshake was.",
        handshake,
    );
}
