//! The fleet as a process of its own, so that whoever watches it can be measured apart from it.
//!
//! It prints its nodes as one line of JSON when all of them answer, and then obeys lines:
//!
//! * `traffic PERCENT`: so many percent of each node's peers are heard from, once;
//! * `every MS PERCENT`: the same again and again, until another `every`; `every 0 0` ends it;
//! * `stop`, or the end of the input, or a signal to end: everything ends and no file is left.
//!
//! Each line is answered by one: `traffic COUNT`, `every`, `error …`. What happens periodically is
//! not told.

#![expect(
    clippy::unwrap_used,
    reason = "a simulator that panics ends the test that started it, which is what there is to do"
)]

use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use actix_web::rt::System;
use actix_web::rt::signal::unix::{SignalKind, signal};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tests::simulator::{Described, Fleet, Plan};

const USAGE: &str = "usage: fleet-simulator NODES [PEERS [FIRST_PORT [LOOK_EVERY_S]]]\n";

#[derive(Debug)]
enum Command {
    Traffic { percent: u8 },
    Every { period: Duration, percent: u8 },
    Unknown,
    Stop,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(plan) = plan(&arguments) else {
        io::stderr().write_all(USAGE.as_bytes()).unwrap();
        return ExitCode::from(2);
    };
    raise_open_files();
    let (sender, commands) = mpsc::channel();
    stop_on_signal(sender.clone());
    let fleet = Fleet::start(&plan);
    say(&list(&fleet));
    read_lines(sender);
    obey(fleet, &commands);
    ExitCode::SUCCESS
}

fn plan(arguments: &[String]) -> Option<Plan> {
    let mut plan = Plan::default();
    let (nodes, rest) = arguments.split_first()?;
    plan.nodes = nodes.parse().ok()?;
    if let Some(peers) = rest.first() {
        plan.peers = peers.parse().ok()?;
    }
    if let Some(port) = rest.get(1) {
        plan.first_port = port.parse().ok()?;
    }
    if let Some(seconds) = rest.get(2) {
        plan.look_every = Duration::from_secs(seconds.parse().ok()?);
    }
    (rest.len() <= 3).then_some(plan)
}

/// A node takes two, and one for each connection; shells often allow a thousand.
fn raise_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, limit).unwrap();
}

fn list(fleet: &Fleet) -> String {
    let nodes: Vec<&Described> = fleet.nodes().iter().map(|node| node.described()).collect();
    serde_json::to_string(&nodes).unwrap()
}

fn stop_on_signal(sender: Sender<Command>) {
    std::thread::spawn(move || {
        System::new().block_on(async {
            let mut terminate = signal(SignalKind::terminate()).unwrap();
            let mut interrupt = signal(SignalKind::interrupt()).unwrap();
            let for_interrupt = sender.clone();
            actix_web::rt::spawn(async move {
                interrupt.recv().await;
                ask_to_stop(&for_interrupt);
            });
            terminate.recv().await;
            ask_to_stop(&sender);
        });
    });
}

fn read_lines(sender: Sender<Command>) {
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            if sender.send(parse(&line.unwrap())).is_err() {
                return;
            }
        }
        // Whoever started this is gone.
        ask_to_stop(&sender);
    });
}

fn ask_to_stop(sender: &Sender<Command>) {
    // Nobody listens where it is stopping already.
    drop(sender.send(Command::Stop));
}

fn parse(line: &str) -> Command {
    let words: Vec<&str> = line.split_whitespace().collect();
    let percent = |word: &str| word.parse().ok().filter(|percent| *percent <= 100);
    let command = match words.as_slice() {
        ["traffic", part] => percent(part).map(|percent| Command::Traffic { percent }),
        ["every", ms, part] => {
            ms.parse()
                .ok()
                .zip(percent(part))
                .map(|(ms, percent)| Command::Every {
                    period: Duration::from_millis(ms),
                    percent,
                })
        }
        ["stop"] => Some(Command::Stop),
        _ => None,
    };
    command.unwrap_or(Command::Unknown)
}

fn obey(mut fleet: Fleet, commands: &mpsc::Receiver<Command>) {
    let mut periodic: Option<(Duration, u8)> = None;
    let mut due = Instant::now();
    loop {
        let received = match periodic {
            Some(_) => commands.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match received {
            Ok(Command::Traffic { percent }) => {
                say(&format!("traffic {}", fleet.traffic(percent)));
            }
            Ok(Command::Every { period, percent }) => {
                periodic = (!period.is_zero()).then_some((period, percent));
                due = Instant::now() + period;
                say("every");
            }
            Ok(Command::Unknown) => say("error not understood"),
            Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                let (period, percent) = periodic.unwrap();
                fleet.traffic(percent);
                // Traffic that takes longer than its period leaves time for commands all the same.
                due = (due + period).max(Instant::now());
            }
        }
    }
}

fn say(line: &str) {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").unwrap();
    stdout.flush().unwrap();
}
