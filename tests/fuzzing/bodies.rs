//! The JSON bodies of requests: one in each line of the input, each read as every kind of request.
//!
//! What can be read can be written and read again. A body that is refused does not get its keys
//! repeated. Whatever a body asks for is judged on an interface that the lines before it have changed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use node_agent::plan::Write;
use protocol::rotation::{self, Exchange};
use protocol::signing::{self, Secret};
use protocol::wire::{Batch, ConfigUpdate, FullSet, KeyExchange, PeerSpec, PeerUpdate, SyncConf};
use protocol::{PresharedKey, PrivateKey};
use serde_json::{Value, json};

use super::interface::{self, Interface};
use super::secrecy;

/// Longer inputs only take longer.
const LINES: usize = 8;

pub fn check(input: &[u8]) {
    let mut full = Interface::with_peers();
    let mut empty = Interface::empty();
    for line in input.split(|b| *b == b'\n').take(LINES) {
        check_secrecy(line);
        check_config_update(line);
        check_key_exchange(line);
        for write in writes(line) {
            full.write(&write);
            empty.write(&write);
        }
    }
    full.end(Interface::with_peers());
    empty.end(Interface::empty());
}

/// Everything that this body may ask for, depending on where it is sent.
fn writes(body: &[u8]) -> Vec<Write> {
    let mut writes = Vec::new();
    if let Ok(spec) = serde_json::from_slice::<PeerSpec>(body) {
        assert_eq!(again::<PeerSpec>(json!(spec)), spec);
        writes.push(Write::Add(spec));
    }
    if let Ok(update) = serde_json::from_slice::<PeerUpdate>(body) {
        assert_eq!(again::<PeerUpdate>(write_update(&update)), update);
        let update = |key| Write::Update(key, update.clone());
        writes.extend(interface::telling_keys().map(update));
    }
    if let Ok(batch) = serde_json::from_slice::<Batch>(body) {
        check_batch(&batch);
        let removals = batch.remove.iter().take(1).map(|key| Write::Remove(*key));
        let removals: Vec<Write> = removals.collect();
        writes.push(Write::Batch(batch));
        writes.extend(removals);
    }
    if let Ok(set) = serde_json::from_slice::<FullSet>(body) {
        check_full_set(&set);
        writes.extend([false, true].map(|remove_foreign| Write::FullSet {
            set: set.clone(),
            remove_foreign,
        }));
    }
    writes.extend(sync_conf(body));
    writes
}

/// Reads what was written. Whoever can be written can be read.
fn again<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_slice(&serde_json::to_vec(&value).unwrap()).unwrap()
}

fn write_update(update: &PeerUpdate) -> Value {
    let mut value = json!({});
    if let Some(allowed_ips) = &update.allowed_ips {
        value["allowed_ips"] = json!(allowed_ips);
    }
    if let Some(preshared_key) = &update.preshared_key {
        value["preshared_key"] = json!(preshared_key.as_ref().map(PresharedKey::reveal));
    }
    if let Some(keepalive) = &update.persistent_keepalive {
        value["persistent_keepalive"] = json!(keepalive);
    }
    if let Some(endpoint) = &update.endpoint {
        value["endpoint"] = json!(endpoint);
    }
    if let Some(expires_at) = &update.expires_at {
        value["expires_at"] = json!(expires_at);
    }
    value
}

fn check_batch(batch: &Batch) {
    let same: Batch = again(json!({
        "base_generation": batch.base_generation,
        "generation": batch.generation,
        "upsert": batch.upsert,
        "remove": batch.remove,
    }));
    assert_eq!(same.base_generation, batch.base_generation);
    assert_eq!(same.generation, batch.generation);
    assert_eq!(same.upsert, batch.upsert);
    assert_eq!(same.remove, batch.remove);
}

fn check_full_set(set: &FullSet) {
    let same: FullSet = again(json!({
        "generation": set.generation,
        "base_generation": set.base_generation,
        "peers": set.peers,
        "allow_removals": set.allow_removals,
    }));
    assert_eq!(same.generation, set.generation);
    assert_eq!(same.base_generation, set.base_generation);
    assert_eq!(same.peers, set.peers);
    assert_eq!(same.allow_removals, set.allow_removals);
}

fn sync_conf(body: &[u8]) -> Option<Write> {
    let SyncConf {
        config,
        allow_removals,
    } = serde_json::from_slice(body).ok()?;
    let text = String::from_utf8(STANDARD.decode(config).ok()?).ok()?;
    let peers = node_agent::wgconf::parse(&text).ok()?.peers;
    Some(Write::Sync {
        peers,
        allow_removals,
    })
}

/// A command is seen in whatever shape it is given, and only what is not null is given.
fn check_config_update(body: &[u8]) {
    let Ok(update) = serde_json::from_slice::<ConfigUpdate>(body) else {
        return;
    };
    // Not so where fields are given without names, as a list, or where a command is not even text.
    if let Ok(value @ Value::Object(_)) = serde_json::from_slice::<Value>(body) {
        let given = |name: &&str| !value[*name].is_null();
        let commands = ["pre_up", "post_up", "pre_down", "post_down", "raw_config"];
        assert_eq!(update.command(), commands.into_iter().find(given));
    }
    let mut written = json!({
        "private_key": update.private_key.as_ref().map(PrivateKey::reveal),
        "public_key": update.public_key,
        "listen_port": update.listen_port,
        "address": update.address,
        "mtu": update.mtu,
    });
    for (name, text) in [("dns", &update.dns), ("table", &update.table)] {
        if let Some(text) = text {
            written[name] = json!(text);
        }
    }
    let same: ConfigUpdate = again(written);
    assert_eq!(same.private_key, update.private_key);
    assert_eq!(same.public_key, update.public_key);
    assert_eq!(same.listen_port, update.listen_port);
    assert_eq!((same.address, same.mtu), (update.address, update.mtu));
    assert_eq!((same.dns, same.table), (update.dns, update.table));
}

/// Both sides of an exchange come to the same secret, whatever key one of them is handed.
fn check_key_exchange(body: &[u8]) {
    let Ok(asked) = serde_json::from_slice::<KeyExchange>(body) else {
        return;
    };
    assert_eq!(again::<KeyExchange>(json!(asked)), asked);
    let own = PrivateKey::from_random([7; 32]);
    let exchange = Exchange {
        id: &asked.id,
        controller: asked.public_key,
        agent: own.public_key(),
    };
    let verifying = Secret::parse("correct horse battery staple 0123456789").unwrap();
    if let Ok(secret) = rotation::derive(&exchange, &own, &asked.public_key, &verifying) {
        assert_eq!(Secret::parse(secret.reveal()).as_ref(), Ok(&secret));
        assert_ne!(secret, verifying);
    }
    assert!(!signing::is_key_id(&asked.id) || asked.id.len() <= 64);
}

/// No error repeats a preshared or private key.
fn check_secrecy(body: &[u8]) {
    let Ok(text) = std::str::from_utf8(body) else {
        return;
    };
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let mut secrets = Vec::new();
    collect_secrets(&value, &mut secrets);
    if secrets.is_empty() {
        return;
    }
    let errors = [
        serde_json::from_slice::<PeerSpec>(body).err(),
        serde_json::from_slice::<PeerUpdate>(body).err(),
        serde_json::from_slice::<Batch>(body).err(),
        serde_json::from_slice::<FullSet>(body).err(),
        serde_json::from_slice::<ConfigUpdate>(body).err(),
    ];
    for error in errors.iter().flatten() {
        secrecy::check(&error.to_string(), text, secrets.iter().copied());
    }
}

fn collect_secrets<'a>(value: &'a Value, secrets: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let secret = matches!(name.as_str(), "preshared_key" | "private_key");
                match value.as_str() {
                    Some(text) if secret => secrets.extend(secrecy::key_like(text)),
                    _ => collect_secrets(value, secrets),
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                collect_secrets(value, secrets);
            }
        }
        _ => {}
    }
}
