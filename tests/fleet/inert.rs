//! Texts that would be markup or a script, were a page to take them for that: in every column that holds a text, in
//! every field of every form, and in what a browser sends of itself. Wherever they are shown, they are shown as text.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use controller::domain::role::Role;
use serde_json::json;
use sqlx::{AssertSqlSafe, Row};

use crate::matrix::{furnished, shown};
use crate::stage::{PHRASE, Page, Running, Visitor};

/// Ends whatever a text may stand in, and begins an element that no page has.
const BREAKS_OUT: &str = "</script></title></textarea>--><x-ss onclick=alert(1)>\"'><x-ss>{{7*7}}";

/// What only the controller writes, and reads back as words of its own.
const OWN_WORDS: [&str; 17] = [
    "api_keys.key_id",
    "data_keys.master_id",
    "idempotency_keys.key",
    "idempotency_keys.principal",
    "interface_sync.cursor",
    "interface_sync.expected_digest",
    "interface_sync.leased_by",
    "interface_sync.observed_digest",
    "interface_sync.settled_digest",
    "node_secrets.key_id",
    "node_status.leased_by",
    "observations.public_key",
    "interfaces.public_key",
    "users.password_hash",
    "users.time_zone",
    "sign_in_steps.kind",
    "interface_sync.problem",
];

/// Where people look for what others wrote, so that the test knows its texts are shown at all.
const SURELY_SHOWN: [&str; 18] = [
    "api_keys.name",
    "interface_sync.problem_text",
    "networks.domain_suffix",
    "networks.name",
    "node_status.problem_text",
    "nodes.agent_url",
    "nodes.name",
    "nodes.notes",
    "nodes.region",
    "passkeys.name",
    "peers.name",
    "peers.notes",
    "peers.tags",
    "pools.description",
    "pools.name",
    "reserved_ranges.reason",
    "sessions.user_agent",
    "users.name",
];

#[track_caller]
fn is_inert(page: &Page) {
    let text = &page.text;
    let at = text
        .find("<x-ss")
        .or_else(|| text.find("onclick=alert(1)>"));
    let around = at.map(|at| text.get(at.saturating_sub(300)..at + 60));
    assert_eq!(around, None, "{}", page.path);
    assert!(!text.contains("</script></title>"), "{}", page.path);
    assert!(!text.contains("javascript:"), "{}: {text}", page.path);
}

/// Writes a text that breaks out, with the name of its column, into every text that the database takes it for.
async fn poison(stage: &Running, user: i64) -> BTreeSet<String> {
    let columns = sqlx::query(
        "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
         JOIN information_schema.tables USING (table_schema, table_name)
         WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name NOT LIKE '\\_%'
             AND (data_type = 'text' OR udt_name = '_text')",
    )
    .fetch_all(stage.rows())
    .await
    .unwrap();
    let mut taken = BTreeSet::new();
    for column in columns {
        let [table, column, kind]: [String; 3] = [0, 1, 2].map(|at| column.get(at));
        let name = format!("{table}.{column}");
        if OWN_WORDS.contains(&name.as_str()) {
            continue;
        }
        let value = match kind.as_str() {
            "text" => "$1 || ctid::text",
            _ => "ARRAY[$1 || ctid::text]",
        };
        let only = match table.as_str() {
            "users" => format!("WHERE id <> {user}"),
            _ => String::new(),
        };
        let statement = format!("UPDATE {table} SET {column} = {value} {only}");
        let text = format!("{BREAKS_OUT} of={name} ");
        // What a constraint refuses can stand nowhere.
        let done = sqlx::query(AssertSqlSafe(statement)).bind(text);
        if done
            .execute(stage.rows())
            .await
            .is_ok_and(|done| done.rows_affected() > 0)
        {
            taken.insert(name);
        }
    }
    taken
}

#[tokio::test]
async fn whatever_a_row_holds_stands_on_pages_as_text() {
    let stage = furnished().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    let profile = "INSERT INTO passkeys (user_id, name, credential_id, credential, created_at)
        SELECT id, 'mine', '\\x02', '{}', now() FROM users WHERE name = 'ada';
        INSERT INTO observations (interface_id, public_key, endpoint) VALUES
            (1, 'CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', '198.51.100.7:4711');
        UPDATE interface_sync SET problem = 'refused', problem_text = 'x';
        UPDATE node_status SET problem = 'timeout', problem_text = 'x'";
    stage.sql(profile).await;
    let user = stage.count("SELECT id FROM users WHERE name = 'ada'").await;
    let taken = poison(&stage, user).await;
    assert!(taken.len() > 30, "{taken:?}");

    let (mut seen, mut failed) = (BTreeSet::new(), Vec::new());
    let mut paths = shown();
    paths.push(format!("/users/{user}"));
    paths.push("/search?q=x-ss".to_owned());
    for path in paths {
        let page = ada.get_only(&path).await;
        is_inert(&page);
        failed.extend((page.status >= 500).then_some(path));
        let named = taken
            .iter()
            .filter(|name| page.has(&format!(" of={name} ")));
        seen.extend(named.cloned());
    }

    // Nobody is handed a configuration that is made of such a row.
    assert_eq!(failed, ["/peers/1/config"]);
    let unseen: Vec<&str> = SURELY_SHOWN
        .into_iter()
        .filter(|name| !seen.contains(*name))
        .collect();
    assert_eq!(unseen, [""; 0], "{seen:?}");
}

#[tokio::test]
async fn every_form_takes_such_a_text_as_text_or_says_what_is_wrong_with_it() {
    let stage = furnished().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    let (mut sent, mut refused) = (0, 0);
    let mut paths = shown();
    paths.retain(|path| path != "/audit/export");

    for path in &paths {
        let page = ada.get_only(path).await;
        for action in page.actions() {
            let fields = page.written(&action);
            if fields.is_empty() || action.starts_with("/profile/sessions") {
                continue;
            }
            let filled: Vec<(&str, &str)> = fields
                .iter()
                .map(|field| (field.as_str(), BREAKS_OUT))
                .collect();
            let answer = ada.send_only(&page, &action, &filled).await;
            assert!(answer.status < 500, "{action}: {}", answer.text);
            is_inert(&answer);
            sent += 1;
            refused += usize::from(answer.status == 422);
            // What was done is told on the next page.
            is_inert(&ada.get("/").await);
        }
    }
    assert!(sent > 15 && refused > 8, "{sent} {refused}");

    for path in &paths {
        is_inert(&ada.get_only(path).await);
    }
}

#[tokio::test]
async fn texts_without_rules_are_taken_by_the_api_and_shown_as_text() {
    let stage = furnished().await;
    let api = &stage.api;
    let text = BREAKS_OUT;
    api.patch("/nodes/1", json!({"notes": text})).await.ok();
    api.patch("/pools/1", json!({"description": text}))
        .await
        .ok();
    api.patch("/peers/1", json!({"notes": text, "tags": ["<x-ss>"]}))
        .await
        .ok();
    let reserved = json!({"prefix": "10.8.7.0/28", "reason": text});
    api.post("/networks/1/reservations", reserved).await.ok();
    for (path, draft) in [
        ("/networks/1", json!({"name": text})),
        ("/networks/1", json!({"domain_suffix": text})),
        ("/nodes/1", json!({"name": text})),
        ("/nodes/1", json!({"agent_url": "javascript:alert(1)"})),
        ("/nodes/1", json!({"region": text})),
        ("/pools/1", json!({"name": text})),
        ("/peers/1", json!({"name": text})),
        ("/interfaces/1", json!({"name": text})),
        ("/interfaces/1", json!({"endpoint": text})),
        ("/users/1", json!({"name": text})),
        ("/webhooks/1", json!({"url": "javascript:alert(1)"})),
    ] {
        let answer = api.patch(path, draft.clone()).await;
        assert!(
            [400, 422].contains(&answer.status),
            "{path} {draft}: {}",
            answer.text
        );
    }
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;

    for (path, escaped) in [
        ("/nodes/1/edit", "x-ss onclick=alert(1)&#62;"),
        ("/pools/1", "x-ss onclick=alert(1)&#62;"),
        ("/peers/1", "&#60;x-ss&#62;"),
        ("/peers", "&#60;x-ss&#62;"),
        ("/audit", "x-ss onclick=alert(1)&#62;"),
        ("/networks/1", "x-ss onclick=alert(1)&#62;"),
    ] {
        let page = ada.get(path).await;
        is_inert(&page);
        assert!(page.has(escaped), "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn what_a_browser_sends_of_itself_is_shown_as_text() {
    let stage = furnished().await;
    drop(Visitor::signed_in(&stage, "ada", Role::Admin).await);
    let mut ada = Visitor::new(&stage);
    ada.browser = "<x-ss onclick=alert(1)>\"'><x-ss>";
    ada.sign_in("ada", PHRASE).await;
    let profile = ada.get("/profile").await;
    is_inert(&profile);
    assert!(
        profile.has("&#60;x-ss onclick=alert(1)&#62;"),
        "{}",
        profile.text
    );

    let word: String = reqwest::Url::parse_with_params("http://q", [("q", BREAKS_OUT)])
        .unwrap()
        .query()
        .unwrap()[2..]
        .to_owned();
    for (path, is_shown) in [
        (format!("/search?q={word}"), true),
        (format!("/search/found?q={word}"), false),
        (format!("/peers?q={word}&state={word}"), true),
        (format!("/peers/rows?q={word}"), false),
        (format!("/nodes?q={word}&state={word}"), true),
        (format!("/nodes?pool={word}"), false),
        (
            format!("/audit?actor={word}&action={word}&object={word}&q={word}"),
            false,
        ),
        (format!("/pools/1?network={word}"), false),
        (format!("/peers?cursor={word}"), false),
        (format!("/{word}"), false),
    ] {
        let page = ada.get_only(&path).await;
        is_inert(&page);
        assert!(!is_shown || page.has("&#60;x-ss"), "{path}: {}", page.text);
    }
    let told = BASE64_URL_SAFE_NO_PAD.encode(BREAKS_OUT);
    ada.set_cookie("wgfleet-flash", &told);
    let page = ada.get("/").await;
    is_inert(&page);
    assert!(page.has("&#60;x-ss"), "{}", page.text);

    let mut stranger = Visitor::new(&stage);
    let login = stranger.get(&format!("/login?next={word}")).await;
    is_inert(&login);
    let fields = [("name", BREAKS_OUT), ("password", BREAKS_OUT)];
    let sent = stranger.send_only(&login, "/login", &fields).await;
    is_inert(&sent);
    let away = stranger.get("/login?next=javascript:alert(1)").await;
    assert!(!away.has("javascript:"), "{}", away.text);
}
