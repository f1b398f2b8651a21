//! An interface as the page of its node shows it: what was said of it, how far it is, what it holds besides.

use super::board::generations;
use super::drift::{Item, short};
use super::standing::{is_behind, standing};
use crate::api::interfaces::endpoint;
use crate::db::interfaces::Interface;
use crate::web::frame::{Frame, Moment};

/// An interface with what it holds that nobody asked for.
pub(super) struct Shown {
    pub interface: Interface,
    pub heading: String,
    pub refuses: String,
    pub drift: String,
    pub endpoint: String,
    pub policy: &'static str,
    pub standing: String,
    pub behind: Option<String>,
    pub key: Option<Key>,
    pub changed: Option<ChangedKey>,
    pub unknown: String,
    pub items: Vec<Item>,
}

pub(super) struct Key {
    pub whole: String,
    pub short: String,
}

pub(super) struct ChangedKey {
    pub heading: String,
    pub former: String,
    pub now: String,
    pub at: Moment,
}

impl Shown {
    pub(super) fn of(frame: &Frame, interface: Interface, items: Vec<Item>) -> Self {
        let key = |key: &String| Key {
            short: short(key),
            whole: key.clone(),
        };
        let name = || [("name", interface.name.as_str().into())];
        let t = frame.t;
        let changed = interface
            .former_public_key
            .as_ref()
            .zip(interface.public_key.as_ref());
        Self {
            heading: t.say_with("node-interface-named", name()),
            refuses: t.say_with("node-refuses", name()),
            drift: t.say_with("node-drift-on", name()),
            endpoint: endpoint(&interface.endpoint_host, interface.endpoint_port),
            policy: match interface.drift_policy.as_str() {
                "adopt" => "node-policy-adopt",
                "enforce" => "node-policy-enforce",
                _ => "node-policy-report",
            },
            standing: standing(frame.t, std::slice::from_ref(&interface)),
            behind: is_behind(&interface).then(|| generations(frame.t, &interface)),
            key: interface.public_key.as_ref().map(key),
            changed: changed
                .zip(interface.key_changed_at)
                .map(|((former, now), at)| ChangedKey {
                    heading: t.say_with("node-key-changed", name()),
                    former: short(former),
                    now: now.clone(),
                    at: frame.ago(at),
                }),
            unknown: frame.t.count(
                "node-unasked-peers",
                u64::from(interface.unknown_peers.unsigned_abs()),
            ),
            items,
            interface,
        }
    }
}
