//! A third-party agent that does the least that can be: it knows peers one by one and the first form of signatures, no
//! generations, no digests, no cursors, says of itself only that it is well, and does not sign its answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::signing::{Request, Secret};
use protocol::wire::{PeerSpec, PeerUpdate};
use protocol::{Cidr, PeerConfig, PublicKey};
use serde_json::{Value, json};

use crate::agent_client::stranger::{Seen, Stranger};
use crate::stage::{Reply, Running, Scene, eventually, key};

const SECRET: &str = "of a third party, 32 bytes and a few more";

type Held = Arc<Mutex<BTreeMap<PublicKey, PeerConfig>>>;

struct Plain {
    held: Held,
    stranger: Stranger,
}

impl Plain {
    fn start() -> Self {
        let held = Held::default();
        let device = Arc::clone(&held);
        let stranger = Stranger::answering(move |_, seen| answer(&device, seen).bytes());
        Self { held, stranger }
    }

    /// The writes that reached it and were signed as it wants them.
    fn writes(&self) -> Vec<Seen> {
        let mut seen = self.stranger.seen();
        seen.retain(|seen| seen.is_write() && is_signed(seen));
        seen
    }
}

fn is_signed(seen: &Seen) -> bool {
    let request = Request {
        method: &seen.method,
        target: &seen.target,
        body: &seen.body,
        timestamp: seen.header("x-timestamp").unwrap(),
        nonce: None,
    };
    request.sign(&Secret::parse(SECRET).unwrap()) == seen.signature()
}

fn answer(held: &Held, seen: &Seen) -> Reply {
    if !is_signed(seen) {
        return Reply::new(401, &json!({"error": "Invalid signature"}));
    }
    let mut held = held.lock().unwrap();
    let target = seen.target.split('?').next().unwrap();
    let done = |message: &str| Reply::new(200, &json!({"status": "success", "message": message}));
    match (seen.method.as_str(), target.strip_prefix("/v1/wg/wg0")) {
        ("GET", None) if target == "/v1/health" => Reply::new(200, &json!({"status": "ok"})),
        ("GET", Some("/dump")) => Reply::new(200, &dump(&held)),
        ("GET", Some("/config")) => Reply::new(
            200,
            &json!({"interface": "wg0", "config": {"public_key": key(1000), "address": "10.8.0.1/16"}}),
        ),
        ("POST", Some("/peers")) => {
            let peer: PeerSpec = serde_json::from_slice(&seen.body).unwrap();
            let config = PeerConfig {
                allowed_ips: peer.allowed_ips,
                persistent_keepalive: peer.persistent_keepalive.unwrap_or(0),
                preshared_key: peer.preshared_key,
            };
            match held.get(&peer.public_key) {
                Some(other) if *other != config => {
                    Reply::new(409, &json!({"error": "Peer exists", "code": "peer_exists"}))
                }
                _ => {
                    held.insert(peer.public_key, config);
                    done("Peer added successfully")
                }
            }
        }
        ("PUT", Some(path)) if path.starts_with("/peers/") => match held.get_mut(&key_of(path)) {
            Some(config) => {
                change(config, serde_json::from_slice(&seen.body).unwrap());
                done("Peer updated successfully")
            }
            None => Reply::new(
                404,
                &json!({"error": "No such peer", "code": "peer_unknown"}),
            ),
        },
        ("DELETE", Some(path)) if path.starts_with("/peers/") => {
            held.remove(&key_of(path));
            done("Peer removed successfully")
        }
        _ => Reply::new(404, &json!({"error": "Not found", "code": "not_found"})),
    }
}

fn key_of(path: &str) -> PublicKey {
    let text = path.strip_prefix("/peers/").unwrap();
    let text = text.replace('-', "+").replace('_', "/");
    PublicKey::parse(&format!("{text}=")).unwrap()
}

fn change(config: &mut PeerConfig, update: PeerUpdate) {
    if let Some(ips) = update.allowed_ips {
        config.allowed_ips = ips;
    }
    if let Some(keepalive) = update.persistent_keepalive {
        config.persistent_keepalive = keepalive.unwrap_or(0);
    }
    if let Some(psk) = update.preshared_key {
        config.preshared_key = psk;
    }
}

fn dump(held: &BTreeMap<PublicKey, PeerConfig>) -> Value {
    let peer = |(key, config): (&PublicKey, &PeerConfig)| {
        json!({"public_key": key, "endpoint": null, "allowed_ips": config.allowed_ips, "latest_handshake": null,
            "transfer_rx": 0, "transfer_tx": 0, "persistent_keepalive": config.persistent_keepalive,
            "has_preshared_key": config.preshared_key.is_some()})
    };
    json!({"interface": "wg0", "peers": held.iter().map(peer).collect::<Vec<_>>()})
}

#[tokio::test]
async fn an_agent_without_batches_is_told_of_each_peer_by_itself() {
    let controller = Running::start().await;
    let scene = Scene::new(controller.rows(), &controller.api, []).await;
    let plain = Plain::start();
    let node = json!({"name": "other-1", "agent_url": format!("http://{}", plain.stranger.address), "secret": SECRET,
        "legacy": true, "interface": {"name": "wg0", "network": "office", "endpoint": "vpn.example:51820"}});
    scene.api.post("/nodes", node).await.ok();
    scene
        .until(
            "SELECT count(*) FROM node_status WHERE reachability = 'online'",
            1,
        )
        .await;

    let ids = scene.peers(0..6).await;
    scene.until(BEHIND, 0).await;
    scene.api.delete(&format!("/peers/{}", ids[0])).await.ok();
    scene
        .api
        .post(&format!("/peers/{}/isolation", ids[1]), json!({}))
        .await
        .ok();
    scene
        .api
        .patch(
            &format!("/peers/{}", ids[2]),
            json!({"routes": ["192.168.7.0/24"]}),
        )
        .await
        .ok();
    scene
        .api
        .patch(
            &format!("/peers/{}", ids[3]),
            json!({"public_key": key(33)}),
        )
        .await
        .ok();

    let wanted = [(2, 2), (33, 1), (4, 1), (5, 1)].map(|(number, ips)| (key(number), ips));
    let wanted: BTreeMap<PublicKey, usize> = wanted.into();
    let held = || plain.held.lock().unwrap().clone();
    let sizes = || {
        held()
            .iter()
            .map(|(key, config)| (*key, config.allowed_ips.len()))
            .collect::<BTreeMap<_, _>>()
    };
    eventually("what the device holds", async || match sizes() {
        found if found == wanted => Ok(()),
        found => Err(format!("{found:?}")),
    })
    .await;
    scene.until(BEHIND, 0).await;
    for write in plain.writes() {
        let is_single =
            write.method != "PATCH" && !(write.method == "PUT" && write.target.ends_with("/peers"));
        assert!(is_single, "{write:?}");
    }

    // What nobody said is unknown, and who is told everything is not told again.
    let shown = scene.api.get("/nodes/1").await.ok();
    assert_eq!(shown["status"]["agent_version"], Value::Null);
    assert_eq!(shown["status"]["booted_at"], Value::Null);
    assert_eq!(shown["status"]["capabilities"], json!([]));
    let interface = &shown["interfaces"][0];
    assert_eq!(interface["public_key"], key(1000).to_string());
    assert_eq!(interface["sync"]["link"], Value::Null);
    assert_eq!(interface["sync"]["observed_generation"], Value::Null);
    scene.until(SETTLED, 1).await;
    let sent = plain.writes().len();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(plain.writes().len(), sent);
    let tested = scene.api.post("/nodes/1/test", json!({})).await.ok();
    assert_eq!(tested["learnt"]["peers"], 4);
    assert_eq!(tested["learnt"]["digest"], Value::Null);

    // A peer that somebody adds there is shown and left; one that the agent loses is missed and put back.
    let stranger = PeerConfig {
        allowed_ips: [Cidr::parse("10.8.200.1/32").unwrap()]
            .into_iter()
            .collect(),
        ..PeerConfig::default()
    };
    plain.held.lock().unwrap().insert(key(77), stranger);
    scene.until(UNKNOWN, 1).await;
    plain.held.lock().unwrap().remove(&key(77));
    scene.until(UNKNOWN, 0).await;
    plain.held.lock().unwrap().remove(&key(4));
    eventually("what the device holds", async || match sizes() {
        found if found == wanted => Ok(()),
        found => Err(format!("{found:?}")),
    })
    .await;
}

const SETTLED: &str = "SELECT count(*) FROM interface_sync WHERE settled_digest = observed_digest";

const UNKNOWN: &str = "SELECT unknown_peers::bigint FROM interface_sync";

const BEHIND: &str = "SELECT count(*) FROM interfaces JOIN interface_sync ON interface_id = id
    WHERE applied_generation <> desired_generation OR problem IS NOT NULL";
