//! Nodes that are not heard, or not to the end.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use controller::agent::{AgentError, Clients, Malformed, Settings, Unreachable};
use protocol::wire::answers::InSync;

use super::{Stranger, clients, stranger, target, wg0};

fn assert_unreachable(result: Result<InSync, AgentError>, expected: Unreachable) {
    let err = result.unwrap_err();
    assert!(
        matches!(&err, AgentError::Unreachable { kind, .. } if *kind == expected),
        "{err:?}"
    );
    assert_eq!(err.problem(), "unreachable");
    assert!(err.is_reachability_fault());
}

#[tokio::test]
async fn a_port_where_nobody_listens_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);

    let result = clients().digest(&target(&url), &wg0()).await;

    assert_unreachable(result, Unreachable::Refused);
}

#[tokio::test]
async fn a_name_without_an_address_is_told_apart() {
    let result = clients()
        .digest(&target("http://node.invalid:8080"), &wg0())
        .await;

    assert_unreachable(result, Unreachable::Dns);
}

#[tokio::test]
async fn who_says_nothing_is_waited_for_no_longer_than_the_target_says() {
    let silent = Stranger::serving(|_, _, _| std::thread::sleep(Duration::from_secs(20)));
    let mut target = silent.target();
    target.timeout = Duration::from_millis(300);
    let began = Instant::now();

    let result = clients().digest(&target, &wg0()).await;

    assert_unreachable(result, Unreachable::Timeout);
    let took = began.elapsed();
    assert!(
        took >= target.timeout && took < Duration::from_secs(5),
        "{took:?}"
    );
}

#[tokio::test]
async fn who_falls_silent_in_the_middle_of_an_answer_is_waited_for_no_longer_either() {
    let stalling = Stranger::serving(|_, _, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            .unwrap();
        std::thread::sleep(Duration::from_secs(20));
    });
    let mut target = stalling.target();
    target.timeout = Duration::from_millis(300);

    assert_unreachable(
        clients().digest(&target, &wg0()).await,
        Unreachable::Timeout,
    );
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_none() {
    for cut in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"generation\"",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"gen",
        "SSH-2.0-OpenSSH_9.2\r\n",
    ] {
        let stranger = Stranger::answering(move |_, _| cut.into());

        let result = clients().digest(&stranger.target(), &wg0()).await;

        assert_unreachable(result, Unreachable::Reset);
    }
}

#[tokio::test]
async fn an_agent_that_is_full_before_it_can_tell_friends_from_strangers_is_busy() {
    let body = br#"{"error":"too many bodies are being read","code":"busy"}"#;
    let full = Stranger::answering(|_, _| stranger::plain(503, "Retry-After: 1\r\n", body));

    let result = clients().digest(&full.target(), &wg0()).await;

    assert_unreachable(result, Unreachable::Busy);
}

#[tokio::test]
async fn a_gateway_that_finds_no_agent_is_a_fault_of_reachability() {
    let gateway = Stranger::answering(|_, _| stranger::plain(502, "", b"<h1>Bad Gateway</h1>"));

    let err = clients()
        .digest(&gateway.target(), &wg0())
        .await
        .unwrap_err();

    assert!(
        matches!(err, AgentError::NotAnAgent { status: 502 }),
        "{err:?}"
    );
    assert!(err.is_reachability_fault());
}

#[tokio::test]
async fn a_connection_that_the_agent_has_closed_since_is_not_used_again() {
    let closing = Stranger::serving(|_, seen, stream| {
        let answer = seen.answer(200, br#"{"generation":7,"digest":"00","peers":1}"#);
        let keeping = String::from_utf8(answer).unwrap();
        let keeping = keeping.replace("Connection: close\r\n", "");
        stream.write_all(keeping.as_bytes()).unwrap();
    });
    let clients = clients();

    for _ in 0..5 {
        let in_sync = clients.digest(&closing.target(), &wg0()).await;
        assert_eq!(in_sync.unwrap().peers, 1);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    assert_eq!(closing.seen().len(), 5);
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let announced = Stranger::answering(|_, _| {
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec()
    });
    let endless = Stranger::serving(|_, _, stream| {
        let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut written = stream.write_all(head);
        while written.is_ok() {
            written = stream.write_all(&chunk);
        }
    });
    for stranger in [announced, endless] {
        let clients = clients();
        let digest = clients.digest(&stranger.target(), &wg0()).await;
        let dump = clients.dump(&stranger.target(), &wg0(), None).await;

        for (err, limit) in [
            (digest.unwrap_err(), 1 << 20),
            (dump.unwrap_err(), 32 << 20),
        ] {
            let expected = Malformed::TooLarge { limit };
            assert!(
                matches!(&err, AgentError::Malformed(why) if *why == expected),
                "{err:?}"
            );
            assert_eq!(err.problem(), "malformed_answer");
            assert!(!err.is_reachability_fault());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_requests_are_under_way_than_the_settings_say() {
    let (running, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let slow = Stranger::serving(move |_, _, _| {
        let running_now = running.fetch_add(1, Ordering::SeqCst) + 1;
        seen.fetch_max(running_now, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(50));
        running.fetch_sub(1, Ordering::SeqCst);
    });
    let clients = Clients::new(&Settings {
        concurrency: 3,
        ..Settings::default()
    })
    .unwrap();

    let calls = (0..12).map(|_| {
        let (clients, target) = (clients.clone(), slow.target());
        tokio::spawn(async move { clients.digest(&target, &wg0()).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_unreachable(call.await.unwrap(), Unreachable::Reset);
    }

    assert_eq!(slow.seen().len(), 12);
    assert_eq!(most.load(Ordering::SeqCst), 3);
}
