//! When a peer was in touch with which node, as its page and the list behind it show it.

use controller::domain::role::Role;

use super::with_peers;
use crate::stage::{Page, Running, Visitor};

/// Sessions of peer 1 that ended: the first one hour ago, each other an hour before, and so many hours long.
async fn ended(stage: &Running, count: u32) {
    let insert = sqlx::query(
        "INSERT INTO peer_sessions (peer_id, interface_id, node_id, node_name, public_key, endpoint, connected_at,
             rx_from, tx_from, disconnected_at, rx, tx)
         SELECT 1, 1, 1, 'old-name', 'k', '198.51.100.' || n || ':4711', now() - interval '2 hours' * ($1 - n + 1), 0, 0,
             now() - interval '2 hours' * ($1 - n + 1) + interval '72 minutes', 4800000000, 900000000
         FROM generate_series(1, $1) AS n ORDER BY n",
    );
    let count = i32::try_from(count).unwrap();
    insert.bind(count).execute(stage.rows()).await.unwrap();
}

/// The places that the rows of the table begin from.
fn endpoints(page: &Page) -> Vec<&str> {
    let rows = page.text.split("<code>198.51.100.").skip(1);
    rows.map(|row| row.split(':').next().unwrap()).collect()
}

fn plain(page: &Page) -> String {
    page.text.replace('\u{202f}', " ")
}

#[tokio::test]
async fn a_peer_that_was_never_there_has_no_sessions_and_no_way_to_more() {
    let (_stage, mut ada) = with_peers(1).await;

    let page = ada.get("/peers/1").await;
    let list = ada.get("/peers/1/sessions").await;

    assert!(page.has("None was seen yet.") && list.has("None was seen yet."));
    assert!(!page.has("href=\"/peers/1/sessions\"") && !list.has("class=\"pager\""));
    assert_eq!(list.status, 200);
    let nowhere = ada.get("/peers/2/sessions").await;
    assert_eq!(nowhere.status, 404);
}

#[tokio::test]
async fn the_newest_are_on_the_page_of_the_peer_and_the_rest_behind_a_link() {
    let (stage, mut ada) = with_peers(1).await;
    ended(&stage, 7).await;

    let page = ada.get("/peers/1").await;

    assert_eq!(endpoints(&page), ["7", "6", "5", "4", "3"]);
    assert!(page.has("<a href=\"/peers/1/sessions\">All 7</a>"));
    let text = plain(&page);
    assert!(
        text.contains("1 h 12 min") && text.contains("4.80 GB"),
        "{text}"
    );
    assert!(page.has(">fra-1</a>") && !page.has("old-name"));
    let all = ada.get("/peers/1/sessions").await;
    assert_eq!(endpoints(&all), ["7", "6", "5", "4", "3", "2", "1"]);
    ada.language = "fr";
    let french = ada.get("/peers/1").await;
    assert!(french.has("Toutes les 7") && french.has("Durée"));
    assert!(ada.get("/peers/1/sessions").await.has("Sessions de peer-1"));
}

#[tokio::test]
async fn many_sessions_come_page_by_page_and_the_api_tells_the_same() {
    let (stage, mut ada) = with_peers(1).await;
    ended(&stage, 53).await;

    let first = ada.get("/peers/1/sessions").await;
    let next = first.text.split("rel=\"next\" href=\"").nth(1).unwrap();
    let rest = ada.get(next.split('"').next().unwrap()).await;

    assert_eq!(endpoints(&first).len(), 50);
    assert_eq!(endpoints(&rest), ["3", "2", "1"]);
    assert!(rest.has("First page") && !rest.has("rel=\"next\""));
    let api = stage.api.get("/peers/1/sessions").await.ok();
    let cursor = api["next"].as_str().unwrap();
    let path = format!("/peers/1/sessions?limit=2&cursor={cursor}");
    let told = stage.api.get(&path).await.ok();
    let ids = |items: &serde_json::Value| -> Vec<i64> {
        let items = items.as_array().unwrap().iter();
        items.map(|one| one["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&told["items"]), [3, 2]);
    assert_eq!(told["items"][0]["seconds"], 72 * 60);
    let broken = ada.get("/peers/1/sessions?cursor=nonsense").await;
    assert_eq!(broken.status, 422);
}

#[tokio::test]
async fn an_open_session_is_open_while_its_node_answers_and_unknown_while_it_does_not() {
    let (stage, mut ada) = with_peers(1).await;
    let says = async |reachability: &str| {
        sqlx::query(
            "UPDATE node_status SET reachability = $1, leased_until = NULL, next_poll_at = now() + interval '1 day'",
        )
        .bind(reachability)
        .execute(stage.rows())
        .await
        .unwrap();
    };
    stage
        .sql(
            "UPDATE interface_sync SET observed_at = now() - interval '5 minutes';
             INSERT INTO observations (interface_id, public_key, peer_id, handshake_at, rx_total, tx_total)
             SELECT 1, public_key, id, now(), 1500, 90 FROM peers;
             INSERT INTO peer_sessions (peer_id, interface_id, node_id, node_name, public_key, connected_at, rx_from, tx_from)
             SELECT id, 1, 1, 'fra-1', public_key, now() - interval '125 minutes', 500, 90 FROM peers;",
        )
        .await;

    says("online").await;
    let open = ada.get("/peers/1").await;
    says("offline").await;
    let unknown = ada.get("/peers/1").await;
    ada.language = "fr";
    let french = ada.get("/peers/1/sessions").await;

    assert!(
        plain(&open).contains("2 h 5 min, still open"),
        "{}",
        open.text
    );
    assert!(plain(&open).contains("1.00 kB <span class=\"soft\">/ 0 B</span>"));
    assert!(unknown.has("Unknown for <time") && unknown.has("its node does not answer"));
    assert!(!unknown.has("still open"));
    assert!(french.has("Inconnue depuis <time") && french.has("son nœud ne répond pas"));
}

#[tokio::test]
async fn who_may_not_see_a_peer_sees_nothing_of_its_sessions() {
    let (stage, _) = with_peers(1).await;
    ended(&stage, 1).await;
    stage
        .api
        .post(
            "/networks",
            serde_json::json!({"name": "lab", "cidr_v4": "10.99.0.0/24"}),
        )
        .await
        .ok();
    let mut eva = Visitor::signed_in(&stage, "eva", Role::Viewer).await;
    assert_eq!(endpoints(&eva.get("/peers/1/sessions").await), ["1"]);
    stage
        .sql("UPDATE users SET reach = 'network', reach_network_id = (SELECT id FROM networks WHERE name = 'lab') WHERE name = 'eva'")
        .await;

    let refused = eva.get("/peers/1/sessions").await;

    assert_eq!(refused.status, 404);
    assert_eq!(endpoints(&refused), Vec::<&str>::new());
}
