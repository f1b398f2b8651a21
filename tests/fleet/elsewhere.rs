//! A node on another machine: an agent on kernel WireGuard in a VM, named by `WGFLEET_NODE_URL` and
//! `WGFLEET_NODE_SECRET`. Without these the tests say that they skip.

use std::sync::Arc;
use std::time::Duration;

use controller::agent::{Clients, Settings, Target};
use controller::domain::agent_url::AgentUrl;
use controller::domain::ids::NodeId;
use protocol::signing::Secret;
use protocol::{InterfaceName, PublicKey};
use serde_json::{Value, json};

use crate::stage::Running;

/// An emulated processor takes its time.
const TRIES: usize = 600;

/// The node elsewhere, asked directly.
struct Elsewhere {
    agents: Clients,
    target: Target,
}

impl Elsewhere {
    fn named() -> Option<Self> {
        let (Ok(url), Ok(secret)) = (
            std::env::var("WGFLEET_NODE_URL"),
            std::env::var("WGFLEET_NODE_SECRET"),
        ) else {
            println!("skipped: no node elsewhere is named");
            return None;
        };
        Some(Self {
            agents: Clients::new(&Settings::default()).unwrap(),
            target: Target {
                node: NodeId(1),
                url: AgentUrl::parse(&url).unwrap(),
                secret: Arc::new(Secret::parse(&secret).unwrap()),
                key_id: None,
                legacy: false,
                timeout: Duration::from_secs(20),
            },
        })
    }

    /// The keys that its kernel holds.
    async fn keys(&self) -> Vec<PublicKey> {
        let wg0 = InterfaceName::parse("wg0").unwrap();
        let dump = self.agents.dump(&self.target, &wg0, None).await.unwrap();
        dump.peers.iter().map(|peer| peer.public_key).collect()
    }
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..TRIES {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never: {what}");
}

#[tokio::test]
async fn peers_are_made_true_in_a_kernel_elsewhere() {
    let Some(elsewhere) = Elsewhere::named() else {
        return;
    };
    let patient = "[poll]\nevery_ms = 2000\ntimeout_ms = 2000\n[apply]\ntick_ms = 200\nbackoff_cap_ms = 1000\n";
    let stage = Running::with(patient).await;
    let api = &stage.api;
    api.post(
        "/networks",
        json!({"name": "office", "cidr_v4": "10.9.0.0/16", "cidr_v6": "fd09::/64"}),
    )
    .await
    .ok();
    let node = json!({
        "name": "vm", "agent_url": elsewhere.target.url.as_str(), "secret": elsewhere.target.secret.reveal(),
        "interface": {"name": "wg0", "network": "office", "endpoint": "192.0.2.1:51820", "drift_policy": "enforce"},
    });
    let node = api.post("/nodes", node).await.ok();
    let tested = api
        .post(&format!("/nodes/{}/test", node["id"]), json!({}))
        .await
        .ok();
    assert_eq!(tested["ok"], true, "{tested:#}");
    eventually("the node is online", async || {
        api.get("/nodes/1").await.ok()["state"] == "online"
    })
    .await;

    let drafts: Vec<Value> = (0..100)
        .map(|n| json!({"network": "office", "name": format!("p{n}"), "public_key": key(n).to_string()}))
        .collect();
    api.post("/peers/bulk", json!(drafts)).await.ok();
    eventually("the kernel holds a hundred peers", async || {
        elsewhere.keys().await.len() == 100
    })
    .await;

    let first = api.get("/peers?q=p0").await.ok()["items"][0]["id"].clone();
    api.post(&format!("/peers/{first}/isolation"), json!({}))
        .await
        .ok();
    eventually("the isolated one is gone", async || {
        !elsewhere.keys().await.contains(&key(0))
    })
    .await;
    api.delete(&format!("/peers/{first}/isolation")).await.ok();
    eventually("the released one is back", async || {
        elsewhere.keys().await.contains(&key(0))
    })
    .await;
    let all = api.get("/peers?limit=500").await.ok();
    for peer in all["items"].as_array().unwrap() {
        api.delete(&format!("/peers/{}", peer["id"])).await.ok();
    }
    eventually("the kernel is empty", async || {
        elsewhere.keys().await.is_empty()
    })
    .await;
}

fn key(n: u32) -> PublicKey {
    let mut bytes = [9; 32];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    protocol::PrivateKey::from_random(bytes).public_key()
}
