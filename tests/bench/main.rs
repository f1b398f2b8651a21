//! What the agent costs above what its parts cost by themselves; and what the controller costs, see [`fleet`] and
//! [`pages`].
//!
//! Every figure of the agent is a ratio: the agent against a floor that is measured in the same run, in turns with
//! it, so that the table says the same on a fast machine, a slow one and a busy one. A floor is what
//! nobody could leave out: the HTTP server without an agent in it, the WireGuard library's own call,
//! one write that reaches the disk.
//!
//! The agent is the program as it is released, without root; so is the bare server, in a process of
//! its own. Requests are signed before the clock starts. `scripts/bench` builds and starts this.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that panics has measured nothing, which is what there is to say"
)]

use std::process::ExitCode;

mod adds;
mod agent;
mod device;
mod dump;
mod fleet;
mod floor;
mod health;
mod http;
mod memory;
mod pages;
mod peers;
mod sample;
mod signing;
mod table;

use agent::Agent;
use device::{Backend, Interface};
use floor::Floor;
use sample::Extent;
use table::Table;

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [floor::ROLE] => floor::serve(),
        ["userspace"] => run(Backend::Userspace, Extent::FULL),
        ["kernel"] => run(Backend::Kernel, Extent::SMALL),
        ["fleet"] => fleet::run(),
        ["pages"] => pages::run(),
        _ => {
            eprintln!("usage: userspace|kernel|fleet|pages, best through scripts/bench");
            ExitCode::from(2)
        }
    }
}

fn run(backend: Backend, extent: Extent) -> ExitCode {
    let few = Interface::make(backend, "benchfew");
    let raw = Interface::make(backend, "benchraw");
    let many = Interface::make(backend, "benchmany");
    let floor = Floor::start();
    let mut table = Table::default();

    progress("signing");
    signing::measure(&mut table, extent);

    let agent_of_few = Agent::start(&few);
    agent_of_few.replace_peers(10);
    progress("health");
    health::measure(&mut table, extent, &agent_of_few, &floor);
    progress("dump of 10 peers");
    dump::measure(&mut table, extent, &agent_of_few, &few, 10);

    progress("memory");
    let agent_of_many = memory::measure(&mut table, extent, &many);
    progress("dump of many peers");
    dump::measure(&mut table, extent, &agent_of_many, &many, extent.many);
    progress("adds at 10 and at many peers");
    adds::flatness(&mut table, extent, &agent_of_few, &agent_of_many);
    drop(agent_of_many);
    drop(many);

    progress("sequential adds");
    adds::sequential(&mut table, extent, &agent_of_few, &raw, &floor);
    progress("writers at once");
    adds::writers(&mut table, extent, &agent_of_few);

    progress("dump of 1000 peers");
    agent_of_few.replace_peers(1000);
    dump::measure(&mut table, extent, &agent_of_few, &few, 1000);

    let heading = format!("{} WireGuard; {}", backend.name(), table::machine());
    table.print(&heading, ["ratio", "measured / floor"]);
    if table.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn progress(what: &str) {
    eprintln!("bench: {what}");
}
