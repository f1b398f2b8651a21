//! What somebody at a browser sees when a page cannot be shown: a page that says so in their language, or the way to
//! the door.
//!
//! Handlers answer problems as the JSON API does, so there is one map to status codes; here they become pages.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, ResponseError};
use askama::Template;

use super::{answer, flash, visit};
use crate::api::problem::{Problem, Told};
use crate::domain::profile::Language;

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage {
    t: Language,
    heading: &'static str,
    status: u16,
    /// A sentence about just this, if it says more than the heading.
    detail: Option<String>,
}

/// Wraps all pages.
pub(super) async fn as_page(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let told = response.response().extensions().get::<Told>().cloned();
    let (request, mut answer) = response.into_parts();
    if let Some(told) = told {
        answer = match told.status {
            StatusCode::UNAUTHORIZED if request.method() == Method::GET => {
                let here = request
                    .uri()
                    .path_and_query()
                    .map_or("/", |here| here.as_str());
                let next: String = url::form_urlencoded::byte_serialize(here.as_bytes()).collect();
                answer::go_to(&format!("/login?next={next}"))
            }
            _ => page(visit::asked(&request).unwrap_or(Language::En), &told),
        };
    } else if answer.status().is_success()
        && answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(is_page)
    {
        flash::told(&request, &mut answer);
    }
    Ok(ServiceResponse::new(request, answer))
}

fn is_page(kind: &header::HeaderValue) -> bool {
    kind.as_bytes().starts_with(b"text/html")
}

fn page(t: Language, told: &Told) -> HttpResponse {
    let heading = heading(told.status);
    let detail = t.why(told.words());
    let sentence = detail.trim_end_matches('.');
    let is_said = t.say(heading).eq_ignore_ascii_case(sentence);
    let page = TroublePage {
        t,
        heading,
        status: told.status.as_u16(),
        detail: (!is_said).then_some(detail),
    };
    match answer::answer(told.status, &page) {
        Ok(answer) => answer,
        Err(problem) => problem.error_response(),
    }
}

fn heading(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "trouble-not-found",
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => "trouble-forbidden",
        StatusCode::SERVICE_UNAVAILABLE => "trouble-unavailable",
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => "trouble-conflict",
        status if status.is_client_error() => "trouble-refused",
        _ => "trouble-fault",
    }
}

/// An address that leads nowhere.
pub(super) async fn nowhere() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}
