//! Differences between a node and what it should hold, in lines that people read: minus is what goes or is missing, plus
//! what comes or is there, and words say the same.

use crate::db::observations::of_node::Stranger;
use crate::domain::profile::Language;
use crate::web::frame::{Frame, Moment};

/// So much of a key tells it from all others on a page.
const KEY_SHOWN: usize = 10;

/// One line, with the class that marks it.
pub(super) struct Line {
    pub class: &'static str,
    pub text: String,
}

impl Line {
    pub(super) fn new(class: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { class, text }
    }
}

/// A peer that a node holds and nobody asked for.
pub(super) struct Item {
    pub key: String,
    pub short: String,
    /// The key as it stands in a query.
    pub query: String,
    pub first: Moment,
    pub lines: Vec<Line>,
}

impl Item {
    pub(super) fn of(frame: &Frame, stranger: Stranger) -> Self {
        Self {
            lines: lines(frame, &stranger),
            first: frame.ago(stranger.first_at),
            short: short(&stranger.public_key),
            query: url::form_urlencoded::byte_serialize(stranger.public_key.as_bytes()).collect(),
            key: stranger.public_key,
        }
    }
}

fn lines(frame: &Frame, stranger: &Stranger) -> Vec<Line> {
    let t = frame.t;
    let prefixes: Vec<String> = stranger
        .allowed_ips
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut lines = vec![
        Line::new(
            "add",
            format!("[Peer] {}", t.say("node-drift-peer-unasked")),
        ),
        Line::new("add", format!("AllowedIPs = {}", prefixes.join(", "))),
    ];
    if stranger.keepalive_s > 0 {
        lines.push(Line::new(
            "add",
            format!("PersistentKeepalive = {}", stranger.keepalive_s),
        ));
    }
    if stranger.has_psk {
        lines.push(Line::new(
            "add",
            format!("PresharedKey = {}", t.say("node-drift-psk")),
        ));
    }
    let handshake = heard(frame, stranger);
    lines.push(match &stranger.endpoint {
        Some(endpoint) => Line::new("", format!("Endpoint = {endpoint}, {handshake}")),
        None => Line::new("", handshake),
    });
    lines
}

fn heard(frame: &Frame, stranger: &Stranger) -> String {
    let t: Language = frame.t;
    match stranger.handshake_at {
        Some(at) => t.say_with("node-handshake-at", [("ago", t.ago(at, frame.now).into())]),
        None => t.say("node-handshake-never"),
    }
}

/// The beginning of a key.
pub(super) fn short(key: &str) -> String {
    let begin: String = key.chars().take(KEY_SHOWN).collect();
    format!("{begin}…")
}
