//! The controller with a fleet of a thousand nodes and a quarter of a million peers.
//!
//! Three who share the machine: the controller as it is released, on the Postgres that it starts for itself and with
//! its default settings; the nodes, real agents in one process whose devices are in memory; and this program, which
//! asks over the API and watches the database. The nodes take processor time that a real fleet would spend elsewhere.
//!
//! What is told in seconds has its floor beside it: the same calls by a client that does nothing but sign and receive,
//! and the same rows by bare statements, in the same run.

use std::process::ExitCode;
use std::time::Duration;

mod api;
mod bare;
mod changes;
pub(crate) mod controller;
pub(crate) mod database;
mod lists;
mod process;
mod rounds;
mod share;
pub(crate) mod simulator;

use controller::{Controller, SELDOM};
use share::Shares;
use simulator::Simulator;

use crate::progress;
use crate::table::{Table, Target, machine};

const NODES: usize = 1000;
const FEW: usize = 10;
const PEERS: usize = 250;
/// Below the ports that connections get by themselves, and the same for both lives of the many nodes.
const FIRST_PORT: u16 = 21_000;

/// As the settings have it by default.
const POLL_EVERY: Duration = Duration::from_secs(10);
const SETTLING: Duration = Duration::from_secs(15);
/// Whole minutes: samples are written down once in each.
const IDLE: Duration = Duration::from_secs(60);
/// Of the peers of each node, from one poll to the next.
const HEARD_PERCENT: usize = 10;

pub(crate) fn run() -> ExitCode {
    let mut table = Table::default();
    progress("a controller with nothing to do");
    idle(&mut table);

    progress("changes among a few nodes");
    let mut few = Controller::start(POLL_EVERY);
    let mut few_nodes = Simulator::start(FEW, PEERS, 0);
    few.adopt(&few_nodes);
    few_nodes.traffic_every(POLL_EVERY, HEARD_PERCENT);
    let few_alone = changes::in_a_row(&mut few);

    progress("rounds of health");
    let mut many = Controller::start(SELDOM);
    let nodes = Simulator::start(NODES, 0, FIRST_PORT);
    many.add_nodes(&nodes);
    many.database.enable_nodes();
    many.database.wait_until_online(NODES);
    rounds::health(&mut table, &many, &nodes);
    many.database.disable_nodes();
    drop(nodes);

    progress("filling the database");
    let mut nodes = Simulator::start(NODES, PEERS, FIRST_PORT);
    many.fill(&nodes);
    many.database.enable_nodes();
    progress("rounds of changed peers");
    rounds::first(&mut table, &many, &nodes);
    rounds::changes(&mut table, &many, &mut nodes);

    progress("steady polling");
    many.restart(POLL_EVERY);
    many.database.spread_polls(POLL_EVERY);
    nodes.traffic_every(POLL_EVERY, HEARD_PERCENT);
    std::thread::sleep(SETTLING);
    steady(&mut table, &many, &nodes);
    progress("changes among many nodes");
    changes::measure(&mut table, &mut few, &mut many, &few_alone);
    drop(few);
    drop(few_nodes);
    progress("lists");
    lists::measure(&mut table, &mut many);
    progress("bulk import");
    changes::import(&mut table, &mut many);
    memory(&mut table, &many);

    let heading = format!(
        "{NODES} nodes with {PEERS} peers each, simulated in one process; the controller with its own Postgres {}; {}",
        many.database.version(),
        machine()
    );
    table.print(&heading, ["measured", "what it is made of"]);
    if table.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn idle(table: &mut Table) {
    let empty = Controller::start(POLL_EVERY);
    std::thread::sleep(SETTLING);
    let share = Shares::idle(&empty, None, IDLE);
    table.row(
        "an empty fleet, controller and Postgres, % of a processor",
        share.controller_s + share.postgres_s,
        Target::AtMost(1.0),
        format!("{:.2} + {:.2}", share.controller_s, share.postgres_s),
    );
}

fn steady(table: &mut Table, controller: &Controller, nodes: &Simulator) {
    let share = Shares::idle(controller, Some(nodes), IDLE);
    table.row(
        format!("{NODES} nodes, polled every 10 s: controller and Postgres, % of a processor"),
        share.controller_s + share.postgres_s,
        Target::AtMost(200.0),
        format!(
            "{:.0} + {:.0}; the nodes themselves {:.0}",
            share.controller_s, share.postgres_s, share.simulator_s
        ),
    );
}

fn memory(table: &mut Table, controller: &Controller) {
    let process = controller.process();
    table.row(
        "resident memory of the controller, at its highest, MB",
        process.peak_mb(),
        Target::AtMost(300.0),
        format!(
            "{:.0} at the end; its Postgres {:.0}",
            process.resident_mb(),
            controller.postgres().own_mb()
        ),
    );
}
