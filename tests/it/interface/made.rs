//! An interface that the agent makes, removes and makes again.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use protocol::PrivateKey;
use serde_json::json;

use super::{config, free_port};
use crate::bed::{Backend, Bed, Setup, ip, key};

fn making() -> Bed {
    let port = free_port();
    Bed::with(Setup {
        interface: format!(
            "create = true\nlisten_port = {port}\naddresses = [\"10.77.0.1/24\"]\nmtu = 1380"
        ),
        absent: true,
        ..Setup::default()
    })
}

#[test]
fn a_missing_interface_is_made_as_the_settings_say() {
    let mut bed = making();

    let shown = config(&bed);
    assert!(bed.hand.exists());
    assert_eq!(shown["address"], "10.77.0.1/24");
    assert_eq!(shown["mtu"], 1380);
    let health = bed.health();
    assert_eq!(health["status"], "ok", "{health}");
    assert_eq!(health["interfaces"][0]["status"], "up");

    let file = bed.state_dir().join(format!("{}.key", bed.name));
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let private = PrivateKey::parse(std::fs::read_to_string(&file).unwrap().trim_end()).unwrap();
    assert_eq!(shown["public_key"], private.public_key().to_string());

    bed.restart();
    assert_eq!(config(&bed), shown);
}

#[test]
fn an_interface_that_the_agent_made_is_removed_and_made_again_with_its_peers() {
    if !Bed::only_on(&[Backend::Memory, Backend::Kernel]) {
        return;
    }
    let mut bed = making();
    bed.add(&key(1), &[&ip(1)]);
    let before = bed.state();

    let removed = bed.client.delete(&bed.path(""));
    assert_eq!(removed.status, 200, "{removed:?}");
    assert!(!bed.hand.exists());
    assert_eq!(bed.client.delete(&bed.path("")).status, 200);
    bed.restart();
    assert!(!bed.hand.exists());
    for refused in [
        bed.client.get(&bed.path("/dump")),
        bed.add(&key(2), &[&ip(2)]),
        bed.post("/disable"),
    ] {
        assert_eq!(refused.code(), (404, "interface_unknown".into()));
    }
    assert_eq!(bed.health()["status"], "ok");

    let enabled = bed.post("/enable");
    assert_eq!(enabled.status, 200, "{enabled:?}");
    assert_eq!(enabled.json()["was_down"], true);
    assert_eq!(bed.state(), before);
    bed.restart();
    assert_eq!(bed.state(), before);
}

#[test]
fn an_interface_of_a_daemon_is_not_removed() {
    if !Bed::only_on(&[Backend::Userspace]) {
        return;
    }
    let bed = making();
    bed.add(&key(1), &[&ip(1)]);
    let before = bed.state();

    let refused = bed.client.delete(&bed.path(""));

    assert_eq!(refused.code(), (409, "not_created".into()));
    assert_eq!(bed.state(), before);
}

#[test]
fn an_interface_that_the_agent_made_and_somebody_deleted_is_made_again() {
    if !Bed::only_on(&[Backend::Memory, Backend::Kernel]) {
        return;
    }
    let bed = making();
    bed.full_set(&json!({ "generation": 3, "peers": crate::bed::peers(1..=5) }));
    let before = bed.state();

    bed.hand.vanish();

    let healthy = || bed.hand.exists() && bed.health()["status"] == "ok";
    Bed::within(Duration::from_secs(2), "the interface to be back", healthy);
    assert_eq!(bed.state(), before);
}
