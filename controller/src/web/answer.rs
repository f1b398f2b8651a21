//! What pages answer: a rendered template with the headers that hold the browser to it, or a way to the next page.
//!
//! Nothing comes from elsewhere and nothing is inline; what breaks that is reported to us. Pages show what is secret to
//! others, so nobody keeps them.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use askama::Template;

use crate::api::problem::Problem;

pub const REPORTS: &str = "/reports/csp";

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; font-src 'none'; worker-src 'self'; manifest-src 'none'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'; report-uri /reports/csp; report-to csp";

const HEADERS: [(HeaderName, &str); 9] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (
        HeaderName::from_static("reporting-endpoints"),
        "csp=\"/reports/csp\"",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
    ),
    (header::CACHE_CONTROL, "no-store"),
];

/// A page, or a part of one.
pub fn show(page: &impl Template) -> Result<HttpResponse, Problem> {
    answer(StatusCode::OK, page)
}

/// What is shown this once, as the answer to the form that made it.
pub fn answer_once(page: &impl Template) -> Result<HttpResponse, Problem> {
    answer(StatusCode::CREATED, page)
}

/// A form that was not taken, with what was wrong.
pub fn refused(page: &impl Template) -> Result<HttpResponse, Problem> {
    answer(StatusCode::UNPROCESSABLE_ENTITY, page)
}

pub fn answer(status: StatusCode, page: &impl Template) -> Result<HttpResponse, Problem> {
    let html = page.render().map_err(|err| Problem::fault(&err))?;
    let mut answer = HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .body(html);
    protect(answer.headers_mut());
    Ok(answer)
}

/// After a change: the browser asks for the page where it shows.
pub fn go_to(path: &str) -> HttpResponse {
    let mut answer = HttpResponse::SeeOther()
        .insert_header((header::LOCATION, path))
        .finish();
    protect(answer.headers_mut());
    answer
}

/// Puts the headers on that every page carries.
pub fn protect(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
