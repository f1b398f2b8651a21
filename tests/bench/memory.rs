//! What the agent holds in memory: just started, and with many peers after it was given and asked for them.

use std::fs;

use crate::agent::Agent;
use crate::device::Interface;
use crate::http::signed;
use crate::sample::Extent;
use crate::table::{Table, Target};

/// How often all peers are asked for before memory is looked at.
const DUMPS: usize = 3;

/// Leaves an agent with many peers.
pub(crate) fn measure(table: &mut Table, extent: Extent, interface: &Interface) -> Agent {
    let agent = Agent::start(interface);
    agent.connect().expect(200, &signed("GET", "/health", b""));
    std::thread::sleep(extent.settling);
    row(table, "resident memory when idle, MB", &agent, 10.0);
    agent.replace_peers(extent.many);
    let mut connection = agent.connect();
    for _ in 0..DUMPS {
        connection.expect(200, &signed("GET", &agent.path("/dump"), b""));
    }
    std::thread::sleep(extent.settling);
    let what = format!("resident memory with {} peers, MB", extent.many);
    row(table, &what, &agent, 25.0);
    agent
}

fn row(table: &mut Table, what: &str, agent: &Agent, most: f64) {
    let status = fs::read_to_string(format!("/proc/{}/status", agent.pid())).unwrap();
    let megabytes = |name: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        let kilobytes: f64 = line.split_whitespace().next().unwrap().parse().unwrap();
        kilobytes / 1024.0
    };
    let figures = format!(
        "{:.1} of it written to, {:.1} at its highest",
        megabytes("RssAnon:"),
        megabytes("VmHWM:")
    );
    table.row(what, megabytes("VmRSS:"), Target::AtMost(most), figures);
}
