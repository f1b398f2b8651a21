//! `wgfleet nodes acknowledge-key`: the new key of an interface, seen by somebody.

use super::{fails, furnished, json_of, text, wgfleet};

const KEY: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const FORMER: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=";

#[tokio::test]
async fn a_new_key_degrades_the_fleet_until_it_is_acknowledged_by_name() {
    let stage = furnished().await;
    stage
        .sql("UPDATE interfaces SET former_public_key = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=', key_changed_at = now()")
        .await;

    let status = wgfleet(&stage, &["status"]);
    assert_eq!(status.status.code(), Some(1), "{status:?}");
    let said = super::out(&status);
    assert!(
        said.contains("1 interface has another key than peers were told"),
        "{said}"
    );
    assert!(text(&stage, &["nodes", "show", "fra-1"]).contains(FORMER));
    let refused = fails(&stage, &["nodes", "acknowledge-key", "fra-1/wg0", FORMER]);
    assert!(refused.contains("another key"), "{refused}");

    let shown = json_of(&stage, &["nodes", "acknowledge-key", "fra-1/wg0", KEY]);

    assert!(shown["key_change"].is_null(), "{shown}");
    assert_eq!(text(&stage, &["status"]).lines().next(), Some("ok"));
}
