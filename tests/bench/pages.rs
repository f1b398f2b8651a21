//! The pages of the controller with 100,000 peers on 500 nodes: how long each takes on the server, how many statements
//! it asks the database, and what pages cost that are only open.
//!
//! The controller is the program as it is released, on a Postgres of its own; its nodes are real agents with devices in
//! memory, asked once, so that every peer was seen. An administrator asks over a connection that is kept, without
//! scripts and without pictures of their own. Time ends with the last byte of the answer. The long lists are looked at in
//! a real browser too: when they are first seen, and whether they hold it up.
//!
//! Statements are counted in the controller's own log: the database driver notes each one within the request that it was
//! made for. That costs time, so it is done after the times were taken.

use std::process::ExitCode;
use std::time::Duration;

mod browser;
mod fill;
mod paint;
mod routes;
mod streams;

use browser::Browser;
use routes::Route;

use crate::fleet::controller::{Controller, SELDOM};
use crate::fleet::simulator::Simulator;
use crate::progress;
use crate::sample::Samples;
use crate::table::{Table, Target, machine, text};

const NODES: usize = 500;
const PEERS: usize = 200;
/// Below the ports that connections get by themselves.
const FIRST_PORT: u16 = 21_000;

const WARMING: usize = 10;
const REQUESTS: usize = 100;
const MOST_MS: f64 = 50.0;
const MOST_STATEMENTS: usize = 10;

pub(crate) fn run() -> ExitCode {
    let mut table = Table::default();
    progress("filling the database");
    let mut controller = Controller::start(SELDOM);
    let mut nodes = Simulator::start(NODES, PEERS, FIRST_PORT);
    controller.adopt(&nodes);
    nodes.traffic(100);
    controller.database.round();
    fill::around(&controller.database);
    let tokens = browser::sign_in(&controller.database, 1 + streams::SESSIONS);

    progress("pages");
    let routes = routes::all(&controller.database);
    let mut browser = Browser::new(controller.address(), &tokens[0]);
    let times: Vec<Samples> = routes
        .iter()
        .map(|route| requests(&mut browser, route))
        .collect();
    progress("pages in a browser");
    paint::measure(&mut table, controller.address(), &tokens[0]);
    progress("open pages");
    streams::measure(&mut table, &controller, &tokens[1..]);

    progress("statements");
    controller.restart_with_log(SELDOM, "warn,controller=info,sqlx::query=debug");
    for (route, times) in routes.iter().zip(&times) {
        let statements = statements(&controller, &tokens[0], route);
        judge(&mut table, route, times, statements);
    }
    let heading = format!(
        "{NODES} nodes with {PEERS} peers each; the controller with its own Postgres {}, asked by an administrator; {}",
        controller.database.version(),
        machine()
    );
    drop(nodes);
    table.print(&heading, ["measured", "what it is made of"]);
    if table.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn requests(browser: &mut Browser, route: &Route) -> Samples {
    let mut samples = Samples::default();
    for n in 0..WARMING + REQUESTS {
        let took = browser.get(&route.path(n), "");
        if n >= WARMING {
            samples.push(took);
        }
    }
    samples
}

/// The most that one of several requests asked.
fn statements(controller: &Controller, token: &str, route: &Route) -> usize {
    const TRIES: usize = 5;
    let name = |n: usize| {
        format!(
            "bench-{}-{n}",
            route
                .name
                .replace(|c: char| !c.is_ascii_alphanumeric(), "-")
        )
    };
    for n in 0..TRIES {
        // A connection would not outlive the pause.
        let mut browser = Browser::new(controller.address(), token);
        browser.get(&route.path(WARMING + n), &name(n));
        // Figures that are kept for a moment are counted again.
        std::thread::sleep(Duration::from_millis(if route.is_kept { 5100 } else { 0 }));
    }
    let log = controller.log();
    let of = |n: usize| {
        let id = format!("request.id=\"{}\"", name(n));
        log.lines()
            .filter(|line| line.contains(&id) && line.contains("db.statement"))
            .count()
    };
    let most = (0..TRIES).map(of).max().unwrap_or(0);
    assert!(most > 0, "no statement of {} is in the log", route.name);
    most
}

fn judge(table: &mut Table, route: &Route, times: &Samples, statements: usize) {
    let nearly_all = times.percentile(95);
    table.row(
        format!("{}, p95, ms", route.name),
        nearly_all.as_secs_f64() * 1e3,
        Target::AtMost(MOST_MS),
        format!("p50 {}", text(times.percentile(50))),
    );
    table.row(
        format!("{}, statements", route.name),
        statements as f64,
        Target::AtMost(MOST_STATEMENTS as f64),
        String::new(),
    );
}
