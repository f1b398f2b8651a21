//! An answer as it is kept: its body sealed, because it may show a secret that is shown once.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use crate::auth::gate::Gate;
use crate::db::idempotency::{Named, SealedAnswer};
use crate::keyring::{Column, KeyringError, OpenError, Place};

/// The headers that a repetition carries as well.
const HEADERS: [&str; 3] = ["content-type", "location", "etag"];

#[derive(Debug, thiserror::Error)]
pub(super) enum Unavailable {
    #[error("cannot read or write kept answers")]
    Database(#[from] sqlx::Error),
    #[error("cannot read the data keys again")]
    Keyring(#[from] KeyringError),
    #[error("cannot open a kept answer")]
    Sealed(#[from] OpenError),
    #[error("a kept answer is not one that could have been given")]
    Damaged,
}

#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: web::Bytes,
}

impl Answer {
    pub(super) fn of(head: &HttpResponse<()>, body: web::Bytes) -> Self {
        let kept = HEADERS.into_iter().filter_map(|name| {
            let value = head.headers().get(name)?;
            Some((HeaderName::from_static(name), value.clone()))
        });
        Self {
            status: head.status(),
            headers: kept.collect(),
            body,
        }
    }

    pub(super) fn seal(&self, gate: &Gate, named: &Named) -> SealedAnswer {
        let sealed = gate.keyring.seal(&place(named), &self.body);
        SealedAnswer {
            status: self.status.as_u16().into(),
            headers: headers_to_json(&self.headers),
            sealed: sealed.bytes,
            data_key_id: sealed.data_key_id,
        }
    }

    pub(super) async fn open(
        gate: &Gate,
        named: &Named,
        kept: &SealedAnswer,
    ) -> Result<Self, Unavailable> {
        let place = place(named);
        let open = || {
            gate.keyring
                .open_sealed(&place, &kept.sealed, kept.data_key_id)
        };
        let body = match open() {
            Err(OpenError::UnknownKey(_)) => {
                gate.keyring.refresh(&gate.pool).await?;
                open()?
            }
            opened => opened?,
        };
        let status = u16::try_from(kept.status).map_err(|_| Unavailable::Damaged)?;
        Ok(Self {
            status: StatusCode::from_u16(status).map_err(|_| Unavailable::Damaged)?,
            headers: headers_from_json(&kept.headers).ok_or(Unavailable::Damaged)?,
            body: web::Bytes::copy_from_slice(&body),
        })
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status).body(self.body);
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

fn place(named: &Named) -> Place {
    Place::new(
        Column::IdempotentAnswer,
        format!("{}:{}", named.principal, named.key),
    )
}

/// Only text can be kept; none of these headers is ever anything else.
fn headers_to_json(headers: &[(HeaderName, HeaderValue)]) -> Value {
    let pairs = headers
        .iter()
        .filter_map(|(name, value)| Some(json!([name.as_str(), value.to_str().ok()?])));
    Value::Array(pairs.collect())
}

fn headers_from_json(kept: &Value) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let pair = |pair: &Value| {
        let name = HeaderName::try_from(pair.get(0)?.as_str()?).ok()?;
        let value = HeaderValue::try_from(pair.get(1)?.as_str()?).ok()?;
        Some((name, value))
    };
    kept.as_array()?.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_matter_are_kept_and_no_others() {
        let given = HttpResponse::Created()
            .insert_header(("Location", "/api/v1/nodes/7"))
            .insert_header(("ETag", "\"3\""))
            .insert_header(("Date", "now"))
            .content_type("application/json")
            .finish();
        let (head, _) = given.into_parts();

        let kept = Answer::of(&head, web::Bytes::from_static(b"{}"));

        let read = headers_from_json(&headers_to_json(&kept.headers)).unwrap();
        assert_eq!(read, kept.headers);
        let names: Vec<&str> = read.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["content-type", "location", "etag"]);
    }
}
