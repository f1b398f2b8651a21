//! The OpenAPI document, made from the routes themselves, and what is answered where no route is.

use std::sync::LazyLock;

use actix_web::error::{InternalError, PathError};
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, ResponseError};
use utoipa::openapi::path::PathItem;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{InfoBuilder, OpenApi};
use utoipa_actix_web::AppExt;

use super::problem::Problem;

mod answers;

/// Made once: it never changes while the program runs.
static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(describe);

static JSON: LazyLock<String> = LazyLock::new(|| {
    DOCUMENT
        .to_json()
        .expect("the document is made of strings and maps with strings as keys")
});

/// The document itself, for whoever walks it.
pub fn document() -> &'static OpenApi {
    &DOCUMENT
}

pub(super) fn configure(config: &mut ServiceConfig) -> &mut ServiceConfig {
    config
        .route("/api/openapi.json", web::get().to(serve))
        .default_service(web::route().to(elsewhere))
}

async fn serve() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(JSON.as_str())
}

/// No route has this path, or none has it with this method.
pub async fn elsewhere(request: HttpRequest) -> HttpResponse {
    match methods_at(request.path()) {
        allowed if allowed.is_empty() => Problem::not_found().error_response(),
        allowed => not_taken(&allowed),
    }
}

/// What stands in a path where an id belongs is none. It may be a word of another path, which takes other methods.
pub(super) fn no_id(err: PathError, request: &HttpRequest) -> actix_web::Error {
    match DOCUMENT.paths.paths.contains_key(request.path()) {
        true => InternalError::from_response(err, not_taken(&methods_at(request.path()))).into(),
        false => Problem::not_found().into(),
    }
}

fn not_taken(allowed: &[&str]) -> HttpResponse {
    let allowed = allowed.join(", ");
    let text = format!("this takes {allowed}");
    let mut answer =
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", text).error_response();
    if let Ok(value) = header::HeaderValue::from_str(&allowed) {
        answer.headers_mut().insert(header::ALLOW, value);
    }
    answer
}

/// The methods that the API takes at a path. A word goes before what fits any id.
pub fn methods_at(path: &str) -> Vec<&'static str> {
    let fits = |pattern: &str| {
        let (mut there, mut here) = (pattern.split('/'), path.split('/'));
        loop {
            match (there.next(), here.next()) {
                (None, None) => return true,
                (Some(part), Some(given)) if part == given || part.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    let paths = &DOCUMENT.paths.paths;
    let at: Vec<&PathItem> = match paths.get(path) {
        Some(item) => vec![item],
        None => paths
            .iter()
            .filter(|(pattern, _)| fits(pattern))
            .map(|(_, item)| item)
            .collect(),
    };
    let has = |of: fn(&PathItem) -> bool| at.iter().any(|item| of(item));
    let methods = [
        (Method::GET, has(|item| item.get.is_some())),
        (Method::POST, has(|item| item.post.is_some())),
        (Method::PUT, has(|item| item.put.is_some())),
        (Method::PATCH, has(|item| item.patch.is_some())),
        (Method::DELETE, has(|item| item.delete.is_some())),
    ];
    let names = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    names
        .into_iter()
        .zip(methods)
        .filter_map(|(name, (_, there))| there.then_some(name))
        .collect()
}

fn describe() -> OpenApi {
    let (_, mut document) = App::new()
        .into_utoipa_app()
        .configure(super::configure)
        .split_for_parts();
    answers::complete(&mut document);
    document.info = InfoBuilder::new()
        .title("wgfleet")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "A fleet of WireGuard nodes as if it were one server. Requests are signed with an API key; \
             one of scope read may send its bearer token instead.",
        ))
        .build();
    let components = document.components.get_or_insert_default();
    let signature = ApiKey::Header(ApiKeyValue::with_description(
        "X-Signature",
        "HMAC-SHA256 of the request, with X-Timestamp, X-Nonce and X-Key-Id",
    ));
    components.add_security_scheme("signature", SecurityScheme::ApiKey(signature));
    components.add_security_scheme(
        "bearer",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
    );
    let none: [String; 0] = [];
    document.security = Some(vec![
        SecurityRequirement::new("signature", none.clone()),
        SecurityRequirement::new("bearer", none),
    ]);
    document
}
