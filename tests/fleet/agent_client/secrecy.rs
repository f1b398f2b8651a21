//! What must not be printed is not, whatever goes wrong.

use std::error::Error;

use controller::agent::AgentError;
use protocol::PresharedKey;
use protocol::wire::ConfigUpdate;

use super::{Node, SECRET, Stranger, clients, peer, private_key, stranger, target, wg0};

/// Everything that an error says of itself in any way.
fn printed(err: &AgentError) -> String {
    let mut printed = format!("{err} {err:?}");
    let mut cause = err.source();
    while let Some(source) = cause {
        printed.push_str(&format!(" {source} {source:?}"));
        cause = source.source();
    }
    printed
}

#[tokio::test]
async fn no_error_prints_a_secret_whoever_answers() {
    let psk = PresharedKey::from_bytes([9; 32]).unwrap();
    let mut spec = peer(1, &["10.0.0.1/32"]);
    spec.preshared_key = Some(psk.clone());
    let update = ConfigUpdate {
        private_key: Some(private_key(7)),
        ..ConfigUpdate::default()
    };
    let hidden = [
        SECRET.to_owned(),
        psk.reveal(),
        private_key(7).reveal(),
        "X-Signature".into(),
    ];
    let echo = |seen: &super::Seen| String::from_utf8_lossy(&seen.body).into_owned();
    let strangers = [
        Stranger::answering(|_, _| Vec::new()),
        Stranger::answering(move |_, seen| stranger::plain(200, "", echo(seen).as_bytes())),
        Stranger::answering(move |_, seen| seen.answer(200, echo(seen).as_bytes())),
        Stranger::answering(move |_, seen| seen.answer(409, echo(seen).as_bytes())),
        Stranger::answering(move |_, _| {
            stranger::plain(401, "", br#"{"error":"no","code":"bad_signature"}"#)
        }),
    ];
    let targets = strangers.iter().map(Stranger::target);
    for target in targets.chain([target("http://127.0.0.1:9"), target("http://node.invalid")]) {
        let clients = clients();
        let added = clients.add_peer(&target, &wg0(), &spec).await.unwrap_err();
        let set = clients
            .put_config(&target, &wg0(), &update)
            .await
            .unwrap_err();

        for err in [added, set] {
            let printed = printed(&err) + &format!("{target:?}");
            for hidden in &hidden {
                assert!(!printed.contains(hidden.as_str()), "{hidden} in {printed}");
            }
        }
    }
}

#[tokio::test]
async fn a_private_key_that_an_agent_should_keep_is_not_repeated() {
    let leaking = Stranger::answering(|_, seen| {
        let body = br#"{"interface":"wg0","config":{"private_key":"bGVha2Vk","mtu":"bGVha2Vk"}}"#;
        seen.answer(200, body)
    });

    let err = clients()
        .config(&leaking.target(), &wg0())
        .await
        .unwrap_err();

    assert_eq!(err.problem(), "malformed_answer");
    assert!(!printed(&err).contains("bGVha2Vk"), "{err:?}");
}

#[tokio::test]
async fn what_an_agent_says_is_cut_and_cannot_break_a_line() {
    let loud = Stranger::answering(|_, seen| {
        let long = "x\\n\\u001b[31m".repeat(10_000);
        let body = format!(r#"{{"error":"{long}","code":"{long}"}}"#);
        seen.answer(422, body.as_bytes())
    });

    let err = clients().health(&loud.target()).await.unwrap_err();

    let text = err.to_string();
    assert!(
        text.len() < 500 && !text.contains(char::is_control),
        "{text:?}"
    );
}

#[tokio::test]
async fn the_real_agent_is_given_its_keys_and_no_error_has_them() {
    let (node, clients) = (Node::start(), clients());
    let mut spec = peer(1, &["10.0.0.1/32"]);
    spec.preshared_key = Some(PresharedKey::from_bytes([9; 32]).unwrap());
    clients.add_peer(&node.target, &wg0(), &spec).await.unwrap();
    spec.preshared_key = Some(PresharedKey::from_bytes([8; 32]).unwrap());

    let err = clients
        .add_peer(&node.target, &wg0(), &spec)
        .await
        .unwrap_err();

    assert_eq!(err.problem(), "peer_exists");
    for hidden in [[8; 32], [9; 32]].map(|bytes| PresharedKey::from_bytes(bytes).unwrap()) {
        assert!(!printed(&err).contains(&hidden.reveal()));
    }
}
