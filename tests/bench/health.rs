//! `GET /health`, signed, against a handler that gives away as many bytes for nothing.

use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use crate::agent::Agent;
use crate::floor::Floor;
use crate::http::{Connection, signed};
use crate::sample::{Extent, median};
use crate::table::{Table, Target};

const CONNECTIONS: usize = 16;

pub(crate) fn measure(table: &mut Table, extent: Extent, agent: &Agent, floor: &Floor) {
    // A GET may be repeated, so one signature does for all and the clients only send and count.
    let request: Arc<[u8]> = signed("GET", "/v1/health", b"").into();
    let length = agent.connect().expect(200, &request).len();
    let bare: Arc<[u8]> = signed("GET", &format!("/{length}"), b"").into();

    let mut ratios = Vec::new();
    let (mut ours, mut theirs) = (Load::default(), Load::default());
    for _ in 0..extent.health_rounds {
        let round = extent.health_round;
        let agent = load(agent.address, agent.pid(), &request, round);
        let floor = load(floor.address, floor.pid(), &bare, round);
        ratios.push(agent.per_second() / floor.per_second());
        ours.add(&agent);
        theirs.add(&floor);
    }
    table.row(
        format!("GET /health, {CONNECTIONS} connections, throughput against a bare handler"),
        median(ratios),
        Target::AtLeast(0.6),
        format!(
            "{:.0} / {:.0} per s",
            ours.per_second(),
            theirs.per_second()
        ),
    );
    table.row(
        "GET /health, processor time of the server",
        ours.processor_us() / theirs.processor_us(),
        Target::None,
        format!(
            "{:.1} / {:.1} us",
            ours.processor_us(),
            theirs.processor_us()
        ),
    );
}

#[derive(Default)]
struct Load {
    answers: u64,
    took: Duration,
    processor: Duration,
}

impl Load {
    fn add(&mut self, more: &Self) {
        self.answers += more.answers;
        self.took += more.took;
        self.processor += more.processor;
    }

    fn per_second(&self) -> f64 {
        self.answers as f64 / self.took.as_secs_f64()
    }

    fn processor_us(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.answers as f64
    }
}

fn load(address: SocketAddr, pid: u32, request: &Arc<[u8]>, round: Duration) -> Load {
    let over = Arc::new(AtomicBool::new(false));
    let answers = Arc::new(AtomicU64::new(0));
    let barrier = Arc::new(Barrier::new(CONNECTIONS + 1));
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let mut connection = Connection::open(address);
            let (over, answers) = (Arc::clone(&over), Arc::clone(&answers));
            let (barrier, request) = (Arc::clone(&barrier), Arc::clone(request));
            std::thread::spawn(move || {
                connection.expect(200, &request);
                barrier.wait();
                let mut own = 0;
                while !over.load(Ordering::Relaxed) {
                    connection.expect(200, &request);
                    own += 1;
                }
                answers.fetch_add(own, Ordering::Relaxed);
            })
        })
        .collect();
    barrier.wait();
    let (before, began) = (processor(pid), Instant::now());
    std::thread::sleep(round);
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    Load {
        answers: answers.load(Ordering::Relaxed),
        took: began.elapsed(),
        processor: processor(pid) - before,
    }
}

/// What a process has used of the processors, in user and in kernel mode.
fn processor(pid: u32) -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name in brackets may hold anything; the fields after it are numbered from 3.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks = |number: usize| fields[number - 3].parse::<u32>().unwrap();
    TICK * (ticks(14) + ticks(15))
}
