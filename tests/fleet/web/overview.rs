//! What the overview counts: the same as the menu around it, whichever thread answers.

use controller::domain::role::Role;
use serde_json::json;

use crate::stage::{Running, Visitor};

#[tokio::test]
async fn what_was_just_made_is_on_the_very_next_overview_by_every_thread() {
    let stage = Running::start().await;
    // Each has a connection of its own, and connections go to the threads in turn.
    let mut visitors = Vec::new();
    for name in ["ada", "ben", "cyd", "dan"] {
        visitors.push(Visitor::signed_in(&stage, name, Role::Viewer).await);
    }

    for number in 1..=3 {
        let name = format!("pool-{number}");
        stage.api.post("/pools", json!({"name": name})).await.ok();
        for visitor in &mut visitors {
            let page = visitor.get("/").await;
            assert!(page.has(&format!(">{name}</a>")), "{}", page.text);
            let menu = format!("href=\"/pools\">Pools <span>{number}</span>");
            assert!(page.has(&menu), "{}", page.text);
        }
    }
}
