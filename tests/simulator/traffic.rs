//! Peers that are heard from: what WireGuard itself would do to a device, done to one in memory.

use std::net::{Ipv4Addr, SocketAddr};

use node_agent::device::{Device, Memory, Observed};
use protocol::Endpoint;

/// What a peer moves each time it is heard from.
const RECEIVED: u64 = 148 * 1024;
const SENT: u64 = 1312 * 1024;

/// Has a part of the device's peers be heard from, whoever put them there, and returns how many.
///
/// The part goes round with the number of the pass.
pub(super) fn pass(device: &Memory, percent: u8, pass: u64, now: i64) -> usize {
    let read = Device::Memory(device.clone()).read();
    // An interface that was removed hears nobody.
    let Ok(reading) = read else {
        return 0;
    };
    let all = reading.peers.len();
    let count = (all * usize::from(percent)).div_ceil(100).min(all);
    let first = usize::try_from(pass).unwrap() * count;
    let in_turn = reading.peers.iter().enumerate().cycle();
    for (number, (key, before)) in in_turn.skip(first % all.max(1)).take(count) {
        let after = heard(before, number, pass, now);
        device.set_observed(
            key,
            after.endpoint,
            after.latest_handshake,
            after.transfer_rx,
            after.transfer_tx,
        );
    }
    count
}

fn heard(before: &Observed, number: usize, pass: u64, now: i64) -> Observed {
    // Peers roam within the range for benchmarks, each time to another port.
    let address = Ipv4Addr::from_bits(
        Ipv4Addr::new(198, 18, 0, 0).to_bits() + u32::try_from(number % (1 << 17)).unwrap(),
    );
    let port = 1024 + u16::try_from(pass % 60_000).unwrap();
    Observed {
        config: before.config.clone(),
        endpoint: Some(Endpoint::new(SocketAddr::from((address, port))).unwrap()),
        latest_handshake: Some(now),
        transfer_rx: before.transfer_rx + RECEIVED,
        transfer_tx: before.transfer_tx + SENT,
    }
}
