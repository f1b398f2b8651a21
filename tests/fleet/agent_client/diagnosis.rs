//! What a test of a connection names as wrong.

use std::sync::Arc;

use controller::agent::{Checked, Diagnosis, Outcome};
use node_agent::device::Memory;
use protocol::signing::Secret;
use protocol::wire::ConfigUpdate;
use protocol::{InterfaceName, PeerConfig};

use super::{Node, Stranger, clients, key, now, peer, secret, stranger, target, wg0};

/// The outcome of every check, in their order.
fn outcomes(diagnosis: &Diagnosis) -> [Outcome; 6] {
    let order = [
        Checked::Reachable,
        Checked::Agent,
        Checked::Signature,
        Checked::Clock,
        Checked::Interface,
        Checked::Wireguard,
    ];
    let checks: Vec<Checked> = diagnosis.checks.iter().map(|it| it.check).collect();
    assert_eq!(checks, order);
    assert!(diagnosis.checks.iter().all(|it| !it.sentence.is_empty()));
    let mut outcomes = [Outcome::Unknown; 6];
    for (place, check) in outcomes.iter_mut().zip(&diagnosis.checks) {
        *place = check.outcome;
    }
    assert_eq!(diagnosis.ok, outcomes.iter().all(|it| *it == Outcome::Ok));
    assert!(!diagnosis.ok || diagnosis.problem.is_none());
    outcomes
}

fn sentence(diagnosis: &Diagnosis, of: Checked) -> &str {
    let check = diagnosis.checks.iter().find(|it| it.check == of).unwrap();
    &check.sentence
}

use Outcome::{Failed, Ok as Well, Unknown};

#[tokio::test]
async fn a_node_that_is_well_is_well_in_every_check_and_tells_about_itself() {
    let (node, clients, name) = (Node::start(), clients(), wg0());
    node.memory.foreign_put(key(50), PeerConfig::default());
    let spec = peer(1, &["10.0.0.1/32"]);
    clients.add_peer(&node.target, &name, &spec).await.unwrap();
    let update = ConfigUpdate {
        listen_port: Some(51_833),
        address: Some("10.8.0.1/24,fd00::1/64".into()),
        ..ConfigUpdate::default()
    };
    clients
        .put_config(&node.target, &name, &update)
        .await
        .unwrap();

    let diagnosis = clients.diagnose(&node.target, &name).await;

    assert_eq!(outcomes(&diagnosis), [Well; 6], "{diagnosis:#?}");
    let learnt = &diagnosis.learnt;
    let capabilities = learnt.capabilities.as_ref().unwrap();
    assert!(capabilities.contains(&"batch".to_owned()));
    assert_eq!(learnt.version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(learnt.interfaces, Some(vec!["wg0".to_owned()]));
    assert_eq!(learnt.public_key, Some(key(0).to_string()));
    assert_eq!(learnt.listen_port, Some(51_833));
    let addresses = ["10.8.0.1/24", "fd00::1/64"].map(str::to_owned);
    assert_eq!(learnt.addresses, Some(addresses.to_vec()));
    assert_eq!((learnt.peers, learnt.foreign), (Some(2), Some(1)));
    assert_eq!(learnt.link.as_deref(), Some("up"));
    assert_eq!(learnt.clock_offset_s, Some(0));
    assert!(learnt.round_trip_ms.is_some());
    let json = serde_json::to_value(&diagnosis).unwrap();
    assert_eq!(json["checks"][0]["check"], "reachable");
    assert_eq!(json["checks"][0]["outcome"], "ok");
}

#[tokio::test]
async fn a_node_that_cannot_be_reached_is_named_so_and_nothing_is_made_up() {
    let diagnosis = clients()
        .diagnose(&target("http://127.0.0.1:9"), &wg0())
        .await;

    let expected = [Failed, Unknown, Unknown, Unknown, Unknown, Unknown];
    assert_eq!(outcomes(&diagnosis), expected, "{diagnosis:#?}");
    assert_eq!(diagnosis.problem.as_deref(), Some("unreachable"));
    assert!(sentence(&diagnosis, Checked::Reachable).contains("refused"));
    assert_eq!(diagnosis.learnt, controller::agent::Learnt::default());
}

#[tokio::test]
async fn a_wrong_secret_is_named() {
    let node = Node::start();
    let mut other = node.target.clone();
    other.secret = Arc::new(Secret::parse("another secret, of some other machine").unwrap());

    let diagnosis = clients().diagnose(&other, &wg0()).await;

    let expected = [Well, Well, Failed, Unknown, Unknown, Unknown];
    assert_eq!(outcomes(&diagnosis), expected, "{diagnosis:#?}");
    assert_eq!(diagnosis.problem.as_deref(), Some("wrong_secret"));
    assert_eq!(diagnosis.learnt.version, None);
}

#[tokio::test]
async fn answers_without_a_signature_or_with_another_are_named() {
    let body = br#"{"status":"ok"}"#;
    let silent = Stranger::answering(|_, _| stranger::plain(200, "", body));
    let other = Secret::parse("another secret, of some other machine").unwrap();
    let forger = Stranger::answering(move |_, seen| seen.answer_by(&other, now(), 200, body));
    for (stranger, problem) in [(silent, "unsigned"), (forger, "bad_signature")] {
        let diagnosis = clients().diagnose(&stranger.target(), &wg0()).await;

        let expected = [Well, Well, Failed, Unknown, Unknown, Unknown];
        assert_eq!(outcomes(&diagnosis), expected, "{diagnosis:#?}");
        assert_eq!(diagnosis.problem.as_deref(), Some(problem));
    }
}

#[tokio::test]
async fn a_web_server_is_named_as_no_agent() {
    let page = Stranger::answering(|_, _| stranger::plain(404, "", b"<html>"));

    let diagnosis = clients().diagnose(&page.target(), &wg0()).await;

    let expected = [Well, Failed, Unknown, Unknown, Unknown, Unknown];
    assert_eq!(outcomes(&diagnosis), expected, "{diagnosis:#?}");
    assert_eq!(diagnosis.problem.as_deref(), Some("not_an_agent"));
}

#[tokio::test]
async fn a_clock_that_differs_is_named_in_seconds_though_the_calls_succeed() {
    let health = br#"{"status":"ok","reasons":[],"timestamp":1,"uptime":null,"agent_uptime":1,"version":"9","capabilities":["digest"],"interfaces":[],"system":{}}"#;
    let node = Stranger::answering(|_, seen| {
        let body: &[u8] = match seen.target.rsplit('/').next().unwrap() {
            "health" => health,
            "digest" => br#"{"generation":null,"digest":"00","peers":0}"#,
            _ => br#"{"interface":"wg0","config":{"public_key":"S/QlsM66mP3ZL3zVXRBksX4aHla+tqaEhm74lVkThYM="}}"#,
        };
        seen.answer_by(&secret(), now() + 120, 200, body)
    });

    let diagnosis = clients().diagnose(&node.target(), &wg0()).await;

    let expected = [Well, Well, Well, Failed, Well, Well];
    assert_eq!(outcomes(&diagnosis), expected, "{diagnosis:#?}");
    assert_eq!(diagnosis.problem.as_deref(), Some("clock_skew"));
    let clock = sentence(&diagnosis, Checked::Clock);
    assert!(
        clock.contains("120 seconds ahead") || clock.contains("119"),
        "{clock}"
    );
}

#[tokio::test]
async fn a_missing_interface_is_named() {
    let (node, clients) = (Node::start(), clients());
    let other = InterfaceName::parse("wg7").unwrap();
    let expected = [Well, Well, Well, Well, Failed, Unknown];

    let strange = clients.diagnose(&node.target, &other).await;
    node.memory.vanish();
    let gone = clients.diagnose(&node.target, &wg0()).await;

    for diagnosis in [strange, gone] {
        assert_eq!(outcomes(&diagnosis), expected, "{diagnosis:#?}");
        assert_eq!(diagnosis.problem.as_deref(), Some("interface_missing"));
        assert_eq!(diagnosis.learnt.interfaces, Some(vec!["wg0".to_owned()]));
        assert_eq!(diagnosis.learnt.digest, None);
    }
}

#[tokio::test]
async fn an_interface_without_a_key_is_not_wireguard_as_far_as_anybody_can_tell() {
    let node = Node::with(Memory::new(&wg0()), "");

    let diagnosis = clients().diagnose(&node.target, &wg0()).await;

    let expected = [Well, Well, Well, Well, Well, Failed];
    assert_eq!(outcomes(&diagnosis), expected, "{diagnosis:#?}");
    assert_eq!(diagnosis.problem.as_deref(), Some("not_wireguard"));
}
