//! What the API answers when it does not do as asked: `application/problem+json`, RFC 9457.
//!
//! The only map from refusals and faults to status codes, and the only place where a failed request is logged.
//! A caller sees the text of a refusal, of a fault only a fixed sentence.

pub mod words;

use std::error::Error;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoResponses, ToSchema};

use words::Words;

use crate::auth::Reason;
use crate::fleet::{FleetError, Kind, Refusal};

/// How soon a caller may try again after a fault that passes.
const RETRY_AFTER_S: u32 = 2;

/// What an answer tells of a problem, kept with it: a page says the same in another form.
#[derive(Debug, Clone)]
pub struct Told {
    pub status: StatusCode,
    code: &'static str,
    detail: String,
    more: Map<String, Value>,
}

impl Told {
    pub fn words(&self) -> Words<'_> {
        Words::new(self.code, &self.detail, &self.more)
    }
}

/// What went wrong, for a human and for a program.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the code says more than a link would.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    /// One word for programs, such as `name_taken`.
    code: &'static str,
    /// A sentence for people.
    detail: String,
    /// More, depending on the code.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    more: Map<String, Value>,
    #[serde(skip)]
    retry_after_s: Option<u32>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            more: Map::new(),
            retry_after_s: None,
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Something passes: whoever asked may ask again soon.
    pub fn unavailable(code: &'static str, detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(RETRY_AFTER_S)
    }

    /// The controller's own failure: the log says what, the caller learns only that.
    pub fn fault(err: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = err, "request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the controller failed; its log says why",
        )
    }

    pub fn code(&self) -> &'static str {
        self.code
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// As one of several rows, counted from 0, each of which may be wrong.
    pub fn row(&self, number: usize) -> Value {
        let mut row = self.more.clone();
        row.insert("row".to_owned(), number.into());
        row.insert("code".to_owned(), self.code.into());
        row.insert("detail".to_owned(), self.detail.as_str().into());
        Value::Object(row)
    }

    pub fn words(&self) -> Words<'_> {
        Words::new(self.code, &self.detail, &self.more)
    }

    /// Nothing is there, or nothing that this caller may know of.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.retry_after_s {
            answer.insert_header((header::RETRY_AFTER, seconds));
        }
        // Kept with the answer, so that the audit log can name the reason.
        let mut answer = answer
            .content_type("application/problem+json")
            .body(serde_json::to_vec(self).unwrap_or_else(|_| b"{}".to_vec()));
        answer.extensions_mut().insert(Reason(self.code));
        answer.extensions_mut().insert(Told {
            status: self.status_code(),
            code: self.code,
            detail: self.detail.clone(),
            more: self.more.clone(),
        });
        answer
    }
}

/// What any call that reads may answer instead; `document` leaves out what does not apply.
#[derive(IntoResponses)]
pub enum ReadProblems {
    /// The request cannot be understood.
    #[response(status = 400)]
    Malformed(Problem),
    /// Who asks is not known, or the signature is not fresh.
    #[response(status = 401)]
    Unknown(Problem),
    /// The key may not do that.
    #[response(status = 403)]
    Forbidden(Problem),
    #[response(status = 404)]
    Missing(Problem),
    /// The body took too long to arrive.
    #[response(status = 408)]
    Slow(Problem),
    #[response(status = 413)]
    TooLarge(Problem),
    /// The body is encoded, which no signature covers.
    #[response(status = 415)]
    Encoded(Problem),
    /// Well-formed and yet wrong.
    #[response(status = 422)]
    Invalid(Problem),
    /// Too many failures from this address.
    #[response(status = 429)]
    Limited(Problem),
    /// The database is away; see `Retry-After`.
    #[response(status = 503)]
    Unavailable(Problem),
}

/// What any call that changes something may answer instead; `document` leaves out what does not apply.
#[derive(IntoResponses)]
pub enum WriteProblems {
    /// The request cannot be understood.
    #[response(status = 400)]
    Malformed(Problem),
    /// Who asks is not known, or the signature is not fresh.
    #[response(status = 401)]
    Unknown(Problem),
    /// The key may not do that.
    #[response(status = 403)]
    Forbidden(Problem),
    #[response(status = 404)]
    Missing(Problem),
    /// The body took too long to arrive.
    #[response(status = 408)]
    Slow(Problem),
    /// It clashes with what is.
    #[response(status = 409)]
    Conflict(Problem),
    /// It has another version than `If-Match` says.
    #[response(status = 412)]
    Stale(Problem),
    #[response(status = 413)]
    TooLarge(Problem),
    /// The body is encoded, or not declared as JSON.
    #[response(status = 415)]
    NotJson(Problem),
    /// Well-formed and yet wrong; `errors` names the fields.
    #[response(status = 422)]
    Invalid(Problem),
    /// Too many failures from this address.
    #[response(status = 429)]
    Limited(Problem),
    /// The database is away; see `Retry-After`.
    #[response(status = 503)]
    Unavailable(Problem),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Missing => StatusCode::NOT_FOUND,
            Kind::Stale => StatusCode::PRECONDITION_FAILED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::Locked => StatusCode::LOCKED,
            Kind::Upstream => StatusCode::BAD_GATEWAY,
        };
        let mut problem = Self::new(status, refusal.code, refusal.text);
        if let Some(details) = refusal.details {
            problem.more.insert("details".into(), details);
        }
        problem
    }
}

impl From<FleetError> for Problem {
    fn from(err: FleetError) -> Self {
        match err {
            FleetError::Refused(refusal) => refusal.into(),
            FleetError::Db(err) => err.into(),
            FleetError::Agent(err) => {
                Self::new(StatusCode::BAD_GATEWAY, err.problem(), err.to_string())
            }
            other => Self::fault(&other),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(err: sqlx::Error) -> Self {
        if !passes(&err) {
            return Self::fault(&err);
        }
        tracing::warn!(error = &err as &dyn Error, "the database is not to be had");
        let text = "the database is not to be had at the moment";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "database_unavailable",
            text,
        )
        .retry_after(RETRY_AFTER_S)
    }
}

/// Tells a database that is away, or a transaction that lost a race, from a statement that is wrong.
fn passes(err: &sqlx::Error) -> bool {
    match err {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // Connection trouble, lost races, resources, shutdown: the classes of SQLSTATE that a retry may cure.
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| {
            ["08", "40", "53", "57"]
                .iter()
                .any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}
