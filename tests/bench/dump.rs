//! `GET /wg/{if}/dump` against the library's own reading of the same device.

use crate::agent::Agent;
use crate::device::Interface;
use crate::http::signed;
use crate::sample::{Extent, Samples, time};
use crate::table::{Table, Target};

pub(crate) fn measure(
    table: &mut Table,
    extent: Extent,
    agent: &Agent,
    interface: &Interface,
    peers: usize,
) {
    let mut connection = agent.connect();
    let request = signed("GET", &agent.path("/dump"), b"");
    connection.expect(200, &request);
    assert_eq!(interface.read(), peers);
    let (mut ours, mut library) = (Samples::default(), Samples::default());
    for _ in 0..extent.dumps(peers) {
        ours.push(time(|| connection.expect(200, &request).len()).0);
        library.push(time(|| interface.read()).0);
    }
    let targets = if peers >= 1000 {
        [Target::AtMost(1.5), Target::AtMost(1.5)]
    } else {
        [Target::None, Target::None]
    };
    let what = format!("dump of {peers} peers against the library's reading");
    table.percentiles(&what, &ours, &library, targets);
}
