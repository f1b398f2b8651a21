//! Counters that become totals, and handshakes that become sessions.

use std::time::Duration;

use tests::simulator::identity;

use super::{Watched, now, stranger};
use crate::stage::{QUICK, Running};

#[tokio::test(flavor = "multi_thread")]
async fn totals_survive_a_peer_that_is_put_anew() {
    let watched = Watched::new(1, 3).await;
    let device = watched.node().device();
    let (key, config) = identity::peer(0, 0);
    let total =
        "SELECT (rx_total + tx_total)::bigint FROM observations WHERE endpoint = '192.0.2.7:7'";
    let hear = |rx| {
        let endpoint = protocol::Endpoint::parse("192.0.2.7:7").unwrap();
        device.set_observed(&key, Some(endpoint), Some(now()), rx, 10);
    };
    watched.until("SELECT count(*) FROM observations", 3).await;

    hear(1000);
    watched.until(total, 1010).await;
    hear(1500);
    watched.until(total, 1510).await;
    device.foreign_remove(&key);
    watched
        .until(
            "SELECT count(*) FROM observations WHERE gone_at IS NOT NULL",
            1,
        )
        .await;
    device.foreign_put(key, config);
    hear(2000);

    // All of it is new, although the counters did not go back.
    watched.until(total, 1510 + 2010).await;
    watched.two_rounds().await;
    assert_eq!(watched.count(total).await, 1510 + 2010);
    assert_eq!(
        watched
            .count("SELECT count(*) FROM observations WHERE gone_at IS NOT NULL")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_controllers_share_the_nodes_and_count_traffic_once() {
    let mut watched = Watched::new(6, 10).await;
    let url = watched.controller.db.as_ref().unwrap().url.clone();
    let other = Running::on(&url, QUICK).await;
    watched.until("SELECT count(*) FROM observations", 60).await;

    for _ in 0..10 {
        watched.sim.traffic(100);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    // 148 KiB in and 1312 KiB out, from each of 60 peers, 10 times.
    let sum = "SELECT sum(rx_total + tx_total)::bigint FROM observations";
    watched.until(sum, 60 * 10 * (148 + 1312) * 1024).await;
    watched.two_rounds().await;
    watched.until(sum, 60 * 10 * (148 + 1312) * 1024).await;
    drop(other);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_told_when_it_begins_and_when_it_ends() {
    let watched = Watched::new(1, 0).await;
    let (key, _) = stranger(1);
    watched.peer("phone", key).await;
    watched
        .until(
            "SELECT count(*) FROM observations WHERE peer_id IS NOT NULL",
            1,
        )
        .await;
    let device = watched.node().device();
    let hear = |at| device.set_observed(&key, None, Some(at), 1, 1);
    let told = |kind: &str| match kind {
        "peer.connected" => "SELECT count(*) FROM events WHERE kind = 'peer.connected'",
        _ => "SELECT count(*) FROM events WHERE kind = 'peer.disconnected'",
    };

    // Alive for another two seconds.
    hear(now() - 183);
    watched.until(told("peer.connected"), 1).await;
    assert_eq!(watched.count(told("peer.disconnected")).await, 0);
    watched.until(told("peer.disconnected"), 1).await;
    hear(now());
    watched.until(told("peer.connected"), 2).await;
    hear(now());
    watched.two_rounds().await;

    assert_eq!(watched.count(told("peer.connected")).await, 2);
    assert_eq!(watched.count(told("peer.disconnected")).await, 1);
}
