//! A write that names itself with `Idempotency-Key` is done once, and its repetition gets the same answer.
//!
//! The claim is a row, so it holds across controllers. One whose request never ended, because its
//! controller died, is taken over after [`TAKEN_OVER_AFTER`]; whether that request acted nobody knows
//! then, and what it did must hold against being done again, as every write here does.
//! Answers that report a failure of the controller are not kept: trying again is right.

use std::error::Error;

use actix_web::body::{self, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, error, web};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::extract::RawBody;
use super::gate::Gate;
use super::principal::Principal;
use super::refusal::{Refused, problem};
use crate::clock;
use crate::db::idempotency::{self as answers, Named};

mod decision;
mod kept;

use decision::{Decision, decide};
use kept::{Answer, Unavailable};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Longer than any request takes that still lives.
pub(super) const TAKEN_OVER_AFTER: TimeDelta = TimeDelta::seconds(90);

/// Answers each named write once; wrap it inside the gate with `from_fn`.
pub async fn once(
    gate: web::Data<Gate>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if !writes || !request.headers().contains_key(HEADER) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let (named, hash) = match name(&request) {
        Ok(named) => named,
        Err(refused) => return Ok(request.into_response(*refused.answer)),
    };
    match claim(&gate, &named, &hash).await {
        Ok(Claim::Won(claimed_at)) => {
            let response = next.call(request).await?.map_into_boxed_body();
            keep(&gate, &named, claimed_at, response).await
        }
        Ok(Claim::Lost(answer)) => Ok(request.into_response(answer)),
        Err(err) => {
            tracing::error!(
                error = &err as &dyn Error,
                "cannot tell whether a request is a repetition"
            );
            Ok(request.into_response(*Refused::unavailable().answer))
        }
    }
}

/// Reads who names what, and what the request is, so that another one of the same name is noticed.
fn name(request: &ServiceRequest) -> Result<(Named, [u8; 32]), Refused> {
    let refused = |detail| Refused::new(StatusCode::BAD_REQUEST, "bad_idempotency_key", detail);
    let mut values = request.headers().get_all(HEADER);
    let key = match (values.next(), values.next()) {
        (Some(one), None) => one.to_str().unwrap_or(""),
        _ => return Err(refused("a request has one Idempotency-Key")),
    };
    if !(1..=255).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(refused(
            "an Idempotency-Key is 1 to 255 visible ASCII characters",
        ));
    }
    let extensions = request.extensions();
    let found = extensions
        .get::<Principal>()
        .zip(extensions.get::<RawBody>());
    let (principal, body) = found.ok_or_else(Refused::unavailable)?;
    let named = Named {
        principal: principal.identity(),
        key: key.to_owned(),
    };
    Ok((named, hash(request, &body.0)))
}

fn hash(request: &ServiceRequest, body: &[u8]) -> [u8; 32] {
    let target = request.uri().path_and_query();
    let target = target.map_or("", |target| target.as_str());
    let mut hash = Sha256::new();
    for field in [request.method().as_str(), target] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    hash.update(body);
    hash.finalize().into()
}

enum Claim {
    Won(DateTime<Utc>),
    Lost(HttpResponse),
}

async fn claim(gate: &Gate, named: &Named, hash: &[u8; 32]) -> Result<Claim, Unavailable> {
    let now = clock::now();
    let stale = now - TAKEN_OVER_AFTER;
    if let Some(claimed_at) = answers::claim(&gate.pool, named, hash, now, stale).await? {
        return Ok(Claim::Won(claimed_at));
    }
    let entry = answers::find(&gate.pool, named).await?;
    Ok(Claim::Lost(match decide(entry, hash, now) {
        Decision::Again(kept) => {
            let mut answer = Answer::open(gate, named, &kept).await?.into_response();
            answer
                .headers_mut()
                .insert(REPLAYED, HeaderValue::from_static("true"));
            answer
        }
        Decision::OtherRequest => problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "another request was sent with this Idempotency-Key",
        ),
        Decision::AtWork { retry_after_s } => {
            *Refused::new(
                StatusCode::CONFLICT,
                "request_at_work",
                "the first request with this Idempotency-Key is still at work",
            )
            .retry_after(retry_after_s)
            .answer
        }
    }))
}

/// What the repetition of a request is answered. An answer that was not to be stored held secrets that are shown
/// once: its repetition is told that it was done, and no more.
async fn remembered(
    head: &HttpResponse<()>,
    body: &web::Bytes,
) -> Result<Answer, actix_web::Error> {
    let shown_once = head
        .headers()
        .get(header::CACHE_CONTROL)
        .is_some_and(|value| value.as_bytes() == b"no-store");
    if !shown_once || !head.status().is_success() {
        return Ok(Answer::of(head, body.clone()));
    }
    let (head, body) = problem(
        StatusCode::CONFLICT,
        "answer_not_kept",
        "this was done; its answer held what is shown only once",
    )
    .into_parts();
    let body = body::to_bytes(body)
        .await
        .map_err(error::ErrorInternalServerError)?;
    Ok(Answer::of(&head, body))
}

/// Keeps the answer before it is given. One that cannot be kept is given all the same: it is the truth.
async fn keep(
    gate: &Gate,
    named: &Named,
    claimed_at: DateTime<Utc>,
    response: ServiceResponse<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let body = body::to_bytes(body)
        .await
        .map_err(error::ErrorInternalServerError)?;
    let kept = if head.status().is_server_error() {
        answers::give_back(&gate.pool, named, claimed_at).await
    } else {
        let answer = remembered(&head, &body).await?.seal(gate, named);
        answers::complete(&gate.pool, named, claimed_at, &answer).await
    };
    if let Err(err) = kept {
        tracing::error!(
            error = &err as &dyn Error,
            "cannot keep the answer to a named request"
        );
    }
    let response = head.set_body(BoxBody::new(body));
    Ok(ServiceResponse::new(request, response))
}
