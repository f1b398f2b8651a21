//! What a browser sends: cookies, and forms that are ours or somebody else's.

use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::SET_COOKIE;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::web::{Data, Form};
use actix_web::{App, HttpResponse, web};
use controller::auth::{AtDoor, Gate, Limits, Principal, Routes, Site, door};
use controller::config::Config;
use controller::domain::role::Role;
use serde::Deserialize;
use std::sync::Arc;

use super::{Browser, PHRASE, came_in, user};
use crate::stage::Running;

#[derive(Deserialize)]
struct Note {
    text: String,
}

async fn show(at_door: AtDoor, principal: Option<Principal>) -> HttpResponse {
    let name = principal.map_or("nobody".to_owned(), |principal| principal.name);
    HttpResponse::Ok().body(format!("{name} {}", at_door.csrf()))
}

async fn write(form: Form<Note>) -> HttpResponse {
    HttpResponse::Ok().body(form.into_inner().text)
}

/// The door of this controller, with `settings`, around two small pages.
macro_rules! served {
    ($stage:expr, $settings:expr) => {{
        let config = Config::parse("test.toml".as_ref(), $settings).unwrap();
        let fleet = Arc::clone(&$stage.fleet);
        let gate = Gate::new(
            fleet.pool.clone(),
            Arc::clone(&fleet.keyring),
            Vec::new(),
            Routes {
                needs: controller::api::needs,
                takes: controller::api::document::methods_at,
            },
            Limits {
                body_bytes: 4096,
                ..Limits::default()
            },
        );
        init_service(
            App::new()
                .app_data(Data::from(fleet))
                .app_data(Data::new(gate))
                .app_data(Data::new(Site::new(&config)))
                .service(
                    web::scope("")
                        .wrap(from_fn(door))
                        .route("/page", web::get().to(show))
                        .route("/page", web::post().to(write)),
                ),
        )
        .await
    }};
}

fn cookies(answer: &ServiceResponse) -> Vec<String> {
    let all = answer.headers().get_all(SET_COOKIE);
    all.map(|value| value.to_str().unwrap().to_owned())
        .collect()
}

/// Looks at the page: who it says is there, the token of its forms, and the cookie that it set.
macro_rules! look {
    ($app:expr, $cookie:expr) => {{
        let request = TestRequest::get()
            .uri("/page")
            .insert_header(("cookie", $cookie));
        let answer = $app.call(request.to_request()).await.unwrap();
        assert_eq!(answer.headers().get("cache-control").unwrap(), "no-store");
        let set = cookies(&answer).pop();
        let text = String::from_utf8(read_body(answer).await.to_vec()).unwrap();
        let (name, csrf) = text.split_once(' ').unwrap();
        (name.to_owned(), csrf.to_owned(), set)
    }};
}

/// Sends a form and tells the status.
macro_rules! send {
    ($app:expr, $body:expr, $headers:expr) => {{
        let headers: &[(&str, &str)] = $headers;
        let mut request = TestRequest::post()
            .uri("/page")
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .insert_header(("host", "localhost:8000"))
            .set_payload($body);
        for (name, value) in headers {
            request = request.insert_header((*name, *value));
        }
        let answer = $app.call(request.to_request()).await.unwrap();
        answer.status().as_u16()
    }};
}

/// What a browser sends back of a cookie.
fn pair(set: &str) -> String {
    set.split(';').next().unwrap().to_owned()
}

#[actix_web::test]
async fn a_stranger_gets_a_cookie_and_a_form_that_belong_together() {
    let stage = Running::start().await;
    let app = served!(stage, "");

    let (name, csrf, set) = look!(app, "");
    let set = set.unwrap();
    assert_eq!(name, "nobody");
    assert!(
        set.starts_with("wgfleet-browser=") && set.contains("HttpOnly; SameSite=Lax"),
        "{set}"
    );
    let cookie = pair(&set);
    let (_, again, none) = look!(app, cookie.as_str());
    assert_eq!((again, none), (csrf.clone(), None));

    let form = format!("text=hello&csrf={csrf}");
    let own = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    assert_eq!(send!(app, form.clone(), &own), 200);
    let old = [
        ("cookie", cookie.as_str()),
        ("origin", "http://localhost:8000"),
    ];
    assert_eq!(send!(app, form.clone(), &old), 200);
    let header = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    assert_eq!(send!(app, "text=hello", &header), 200);
}

#[actix_web::test]
async fn a_form_without_its_token_or_from_another_site_is_refused() {
    let stage = Running::start().await;
    let app = served!(stage, "");
    let (_, csrf, set) = look!(app, "");
    let cookie = pair(&set.unwrap());
    let (_, foreign, _) = look!(app, "");
    assert_ne!(csrf, foreign);
    let own = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];

    for form in [
        "text=hello",
        "text=hello&csrf=",
        "text=hello&csrf=zz",
        &format!("text=a&csrf={foreign}"),
    ] {
        assert_eq!(send!(app, form.to_owned(), &own), 403, "{form}");
    }
    let form = format!("text=hello&csrf={csrf}");
    assert_eq!(send!(app, form.clone(), &[]), 403, "without the cookie");
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://evil.example"),
        ("origin", "null"),
    ] {
        let headers = [("cookie", cookie.as_str()), header];
        assert_eq!(send!(app, form.clone(), &headers), 403, "{header:?}");
    }
    let long = format!("{form}&more={}", "a".repeat(5000));
    assert_eq!(send!(app, long, &own), 413);
}

#[actix_web::test]
async fn whoever_is_signed_in_is_known_and_their_forms_are_those_of_the_session() {
    let stage = Running::start().await;
    user(&stage.fleet, "ada", Role::Viewer).await;
    let app = served!(stage, "");
    let (_, before, set) = look!(app, "");
    let browser = pair(&set.unwrap());
    let begun = came_in(
        Browser::at("192.0.2.7")
            .tries(&stage.fleet, "ada", PHRASE)
            .await,
    );
    let cookie = format!("{browser}; wgfleet={}", *begun.token.reveal());

    let (name, csrf, set) = look!(app, cookie.as_str());

    assert_eq!((name.as_str(), set), ("ada", None));
    assert_ne!(csrf, before);
    let own = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    assert_eq!(send!(app, format!("text=a&csrf={csrf}"), &own), 200);
    assert_eq!(send!(app, format!("text=a&csrf={before}"), &own), 403);
    stage.sql("DELETE FROM sessions").await;
    assert_eq!(look!(app, cookie.as_str()).0, "nobody");
}

#[actix_web::test]
async fn over_https_cookies_are_bound_to_the_host_and_plain_ones_are_not_taken() {
    let stage = Running::start().await;
    user(&stage.fleet, "ada", Role::Viewer).await;
    let app = served!(stage, "base_url = \"https://vpn.example.org\"\n");
    let begun = came_in(
        Browser::at("192.0.2.7")
            .tries(&stage.fleet, "ada", PHRASE)
            .await,
    );
    let token = begun.token.reveal();

    let (name, _, set) = look!(app, format!("wgfleet={}", *token).as_str());
    let set = set.unwrap();
    assert_eq!(name, "nobody");
    assert!(
        set.starts_with("__Host-wgfleet-browser=") && set.ends_with("; Secure"),
        "{set}"
    );
    assert!(set.contains("Path=/;") && !set.contains("Domain"), "{set}");
    let (name, _, _) = look!(app, format!("__Host-wgfleet={}", *token).as_str());
    assert_eq!(name, "ada");
}
