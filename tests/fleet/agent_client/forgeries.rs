//! Answers that are not the node's, and requests that must arrive as they were signed.

use controller::agent::{AgentError, Malformed};
use protocol::signing::Secret;
use protocol::wire::Batch;
use protocol::wire::answers::InSync;

use super::{Seen, Stranger, clients, key, now, peer, peers, secret, stranger, wg0};

const IN_SYNC: &[u8] = br#"{"generation":7,"digest":"00","peers":1}"#;

async fn digest_of(stranger: &Stranger, legacy: bool) -> Result<InSync, AgentError> {
    let mut target = stranger.target();
    target.legacy = legacy;
    clients().digest(&target, &wg0()).await
}

async fn refused(answer: impl Fn(usize, &Seen) -> Vec<u8> + Send + Sync + 'static) -> AgentError {
    let stranger = Stranger::answering(answer);
    let err = digest_of(&stranger, false).await.unwrap_err();
    assert_eq!(stranger.seen().len(), 1, "{err:?}");
    assert!(!err.is_reachability_fault(), "{err:?}");
    err
}

#[tokio::test]
async fn an_answer_that_the_node_signed_is_believed() {
    let node = Stranger::answering(|_, seen| seen.answer(200, IN_SYNC));

    let in_sync = digest_of(&node, false).await.unwrap();

    assert_eq!((in_sync.generation, in_sync.peers), (Some(7), 1));
}

#[tokio::test]
async fn an_answer_without_a_signature_is_believed_of_a_legacy_node_alone() {
    let err = refused(|_, _| stranger::plain(200, "", IN_SYNC)).await;

    assert!(
        matches!(err, AgentError::Unsigned { status: 200 }),
        "{err:?}"
    );
    assert_eq!(err.problem(), "unsigned");
    let node = Stranger::answering(|_, _| stranger::plain(200, "", IN_SYNC));
    assert_eq!(digest_of(&node, true).await.unwrap().peers, 1);
}

#[tokio::test]
async fn an_answer_that_somebody_else_signed_is_not_believed_even_of_a_legacy_node() {
    fn forged(seen: &Seen, how: usize) -> Vec<u8> {
        let other = Secret::parse("another secret, of some other machine").unwrap();
        let good = String::from_utf8(seen.answer(200, IN_SYNC)).unwrap();
        let another = Seen {
            headers: vec![("x-signature".into(), "ab".repeat(32))],
            ..seen.clone()
        };
        let signature = good.lines().find(|it| it.starts_with("X-Sig")).unwrap();
        let repeated = format!("{signature}\r\n{signature}");
        let forged = match how {
            0 => return seen.answer_by(&other, now(), 200, IN_SYNC),
            1 => return another.answer(200, IN_SYNC),
            2 => good.replace("200 Said", "201 Said"),
            3 => good.replace(r#""peers":1"#, r#""peers":2"#),
            4 => good.replace("X-Timestamp: 1", "X-Timestamp: 2"),
            5 => good.replace("X-Timestamp", "X-Time"),
            6 => good.replace(signature, &repeated),
            7 => good.replace(signature, "X-Signature: none"),
            _ => good.replace(signature, &signature.to_uppercase()),
        };
        assert_ne!(forged, good);
        forged.into_bytes()
    }
    for how in 0..9 {
        for legacy in [false, true] {
            let stranger = Stranger::answering(move |_, seen| forged(seen, how));

            let err = digest_of(&stranger, legacy).await.unwrap_err();

            assert!(
                matches!(err, AgentError::BadSignature { .. }),
                "{how}: {err:?}"
            );
            assert_eq!(err.problem(), "bad_signature");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Stranger::answering(|_, seen| seen.answer(200, IN_SYNC));
    let location = format!("Location: http://{}/v1/health\r\n", elsewhere.address);
    for status in [301, 302, 307, 308] {
        let location = location.clone();

        let err = refused(move |_, _| stranger::plain(status, &location, b"")).await;

        assert!(
            matches!(err, AgentError::NotAnAgent { status: it } if it == status),
            "{err:?}"
        );
        assert_eq!(err.problem(), "not_an_agent");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_web_server_is_no_agent() {
    for (status, body) in [(200, "<html>welcome</html>"), (404, "not here"), (403, "")] {
        let err = refused(move |_, _| stranger::plain(status, "", body.as_bytes())).await;

        assert!(
            matches!(err, AgentError::NotAnAgent { status: it } if it == status),
            "{err:?}"
        );
        let page = Stranger::answering(move |_, _| stranger::plain(status, "", body.as_bytes()));
        let err = digest_of(&page, true).await.unwrap_err();
        assert_eq!(err.problem(), "not_an_agent", "of a legacy node");
    }
}

#[tokio::test]
async fn an_agent_that_does_not_accept_the_signature_may_say_so_without_one() {
    for (status, code) in [
        (401, "bad_signature"),
        (401, "unknown_key"),
        (401, "missing_signature"),
        (401, "malformed_signature"),
        (401, "bad_timestamp"),
        (429, "too_many_failures"),
    ] {
        let body = format!(r#"{{"error":"no","code":"{code}"}}"#);

        let err = refused(move |_, _| stranger::plain(status, "", body.as_bytes())).await;

        assert!(
            matches!(err, AgentError::WrongSecret { code: it } if it == code),
            "{err:?}"
        );
        assert_eq!(err.problem(), "wrong_secret");
    }
}

#[tokio::test]
async fn nothing_else_is_believed_of_an_error_without_a_signature() {
    for (status, code) in [
        (409, "generation_mismatch"),
        (404, "interface_unknown"),
        (401, "replayed"),
        (200, "bad_signature"),
    ] {
        let body = format!(r#"{{"error":"no","code":"{code}"}}"#);

        let err = refused(move |_, _| stranger::plain(status, "", body.as_bytes())).await;

        assert!(
            matches!(err, AgentError::Unsigned { status: it } if it == status),
            "{err:?}"
        );
    }
}

#[tokio::test]
async fn a_signed_answer_that_says_something_else_is_malformed() {
    for (body, why) in [
        (&b"\xff\xfe"[..], Malformed::NotJson),
        (b"", Malformed::NotJson),
        (b"{\"generation\":", Malformed::NotJson),
        (b"{}", Malformed::Shape { line: 1, column: 2 }),
        (b"[]", Malformed::Shape { line: 1, column: 2 }),
    ] {
        let err = refused(move |_, seen| seen.answer(200, body)).await;
        assert!(
            matches!(err, AgentError::Malformed(it) if it == why),
            "{body:?}: {err:?}"
        );
        assert_eq!(err.problem(), "malformed_answer");

        let err = refused(move |_, seen| seen.answer(409, body)).await;
        assert!(matches!(err, AgentError::Malformed(_)), "{body:?}: {err:?}");
    }
}

#[tokio::test]
async fn nobody_asks_for_compression_and_what_is_compressed_is_not_read() {
    let proxy = Stranger::answering(|_, seen| {
        let good = String::from_utf8(seen.answer(200, IN_SYNC)).unwrap();
        let gzip = good.replacen("\r\n", "\r\nContent-Encoding: gzip\r\n", 1);
        gzip.into_bytes()
    });

    let err = digest_of(&proxy, false).await.unwrap_err();

    assert!(
        matches!(err, AgentError::Malformed(Malformed::Encoded)),
        "{err:?}"
    );
    assert_eq!(proxy.seen()[0].header("accept-encoding"), None);
}

#[tokio::test]
async fn every_request_arrives_signed_as_it_is_with_a_nonce_of_its_own() {
    let node = Stranger::answering(|_, seen| seen.answer(409, br#"{"error":"no","code":"x"}"#));
    let mut target = node.target();
    target.key_id = Some("second".into());
    let clients = clients().on_behalf_of("request-17");
    let (name, batch) = (wg0(), batch(3));

    for _ in 0..2 {
        clients.health(&target).await.unwrap_err();
        let since = clients.dump(&target, &name, Some("a.1/ü&x=|")).await;
        since.unwrap_err();
        let added = clients
            .add_peer(&target, &name, &peer(1, &["10.0.0.1/32"]))
            .await;
        added.unwrap_err();
        clients
            .delete_peer(&target, &name, &key(1))
            .await
            .unwrap_err();
        clients
            .patch_peers(&target, &name, &batch)
            .await
            .unwrap_err();
    }

    let seen = node.seen();
    assert_eq!(seen.len(), 10);
    let mut nonces = std::collections::BTreeSet::new();
    for request in &seen {
        assert!(request.is_signed(), "{request:?}");
        assert_eq!(request.version, "HTTP/1.1");
        assert_eq!(request.header("x-key-id"), Some("second"));
        assert_eq!(request.header("x-request-id"), Some("request-17"));
        let json = (!request.body.is_empty()).then_some("application/json");
        assert_eq!(request.header("content-type"), json);
        let nonce = request.header("x-nonce").unwrap();
        assert!((16..=64).contains(&nonce.len()), "{nonce}");
        assert!(nonces.insert(nonce.to_owned()), "{nonce} came twice");
        assert!((request.timestamp() - now()).abs() <= 5);
    }
    assert_eq!(
        seen[1].target,
        "/v1/wg/wg0/dump?since=a.1%2F%C3%BC%26x%3D%7C"
    );
    assert_eq!(
        seen[3].target,
        format!("/v1/wg/wg0/peers/{}", key(1).to_url_safe())
    );
}

#[tokio::test]
async fn a_batch_that_no_agent_would_take_is_not_sent() {
    let node = Stranger::answering(|_, seen| seen.answer(200, IN_SYNC));

    let result = clients()
        .patch_peers(&node.target(), &wg0(), &batch(20_000))
        .await;

    let err = result.unwrap_err();
    assert!(
        matches!(
            err,
            AgentError::RequestTooLarge {
                limit: 1_048_576,
                ..
            }
        ),
        "{err:?}"
    );
    assert_eq!(err.problem(), "request_too_large");
    assert!(node.seen().is_empty());
}

#[tokio::test]
async fn a_third_party_agent_that_knows_no_nonce_is_asked_without_one() {
    let third_party = Stranger::answering(|_, seen| {
        if seen.header("x-nonce").is_some() || !seen.is_signed() {
            return stranger::plain(401, "", br#"{"error":"Invalid signature"}"#);
        }
        stranger::plain(200, "", IN_SYNC)
    });
    let mut target = third_party.target();
    target.legacy = true;
    let clients = clients();

    for _ in 0..2 {
        assert_eq!(clients.digest(&target, &wg0()).await.unwrap().peers, 1);
    }
    assert_eq!(third_party.seen().len(), 3, "asked in vain only once");

    target.legacy = false;
    let err = clients.digest(&target, &wg0()).await.unwrap_err();
    assert_eq!(err.problem(), "unsigned");
}

#[tokio::test]
async fn a_third_party_agent_with_another_secret_is_told_from_one_that_knows_no_nonce() {
    let third_party = Stranger::answering(|_, _| stranger::plain(401, "", b"{}"));

    let err = digest_of(&third_party, true).await.unwrap_err();

    assert!(
        matches!(
            err,
            AgentError::WrongSecret {
                code: "unauthorized"
            }
        ),
        "{err:?}"
    );
    let forms: Vec<bool> = third_party
        .seen()
        .iter()
        .map(|it| it.header("x-nonce").is_some())
        .collect();
    assert_eq!(forms, [true, false]);
    assert_eq!(secret(), *third_party.target().secret);
}

fn batch(peers_in_it: u32) -> Batch {
    Batch {
        base_generation: None,
        generation: 1,
        upsert: peers(1..=peers_in_it),
        remove: Vec::new(),
    }
}
