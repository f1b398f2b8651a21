//! One peer after the other, from the request to the node that has it: alone, many at once, among few nodes and many.

use std::time::Duration;

use serde_json::{Value, json};
use tests::simulator::identity;

use super::controller::{Controller, NETWORK};
use super::simulator::{Node, Simulator};
use crate::sample::{Samples, ratio, time};
use crate::table::{Table, Target, text};

const CHANGES: usize = 300;
const IMPORTED: usize = 10_000;

/// Makes a peer with all that the controller does for it: a key pair, a preshared key, an address, a node, a
/// configuration. Ends when its node has it and that is booked.
fn create(controller: &mut Controller, name: &str) -> Duration {
    let draft = json!({"network": NETWORK, "name": name});
    let made = || {
        let (_, made) = controller.api.send(201, "POST", "/peers", &draft);
        controller
            .database
            .wait_until_applied(made["id"].as_i64().unwrap());
    };
    time(made).0
}

/// One after the other among the same nodes, as the nodes' polls let it.
pub(crate) fn in_a_row(controller: &mut Controller) -> Samples {
    let mut samples = Samples::default();
    for n in 0..CHANGES {
        samples.push(create(controller, &format!("row-{n}")));
    }
    samples
}

/// In turns among few nodes and among many, and the call and the row by themselves. All nodes are polled meanwhile.
pub(crate) fn measure(
    table: &mut Table,
    few: &mut Controller,
    many: &mut Controller,
    few_alone: &Samples,
) {
    let simulator = Simulator::start(1, 250, 0);
    let mut node = simulator.connect().pop().unwrap();
    let [mut of_few, mut of_many, mut bare] = [(); 3].map(|()| Samples::default());
    for n in 0..CHANGES {
        let name = format!("new-{n}");
        of_few.push(create(few, &name));
        of_many.push(create(many, &name));
        let row = many.database.bare_peers(n, 1);
        let batch = batch(n as u64 + 1, n, 1);
        bare.push(row + time(|| node.change(&batch)).0);
    }
    for (percent, most) in [(50, 50.0), (99, 250.0)] {
        let (took, floor) = (of_many.percentile(percent), bare.percentile(percent));
        table.row(
            format!("1000 nodes, polled: one peer, created to applied, p{percent}, ms"),
            took.as_secs_f64() * 1e3,
            Target::AtMost(most),
            format!(
                "{:.1} x {} of a bare row and call",
                ratio(took, floor),
                text(floor)
            ),
        );
    }
    let many_alone = in_a_row(many);
    for (how, among_many, among_few) in [
        ("in turns", &of_many, &of_few),
        (
            "each in a row, the 10 with nothing else on the machine",
            &many_alone,
            few_alone,
        ),
    ] {
        let (took, floor) = (among_many.percentile(50), among_few.percentile(50));
        table.row(
            format!("the same against 10 nodes, {how}, p50"),
            ratio(took, floor),
            Target::AtMost(1.5),
            format!("{} / {}", text(took), text(floor)),
        );
    }
}

/// Ten thousand peers in one request, until every node has its own.
pub(crate) fn import(table: &mut Table, controller: &mut Controller) {
    let simulator = Simulator::start(controller.node_count(), 0, 0);
    let drafts: Vec<Value> = (0..IMPORTED)
        .map(|n| {
            let key = identity::peer(identity::MOST_NODES + 1, n).0;
            json!({"network": NETWORK, "name": format!("import-{n}"), "public_key": key})
        })
        .collect();
    let (took, answered) = time(|| {
        let (answered, _) = controller.api.send(201, "POST", "/peers/bulk", &drafts);
        controller.database.wait_until_all_applied();
        answered
    });
    let floor = bare_import(controller, &simulator);
    table.row(
        format!("bulk import of {IMPORTED} peers, until all are applied, s"),
        took.as_secs_f64(),
        Target::AtMost(15.0),
        format!(
            "{:.1} x {} of bare rows and calls; answered after {}",
            ratio(took, floor),
            text(floor),
            text(answered)
        ),
    );
}

fn bare_import(controller: &Controller, simulator: &Simulator) -> Duration {
    let mut nodes = simulator.connect();
    let of_each = IMPORTED / nodes.len();
    let rows = controller.database.bare_peers(CHANGES, IMPORTED);
    let batch = batch(0, 0, of_each);
    rows + super::simulator::round(&mut nodes, |node: &mut Node| node.change(&batch))
}

/// The body of a change from one generation to the next.
fn batch(base: u64, first: usize, peers: usize) -> Vec<u8> {
    let peers = first..first + peers;
    let upsert: Vec<_> = peers.map(crate::peers::newcomer).collect();
    let batch = json!({"base_generation": base, "generation": base + 1, "upsert": upsert});
    serde_json::to_vec(&batch).unwrap()
}
