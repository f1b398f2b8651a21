//! Rounds of polls over all nodes: nothing but health, and what changed of all peers.

use super::controller::Controller;
use super::database;
use super::share::Shares;
use super::simulator::{Node, Simulator, round};
use crate::sample::{Samples, ratio};
use crate::table::{Table, Target, text};

const ROUNDS: usize = 7;
/// Of the peers of each node, from one round to the next.
const CHANGED_PERCENT: usize = 10;

/// Nodes without peers have nothing to tell but their health.
pub(crate) fn health(table: &mut Table, controller: &Controller, simulator: &Simulator) {
    let mut nodes = simulator.connect();
    round(&mut nodes, Node::health);
    let (mut ours, mut bare) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        bare.push(round(&mut nodes, Node::health));
        ours.push(controller.database.round());
    }
    let what = format!("{} nodes: a round of health calls, booked, s", nodes.len());
    row(table, what, &ours, &bare, 1.0, String::new());
}

/// A first look at all peers.
pub(crate) fn first(table: &mut Table, controller: &Controller, simulator: &Simulator) {
    let before = database::now();
    let took = controller.database.round();
    let booked = controller.database.peers_booked_since(before);
    table.row(
        "the first round, all peers new to the database, s",
        took.as_secs_f64(),
        Target::None,
        format!("{booked} peers of {} nodes", simulator.nodes.len()),
    );
}

/// A tenth of all peers was heard from since the last round.
pub(crate) fn changes(table: &mut Table, controller: &Controller, simulator: &mut Simulator) {
    let mut nodes = simulator.connect();
    round(&mut nodes, Node::dump);
    controller.database.make_bare_tables();
    let of_each = simulator.peers * CHANGED_PERCENT / 100;
    let changed = nodes.len() * of_each;
    let (mut ours, mut bare) = (Samples::default(), Samples::default());
    let mut shares = Shares::default();
    for _ in 0..ROUNDS {
        simulator.traffic(CHANGED_PERCENT);
        let calls = round(&mut nodes, Node::dump);
        let rows = controller.database.bare_observations(nodes.len(), of_each);
        bare.push(calls + rows);
        let before = database::now();
        let (took, share) = Shares::during(controller, simulator, || controller.database.round());
        ours.push(took);
        shares.add(share);
        let booked = controller.database.peers_booked_since(before);
        assert_eq!(usize::try_from(booked).unwrap(), changed);
    }
    let what = format!(
        "{} nodes: a round of polls, {changed} changed peers booked, s",
        nodes.len()
    );
    row(table, what, &ours, &bare, 8.0, shares.of(ROUNDS));
}

fn row(table: &mut Table, what: String, ours: &Samples, bare: &Samples, most: f64, more: String) {
    let (took, floor) = (ours.percentile(50), bare.percentile(50));
    let times = ratio(took, floor);
    table.row(
        what,
        took.as_secs_f64(),
        Target::AtMost(most),
        format!("{times:.1} x {} of bare calls and rows{more}", text(floor)),
    );
}
