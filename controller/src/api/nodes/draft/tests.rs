//! Every field of a node is judged, and all at once.

use serde_json::{Value, json};

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn draft(body: Value) -> Result<(NewNode, NewSecret, Option<NewInterface>), Problem> {
    serde_json::from_value::<NodeDraft>(body).unwrap().parse()
}

#[test]
fn a_name_and_an_address_are_enough() {
    let (node, secret, interface) =
        draft(json!({"name": "FRA-1", "agent_url": "http://192.0.2.1:8080"})).unwrap();

    assert_eq!(node.name.as_str(), "fra-1");
    assert_eq!((node.weight, node.max_peers), (100, 0));
    assert!(node.enabled && !node.legacy);
    assert_eq!(secret.key_id, KeyId::initial());
    assert!(secret.secret.is_none());
    assert!(interface.is_none());
}

#[test]
fn every_mistake_is_named_at_once_and_no_secret_with_it() {
    let result = draft(json!({
        "name": "a b", "agent_url": "ftp://a", "secret": "hunter2", "key_id": "a b", "weight": 1_000_001,
        "max_peers": 2_147_483_648_u32, "country": "FIN", "operator_country": "1", "region": "",
        "notes": "a\0", "timeout_ms": 99,
        "interface": {"name": "", "network": 1, "endpoint": "a:51820"},
    }));

    let text = result.err().unwrap().to_string();
    for field in [
        "name",
        "agent_url",
        "secret",
        "key_id",
        "weight",
        "max_peers",
        "country",
        "operator_country",
        "region",
        "notes",
        "timeout_ms",
        "interface.name",
    ] {
        assert!(text.contains(&format!("{field} ")), "{field}: {text}");
    }
    assert!(!text.contains("hunter2"));
}

#[test]
fn a_mistake_in_the_interface_refuses_the_whole_node() {
    let result = draft(json!({
        "name": "a", "agent_url": "http://a", "secret": SECRET,
        "interface": {"name": "wg0", "network": 1, "endpoint": "a"},
    }));

    assert!(result.is_err());
}

#[test]
fn unknown_fields_are_refused() {
    for body in [
        json!({"name": "a", "agent_url": "http://a", "wieght": 1}),
        json!({"name": "a", "agent_url": "http://a",
            "interface": {"name": "wg0", "network": 1, "endpoint": "a:1", "mtu": 1}}),
    ] {
        assert!(serde_json::from_value::<NodeDraft>(body).is_err());
    }
    assert!(serde_json::from_value::<NodeChange>(json!({"secret": SECRET})).is_err());
}

#[test]
fn null_takes_away_and_absent_keeps() {
    let change: NodeChange =
        serde_json::from_value(json!({"country": null, "region": "north", "timeout_ms": null}))
            .unwrap();

    let changes = change.parse().unwrap();

    assert_eq!(changes.country, Some(None));
    assert_eq!(changes.operator_country, None);
    assert_eq!(changes.region, Some(Some(Label::parse("north").unwrap())));
    assert_eq!(changes.timeout_ms, Some(None));
}

#[test]
fn a_secret_that_anybody_could_guess_is_refused() {
    for text in ["short", &"a".repeat(64)] {
        let draft: SecretDraft = serde_json::from_value(json!({"secret": text})).unwrap();
        assert!(draft.parse().is_err(), "{text}");
    }
    let draft: SecretDraft = serde_json::from_value(json!({"secret": SECRET})).unwrap();
    assert_eq!(draft.parse().unwrap().secret.unwrap().reveal(), SECRET);
}
