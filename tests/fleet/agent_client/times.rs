//! Clocks that differ, and agents that have just started.

use std::time::{Duration, Instant};

use controller::agent::AgentError;
use controller::domain::ids::NodeId;
use protocol::signing::WINDOW_S;

use super::{Node, Seen, Stranger, clients, key, now, peer, secret, stranger, wg0};

const IN_SYNC: &[u8] = br#"{"generation":7,"digest":"00","peers":1}"#;

/// What a node answers whose clock is so far ahead.
fn with_clock(offset_s: i64, seen: &Seen) -> Vec<u8> {
    assert!(seen.is_signed());
    let theirs = now() + offset_s;
    if theirs.abs_diff(seen.timestamp()) <= WINDOW_S.unsigned_abs() {
        return seen.answer_by(&secret(), theirs, 200, IN_SYNC);
    }
    let stale = format!(r#"{{"error":"late","code":"stale_timestamp","timestamp":{theirs}}}"#);
    seen.answer_by(&secret(), theirs, 401, stale.as_bytes())
}

#[tokio::test]
async fn a_clock_that_differs_is_learned_from_the_first_signed_answer() {
    for offset_s in [600, -600, 40_000_000] {
        let node = Stranger::answering(move |_, seen| with_clock(offset_s, seen));
        let clients = clients();
        assert_eq!(clients.clock_offset_s(NodeId(1)), None);

        for _ in 0..2 {
            clients.digest(&node.target(), &wg0()).await.unwrap();
        }

        let learned = clients.clock_offset_s(NodeId(1)).unwrap();
        assert!((learned - offset_s).abs() <= 1, "{learned}");
        let asked: Vec<i64> = node.seen().iter().map(Seen::timestamp).collect();
        assert_eq!(
            asked.len(),
            3,
            "refused once, asked again at once, then right"
        );
        assert!((asked[0] - now()).abs() <= 5);
        assert!((asked[1] - now() - offset_s).abs() <= 5);
        assert!((asked[2] - now() - offset_s).abs() <= 5);
        let nonces: Vec<_> = node
            .seen()
            .iter()
            .map(|it| it.header("x-nonce").unwrap().to_owned())
            .collect();
        assert_ne!(nonces[0], nonces[1]);
    }
}

#[tokio::test]
async fn a_clock_inside_the_window_is_learned_without_any_refusal() {
    let node = Stranger::answering(|_, seen| with_clock(120, seen));
    let clients = clients();

    clients.digest(&node.target(), &wg0()).await.unwrap();

    assert_eq!(node.seen().len(), 1);
    let learned = clients.clock_offset_s(NodeId(1)).unwrap();
    assert!((learned - 120).abs() <= 1, "{learned}");
    clients.forget(NodeId(1));
    assert_eq!(clients.clock_offset_s(NodeId(1)), None);
}

#[tokio::test]
async fn a_clock_that_cannot_be_followed_is_reported_after_one_more_try() {
    let node = Stranger::answering(|_, seen| {
        let theirs = now() + 600;
        let stale = br#"{"error":"late","code":"stale_timestamp"}"#;
        seen.answer_by(&secret(), theirs, 401, stale)
    });

    let err = clients().digest(&node.target(), &wg0()).await.unwrap_err();

    assert!(
        matches!(err, AgentError::ClockSkew { seconds: 599..=601 }),
        "{err:?}"
    );
    assert_eq!(err.problem(), "clock_skew");
    assert!(err.to_string().contains("seconds ahead of ours"), "{err}");
    assert!(!err.is_reachability_fault());
    assert_eq!(node.seen().len(), 2);
}

#[tokio::test]
async fn nobody_sets_the_date_of_our_signatures_without_a_signature_of_his_own() {
    for legacy in [false, true] {
        let stranger = Stranger::answering(|_, _| {
            let body = format!(
                r#"{{"error":"late","code":"stale_timestamp","timestamp":{}}}"#,
                now() + 86_400
            );
            let headers = format!("X-Timestamp: {}\r\n", now() + 86_400);
            stranger::plain(401, &headers, body.as_bytes())
        });
        let mut target = stranger.target();
        target.legacy = legacy;
        let clients = clients();

        for _ in 0..2 {
            let err = clients.digest(&target, &wg0()).await.unwrap_err();
            let expected = if legacy { "clock_skew" } else { "unsigned" };
            assert_eq!(err.problem(), expected, "{err:?}");
        }

        assert_eq!(clients.clock_offset_s(NodeId(1)), None);
        let seen = stranger.seen();
        assert_eq!(seen.len(), 2);
        assert!(seen.iter().all(|it| (it.timestamp() - now()).abs() <= 5));
    }
}

#[tokio::test]
async fn a_write_right_after_an_agent_started_waits_for_the_second_in_which_it_is_taken() {
    let node = Node::start();
    let began = Instant::now();

    let added = clients()
        .add_peer(&node.target, &wg0(), &peer(1, &["10.0.0.1/32"]))
        .await;

    assert_eq!(added.unwrap().peer.unwrap().public_key, key(1));
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn an_agent_that_takes_no_writes_for_long_is_left_to_the_caller() {
    for wait_s in [60, 100_000] {
        let node = Stranger::answering(move |_, seen| {
            let (now, not_before) = (now(), now() + wait_s);
            let body = format!(
                r#"{{"error":"e","code":"before_restart","timestamp":{now},"not_before":{not_before}}}"#
            );
            seen.answer(401, body.as_bytes())
        });
        let began = Instant::now();

        let result = clients().delete_peer(&node.target(), &wg0(), &key(1)).await;

        let err = result.unwrap_err();
        assert!(
            matches!(err, AgentError::TooEarly { wait_s: it } if it == wait_s),
            "{err:?}"
        );
        assert_eq!(err.problem(), "too_early");
        assert_eq!(node.seen().len(), 1);
        assert!(began.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn an_agent_that_goes_on_saying_that_it_has_just_started_is_asked_twice() {
    let node = Stranger::answering(|_, seen| {
        let body = format!(
            r#"{{"error":"e","code":"before_restart","not_before":{}}}"#,
            now() + 1
        );
        seen.answer(401, body.as_bytes())
    });

    let result = clients().delete_peer(&node.target(), &wg0(), &key(1)).await;

    assert_eq!(result.unwrap_err().problem(), "too_early");
    assert_eq!(node.seen().len(), 2);
}
