//! Adding peers: one after another, many at once, and to a device that is full already.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::{Arc, Barrier};
use std::time::Instant;

use crate::agent::Agent;
use crate::device::Interface;
use crate::floor::Floor;
use crate::http::{Connection, signed};
use crate::peers;
use crate::sample::{Extent, Samples, median, ratio, time};
use crate::table::{Table, Target};

/// Totals are compared over so many adds, for a neighbour's work to spoil only some of them.
const BLOCK: usize = 50;

const WRITERS: usize = 16;
/// How many adds one writer makes in a round, alone and among others.
const ALONE: usize = 80;
const EACH: usize = 25;

/// Each add of the agent in turns with the three things that it cannot leave out: a signed request
/// and its answer, the library's update of the device, an append that reaches the disk.
pub(crate) fn sequential(
    table: &mut Table,
    extent: Extent,
    agent: &Agent,
    raw: &Interface,
    floor: &Floor,
) {
    let mut connection = agent.connect();
    let mut bare = Connection::open(floor.address);
    let before = agent.journal_length();
    let length = connection.expect(201, &agent.add(0)).len();
    let line = vec![b'x'; usize::try_from(agent.journal_length() - before).unwrap()];
    let mut file = appended_file(agent);

    let requests: Vec<_> = (1..=extent.adds).map(|n| (n, agent.add(n))).collect();
    let mut parts = [(); 3].map(|()| Samples::default());
    let (mut ours, mut sum) = (Samples::default(), Samples::default());
    for (n, request) in &requests {
        let peer = peers::newcomer(*n);
        let body = serde_json::to_vec(&peer).unwrap();
        let signed = signed("POST", &format!("/{length}"), &body);
        ours.push(time(|| connection.expect(201, request).len()).0);
        let floors = [
            time(|| bare.expect(201, &signed).len()).0,
            time(|| raw.add(&peer)).0,
            time(|| append(&mut file, &line)).0,
        ];
        sum.push(floors.iter().sum());
        for (part, took) in parts.iter_mut().zip(floors) {
            part.push(took);
        }
    }
    let what = format!("{} adds against request + device + disk", extent.adds);
    let [request, device, disk] = parts.map(|part| part.percentile(50).as_micros());
    let all = |samples: &Samples| samples.totals(extent.adds).sum();
    table.row(
        format!("{what}, total"),
        ratio(all(&ours), all(&sum)),
        Target::AtMost(1.3),
        String::new(),
    );
    let blocks = ours.totals(BLOCK).zip(sum.totals(BLOCK));
    table.row(
        format!("{what}, total of {BLOCK}, median"),
        median(blocks.map(|(ours, sum)| ratio(ours, sum)).collect()),
        Target::AtMost(1.3),
        format!("floor at p50: {request} + {device} + {disk} us"),
    );
    table.percentiles(&what, &ours, &sum, [Target::AtMost(1.3), Target::None]);
}

/// In the folder of the journal, written as the journal is.
fn appended_file(agent: &Agent) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(agent.state_dir().join("floor"))
        .unwrap()
}

fn append(file: &mut File, line: &[u8]) {
    file.write_all(line).unwrap();
    file.sync_data().unwrap();
}

/// An add among 10 peers in turns with one among many. Each is taken back, so that both stay as they are.
pub(crate) fn flatness(table: &mut Table, extent: Extent, few: &Agent, many: &Agent) {
    let mut ends = [few, many].map(|agent| (agent, agent.connect(), Samples::default()));
    for n in 0..extent.flat_adds {
        for (agent, connection, samples) in &mut ends {
            let (add, remove) = (agent.add(n), agent.remove(n));
            samples.push(time(|| connection.expect(201, &add).len()).0);
            connection.expect(200, &remove);
        }
    }
    let [(_, _, few), (_, _, many)] = ends;
    table.percentiles(
        &format!("add at {} peers against add at 10", extent.many),
        &many,
        &few,
        [Target::AtMost(1.5), Target::None],
    );
}

/// Sixteen writers against one, and how often the disk was waited for.
pub(crate) fn writers(table: &mut Table, extent: Extent, agent: &Agent) {
    let mut next = 1_000_000;
    let mut adds = |count: usize| {
        let range = next..next + count;
        next += count;
        range.map(|n| agent.add(n)).collect::<Vec<_>>()
    };
    let counted = || {
        [
            "wgfleet_agent_writes_total",
            "wgfleet_agent_journal_syncs_total",
        ]
        .map(|name| agent.counter(name))
    };
    let (mut ratios, mut alone_rates, mut joint_rates) = (Vec::new(), Vec::new(), Vec::new());
    let (mut writes, mut syncs) = (0, 0);
    for _ in 0..extent.writer_rounds {
        let alone = rate(agent, vec![adds(ALONE)]);
        let batches = (0..WRITERS).map(|_| adds(EACH)).collect();
        let before = counted();
        let joint = rate(agent, batches);
        let after = counted();
        writes += after[0] - before[0];
        syncs += after[1] - before[1];
        ratios.push(joint / alone);
        alone_rates.push(alone);
        joint_rates.push(joint);
    }
    let (alone, joint) = (median(alone_rates), median(joint_rates));
    table.row(
        format!("{WRITERS} writers at once against one, writes per second"),
        median(ratios),
        Target::AtLeast(2.0),
        format!("{joint:.0} / {alone:.0} per s"),
    );
    table.row(
        format!("{WRITERS} writers at once, syncs of the journal per write"),
        syncs as f64 / writes as f64,
        Target::AtMost(0.25),
        format!("{syncs} / {writes}"),
    );
}

/// Adds per second, each list of requests sent over a connection of its own.
fn rate(agent: &Agent, lists: Vec<Vec<Vec<u8>>>) -> f64 {
    let adds: usize = lists.iter().map(Vec::len).sum();
    let barrier = Arc::new(Barrier::new(lists.len() + 1));
    let writers: Vec<_> = lists
        .into_iter()
        .map(|requests| {
            let mut connection = agent.connect();
            let barrier = Arc::clone(&barrier);
            std::thread::spawn(move || {
                barrier.wait();
                for request in &requests {
                    connection.expect(201, request);
                }
            })
        })
        .collect();
    barrier.wait();
    let began = Instant::now();
    for writer in writers {
        writer.join().unwrap();
    }
    adds as f64 / began.elapsed().as_secs_f64()
}
