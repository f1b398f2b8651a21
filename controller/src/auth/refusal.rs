//! How a refusal looks: RFC 9457, with a code for programs. It says no more than the code does.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use protocol::signing::Rejection;
use serde_json::{Value, json};

use super::verify::Signer;

/// The code of the refusal that an answer holds, kept with it so that the audit log can name the reason.
#[derive(Debug, Clone, Copy)]
pub struct Reason(pub &'static str);

/// Marks an answer whose refusal is in the audit log already, with more than its status tells.
#[derive(Debug, Clone, Copy)]
pub struct Written;

/// Makes an answer of the machine API that reports a failure.
pub fn problem(status: StatusCode, code: &'static str, detail: &str) -> HttpResponse {
    problem_with(status, code, detail, &[])
}

fn problem_with(
    status: StatusCode,
    code: &'static str,
    detail: &str,
    more: &[(&str, Value)],
) -> HttpResponse {
    let mut body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "code": code,
        "detail": detail,
    });
    for (name, value) in more {
        body[name] = value.clone();
    }
    let mut answer = HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/problem+json")
        .body(body.to_string());
    answer.extensions_mut().insert(Reason(code));
    answer
}

/// A request that may not act, and who may be told in a signed answer. Boxed, for it is rare and large.
pub(super) struct Refused {
    pub(super) answer: Box<HttpResponse>,
    pub(super) signer: Option<Signer>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: &str) -> Self {
        Self {
            answer: Box::new(problem(status, code, detail)),
            signer: None,
        }
    }

    /// 401. Whoever proved who they are is told this controller's time as well.
    pub(super) fn rejected(rejection: Rejection, signer: Option<Signer>, now: i64) -> Self {
        let detail = match rejection {
            Rejection::StaleTimestamp => "the timestamp is too far from this controller's clock",
            _ => &rejection.to_string(),
        };
        let time = [("timestamp", json!(now))];
        let more = if signer.is_some() { &time[..] } else { &[] };
        Self {
            answer: Box::new(problem_with(
                StatusCode::UNAUTHORIZED,
                rejection.code(),
                detail,
                more,
            )),
            signer,
        }
    }

    pub(super) fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the controller cannot tell at the moment who is asking",
        )
        .retry_after(1)
    }

    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        self.answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        self
    }
}
