//! Receivers of events: what they are sent, whatever happens on the way.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::signing::{RawHeaders, Secret, SignedHeaders};
use serde_json::{Value, json};

use crate::agent_client::stranger::{Seen, Stranger, plain};
use crate::stage::{Api, Running};

mod delivering;
mod failing;
mod managing;

fn taking() -> Stranger {
    Stranger::answering(|_, _| plain(204, "", b""))
}

fn url(receiver: &Stranger) -> String {
    format!("http://{}/hook?from=wgfleet", receiver.address)
}

/// Makes a webhook for events about networks, and tells its path and its secret.
async fn tell(api: &Api, name: &str, url: &str) -> (String, Secret) {
    let draft = json!({"name": name, "url": url, "kinds": ["networks"]});
    let made = api.post("/webhooks", draft).await.ok();
    let secret = Secret::parse(made["secret"].as_str().unwrap()).unwrap();
    (format!("/webhooks/{}", made["id"]), secret)
}

/// Has that many events happen, and tells of which objects.
async fn happen(api: &Api, first: u8, count: u8) {
    for number in first..first + count {
        let draft = json!({"name": format!("n{number}"), "cidr_v4": format!("10.{number}.0.0/16")});
        api.post("/networks", draft).await.ok();
    }
}

/// Waits for what must come to pass.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not come to pass that {what}");
}

async fn deliveries(api: &Api, webhook: &str) -> Vec<Value> {
    let page = api.get(&format!("{webhook}/deliveries?limit=500")).await;
    page.ok()["items"].as_array().unwrap().clone()
}

async fn all_are(api: &Api, webhook: &str, state: &str, count: usize) -> bool {
    let log = deliveries(api, webhook).await;
    log.len() == count && log.iter().all(|delivery| delivery["state"] == state)
}

/// Waits until all that a webhook was to be told has succeeded.
async fn delivered(api: &Api, webhook: &str, count: usize) {
    until("all is delivered", async || {
        all_are(api, webhook, "delivered", count).await
    })
    .await;
}

fn event_of(seen: &Seen) -> Value {
    serde_json::from_slice(&seen.body).unwrap()
}

/// How often each event came.
fn times(receiver: &Stranger) -> BTreeMap<i64, usize> {
    let mut times = BTreeMap::new();
    for seen in receiver.seen() {
        *times
            .entry(event_of(&seen)["id"].as_i64().unwrap())
            .or_default() += 1;
    }
    times
}

/// Whether a receiver that knows the secret believes what it got.
fn is_believed(seen: &Seen, secret: &Secret) -> bool {
    let value = |name: &str| seen.header(name).map(str::as_bytes);
    let all: [Vec<&[u8]>; 4] = ["x-signature", "x-timestamp", "x-nonce", "x-key-id"]
        .map(|name| value(name).into_iter().collect());
    let headers = SignedHeaders::parse(RawHeaders {
        signature: &all[0],
        timestamp: &all[1],
        nonce: &all[2],
        key_id: &all[3],
    })
    .unwrap();
    headers.nonce.is_some()
        && headers.is_fresh(controller::clock::now().timestamp(), 300)
        && headers.verifies(secret, &seen.method, &seen.target, &seen.body)
}

async fn start() -> Running {
    Running::start().await
}
