//! The simulated fleet: its nodes are agents like any other, and its peers move when they are told to.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use protocol::signing::Secret;
use serde_json::{Value, json};
use tests::simulator::{Fleet, Plan, identity};

use crate::bed::{Client, now};

const DUMP: &str = "/v1/wg/wg0/dump";

fn client(url: &str, secret: &str) -> Client {
    Client {
        secret: Secret::parse(secret).unwrap(),
        // An agent takes no write that is as old as its start.
        not_before: now() + 1,
        ..Client::new(url.strip_prefix("http://").unwrap().parse().unwrap())
    }
}

fn clients(fleet: &Fleet) -> Vec<Client> {
    let described = fleet.nodes().iter().map(|node| node.described());
    described
        .map(|node| client(&node.url, &node.secret))
        .collect()
}

fn fleet(peers: usize) -> Fleet {
    Fleet::start(&Plan {
        peers,
        ..Plan::default()
    })
}

fn keys(dump: &Value) -> BTreeSet<String> {
    let peers = dump["peers"].as_array().unwrap();
    let key = |peer: &Value| peer["public_key"].as_str().unwrap().to_owned();
    peers.iter().map(key).collect()
}

#[test]
fn each_node_of_a_fleet_answers_for_itself_at_its_own_port() {
    let fleet = fleet(0);

    for (number, client) in clients(&fleet).iter().enumerate() {
        let health = client.get("/health").json();

        let own = identity::private_key(number).public_key();
        assert_eq!(health["status"], "ok", "{health}");
        assert_eq!(health["interfaces"][0]["public_key"], own.to_string());
        assert_eq!(health["interfaces"][0]["peers"], 0);
        let config = client.get("/v1/wg/wg0/config").json();
        assert_eq!(
            config["config"]["address"],
            identity::address(number).to_string()
        );
    }
}

#[test]
fn the_secret_of_one_node_opens_no_other() {
    let fleet = fleet(0);
    let all = clients(&fleet);
    let body = json!({ "public_key": identity::peer(0, 0).0, "allowed_ips": ["10.0.0.9/32"] });

    let intruder = Client {
        secret: all[0].secret.clone(),
        ..all[1].clone()
    };
    let draft = intruder.draft("POST", "/wg/wg0/peers", body.to_string().as_bytes());
    let refused = intruder.send(&draft);

    assert_eq!(refused.code(), (401, "bad_signature".into()));
    for client in &all {
        assert!(keys(&client.get(DUMP).json()).is_empty());
    }
}

#[test]
fn a_node_begins_with_the_peers_that_its_number_says_and_manages_them() {
    let fleet = fleet(4);

    for (number, client) in clients(&fleet).iter().enumerate() {
        let dump = client.get(DUMP).json();

        assert_eq!(dump["generation"], 1);
        for peer in dump["peers"].as_array().unwrap() {
            assert_eq!(peer["foreign"], Value::Null, "{peer}");
            assert_eq!(peer["latest_handshake"], Value::Null);
        }
        let expected = (0..4).map(|n| identity::peer(number, n).0.to_string());
        assert_eq!(keys(&dump), expected.collect());
    }
}

#[test]
fn a_write_reaches_one_node_and_no_other() {
    let fleet = fleet(1);
    let all = clients(&fleet);
    let (key, _) = identity::peer(2, 7);
    let body = json!({ "public_key": key, "allowed_ips": ["10.200.0.1/32"] });

    let added = all[1].post("/wg/wg0/peers", &body);
    let repeated = all[1].post("/wg/wg0/peers", &body);

    assert_eq!((added.status, repeated.status), (201, 200));
    let counts: Vec<usize> = all
        .iter()
        .map(|client| keys(&client.get(DUMP).json()).len())
        .collect();
    assert_eq!(counts, [1, 2, 1]);
}

#[test]
fn traffic_changes_just_the_part_of_the_peers_whose_turn_it_is() {
    let mut fleet = fleet(10);
    let client = clients(&fleet).remove(0);
    let before = client.get(DUMP).json();
    let since = |cursor: &Value| format!("{DUMP}?since={}", cursor.as_str().unwrap());
    assert!(keys(&client.get(&since(&before["cursor"])).json()).is_empty());

    let heard = fleet.traffic(20);
    let first = client.get(&since(&before["cursor"])).json();
    fleet.traffic(80);
    let second = client.get(&since(&first["cursor"])).json();

    assert_eq!(heard, 3 * 2);
    assert_eq!(first["full"], false);
    assert_eq!((keys(&first).len(), keys(&second).len()), (2, 8));
    for peer in first["peers"].as_array().unwrap() {
        assert!((now() - peer["latest_handshake"].as_i64().unwrap()).abs() < 60);
        assert!(peer["transfer_rx"].as_u64().unwrap() > 0);
        assert!(peer["transfer_tx"].as_u64().unwrap() > 0);
        assert!(peer["endpoint"].is_string());
    }
    assert_eq!(first["digest"], before["digest"]);
    let mut everybody = keys(&first);
    everybody.extend(keys(&second));
    fleet.traffic(100);
    let third = client.get(&since(&second["cursor"])).json();
    assert_eq!(keys(&third), keys(&before));
}

#[test]
fn peers_that_came_over_http_have_traffic_too() {
    let mut fleet = fleet(0);
    let client = clients(&fleet).remove(0);
    let body = json!({ "public_key": identity::peer(0, 0).0, "allowed_ips": ["10.0.0.9/32"] });
    assert_eq!(client.post("/wg/wg0/peers", &body).status, 201);

    assert_eq!(fleet.traffic(1), 1);

    let dump = client.get(DUMP).json();
    assert!(dump["peers"][0]["latest_handshake"].is_i64(), "{dump}");
}

#[test]
fn a_fleet_that_is_dropped_listens_no_more() {
    let fleet = fleet(0);
    let address = fleet.nodes()[0].address();
    assert!(TcpStream::connect(address).is_ok());

    drop(fleet);

    assert!(TcpStream::connect(address).is_err());
}

/// The fleet as a program, with what it printed first.
struct Program {
    child: Child,
    answers: BufReader<ChildStdout>,
    nodes: Value,
}

impl Program {
    fn start(arguments: &[&str]) -> Option<Self> {
        let path = env!("CARGO_BIN_EXE_fleet-simulator");
        if !Path::new(path).exists() {
            println!("skipped: the simulator is not on this machine");
            return None;
        }
        let mut child = Command::new(path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        Some(Self {
            child,
            answers,
            nodes: serde_json::from_str(&line).unwrap(),
        })
    }

    fn say(&mut self, line: &str) -> String {
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

#[test]
fn the_program_lists_its_nodes_and_does_what_it_is_told() {
    let Some(mut program) = Program::start(&["2", "5"]) else {
        return;
    };
    let node = program.nodes[1].clone();
    let client = client(
        node["url"].as_str().unwrap(),
        node["secret"].as_str().unwrap(),
    );
    let rx = || {
        let dump = client.get(DUMP).json();
        let peers = dump["peers"].as_array().unwrap();
        peers
            .iter()
            .map(|peer| peer["transfer_rx"].as_u64().unwrap())
            .sum::<u64>()
    };

    assert_eq!(program.nodes.as_array().unwrap().len(), 2);
    assert_eq!(
        (&node["name"], &node["peers"]),
        (&json!("node-0001"), &json!(5))
    );
    assert_eq!(rx(), 0);
    assert_eq!(program.say("traffic 40"), "traffic 4");
    let after_one = rx();
    assert!(after_one > 0);
    assert_eq!(program.say("traffic 101"), "error not understood");
    assert_eq!(rx(), after_one);

    assert_eq!(program.say("every 10 100"), "every");
    crate::bed::Bed::within(std::time::Duration::from_secs(10), "traffic", || {
        rx() > 4 * after_one
    });
    assert_eq!(program.say("every 0 0"), "every");
    let at_the_end = rx();
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(rx(), at_the_end);

    assert_eq!(program.say("stop"), "");
    assert!(program.child.wait().unwrap().success());
}

#[test]
fn the_program_ends_with_whoever_started_it() {
    let Some(mut program) = Program::start(&["1"]) else {
        return;
    };

    drop(program.child.stdin.take());

    assert!(program.child.wait().unwrap().success());
}
