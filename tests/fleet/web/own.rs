//! What people do to what proves that it is them, and to their sessions.

use controller::clock;
use controller::domain::role::Role;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::door::without_captcha;
use crate::stage::{PHRASE, Running, Visitor};

const SESSIONS: &str = "SELECT count(*) FROM sessions";

#[tokio::test]
async fn an_authenticator_is_asked_for_after_the_password_and_codes_on_paper_stand_in_for_it_once()
{
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Viewer).await;
    let profile = ada.get("/profile").await;
    let enrol = ada.send(&profile, "/profile/authenticator", &[]).await;
    assert!(enrol.has("<svg") && enrol.status == 200);
    let secret = base32(between(&enrol.text, "<code>", "</code>"));

    let wrong = ada
        .send(
            &enrol,
            "/profile/authenticator/confirm",
            &[("code", "000000")],
        )
        .await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.has("is not the code that the app should show now") && !wrong.has("<code>"));
    let code = code(&secret, 0);
    let codes = ada
        .send(&wrong, "/profile/authenticator/confirm", &[("code", &code)])
        .await;
    let papers: Vec<&str> = codes
        .text
        .split("<li><code>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap())
        .collect();
    assert_eq!((codes.status, papers.len()), (200, 10));
    assert!(!ada.get("/profile").await.has(papers[0]));

    let mut again = Visitor::new(&stage);
    let step = again.sign_in("ada", PHRASE).await;
    assert_eq!((step.status, step.path.as_str()), (200, "/login/code"));
    assert_eq!(again.get("/nodes").await.path, "/login?next=%2Fnodes");
    let used = again.send(&step, "/login/code", &[("code", &code)]).await;
    assert_eq!(used.status, 422, "a code that was taken before");
    let home = again
        .send(&used, "/login/code", &[("code", papers[0])])
        .await;
    assert_eq!((home.status, home.path.as_str()), (200, "/"));

    let mut third = Visitor::new(&stage);
    let step = third.sign_in("ada", PHRASE).await;
    assert_eq!(
        third
            .send(&step, "/login/code", &[("code", papers[0])])
            .await
            .status,
        422
    );
    assert_eq!(stage.count(SESSIONS).await, 2);

    let profile = ada.get("/profile").await;
    assert!(
        profile.has("9 recovery codes are left."),
        "{}",
        profile.text
    );
    let refused = ada
        .send(
            &profile,
            "/profile/recovery-codes",
            &[("password", "not the phrase")],
        )
        .await;
    assert!(refused.status == 422 && refused.has("is not your password"));
    let renewed = ada
        .send(&refused, "/profile/recovery-codes", &[("password", PHRASE)])
        .await;
    assert!(renewed.status == 200 && !renewed.has(papers[1]));
}

#[tokio::test]
async fn people_see_where_they_are_signed_in_and_end_it_there() {
    let stage = Running::start().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Viewer).await;
    let mut eva = Visitor::signed_in(&stage, "eva", Role::Viewer).await;
    let mut elsewhere = Visitor::new(&stage);
    elsewhere.sign_in("ada", PHRASE).await;

    let profile = ada.get("/profile").await;
    assert_eq!(
        profile.text.matches("/end\"><input").count(),
        2,
        "{}",
        profile.text
    );
    let other = eva.get("/profile").await;
    let foreign = between(&other.text, "action=\"/profile/sessions/", "/end\"").to_owned();
    let form = profile.form("/profile/sessions/end-others");
    let refused = ada
        .post(&format!("/profile/sessions/{foreign}/end"), &form)
        .await;
    assert_eq!(refused.status, 404);
    assert_eq!(eva.get("/profile").await.path, "/profile");

    let page = ada
        .send(&profile, "/profile/sessions/end-others", &[])
        .await;
    assert!(page.has("1 session has ended."), "{}", page.text);
    assert_eq!(
        elsewhere.get("/profile").await.path,
        "/login?next=%2Fprofile"
    );
    assert_eq!(ada.get("/profile").await.path, "/profile");
    assert_eq!(stage.count(SESSIONS).await, 2);
}

#[tokio::test]
async fn a_new_password_takes_the_old_one_and_ends_every_other_session() {
    let stage = without_captcha().await;
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Viewer).await;
    let mut elsewhere = Visitor::new(&stage);
    elsewhere.sign_in("ada", PHRASE).await;
    let profile = ada.get("/profile").await;

    let wrong = [("old", "not the phrase"), ("new", "another fine phrase")];
    let refused = ada.send(&profile, "/profile/password", &wrong).await;
    assert!(refused.status == 422 && refused.has("is not your password"));
    assert_eq!(elsewhere.get("/profile").await.path, "/profile");
    let before = ada.cookie("wgfleet").unwrap().to_owned();
    let right = [("old", PHRASE), ("new", "another fine phrase")];
    let done = ada.send(&refused, "/profile/password", &right).await;

    assert!(
        done.status == 200 && done.has("The password is changed."),
        "{}",
        done.text
    );
    assert_ne!(ada.cookie("wgfleet"), Some(before.as_str()));
    assert_eq!(
        elsewhere.get("/profile").await.path,
        "/login?next=%2Fprofile"
    );
    assert_eq!(
        Visitor::new(&stage).sign_in("ada", PHRASE).await.status,
        422
    );
    assert_eq!(
        Visitor::new(&stage)
            .sign_in("ada", "another fine phrase")
            .await
            .path,
        "/"
    );
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split(before)
        .nth(1)
        .unwrap()
        .split(after)
        .next()
        .unwrap()
}

fn base32(text: &str) -> Vec<u8> {
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for letter in text.bytes().filter(|letter| !letter.is_ascii_whitespace()) {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
            .iter()
            .position(|other| *other == letter)
            .unwrap();
        bits = bits << 5 | u32::try_from(value).unwrap();
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}

/// What an authenticator shows `steps` from now, computed apart from the product.
fn code(secret: &[u8], steps: i64) -> String {
    let step = clock::now().timestamp() / 30 + steps;
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).unwrap();
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash[19] & 15);
    let number = u32::from_be_bytes(hash[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}
