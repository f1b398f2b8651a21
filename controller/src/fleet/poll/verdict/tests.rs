use std::sync::Arc;

use chrono::TimeDelta;
use protocol::signing::Secret;
use protocol::{InterfaceName, wire::answers::InterfaceConfig};

use super::*;
use crate::agent::{Malformed, Target, Unreachable};
use crate::domain::agent_url::AgentUrl;
use crate::domain::ids::{InterfaceId, NetworkId, NodeId};
use crate::fleet::{FleetError, Refusal};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn round() -> Round {
    Round {
        due: Due {
            node: NodeId(1),
            name: "fra-1".into(),
            leased_until: now(),
            due_at: now(),
            reachability: "online".into(),
            good_in_a_row: 5,
            bad_in_a_row: 0,
            problem: None,
            clock_offset_ms: None,
        },
        target: Ok(Target {
            node: NodeId(1),
            url: AgentUrl::parse("http://fra-1.example:8080").unwrap(),
            secret: Arc::new(Secret::parse("0123456789abcdef0123456789abcdef").unwrap()),
            key_id: None,
            legacy: false,
            timeout: Duration::from_secs(1),
        }),
        interfaces: vec![Watched {
            id: InterfaceId(2),
            node: NodeId(1),
            network: NetworkId(3),
            name: "wg0".into(),
            public_key: None,
            desired_generation: 1,
            applied_generation: 1,
            link: Some("up".into()),
            observed_generation: Some(1),
            observed_digest: None,
            observed_peers: None,
            observed_at: None,
            cursor: Some("a.1".into()),
            booted_at: Some(now() - TimeDelta::hours(2)),
            config_at: None,
        }],
    }
}

fn answers(health: Result<Health, AgentError>, interfaces: Vec<AnswersOfInterface>) -> Answers {
    Answers {
        at: now(),
        took: Duration::ZERO,
        clock_offset_s: Some(0),
        health: Some(health),
        interfaces,
    }
}

fn health() -> Health {
    serde_json::from_str(
        r#"{"status":"ok","reasons":[],"timestamp":1700000000,"uptime":7200,"agent_uptime":60,"version":"1.2.3",
            "capabilities":["batch"],"interfaces":[{"name":"wg0","status":"up","backend":"kernel","public_key":null,
            "listen_port":51820,"peers":0,"foreign":0,"generation":1,"digest":"00","observed_at":null}],
            "system":{"cpu_percent":null,"load":null,"memory":null,"disk":null,"network":null}}"#,
    )
    .unwrap()
}

fn dump() -> Dump {
    serde_json::from_str(
        r#"{"interface":"wg0","peers":[],"generation":1,"digest":"00","cursor":"a.2","full":false,"removed":[]}"#,
    )
    .unwrap()
}

fn config(address: &str) -> Config {
    Config {
        interface: InterfaceName::parse("wg0").unwrap(),
        config: InterfaceConfig {
            address: Some(address.into()),
            ..InterfaceConfig::default()
        },
    }
}

fn seen(dump: Option<Dump>, config: Option<Config>) -> AnswersOfInterface {
    AnswersOfInterface::Seen(Box::new(Seen {
        health: health().interface("wg0").cloned(),
        dump,
        config,
    }))
}

/// As the product has them by default.
fn settings() -> Settings {
    crate::fleet::Settings::from(&crate::config::Config::default()).poll
}

fn judged(answers: Answers) -> Verdict {
    of(&settings(), round(), answers)
}

#[test]
fn a_node_that_says_all_it_should_is_good() {
    let verdict = judged(answers(Ok(health()), vec![seen(Some(dump()), None)]));

    assert!(verdict.report.good);
    assert_eq!(verdict.report.problem, None);
    assert_eq!(verdict.report.agent_version.as_deref(), Some("1.2.3"));
    assert_eq!(
        verdict.report.started_at,
        Some(now() - TimeDelta::seconds(60))
    );
    let held = verdict.interfaces[0].held.as_ref().unwrap();
    assert!(!held.is_full);
    assert_eq!(held.epoch, Epoch::Same);
    assert!(verdict.has_generations);
}

#[test]
fn each_failure_has_its_kind() {
    let unreachable = || AgentError::Unreachable {
        kind: Unreachable::Timeout,
        source: None,
    };
    for (err, poll) in [
        (unreachable(), Poll::Unreachable),
        (AgentError::NotAnAgent { status: 502 }, Poll::Unreachable),
        (
            AgentError::NotAnAgent { status: 200 },
            Poll::Wrong(Wrong::Signature),
        ),
        (
            AgentError::WrongSecret {
                code: "bad_signature",
            },
            Poll::Wrong(Wrong::Secret),
        ),
        (
            AgentError::BadSignature { status: 200 },
            Poll::Wrong(Wrong::Signature),
        ),
        (
            AgentError::Unsigned { status: 200 },
            Poll::Wrong(Wrong::Signature),
        ),
        (
            AgentError::Malformed(Malformed::NotJson),
            Poll::Wrong(Wrong::Answer),
        ),
    ] {
        let word = err.problem();

        assert_eq!(Fault::of(&err).poll, poll, "{err}");

        let verdict = judged(answers(Err(err), Vec::new()));
        assert!(!verdict.report.good);
        assert_eq!(verdict.report.problem, Some(word));
        assert_eq!(verdict.report.standing.bad_in_a_row, 1);
        assert_eq!(verdict.report.health, None);
    }
}

#[test]
fn an_interface_that_is_not_there_is_wrong_and_its_link_is_known() {
    let verdict = judged(answers(Ok(health()), vec![AnswersOfInterface::Missing]));

    assert_eq!(verdict.report.problem, Some("interface_missing"));
    assert_eq!(verdict.interfaces[0].link, Some("missing"));
    assert!(verdict.interfaces[0].held.is_none());
}

#[test]
fn an_interface_that_fails_tells_nothing_of_itself() {
    let failed = AnswersOfInterface::Failed(AgentError::Malformed(Malformed::NotJson));

    let verdict = judged(answers(Ok(health()), vec![failed]));

    assert_eq!(verdict.report.problem, Some("malformed_answer"));
    assert!(verdict.interfaces.is_empty());
}

#[test]
fn a_clock_that_is_off_is_shown_and_the_node_is_good() {
    let answers = Answers {
        clock_offset_s: Some(-45),
        ..answers(Ok(health()), vec![seen(Some(dump()), None)])
    };

    let verdict = judged(answers);

    assert!(verdict.report.good);
    assert_eq!(verdict.report.problem, Some("clock_skew"));
    assert_eq!(verdict.report.clock_offset_ms, Some(-45_000));
    assert!(verdict.skew.unwrap().is_news);
}

#[test]
fn an_offset_of_an_earlier_answer_says_nothing_of_a_node_that_is_away() {
    let err = AgentError::Unreachable {
        kind: Unreachable::Refused,
        source: None,
    };
    let answers = Answers {
        clock_offset_s: Some(-45),
        ..answers(Err(err), Vec::new())
    };

    let verdict = judged(answers);

    assert_eq!(verdict.report.problem, Some("unreachable"));
    assert_eq!(verdict.skew, None);
}

#[test]
fn what_no_row_can_hold_is_a_wrong_answer() {
    let nul = Health {
        version: Some("1\0".into()),
        ..health()
    };
    let verdict = judged(answers(Ok(nul), Vec::new()));
    assert_eq!(verdict.report.problem, Some("malformed_answer"));
    assert_eq!(verdict.report.health, None);

    for odd in [
        Dump {
            digest: Some("\0".into()),
            ..dump()
        },
        Dump {
            cursor: Some("x".repeat(201)),
            ..dump()
        },
        Dump {
            generation: Some(u64::MAX),
            ..dump()
        },
    ] {
        let verdict = judged(answers(Ok(health()), vec![seen(Some(odd), None)]));
        assert_eq!(verdict.report.problem, Some("malformed_answer"));
        assert!(verdict.interfaces.is_empty());
    }
}

#[test]
fn what_a_bare_agent_does_not_say_is_unknown_and_nothing_wrong() {
    let bare: Health = serde_json::from_str(r#"{"status":"ok"}"#).unwrap();
    let dump = || serde_json::from_str(r#"{"interface":"wg0","peers":[]}"#).unwrap();
    let looked = |dump| {
        AnswersOfInterface::Seen(Box::new(Seen {
            health: None,
            dump: Some(dump),
            config: None,
        }))
    };

    let verdict = judged(answers(Ok(bare.clone()), vec![looked(dump())]));

    let report = &verdict.report;
    assert!(report.good);
    assert_eq!(
        (&report.agent_version, report.booted_at, report.started_at),
        (&None, None, None)
    );
    assert_eq!(report.capabilities.as_deref(), Some(&[][..]));
    let seen = &verdict.interfaces[0];
    assert_eq!((seen.link, seen.key), (None, None));
    let standing = &seen.held.as_ref().unwrap().standing;
    assert_eq!(
        (standing.generation, &standing.cursor, standing.peers),
        (None, &None, Some(0))
    );
    assert!(standing.digest.starts_with("shown-"));

    // Some of the peers, and nothing that stands for all of them.
    let partial = Dump {
        full: Some(false),
        ..dump()
    };
    let verdict = judged(answers(Ok(bare), vec![looked(partial)]));
    assert_eq!(verdict.report.problem, Some("malformed_answer"));
}

#[test]
fn addresses_of_both_families_are_read_and_an_odd_one_spoils_the_answer() {
    let read = addresses(&config("10.0.0.1/24, fd00::1/64,192.0.2.1")).map_err(|_| ());
    let wanted = ["10.0.0.1", "fd00::1", "192.0.2.1"].map(|text| text.parse().unwrap());
    assert_eq!(read, Ok(wanted.to_vec()));

    let odd = seen(Some(dump()), Some(config("10.0.0.1/24, vpn.example")));
    let verdict = judged(answers(Ok(health()), vec![odd]));
    assert_eq!(verdict.report.problem, Some("malformed_answer"));
    assert!(verdict.interfaces.is_empty());
}

#[test]
fn a_node_without_a_usable_secret_is_not_called_and_in_error() {
    let missing: FleetError = Refusal::missing("active secret of node", "fra-1").into();
    let round = Round {
        target: Err(missing),
        ..round()
    };
    let nothing = Answers {
        health: None,
        ..answers(Ok(health()), Vec::new())
    };

    let verdict = of(&settings(), round, nothing);

    assert_eq!(verdict.report.problem, Some("no_secret"));
    assert_eq!(verdict.report.standing.bad_in_a_row, 1);
}

#[test]
fn a_reboot_begins_a_new_epoch_for_the_counters() {
    let rebooted = Health {
        uptime: Some(30),
        ..health()
    };

    let verdict = judged(answers(Ok(rebooted), vec![seen(Some(dump()), None)]));

    let held = verdict.interfaces[0].held.as_ref().unwrap();
    assert_eq!(held.epoch, Epoch::New);
}
