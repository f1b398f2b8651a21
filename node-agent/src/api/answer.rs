//! Answers: a status, the very bytes of the body, and a signature over both.
//!
//! An error is a sentence for a human and a code for a program. It names the object, and never a path
//! on this machine, a secret, or what the operating system said.

use std::convert::Infallible;

use actix_web::body::SizedStream;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{StatusCode, header::HeaderName};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::stream;
use protocol::signing::sign_response;
use protocol::wire::answers::InSync;
use serde::Serialize;
use serde_json::{Value, json};

use super::route::RouteError;
use crate::auth::{Caller, Rejected, RotationError};
use crate::plan::Refusal;
use crate::writer::Failure;

/// A longer body is handed to the server in pieces of this size. A whole one it would first copy into
/// the buffer of the connection, which stays as large as it once was until the connection ends.
const PIECE: usize = 64 * 1024;

pub(super) struct Answer {
    status: StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Answer {
    pub(super) fn json<T: Serialize>(status: u16, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self {
                status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                content_type: "application/json",
                body,
                headers: Vec::new(),
            },
            Err(err) => {
                tracing::error!(
                    error = &err as &dyn std::error::Error,
                    "cannot write an answer as JSON"
                );
                Self::error(500, "internal", "the answer could not be written")
            }
        }
    }

    pub(super) fn text(content_type: &'static str, body: String) -> Self {
        Self {
            status: StatusCode::OK,
            content_type,
            body: body.into_bytes(),
            headers: Vec::new(),
        }
    }

    pub(super) fn empty() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            content_type: "",
            body: Vec::new(),
            headers: Vec::new(),
        }
    }

    pub(super) fn error(status: u16, code: &str, sentence: &str) -> Self {
        Self::error_with(status, code, sentence, json!({}))
    }

    /// An error that carries more than its sentence and its code.
    fn error_with(status: u16, code: &str, sentence: &str, more: Value) -> Self {
        let mut body = json!({ "error": sentence, "code": code });
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        Self::json(status, &body)
    }

    pub(super) fn with(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Writes the answer, signed where the request verified.
    ///
    /// The answer to HEAD has the headers of the one to GET and no body, which is what is signed.
    pub(super) fn send(mut self, caller: Option<&Caller>, now: i64, head: bool) -> HttpResponse {
        if head {
            self.body.clear();
        }
        let mut response = HttpResponseBuilder::new(self.status);
        if !self.content_type.is_empty() {
            response.content_type(self.content_type);
        }
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        for header in self.headers {
            response.insert_header(header);
        }
        if let Some(caller) = caller {
            let signature = sign_response(
                &caller.secret,
                self.status.as_u16(),
                &self.body,
                now,
                &caller.signature,
            );
            response.insert_header(("X-Signature", signature.to_string()));
            response.insert_header(("X-Timestamp", now.to_string()));
        }
        if self.status == StatusCode::NO_CONTENT {
            return response.finish();
        }
        if self.body.len() <= PIECE {
            return response.body(self.body);
        }
        response.body(in_pieces(self.body))
    }

    pub(super) fn rejected(rejected: &Rejected, now: i64) -> Self {
        let rejection = rejected.rejection;
        let more = match (rejected.not_before, rejected.signer.is_some()) {
            (Some(not_before), _) => json!({ "timestamp": now, "not_before": not_before }),
            (None, true) => json!({ "timestamp": now }),
            (None, false) => json!({}),
        };
        Self::error_with(401, rejection.code(), &rejection.to_string(), more)
    }
}

fn in_pieces(body: Vec<u8>) -> SizedStream<impl stream::Stream<Item = Result<Bytes, Infallible>>> {
    let length = body.len() as u64;
    let mut rest = Bytes::from(body);
    let next = move || (!rest.is_empty()).then(|| rest.split_to(PIECE.min(rest.len())));
    SizedStream::new(length, stream::iter(std::iter::from_fn(next).map(Ok)))
}

impl From<RouteError> for Answer {
    fn from(err: RouteError) -> Self {
        let (status, code) = match &err {
            RouteError::NotFound => (404, "not_found"),
            RouteError::InterfaceName => (403, "interface_not_allowed"),
            RouteError::Key(_) => (422, "invalid_key"),
            RouteError::Parameter(_) => (400, "unknown_parameter"),
        };
        Self::error(status, code, &err.to_string())
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        let sentence = failure.to_string();
        match &failure {
            Failure::Refused(refusal) => Self::refused(refusal, None),
            Failure::RefusedAt { refusal, now } => Self::refused(refusal, Some(now)),
            Failure::Invalid(_) => Self::error(422, "invalid", &sentence),
            Failure::InterfaceRemoved(_) => Self::error(404, "interface_unknown", &sentence),
            Failure::NotCreated(_) => Self::error(409, "not_created", &sentence),
            Failure::InterfaceMissing(_) => Self::later("interface_missing", &sentence),
            Failure::Busy(_) => Self::later("busy", &sentence),
            Failure::DeviceRefused => Self::error(422, "device_refused", &sentence),
            Failure::NotDurable => Self::later("not_durable", &sentence),
            Failure::Stopping => Self::later("stopping", &sentence),
        }
    }
}

impl Answer {
    /// Try again in a moment.
    pub(super) fn later(code: &str, sentence: &str) -> Self {
        Self::error(503, code, sentence).with(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }
}

impl Answer {
    /// Why a write may not be; to whoever plans against a generation, also where the interface stands.
    fn refused(refusal: &Refusal, standing: Option<&InSync>) -> Self {
        let (status, code, mut more) = match refusal {
            Refusal::PeerExists(_) => (409, "peer_exists", json!({})),
            Refusal::PeerUnknown(_) => (404, "peer_unknown", json!({})),
            Refusal::AllowedIpTaken { cidr, owner } => {
                let taken = json!({ "allowed_ip": cidr, "owner": owner });
                (409, "allowed_ip_taken", taken)
            }
            Refusal::GenerationMismatch { .. } => (409, "generation_mismatch", json!({})),
            Refusal::GenerationBackwards(_) => (422, "generation_backwards", json!({})),
            Refusal::MassRemoval { count, .. } => (409, "mass_removal", json!({ "count": count })),
            Refusal::OwnKey(_) => (422, "own_key", json!({})),
            Refusal::NamedTwice(_) => (422, "named_twice", json!({})),
            Refusal::Expired(_) => (422, "expired", json!({})),
        };
        if let (Value::Object(more), Some(standing)) = (&mut more, standing) {
            more.insert("generation".into(), json!(standing.generation));
            more.insert("digest".into(), json!(standing.digest));
            more.insert("peers".into(), json!(standing.peers));
        }
        Self::error_with(status, code, &refusal.to_string(), more)
    }
}

impl From<RotationError> for Answer {
    fn from(err: RotationError) -> Self {
        let sentence = err.to_string();
        match err {
            RotationError::BadId => Self::error(422, "invalid", &sentence),
            RotationError::Exists(_) => Self::error(409, "secret_exists", &sentence),
            RotationError::Unknown(_) => Self::error(404, "secret_unknown", &sentence),
            RotationError::Active(_) => Self::error(409, "secret_active", &sentence),
            RotationError::LowOrder => Self::error(422, "invalid_key", &sentence),
            RotationError::Disk(err) => {
                tracing::error!(
                    error = &err as &dyn std::error::Error,
                    "cannot change the secrets"
                );
                Self::later("not_durable", "the change could not be written to disk")
            }
        }
    }
}
