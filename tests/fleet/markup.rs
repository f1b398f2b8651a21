//! Every page is valid HTML: parsed by the letter of the standard without a fault, each element where it may stand, ids
//! unique and pointed at rightly.

mod rules;

use controller::domain::role::Role;
use serde_json::json;

use crate::matrix::{furnished, shown};
use crate::stage::{Page, Running, Visitor};
use rules::faults;

/// All that is wrong with what somebody is shown; whether it was a page at all.
fn check(page: &Page, faulty: &mut Vec<String>) -> bool {
    let kind = page.headers.get("content-type");
    let is_html = kind.is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"));
    if !is_html || page.text.is_empty() {
        return false;
    }
    for fault in faults(&page.text) {
        faulty.push(format!("{} ({}): {fault}", page.path, page.status));
    }
    true
}

async fn look_at_all(ada: &mut Visitor, more: &[&str]) {
    let (mut faulty, mut checked) = (Vec::new(), 0);
    let mut paths = shown();
    paths.extend(more.iter().map(|path| (*path).to_owned()));
    for path in paths {
        checked += usize::from(check(&ada.get_only(&path).await, &mut faulty));
    }
    assert!(checked > 50, "{checked}");
    assert!(faulty.is_empty(), "{}", faulty.join("\n"));
}

#[tokio::test]
async fn pages_with_much_on_them_are_valid() {
    let stage = furnished().await;
    stage
        .sql(
            "UPDATE nodes SET enabled = true;
             UPDATE node_status SET reachability = 'error', problem = 'timeout', problem_text = 'x', good_at = now();
             UPDATE interfaces SET public_key = 'CgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
                former_public_key = 'CwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', key_changed_at = now();
             UPDATE peers SET tags = '{a,b}', notes = 'x', owner_id = 1, isolated_at = now();
             INSERT INTO observations (interface_id, public_key, endpoint, handshake_at) VALUES
                (1, 'CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', '198.51.100.7:4711', now());
             INSERT INTO observations (interface_id, public_key, peer_id, endpoint, handshake_at, rx_total) VALUES
                (1, 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', 1, '198.51.100.8:4711', now(), 4711)",
        )
        .await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    let more = [
        "/users/2",
        "/search?q=o",
        "/search/found?q=te",
        "/peers?q=nobody",
        "/nowhere",
        "/peers/999",
        "/nodes/1?range=week",
        "/api/docs",
    ];
    look_at_all(&mut ada, &more).await;
    ada.language = "fr";
    look_at_all(&mut ada, &more).await;
}

#[tokio::test]
async fn pages_with_nothing_on_them_are_valid() {
    let stage = Running::start().await;
    let mut faulty = Vec::new();
    let mut stranger = Visitor::new(&stage);
    for path in ["/setup", "/login", "/login/code", "/login?next=%2Fpeers"] {
        check(&stranger.get(path).await, &mut faulty);
    }
    assert!(faulty.is_empty(), "{}", faulty.join("\n"));
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    look_at_all(&mut ada, &[]).await;
}

#[tokio::test]
async fn pages_for_those_who_may_little_are_valid() {
    let stage = furnished().await;
    let mut eva = Visitor::signed_in(&stage, "eva", Role::Viewer).await;

    look_at_all(&mut eva, &[]).await;
}

#[tokio::test]
async fn forms_that_come_back_with_what_was_wrong_are_valid() {
    let stage = furnished().await;
    stage
        .api
        .patch("/nodes/1", json!({"notes": "x"}))
        .await
        .ok();
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    let (mut faulty, mut refused) = (Vec::new(), 0);
    let mut paths = shown();
    paths.retain(|path| path != "/audit/export");

    for path in paths {
        let page = ada.get_only(&path).await;
        for action in page.actions() {
            let fields = page.written(&action);
            let wrong: Vec<(&str, &str)> = fields
                .iter()
                .map(|field| (field.as_str(), "a \" < b"))
                .collect();
            if wrong.is_empty() {
                continue;
            }
            let answer = ada.send_only(&page, &action, &wrong).await;
            refused += usize::from(answer.status == 422);
            check(&answer, &mut faulty);
        }
    }

    assert!(refused > 8, "{refused}");
    assert!(faulty.is_empty(), "{}", faulty.join("\n"));
}

#[test]
fn what_is_wrong_is_found() {
    let page = |main: &str| {
        format!(
            "<!doctype html><html lang=\"en\"><head><title>x</title></head><body><main><h1>x</h1>{main}</main></body></html>"
        )
    };
    assert_eq!(faults(&page("<p>x</p><ul><li>x</li></ul>")), [""; 0]);
    for wrong in [
        "<p><div>x</div></p>",
        "<span><div>x</div></span>",
        "<ul><div>x</div></ul>",
        "<div><li>x</li></div>",
        "<a href=\"/x\"><button>x</button></a>",
        "<button><a href=\"/x\">x</a></button>",
        "<i id=\"x\"></i><i id=\"x\"></i>",
        "<label for=\"nowhere\">x</label>",
        "<p class=\"x\" class=\"y\">x</p>",
        "<p>x & y &nosuch; < z</p><b>",
        "<div/>x",
        "<table><tr><div>x</div></tr></table>",
        "<p style=\"color: red\">x</p>",
        "<img src=\"/x\">",
        "<h1>y</h1>",
        "</div>",
        "<form><form></form></form>",
    ] {
        assert_ne!(faults(&page(wrong)), [""; 0], "{wrong}");
    }
}
