//! Signing in and out at a browser without scripts.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use controller::domain::captcha::{Challenge, Payload, solve};
use controller::domain::reach::Reach;
use controller::domain::role::Role;
use controller::fleet::setup::offer;
use reqwest::Method;
use reqwest::header::{CONTENT_SECURITY_POLICY, LOCATION, RETRY_AFTER};

use crate::stage::{PHRASE, Page, QUICK, Running, Visitor, user};

const SESSIONS: &str = "SELECT count(*) FROM sessions";
const USERS: &str = "SELECT count(*) FROM users";

fn location(page: &Page) -> &str {
    page.headers
        .get(LOCATION)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_link_makes_the_first_administrator_and_leads_in_and_then_no_further() {
    let stage = Running::start().await;
    let token = offer(&stage.fleet).await.unwrap().unwrap();
    let path = format!("/setup?token={}", *token.reveal());
    let mut ada = Visitor::new(&stage);
    let page = ada.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(
        page.headers[CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );

    let short = ada
        .send(
            &page,
            "/setup",
            &[("name", "Ada"), ("password", "secret-word")],
        )
        .await;
    assert_eq!(short.status, 422);
    assert!(
        short.has("has fewer than 12 characters") && short.has("value=\"Ada\""),
        "{}",
        short.text
    );
    assert!(!short.has("secret-word"));
    assert_eq!(stage.count(USERS).await, 0);

    let home = ada.send(&short, "/setup", &[("password", PHRASE)]).await;
    assert_eq!((home.status, home.path.as_str()), (200, "/"));
    assert!(home.has("You are the first administrator.") && home.has("ada"));

    let mut eva = Visitor::new(&stage);
    let closed = eva.get(&path).await;
    assert_eq!(closed.status, 403);
    assert!(closed.has("wgfleet admin create"));
    let mut form = page.form("/setup");
    form[0].1 = eva.get("/login").await.form("/login")[0].1.clone();
    form.push(("name".to_owned(), "eva".to_owned()));
    form.push(("password".to_owned(), PHRASE.to_owned()));
    assert_eq!(eva.post("/setup", &form).await.status, 403);
    assert_eq!(stage.count(USERS).await, 1);
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_led_to_the_door_and_then_to_where_they_wanted() {
    let stage = Running::start().await;
    user(&stage, "ada", Role::Viewer, Reach::All).await;
    let mut ada = Visitor::new(&stage);

    let door = ada.get("/nodes?q=fra").await;
    assert_eq!(
        (door.status, door.path.as_str()),
        (200, "/login?next=%2Fnodes%3Fq%3Dfra")
    );
    let answer = ada
        .send_only(&door, "/login", &[("name", "ada"), ("password", PHRASE)])
        .await;

    assert_eq!((answer.status, location(&answer)), (303, "/nodes?q=fra"));
    assert!(ada.cookie("wgfleet").is_some() && ada.cookie("wgfleet-browser").is_none());
    assert_eq!(ada.get("/login").await.path, "/");
}

#[tokio::test]
async fn the_door_leads_to_no_other_site() {
    let stage = Running::start().await;
    user(&stage, "ada", Role::Viewer, Reach::All).await;

    for next in [
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
    ] {
        let mut ada = Visitor::new(&stage);
        let door = ada.get("/login").await;
        let fields = [("name", "ada"), ("password", PHRASE), ("next", next)];
        let answer = ada.send_only(&door, "/login", &fields).await;

        assert_eq!((answer.status, location(&answer)), (303, "/"), "{next}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_name_are_told_alike_and_begin_nothing() {
    let stage = without_captcha().await;
    user(&stage, "ada", Role::Viewer, Reach::All).await;

    for name in ["ada", "nobody", "what is no name"] {
        let mut stranger = Visitor::new(&stage);
        let page = stranger.sign_in(name, "not the phrase").await;

        assert_eq!(page.status, 422, "{name}");
        assert!(page.has("Name and password do not go together."));
        assert!(page.has(&format!("value=\"{name}\"")) && !page.has("not the phrase"));
        assert_eq!(stranger.get("/nodes").await.path, "/login?next=%2Fnodes");
    }
    assert_eq!(stage.count(SESSIONS).await, 0);
    let log = "SELECT count(*) FROM audit_log WHERE action = 'sign_in' AND outcome = 'refused'";
    assert_eq!(stage.count(log).await, 3);
    assert_eq!(
        stage
            .count("SELECT count(*) FROM audit_log WHERE action LIKE 'POST %'")
            .await,
        0
    );
}

#[tokio::test]
async fn whoever_fails_often_proves_some_work_and_then_waits() {
    let settings =
        format!("{QUICK}\n[sign_in]\ncaptcha_after = 1\naccount_failures = 3\ncaptcha_cost = 10\n");
    let stage = Running::with(&settings).await;
    user(&stage, "ada", Role::Viewer, Reach::All).await;
    let mut ada = Visitor::new(&stage);
    let failed = ada.sign_in("ada", "not the phrase").await;
    assert!(failed.has("<altcha-widget "), "{}", failed.text);

    let unproved = ada.send(&failed, "/login", &[("password", PHRASE)]).await;
    assert_eq!(unproved.status, 422);
    assert!(unproved.has("prove some work first"));
    let wrong = ada
        .send(
            &unproved,
            "/login",
            &[("password", "wrong again"), ("altcha", &proof(&unproved))],
        )
        .await;
    assert!(wrong.has("do not go together"), "{}", wrong.text);
    let wrong = ada
        .send(
            &wrong,
            "/login",
            &[("password", "wrong again"), ("altcha", &proof(&wrong))],
        )
        .await;
    let waits = ada
        .send(
            &wrong,
            "/login",
            &[("password", PHRASE), ("altcha", &proof(&wrong))],
        )
        .await;

    assert_eq!(waits.status, 429);
    assert!(waits.has("Too many tries. Try again in"));
    let seconds: u64 = waits.headers[RETRY_AFTER]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(seconds > 0);
    assert_eq!(stage.count(SESSIONS).await, 0);
}

/// What the browser's widget would find for the challenge on a page.
fn proof(page: &Page) -> String {
    let text = page
        .text
        .split("challenge=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let challenge: Challenge =
        serde_json::from_str(&text.replace("&#34;", "\"").replace("&quot;", "\"")).unwrap();
    let solution = solve(&challenge).unwrap();
    let payload = serde_json::to_vec(&Payload {
        challenge,
        solution,
    })
    .unwrap();
    BASE64_STANDARD.encode(payload)
}

#[tokio::test]
async fn a_form_without_its_token_changes_nothing() {
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;

    for path in [
        "/logout",
        "/login",
        "/users",
        "/profile/display",
        "/profile/sessions/end-others",
    ] {
        let form = [
            ("csrf".to_owned(), "00".repeat(32)),
            ("name".to_owned(), "eva".to_owned()),
        ];
        assert_eq!(ada.post(path, &form).await.status, 403, "{path}");
        assert_eq!(ada.post(path, &form[1..]).await.status, 403, "{path}");
    }
    assert_eq!(stage.count(USERS).await, 1);
    assert_eq!(ada.get("/profile").await.status, 200);
}

#[tokio::test]
async fn whoever_signs_out_is_out_in_that_browser_alone() {
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Viewer).await;
    let mut elsewhere = Visitor::new(&stage);
    elsewhere.sign_in("ada", PHRASE).await;
    let old = ada.cookie("wgfleet").unwrap().to_owned();

    let page = ada.get("/").await;
    let out = ada.send(&page, "/logout", &[]).await;

    assert_eq!((out.path.as_str(), ada.cookie("wgfleet")), ("/login", None));
    assert_eq!(ada.get("/nodes").await.path, "/login?next=%2Fnodes");
    assert_eq!(elsewhere.get("/nodes").await.path, "/nodes");
    assert!(!old.is_empty());
    assert_eq!(stage.count(SESSIONS).await, 1);
}

#[tokio::test]
async fn a_code_is_asked_of_nobody_who_has_not_proved_a_password() {
    let stage = Running::start().await;
    let mut stranger = Visitor::new(&stage);

    let page = stranger.get("/login/code").await;
    let mut form = page.form("/login");
    form.push(("code".to_owned(), "000000".to_owned()));
    let answer = stranger.post("/login/code", &form).await;

    assert_eq!(page.path, "/login");
    assert_eq!(answer.status, 422);
    assert!(answer.has("Begin again."));
}

#[tokio::test]
async fn the_language_is_the_browsers_until_somebody_chooses_one() {
    let stage = Running::start().await;
    user(&stage, "ada", Role::Viewer, Reach::All).await;
    let mut ada = Visitor::new(&stage);
    ada.language = "fr-CA, en;q=0.5";
    let page = ada.get("/login").await;
    assert!(page.has("<html lang=\"fr\"") && page.has("Se connecter"));

    let page = ada.send(&page, "/language", &[("language", "en")]).await;
    assert!(page.path == "/login" && page.has("<html lang=\"en\""));
    let odd = ada
        .send_only(&page, "/language", &[("language", "tlh")])
        .await;
    assert_eq!(odd.status, 422);
    ada.sign_in("ada", PHRASE).await;
    let profile = ada.get("/profile").await;
    let page = ada
        .send(
            &profile,
            "/profile/display",
            &[("language", "fr"), ("time_zone", "Europe/Paris")],
        )
        .await;

    assert!(
        page.has("<html lang=\"fr\"") && page.has("L’affichage est enregistré."),
        "{}",
        page.text
    );
    let wrong = ada
        .send(&page, "/profile/display", &[("time_zone", "Mars/Base")])
        .await;
    assert!(wrong.status == 422 && wrong.has("Mars/Base"));
    assert_eq!(
        stage
            .count(
                "SELECT count(*) FROM users WHERE time_zone = 'Europe/Paris' AND language = 'fr'"
            )
            .await,
        1
    );
}

/// For who has to fail more often than is free of work.
pub(super) async fn without_captcha() -> Running {
    Running::with(&format!("{QUICK}\n[sign_in]\ncaptcha = \"off\"\n")).await
}

#[tokio::test]
async fn passkeys_are_asked_for_and_a_made_up_one_opens_nothing() {
    let stage = Running::start().await;
    let mut ada = Visitor::new(&stage);
    let door = ada.get("/login").await;
    assert!(door.has("data-passkey=\"get\"") && door.has("type=\"module\""));
    let form = door.form("/login");

    let asked = ada.post("/login/passkey", &form).await;
    assert_eq!(asked.status, 200);
    let options: serde_json::Value = serde_json::from_str(&asked.text).unwrap();
    assert!(options["publicKey"]["challenge"].is_string(), "{options}");
    let refused = ada.post("/login/passkey/finish", &form).await;

    assert_eq!(refused.status, 422);
    assert!(refused.has("not known here"), "{}", refused.text);
    assert_eq!(stage.count(SESSIONS).await, 0);
    let mut eva = Visitor::signed_in(&stage, "eva", Role::Viewer).await;
    let form = eva.get("/profile").await.form("/profile/display");
    let asked = eva.post("/profile/passkeys/begin", &form).await;
    assert!(
        asked.status == 200 && asked.has("\"eva\""),
        "{}",
        asked.text
    );
    let refused = eva.post("/profile/passkeys?name=phone", &form).await;
    assert_eq!(refused.status, 422);
    assert_eq!(stage.count("SELECT count(*) FROM passkeys").await, 0);
}

#[tokio::test]
async fn ways_in_that_are_not_set_up_say_so() {
    let stage = Running::with(&format!("{QUICK}\n[sign_in]\npassword = \"off\"\n")).await;
    let mut ada = Visitor::new(&stage);

    let door = ada.get("/login").await;
    let oidc = ada.get("/login/oidc").await;

    assert!(!door.has("action=\"/login\"") && !door.has("/login/oidc"));
    assert_eq!(oidc.status, 422);
    assert!(oidc.has("This way in is not set up here."));
}

#[tokio::test]
async fn an_open_page_that_keeps_itself_fresh_does_not_keep_somebody_signed_in() {
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    let idle = "UPDATE sessions SET last_seen_at = now() - interval '7 hours'";
    let noted = "SELECT count(*) FROM sessions WHERE last_seen_at > now() - interval '1 minute'";
    stage.sql(idle).await;

    ada.by_itself = true;
    assert_eq!(ada.get("/peers/rows").await.status, 200);
    ada.by_itself = false;
    let stream = ada.begin(Method::GET, "/events", "").await;
    assert_eq!(
        (stream.status().as_u16(), stage.count(noted).await),
        (200, 0)
    );

    assert_eq!(ada.get("/peers/rows?q=phone").await.status, 200);
    assert_eq!(stage.count(noted).await, 1, "somebody searched");
}
