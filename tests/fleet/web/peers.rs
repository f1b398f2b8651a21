//! Peers at a browser: found, made, shown, changed and deleted, one by one and many at once.

mod many;
mod moving;
mod order;
mod rights;
mod sessions;

use controller::domain::role::Role;
use serde_json::json;

use crate::peers::bed;
use crate::stage::{Page, Running, Visitor, eventually, key, peer};

const PEERS: &str = "SELECT count(*) FROM peers";
const DISABLED: &str = "SELECT count(*) FROM peers WHERE NOT enabled";

/// So many peers on one node, and somebody who may change them.
async fn with_peers(count: u32) -> (Running, Visitor) {
    let stage = bed().await;
    let drafts: Vec<_> = (1..=count).map(peer).collect();
    if !drafts.is_empty() {
        stage.api.post("/peers/bulk", json!(drafts)).await.ok();
    }
    let ada = Visitor::signed_in(&stage, "ada", Role::Operator).await;
    (stage, ada)
}

/// The names in the rows of a list.
fn listed(page: &Page) -> Vec<&str> {
    let rows = page.text.split("<tr role=\"row\" id=\"peer-").skip(1);
    rows.map(|row| {
        let begin = row.find("scope=\"row\"><a href=").unwrap();
        let rest = &row[begin + 12..];
        let begin = rest.find('>').unwrap() + 1;
        &rest[begin..rest.find("</a>").unwrap()]
    })
    .collect()
}

fn field(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

fn csrf(page: &Page, action: &str) -> (String, String) {
    let form = page.form(action);
    form.into_iter().find(|(name, _)| name == "csrf").unwrap()
}

#[tokio::test]
async fn a_list_shows_where_peers_are_and_what_was_seen_and_is_found_by_what_is_typed() {
    let (stage, mut ada) = with_peers(3).await;
    let failed = "SELECT count(*) FROM interface_sync WHERE problem IS NOT NULL";
    eventually("an attempt at a node that is none", async || {
        let found = stage.count(failed).await;
        if found == 1 {
            Ok(())
        } else {
            Err(found.to_string())
        }
    })
    .await;
    stage
        .sql(
            "UPDATE peers SET tags = '{lab}' WHERE id = 2; UPDATE peers SET owner_id = 1 WHERE id = 3;
             UPDATE peers SET isolated_at = now() WHERE id = 1;
             UPDATE interface_sync SET link = 'up', observed_at = now(), applied_generation = 1000,
                problem = NULL, next_attempt_at = now() + interval '1 day';
             INSERT INTO observations (interface_id, public_key, peer_id, endpoint, handshake_at, rx_total)
             SELECT interface_id, public_key, peers.id, '198.51.100.7:4711', now() - interval '41 seconds', 1500000
             FROM peers JOIN placements ON peer_id = peers.id WHERE peers.id = 2;
             INSERT INTO peer_sessions (peer_id, interface_id, node_id, node_name, public_key, connected_at, rx_from, tx_from)
             SELECT peer_id, interface_id, 1, 'fra-1', public_key, handshake_at, 0, 0 FROM observations WHERE peer_id = 2",
        )
        .await;

    let all = ada.get("/peers").await;

    assert_eq!(listed(&all), ["peer-1", "peer-2", "peer-3"]);
    assert!(
        all.has("aria-label=\"reachable, interface up, in sync, carrying traffic\""),
        "{}",
        all.text
    );
    assert!(
        all.has("<span class=\"tag bad\">Isolated</span>")
            && all.has("1.50\u{202f}MB")
            && all.has(">fra-1</a>")
    );
    for (query, expected) in [
        ("q=eer-2", vec!["peer-2"]),
        ("q=lab", vec!["peer-2"]),
        ("q=ada", vec!["peer-3"]),
        ("q=10.8.0.3", vec!["peer-3"]),
        ("q=10.8.", vec!["peer-1", "peer-2", "peer-3"]),
        ("q=10.9.", vec![]),
        ("state=online", vec!["peer-2"]),
        ("state=isolated", vec!["peer-1"]),
        ("state=waiting", vec![]),
        ("node=1", vec!["peer-1", "peer-2", "peer-3"]),
        ("pool=7", vec![]),
        ("q=%25", vec![]),
    ] {
        let page = ada.get(&format!("/peers/rows?{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        assert_eq!(listed(&page), expected, "{query}");
    }
}

#[tokio::test]
async fn a_list_goes_on_where_the_page_before_ended_and_says_what_is_empty() {
    let (_stage, mut ada) = with_peers(53).await;

    let first = ada.get("/peers?state=waiting").await;

    assert_eq!(listed(&first).len(), 50);
    let next = first.text.split("rel=\"next\" href=\"").nth(1).unwrap();
    let next = next
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    let rest = ada.get(&next).await;
    assert_eq!(listed(&rest), ["peer-51", "peer-52", "peer-53"]);
    let none = ada.get("/peers?q=nobody").await;
    assert!(none.has("No peer matches") && none.has("Clear the filter"));
    ada.language = "fr";
    let (_stage, mut eva) = with_peers(0).await;
    eva.language = "fr";
    assert!(eva.get("/peers").await.has("Pas encore de pair"));
    assert!(ada.get("/peers/1").await.has("Supprimer le pair"));
}

#[tokio::test]
async fn a_key_of_the_device_leads_to_a_text_with_a_place_for_the_private_one() {
    let (stage, mut ada) = with_peers(0).await;
    let form = ada.get("/peers/new").await;

    let made = ada
        .send(
            &form,
            "/peers",
            &[
                ("name", "laptop"),
                ("key", "pasted"),
                ("public_key", &key(7).to_string()),
                ("tags", "lab, second floor"),
                ("owner", "ada"),
                ("mode", "full"),
            ],
        )
        .await;

    assert_eq!(
        (made.status, made.path.as_str()),
        (200, "/peers/1/config?mode=full")
    );
    assert!(
        made.has("# PrivateKey = put the private key of this device here") && made.has("0.0.0.0/0")
    );
    assert!(made.has("laptop was created") && made.has("<svg viewBox"));
    let shown = stage.api.get("/peers/1").await.ok();
    assert_eq!(shown["tags"], json!(["lab", "second floor"]));
    assert_eq!(
        (&shown["owner"], &shown["configs"][0]["mode"]),
        (&json!(1), &json!("full"))
    );
    let page = ada.get("/peers/1").await;
    assert!(
        page.has("laptop") && page.has("lowest load for its weight") && page.has("peer.create")
    );
    assert!(
        !page.has("PresharedKey"),
        "a page that only shows a peer hands nothing out"
    );
}

#[tokio::test]
async fn a_key_that_was_made_here_is_shown_in_the_answer_and_never_again() {
    let (stage, mut ada) = with_peers(0).await;
    let form = ada.get("/peers/new").await;

    let made = ada
        .send(&form, "/peers", &[("name", "phone"), ("key", "controller")])
        .await;

    assert_eq!((made.status, made.path.as_str()), (201, "/peers"));
    assert_eq!(made.headers["cache-control"], "no-store");
    let line = made.text.split("PrivateKey = ").nth(1).unwrap();
    let private = &line[..44];
    assert!(made.has("shown this once") && private.ends_with('='));
    for path in ["/peers/1", "/peers/1/config", "/peers/1/edit"] {
        assert!(!ada.get(path).await.has(private), "{path}");
    }
    let kept = sqlx::query_scalar(
        "SELECT count(*) FROM audit_log, events WHERE after LIKE '%' || $1 || '%' OR data::text LIKE '%' || $1 || '%'",
    );
    let kept: i64 = kept.bind(private).fetch_one(stage.rows()).await.unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn a_form_that_is_wrong_comes_back_with_what_was_written_and_makes_nothing() {
    let (stage, mut ada) = with_peers(1).await;
    let form = ada.get("/peers/new").await;
    for (fields, told) in [
        (
            vec![("name", "not a name"), ("key", "controller")],
            "id=\"e-name\"",
        ),
        (
            vec![("name", "peer-1"), ("key", "controller")],
            "This name is taken already.",
        ),
        (
            vec![("name", "kept"), ("key", "pasted")],
            "paste the public key",
        ),
        (
            vec![
                ("name", "kept"),
                ("key", "pasted"),
                ("public_key", "nonsense"),
            ],
            "id=\"e-public_key\"",
        ),
        (
            vec![("name", "kept"), ("owner", "nobody")],
            "is not the name of a user",
        ),
        (
            vec![("name", "kept"), ("expires_at", "2020-01-01T00:00")],
            "is past",
        ),
        (
            vec![("name", "kept"), ("address_v4", "10.9.0.1")],
            "10.9.0.1",
        ),
    ] {
        let refused = ada.send(&form, "/peers", &fields).await;

        assert_eq!(refused.status, 422, "{fields:?}");
        assert!(refused.has(told), "{fields:?}: {}", refused.text);
        assert!(refused.has(&format!("value=\"{}\"", fields[0].1)));
    }
    assert_eq!(stage.count(PEERS).await, 1);
}

#[tokio::test]
async fn a_change_tells_nodes_only_what_concerns_them_and_one_from_an_old_page_is_refused() {
    let (stage, mut ada) = with_peers(1).await;
    let generation = "SELECT max(desired_generation) FROM interfaces";
    let before = stage.count(generation).await;
    let old = ada.get("/peers/1/edit").await;

    let saved = ada
        .send(
            &old,
            "/peers/1",
            &[("name", "renamed"), ("tags", "a"), ("notes", "on the roof")],
        )
        .await;

    assert_eq!((saved.status, saved.path.as_str()), (200, "/peers/1"));
    assert!(saved.has("renamed") && saved.has("on the roof"));
    assert_eq!(stage.count(generation).await, before);
    let late = ada.send(&old, "/peers/1", &[("name", "other")]).await;
    assert_eq!(late.status, 422);
    assert!(late.has("Somebody changed it meanwhile"), "{}", late.text);
    let garbled = [("name", "other"), ("version", "last")];
    let garbled = ada.send(&old, "/peers/1", &garbled).await;
    assert_eq!(garbled.status, 422, "{}", garbled.text);
    assert_eq!(stage.api.get("/peers/1").await.ok()["name"], "renamed");
}

#[tokio::test]
async fn a_peer_is_isolated_released_disabled_and_deleted_after_a_page_that_says_what_that_means() {
    let (stage, mut ada) = with_peers(1).await;
    let page = ada.get("/peers/1").await;

    let page = ada.send(&page, "/peers/1/isolate", &[]).await;
    assert!(page.has("<span class=\"tag bad\">Isolated</span>"));
    assert!(ada.get("/peers/1/config").await.has("The peer is isolated"));
    let page = ada.send(&page, "/peers/1/release", &[]).await;
    let page = ada.send(&page, "/peers/1/disable", &[]).await;
    assert!(page.has("<span class=\"tag off\">Disabled</span>"));
    assert_eq!(stage.count(DISABLED).await, 1);
    ada.send(&page, "/peers/1/enable", &[]).await;
    assert_eq!(stage.count(DISABLED).await, 0);

    let ask = ada.get("/peers/1/delete").await;
    assert!(ask.has("Delete peer-1?") && ask.has("held back for 1\u{202f}d") && ask.has("fra-1"));
    assert_eq!(stage.count(PEERS).await, 1);
    let list = ada.send(&ask, "/peers/1/delete", &[]).await;
    assert_eq!(list.path, "/peers");
    assert!(list.has("peer-1 was deleted") && list.has("No peers yet"));
    assert_eq!(ada.get("/peers/1").await.status, 404);
}

#[tokio::test]
async fn an_old_configuration_is_told_of() {
    let (stage, mut ada) = with_peers(1).await;
    ada.get("/peers/1/config").await;
    assert!(!ada.get("/peers/1/stale").await.has("Stale"));

    stage
        .sql("UPDATE interfaces SET endpoint_host = 'elsewhere.example'")
        .await;

    assert!(ada.get("/peers/1/stale").await.has("Stale configuration"));
    ada.get("/peers/1").await;
    assert!(
        ada.get("/peers/1/stale").await.has("Stale configuration"),
        "looking at a peer hands nothing out"
    );
}

#[tokio::test]
async fn traffic_is_drawn_and_told_in_a_table() {
    let (stage, mut ada) = with_peers(1).await;
    let empty = ada.get("/peers/1/traffic").await;
    assert!(empty.has("No traffic was measured"));

    stage
        .sql(
            "INSERT INTO samples_hour (at, interface_id, peer_id, rx, tx)
             SELECT date_bin('1 hour', now(), 'epoch') - interval '2 hours', interface_id, peer_id, 450000000, 1000 FROM placements",
        )
        .await;

    let page = ada.get("/peers/1/traffic?over=week").await;
    assert!(
        page.has("At most 1.00\u{202f}Mbit/s received") && page.has("450\u{202f}MB"),
        "{}",
        page.text
    );
}
