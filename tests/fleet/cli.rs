//! The commands over the API and those at the machine, as a person or a script runs them.

use std::process::Output;

use serde_json::{Value, json};

use crate::cli_config::{all, out, run};
use crate::nodes::{add, office};
use crate::stage::{Api, Running};

mod accounts;
mod keys;
mod machine;
mod moving;
mod status;

/// The program with a key of the stage's own.
pub(crate) fn wgfleet(stage: &Running, arguments: &[&str]) -> Output {
    wgfleet_as(&stage.api, &stage.base, arguments)
}

/// The program with somebody's key.
pub(crate) fn wgfleet_as(api: &Api, url: &str, arguments: &[&str]) -> Output {
    let variables = [
        ("WGFLEET_URL", url),
        ("WGFLEET_API_KEY_ID", &api.key_id),
        ("WGFLEET_API_SECRET", api.secret.reveal()),
    ];
    run(arguments, &variables)
}

/// What a command that must succeed prints for people.
#[track_caller]
pub(crate) fn text(stage: &Running, arguments: &[&str]) -> String {
    let output = wgfleet(stage, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?} {output:?}");
    out(&output)
}

/// What a command that must succeed prints for programs.
#[track_caller]
pub(crate) fn json_of(stage: &Running, arguments: &[&str]) -> Value {
    let printed = text(stage, &[arguments, &["--json"]].concat());
    serde_json::from_str(&printed).unwrap_or_else(|err| panic!("{err}: {printed}"))
}

/// What a command that must fail says.
#[track_caller]
pub(crate) fn fails(stage: &Running, arguments: &[&str]) -> String {
    let output = wgfleet(stage, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?} {output:?}");
    all(&output)
}

/// A fleet whose one node is known well enough for configurations.
async fn furnished() -> Running {
    let stage = office().await;
    add(&stage, "fra-1").await;
    stage
        .sql(
            "UPDATE interfaces SET public_key = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=';
             UPDATE interface_sync SET config_at = now();
             UPDATE node_status SET reachability = 'online', next_poll_at = now() + interval '1 day', leased_until = NULL",
        )
        .await;
    stage
}

#[tokio::test]
async fn networks_and_pools_are_kept_by_name() {
    let stage = furnished().await;

    let made = json_of(
        &stage,
        &[
            "networks",
            "add",
            "lab",
            "--cidr-v4",
            "10.9.0.0/16",
            "--mtu",
            "1380",
        ],
    );
    assert_eq!((&made["name"], &made["mtu"]), (&json!("lab"), &json!(1380)));
    let table = text(&stage, &["networks", "list"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].starts_with("ID  NAME    IPV4"), "{table}");
    assert!(lines[2].contains("lab     10.9.0.0/16"), "{table}");
    text(&stage, &["pools", "add", "north", "--node", "fra-1"]);
    text(&stage, &["pools", "remove-member", "north", "fra-1"]);
    assert_eq!(
        json_of(&stage, &["pools", "show", "north"])["members"],
        json!([])
    );
    text(&stage, &["pools", "add-member", "north", "fra-1"]);
    assert_eq!(
        json_of(&stage, &["pools", "list"])[0]["members"],
        json!([1])
    );

    let tried = text(&stage, &["networks", "remove", "lab", "--dry-run"]);
    assert!(tried.contains("not removed"), "{tried}");
    assert_eq!(
        json_of(&stage, &["networks", "list"])
            .as_array()
            .unwrap()
            .len(),
        2
    );
    text(&stage, &["networks", "remove", "lab"]);
    text(&stage, &["pools", "remove", "north"]);
    assert_eq!(
        json_of(&stage, &["networks", "list"])
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let refused = fails(&stage, &["networks", "remove", "office"]);
    assert!(refused.contains("network_in_use"), "{refused}");
    let unknown = fails(&stage, &["networks", "show", "lab"]);
    assert!(
        unknown.contains("nothing called lab among the networks"),
        "{unknown}"
    );
}

#[tokio::test]
async fn nodes_are_added_changed_tested_and_removed() {
    let stage = office().await;
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, format!("{}\n", crate::nodes::SECRET)).unwrap();

    let added = json_of(
        &stage,
        &[
            "nodes",
            "add",
            "ams-1",
            "http://127.0.0.1:9",
            "--network",
            "office",
            "--endpoint",
            "192.0.2.7:51820",
            "--secret-file",
            secret.to_str().unwrap(),
            "--region",
            "north",
            "--weight",
            "50",
        ],
    );
    assert_eq!(added["interfaces"][0]["name"], "wg0");
    assert_eq!(added.get("secret"), None, "who gave it has it");
    let changed = json_of(
        &stage,
        &["nodes", "change", "ams-1", "--weight", "0", "--region", ""],
    );
    assert_eq!(
        (&changed["weight"], &changed["region"]),
        (&json!(0), &Value::Null)
    );

    let output = wgfleet(&stage, &["nodes", "test", "ams-1"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(all(&output).contains("reachable"), "{output:?}");

    let shown = text(&stage, &["nodes", "show", "ams-1"]);
    assert!(shown.contains("interfaces[0].name"), "{shown}");
    assert!(text(&stage, &["nodes", "list", "--q", "ams"]).contains("http://127.0.0.1:9"));
    assert_eq!(
        text(&stage, &["nodes", "list", "--q", "fra"])
            .lines()
            .count(),
        1
    );
    text(&stage, &["nodes", "remove", "ams-1"]);
    assert_eq!(json_of(&stage, &["nodes", "list"]), json!([]));
}

#[tokio::test]
async fn a_peer_is_made_with_a_configuration_that_can_be_put_into_a_file() {
    let stage = furnished().await;

    let config = text(
        &stage,
        &[
            "peers", "add", "office", "laptop", "--tag", "a", "--tag", "b",
        ],
    );

    assert!(config.contains("[Interface]\nPrivateKey = "), "{config}");
    assert!(config.contains("[Peer]"), "{config}");
    let again = text(&stage, &["peers", "config", "laptop", "--mode", "full"]);
    assert!(again.contains("0.0.0.0/0"), "{again}");
    assert!(!again.contains("\nPrivateKey = "), "{again}");
    let picture = text(&stage, &["peers", "config", "laptop", "--qr"]);
    assert!(
        picture.lines().count() > 20 && picture.contains('▀'),
        "{picture}"
    );
    let peer = json_of(&stage, &["peers", "show", "laptop"]);
    assert_eq!(peer["tags"], json!(["a", "b"]));
    let key = peer["public_key"].as_str().unwrap();
    assert_eq!(json_of(&stage, &["peers", "show", key])["id"], peer["id"]);

    assert_eq!(json_of(&stage, &["peers", "sessions", key]), json!([]));

    text(&stage, &["peers", "isolate", "laptop"]);
    assert_eq!(json_of(&stage, &["peers", "list"])[0]["active"], false);
    text(&stage, &["peers", "release", "laptop"]);
    let changed = json_of(
        &stage,
        &[
            "peers",
            "change",
            "laptop",
            "--name",
            "old-laptop",
            "--enabled",
            "false",
        ],
    );
    assert_eq!(
        (&changed["name"], &changed["enabled"]),
        (&json!("old-laptop"), &json!(false))
    );
    text(&stage, &["peers", "remove", "old-laptop"]);
    assert_eq!(json_of(&stage, &["peers", "list"]), json!([]));
}

#[tokio::test]
async fn peers_are_imported_whole_or_not_at_all_and_no_private_key_is_lost() {
    let stage = furnished().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("peers.json");
    let write = |peers: Value| std::fs::write(&file, peers.to_string()).unwrap();
    let import = ["peers", "import", file.to_str().unwrap()];
    let configs = folder.path().join("configs");

    write(json!([{"network": "office", "name": "a"}, {"network": "office", "name": "b"}]));
    let lost = fails(&stage, &import);
    assert!(lost.contains("--configs"), "{lost}");
    assert_eq!(json_of(&stage, &["peers", "list"]), json!([]));

    write(json!([{"network": "office", "name": "a"}, {"network": "nowhere", "name": "b"}]));
    let wrong = fails(&stage, &[&import[..], &["--json"]].concat());
    assert!(wrong.contains("invalid_rows"), "{wrong}");
    assert_eq!(json_of(&stage, &["peers", "list"]), json!([]));

    write(json!([{"network": "office", "name": "a"}, {"network": "office", "name": "b"}]));
    let output = wgfleet(
        &stage,
        &[&import[..], &["--configs", configs.to_str().unwrap()]].concat(),
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(out(&output).lines().count(), 3, "{output:?}");
    assert!(
        all(&output).contains("importing peers 1 to 2 of 2"),
        "{output:?}"
    );
    let mut files: Vec<String> = std::fs::read_dir(&configs)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    files.retain(|config| config.contains("PrivateKey = "));
    assert_eq!(files.len(), 2);
}

#[tokio::test]
async fn a_name_in_two_networks_is_told_apart_by_id() {
    let stage = furnished().await;
    text(
        &stage,
        &["networks", "add", "lab", "--cidr-v4", "10.9.0.0/16"],
    );
    stage
        .sql(
            "INSERT INTO peers (network_id, name, public_key) VALUES
                (1, 'phone', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE='),
                (2, 'phone', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI=')",
        )
        .await;

    let said = fails(&stage, &["peers", "remove", "phone"]);

    assert!(
        said.contains("several peers; say which by its id: 1, 2"),
        "{said}"
    );
    assert_eq!(
        json_of(&stage, &["peers", "list"])
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(json_of(&stage, &["peers", "show", "2"])["network"], 2);
}

#[tokio::test]
async fn lists_are_printed_to_the_last_page() {
    let stage = office().await;
    stage
        .sql("INSERT INTO pools (name) SELECT 'pool-' || n FROM generate_series(1, 1203) AS n")
        .await;

    assert_eq!(text(&stage, &["pools", "list"]).lines().count(), 1204);
    assert_eq!(
        json_of(&stage, &["pools", "show", "pool-777"])["name"],
        "pool-777"
    );
}

#[tokio::test]
async fn an_interface_is_named_by_its_node_and_a_node_that_is_away_is_said_to_be() {
    let stage = furnished().await;

    for arguments in [
        &["plan", "fra-1/wg0"][..],
        &["plan", "1"],
        &["plan", "fra-1/wg0", "--apply"],
    ] {
        let said = fails(&stage, arguments);
        assert!(said.contains("refused with status 502"), "{said}");
    }
    let unknown = fails(&stage, &["plan", "fra-1/wg1"]);
    assert!(unknown.contains("nothing called fra-1/wg1"), "{unknown}");
    assert_eq!(
        json_of(&stage, &["adopt", "fra-1/wg0", "--list"]),
        json!([])
    );
}

#[tokio::test]
async fn the_audit_log_is_listed_verified_and_exported() {
    let stage = furnished().await;

    let listed = json_of(
        &stage,
        &["audit", "list", "--action", "network.", "--limit", "10"],
    );
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert!(text(&stage, &["audit", "list"]).contains("node.create"));
    let exported = text(&stage, &["audit", "export"]);
    let rows: Vec<Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.last().unwrap()["seq"], rows.len());
    let verified = text(&stage, &["audit", "verify"]);
    let head = rows.last().unwrap()["hash"].as_str().unwrap();
    assert!(verified.contains(head), "{verified}");

    stage
        .sql(
            "ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only;
             UPDATE audit_log SET object = 'network/9' WHERE seq = 1",
        )
        .await;
    let broken = fails(&stage, &["audit", "verify"]);
    assert!(broken.contains("audit row 1 "), "{broken}");
    let broken = wgfleet(&stage, &["audit", "verify", "--json"]);
    assert_eq!(broken.status.code(), Some(1));
}
