//! A machine that trusts no authority, as one does on which nobody installed their certificates.

use serde_json::json;

use crate::agent_client::SECRET;
use crate::agent_client::stranger::{Stranger, plain};
use crate::agent_client::tls::{TlsNode, authority, issue, put};
use crate::cli_config::{all, run};
use crate::stage::{Agent, NO_AUTHORITY, QUICK, Scene, Served, eventually, fresh};

/// A node of that name at an HTTPS address.
fn secure(name: &str, node: &TlsNode) -> serde_json::Value {
    json!({"name": name, "agent_url": format!("https://{}", node.address), "secret": SECRET,
        "interface": {"name": "wg0", "network": "office", "endpoint": "vpn.example:51820"}})
}

#[tokio::test]
async fn a_controller_there_calls_agents_and_receivers_over_plain_http_and_believes_nobody_over_https()
 {
    let db = fresh().await;
    let mut controller = Served::start_with(&db.url, QUICK, NO_AUTHORITY).await;
    let api = controller.caller(&db.pool).await;
    let receiver = Stranger::answering(|_, _| plain(204, "", b""));
    let webhook = json!({"name": "one", "url": format!("http://{}/hook", receiver.address)});
    api.post("/webhooks", webhook).await.ok();
    let folder = tempfile::tempdir().unwrap();
    issue(&authority(), "127.0.0.1", folder.path());
    let stranger = TlsNode::start(folder.path(), None);

    let scene = Scene::new(&db.pool, &api, [Agent::within("fra-1")]).await;
    scene.peer(0).await;

    scene.converges().await;
    eventually("an event is delivered", async || {
        match receiver.seen().len() {
            0 => Err("none is".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
    let node = api.post("/nodes", secure("fra-2", &stranger)).await.ok();
    let test = format!("/nodes/{}/test", node["id"]);
    let tested = api.post(&test, json!({})).await.ok();
    assert_eq!(tested["checks"][0]["outcome"], "failed", "{tested:#}");
    let log = controller.kill();
    assert_eq!(
        log.matches("this machine trusts no authority").count(),
        2,
        "{log}"
    );
}

#[tokio::test]
async fn agents_whom_the_fleets_own_authority_vouches_for_are_believed_there() {
    let db = fresh().await;
    let folder = tempfile::tempdir().unwrap();
    let fleet = authority();
    issue(&fleet, "127.0.0.1", folder.path());
    let ca = folder.path().join("ca.pem");
    put(&ca, &fleet.pem());
    let node = TlsNode::start(folder.path(), None);
    let sections = format!("[agents]\nca_file = {ca:?}\n");
    let controller = Served::start_with(&db.url, &sections, NO_AUTHORITY).await;
    let api = controller.caller(&db.pool).await;
    let network = json!({"name": "office", "cidr_v4": "10.8.0.0/16"});
    api.post("/networks", network).await.ok();

    let made = api.post("/nodes", secure("fra-1", &node)).await.ok();

    let test = format!("/nodes/{}/test", made["id"]);
    let tested = api.post(&test, json!({})).await.ok();
    for (at, check) in ["reachable", "agent", "signature"].into_iter().enumerate() {
        let made = &tested["checks"][at];
        assert_eq!(
            (&made["check"], &made["outcome"]),
            (&json!(check), &json!("ok"))
        );
    }
}

#[tokio::test]
async fn commands_there_reach_a_controller_over_plain_http_or_with_a_named_authority() {
    let db = fresh().await;
    let controller = Served::start(&db.url, QUICK).await;
    let api = controller.caller(&db.pool).await;
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    put(&ca, &authority().pem());
    let me = |url: &str, more: &[&str]| {
        let key = [
            ("WGFLEET_URL", url),
            ("WGFLEET_API_KEY_ID", &*api.key_id),
            ("WGFLEET_API_SECRET", api.secret.reveal()),
        ];
        run(
            &[&["api", "GET", "/api/v1/me"], more].concat(),
            &[&key, NO_AUTHORITY].concat(),
        )
    };

    let plain = me(&controller.base(), &[]);
    assert_eq!(plain.status.code(), Some(0), "{plain:?}");
    // Nobody is there who speaks TLS.
    let https = controller.base().replace("http:", "https:");
    let nobody = me(&https, &[]);
    assert_eq!(nobody.status.code(), Some(1), "{nobody:?}");
    assert!(all(&nobody).contains("No CA certificates"), "{nobody:?}");
    let named = me(&https, &["--ca-file", ca.to_str().unwrap()]);
    assert_eq!(named.status.code(), Some(3), "{named:?}");
}
