//! `peers move`, as a person runs it.

use serde_json::json;

use super::{all, fails, json_of, wgfleet};
use crate::peers::bed_of;
use crate::stage::peer;

#[tokio::test]
async fn a_peer_is_moved_by_name_tried_first_and_told_why_not() {
    let stage = bed_of(&["fra-1", "fra-2"]).await;
    let pool = json!({"name": "north", "members": [2]});
    stage.api.post("/pools", pool).await.ok();
    let mut body = peer(1);
    body["node"] = json!("fra-1");
    stage.api.post("/peers", body).await.ok();
    let on_second = "SELECT count(*) FROM placements WHERE interface_id = 2";

    let to_pool = ["peers", "move", "peer-1", "--pool", "north"];
    let tried = json_of(&stage, &[&to_pool[..], &["--dry-run"]].concat());
    assert_eq!(tried["placements"][0]["node_name"], "fra-2");
    assert_eq!(stage.count(on_second).await, 0);
    let moved = json_of(&stage, &to_pool);
    assert_eq!(moved["placements"][0]["node_name"], "fra-2");
    let refused = fails(&stage, &["peers", "move", "peer-1", "--node", "fra-1"]);
    assert!(
        refused.contains("fra-1 is no member of pool north"),
        "{refused}"
    );
    let back = ["peers", "move", "peer-1", "--pool", "", "--node", "fra-1"];
    assert_eq!(json_of(&stage, &back)["pool"], json!(null));

    let nowhere = wgfleet(&stage, &["peers", "move", "peer-1"]);
    assert_eq!(nowhere.status.code(), Some(2), "{}", all(&nowhere));
}
