//! Which requests are let in: form, headers, body, MAC, age, repetition, in this order.

use std::net::IpAddr;
use std::time::Instant;

use actix_web::http::Version;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, web};
use protocol::signing::{RawHeaders, Rejection, SignedHeaders};
use protocol::target;

use super::Agent;
use super::answer::Answer;
use super::body::{self, Bounds};
use super::route::{self, Route, RouteError};
use crate::auth::{Caller, Covered, Rejected};

/// Bodies above this size are hashed away from the thread that serves other connections.
const LARGE_BODY: usize = 256 * 1024;

/// What must hold before a signature is even looked at.
pub(super) fn check_form(request: &HttpRequest) -> Result<&str, Answer> {
    if request.version() != Version::HTTP_11 {
        return Err(Answer::error(
            505,
            "http_version",
            "this agent speaks HTTP/1.1",
        ));
    }
    if !["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(&request.method().as_str()) {
        let allow = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
        return Err(
            Answer::error(405, "method_not_allowed", "this method is not known here")
                .with(header::ALLOW, allow),
        );
    }
    let uri = request.uri();
    let bad = |err: target::TargetError| Answer::error(400, "bad_target", &err.to_string());
    let target = uri.path_and_query().filter(|_| uri.authority().is_none());
    let target = target
        .ok_or(target::TargetError::NotAPath)
        .map_err(bad)?
        .as_str();
    target::check(target).map_err(bad)?;
    Ok(target)
}

/// A request that was let in, whatever there is at its path.
pub(super) struct Verified {
    pub(super) caller: Caller,
    pub(super) route: Result<Route, RouteError>,
    pub(super) body: Vec<u8>,
}

/// A request that was not let in. The answer is signed where the caller proved who it is.
pub(super) struct Refused {
    pub(super) answer: Answer,
    pub(super) signer: Option<Caller>,
}

impl From<Answer> for Refused {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            signer: None,
        }
    }
}

pub(super) async fn verify(
    agent: &web::Data<Agent>,
    request: &HttpRequest,
    target: &str,
    payload: &mut web::Payload,
    now: i64,
) -> Result<Verified, Refused> {
    let from = request.peer_addr().map(|address| address.ip());
    let headers = signed_headers(request.headers())
        .map_err(|rejection| refuse(agent, from, rejection, now))?;
    check_encoding(request.headers())?;
    let route = route::find(target);
    let full_set = route
        .as_ref()
        .is_ok_and(|route| route.takes_full_set(request.method().as_str()));
    let limits = &agent.config.limits;
    let bounds = Bounds {
        bytes: if full_set {
            limits.full_set_bytes
        } else {
            limits.body_bytes
        },
        time: agent.config.timing.body_read,
        announced: announced(request.headers()),
    };
    let (body, taken) = body::read(payload, bounds, &agent.room).await?;
    let agent_too = agent.clone();
    let method = request.method().as_str().to_owned();
    let target = target.to_owned();
    let judge = move || {
        let covered = Covered {
            method: &method,
            target: &target,
            body: &body,
            activates: route.as_ref().ok().and_then(Route::activates),
        };
        let verdict = agent_too.auth.authenticate(&headers, covered, now);
        drop(taken);
        (verdict, route, body)
    };
    let (verdict, route, body) = if bounds.announced.unwrap_or(0) > LARGE_BODY || full_set {
        let failed = |_| Answer::later("stopping", "the agent is stopping");
        web::block(judge).await.map_err(failed)?
    } else {
        judge()
    };
    match verdict {
        Ok(caller) => Ok(Verified {
            caller,
            route,
            body,
        }),
        Err(rejected) if rejected.signer.is_none() => {
            Err(refuse(agent, from, rejected.rejection, now))
        }
        Err(rejected) => {
            tracing::warn!(from = ?from, code = rejected.rejection.code(), "refused a request whose signature verified");
            agent.counters.rejected(rejected.rejection);
            Err(Refused {
                answer: Answer::rejected(&rejected, now),
                signer: rejected.signer,
            })
        }
    }
}

/// Answers a request that proved nothing, unless its sender did so too often.
fn refuse(agent: &Agent, from: Option<IpAddr>, rejection: Rejection, now: i64) -> Refused {
    agent.counters.rejected(rejection);
    let limited = from.and_then(|from| agent.limiter.take(from, Instant::now()).err());
    if let Some(wait) = limited {
        let answer = Answer::error(
            429,
            "too_many_failures",
            "too many requests from here did not verify",
        );
        return answer
            .with(header::RETRY_AFTER, HeaderValue::from(wait.0))
            .into();
    }
    tracing::warn!(from = ?from, code = rejection.code(), "refused a request that did not verify");
    let rejected = Rejected {
        rejection,
        signer: None,
        not_before: None,
    };
    Answer::rejected(&rejected, now).into()
}

fn signed_headers(headers: &HeaderMap) -> Result<SignedHeaders, Rejection> {
    let all =
        |name: &str| -> Vec<&[u8]> { headers.get_all(name).map(HeaderValue::as_bytes).collect() };
    SignedHeaders::parse(RawHeaders {
        signature: &all("x-signature"),
        timestamp: &all("x-timestamp"),
        nonce: &all("x-nonce"),
        key_id: &all("x-key-id"),
    })
}

fn check_encoding(headers: &HeaderMap) -> Result<(), Answer> {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Answer::error(
            415,
            "content_encoding",
            "a body is signed and read as it is sent, so it cannot be encoded",
        ));
    }
    Ok(())
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}
