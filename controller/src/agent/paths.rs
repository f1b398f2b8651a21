//! The request targets of the contract, spelled so that they arrive as they were signed.
//!
//! Nothing in them is left for anybody to normalise: keys are URL-safe base64, a cursor is encoded.

use protocol::{InterfaceName, PublicKey};
use reqwest::Url;
use url::Position;

use crate::domain::agent_url::AgentUrl;

pub(super) const HEALTH: &str = "/v1/health";
pub(super) const SECRETS: &str = "/v1/secrets";

pub(super) fn interface(name: &InterfaceName) -> String {
    format!("/v1/wg/{name}")
}

/// A path below an interface, such as `digest`.
pub(super) fn below(name: &InterfaceName, what: &str) -> String {
    format!("/v1/wg/{name}/{what}")
}

pub(super) fn dump(name: &InterfaceName, since: Option<&str>) -> String {
    match since {
        None => below(name, "dump"),
        Some(cursor) => format!("/v1/wg/{name}/dump?since={}", encoded(cursor)),
    }
}

pub(super) fn peer(name: &InterfaceName, key: &PublicKey) -> String {
    format!("/v1/wg/{name}/peers/{}", key.to_url_safe())
}

pub(super) fn full_set(name: &InterfaceName, remove_foreign: bool) -> String {
    match remove_foreign {
        true => below(name, "peers?foreign=remove"),
        false => below(name, "peers"),
    }
}

pub(super) fn secret(id: &str) -> String {
    format!("{SECRETS}/{}", encoded(id))
}

pub(super) fn activation(id: &str) -> String {
    format!("{SECRETS}/{}/activate", encoded(id))
}

/// The URL of a target at a node, or `None` if the target would not arrive as it is.
pub(super) fn url(node: &AgentUrl, target: &str) -> Option<Url> {
    let url = Url::parse(&format!("{node}{target}")).ok()?;
    let arrives = &url[Position::BeforePath..Position::AfterQuery];
    (arrives == target && url.fragment().is_none()).then_some(url)
}

/// Leaves nothing but letters, digits, `-`, `_` and `.` as they are.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocol::target;

    use super::*;

    fn arrives(target: &str) {
        let nodes = ["http://a.example", "https://[2001:db8::1]:8443"];
        for node in nodes.map(|node| AgentUrl::parse(node).unwrap()) {
            let url = url(&node, target);
            assert!(url.is_some(), "{target} does not arrive at {node}");
        }
        assert_eq!(target::check(target), Ok(()));
    }

    proptest! {
        #[test]
        fn every_target_arrives_as_it_is_signed(
            name in "[A-Za-z0-9_=+.-]{1,15}",
            key: [u8; 32],
            text in "\\PC{0,20}",
        ) {
            let name = InterfaceName::parse(&name);
            let key = PublicKey::from_bytes(key);
            if let (Ok(name), Ok(key)) = (name, key) {
                arrives(&interface(&name));
                arrives(&below(&name, "digest"));
                arrives(&dump(&name, None));
                arrives(&dump(&name, Some(&text)));
                arrives(&peer(&name, &key));
                arrives(&full_set(&name, true));
            }
        }

        #[test]
        fn an_encoded_text_reads_as_it_was(text in "\\PC{0,20}") {
            prop_assert_eq!(target::percent_decode(&encoded(&text)), Some(text));
        }
    }

    #[test]
    fn what_would_not_arrive_as_it_is_has_no_url() {
        let node = AgentUrl::parse("http://a.example").unwrap();
        for target in [
            "",
            "health",
            "/a/../health",
            "/%2e%2e/health",
            "/a b",
            "/a#b",
            "@b.example/health",
            ":1/health",
        ] {
            assert_eq!(url(&node, target), None, "{target:?}");
        }
    }
}
