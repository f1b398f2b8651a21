//! What the books say a dump and a device must show.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::books::{Books, Content};
use crate::bed::{Held, key};

/// Rows of a dump by key, without what packets change.
pub(super) type Rows = BTreeMap<String, Value>;

pub(super) fn expected_rows(books: &Books) -> Rows {
    books
        .device
        .iter()
        .map(|(n, content)| (key(*n), row(*n, content, books.is_foreign(*n))))
        .collect()
}

pub(super) fn is_shown(books: &Books, dump: &Value) -> bool {
    rows(dump) == expected_rows(books)
        && dump["digest"] == books.digest()
        && dump["generation"] == json!(books.generation)
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub(super) fn rows(dump: &Value) -> Rows {
    let peers = dump["peers"].as_array().unwrap();
    let row = |peer: &Value| {
        let mut peer = peer.clone();
        for observed in ["transfer_rx", "transfer_tx", "latest_handshake"] {
            peer.as_object_mut().unwrap().remove(observed);
        }
        (text(&peer["public_key"]), peer)
    };
    peers.iter().map(row).collect()
}

pub(super) fn row(n: u32, content: &Content, foreign: bool) -> Value {
    let mut row = json!({
        "public_key": key(n),
        "endpoint": content.endpoint.map(|endpoint| endpoint.to_string()),
        "allowed_ips": content.config.allowed_ips,
        "persistent_keepalive": content.config.persistent_keepalive,
        "has_preshared_key": content.config.preshared_key.is_some(),
    });
    if foreign {
        row["foreign"] = true.into();
    }
    row
}

pub(super) fn held(content: &Content) -> Held {
    Held {
        allowed_ips: content
            .config
            .allowed_ips
            .iter()
            .map(ToString::to_string)
            .collect(),
        keepalive: content.config.persistent_keepalive,
        has_psk: content.config.preshared_key.is_some(),
        endpoint: content.endpoint.map(|endpoint| endpoint.to_string()),
    }
}
