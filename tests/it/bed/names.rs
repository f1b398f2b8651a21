//! Keys, addresses and times by number: what tests name things with.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::signing::Secret;
use protocol::{PrivateKey, PublicKey};
use serde_json::Value;

use super::{SECRET, hand};

/// A peer's key, the same for the same number.
pub(crate) fn key(n: u32) -> String {
    public_key(n).to_string()
}

pub(crate) fn public_key(n: u32) -> PublicKey {
    private_key(n).public_key()
}

pub(crate) fn private_key(n: u32) -> PrivateKey {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    PrivateKey::from_random(bytes)
}

/// The key of an interface that the hand made.
pub(crate) fn own_key() -> String {
    hand::private_key().public_key().to_string()
}

/// A key for each spelling trouble: with `/`, with `+`, and with both.
pub(crate) fn awkward_keys() -> [String; 3] {
    let find = |wanted: fn(&str) -> bool| (0..).map(key).find(|key| wanted(key)).unwrap();
    [
        find(|key| key.contains('/') && !key.contains('+')),
        find(|key| key.contains('+') && !key.contains('/')),
        find(|key| key.contains('+') && key.contains('/')),
    ]
}

/// The body of a peer as a batch or an add names it.
pub(crate) fn peer(n: u32, ips: &[&str]) -> Value {
    serde_json::json!({ "public_key": key(n), "allowed_ips": ips })
}

/// An address of its own for each number.
pub(crate) fn ip(n: u32) -> String {
    format!("10.9.{}.{}/32", n / 256, n % 256)
}

/// Peers with one address each.
pub(crate) fn peers(numbers: impl IntoIterator<Item = u32>) -> Vec<Value> {
    numbers.into_iter().map(|n| peer(n, &[&ip(n)])).collect()
}

pub(crate) fn encode(key: &str) -> String {
    key.replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

pub(crate) fn secret() -> Secret {
    Secret::parse(SECRET).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a client signs with the time it is"
)]
pub(crate) fn now() -> i64 {
    i64::try_from(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
    .unwrap()
}

/// An agent takes no write that is as old as its start, and a second is how time is told apart.
pub(crate) fn wait_for_next_second() {
    let started = now();
    while now() <= started {
        std::thread::sleep(Duration::from_millis(10));
    }
}
