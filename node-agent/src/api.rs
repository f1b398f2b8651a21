//! The HTTP side: from a request to a call of a writer, and back to a signed answer.
//!
//! It only translates. One function takes every request, because the order of the checks is the
//! security of the agent: form, headers, body, MAC, age, repetition, and only then what is asked.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, Version};
use actix_web::{HttpRequest, HttpResponse, web};
use protocol::InterfaceName;
use protocol::signing::{RawHeaders, Rejection, SignedHeaders};
use protocol::target;
use tokio::sync::oneshot;

use crate::auth::{Auth, Caller, Covered, Rejected};
use crate::clock;
use crate::config::Config;
use crate::limiter::FailureLimiter;
use crate::system::Sampler;
use crate::writer::{Failure, Handle, Job};

mod answer;
mod body;
mod interface;
mod node;
mod peers;
pub mod route;
mod secrets;

use answer::Answer;
use body::{Bounds, Room};
use route::Route;

/// Bodies above this size are hashed away from the thread that serves other connections.
const LARGE_BODY: usize = 256 * 1024;

pub(crate) struct Agent {
    pub(crate) config: Config,
    auth: Auth,
    pub(crate) writers: BTreeMap<InterfaceName, Handle>,
    sampler: Sampler,
    limiter: FailureLimiter,
    /// What the start could not do; part of health.
    problems: Vec<String>,
    started: Instant,
    room: Arc<Room>,
    counters: node::Counters,
}

impl Agent {
    pub(crate) fn new(
        config: Config,
        auth: Auth,
        writers: BTreeMap<InterfaceName, Handle>,
        sampler: Sampler,
        problems: Vec<String>,
    ) -> Self {
        Self {
            room: Room::new(config.limits.unverified_bytes),
            limiter: FailureLimiter::new(
                config.limits.failure_burst,
                config.limits.failures_per_minute,
            ),
            counters: node::Counters::default(),
            started: Instant::now(),
            config,
            auth,
            writers,
            sampler,
            problems,
        }
    }

    /// Forgets secrets that were replaced long enough ago, on disk too.
    pub(crate) fn forget_old_secrets(&self) {
        if let Err(err) = self.auth.change_ring(|ring| ring.prune(clock::now())) {
            tracing::error!(
                error = &err as &dyn std::error::Error,
                "cannot forget a secret that was replaced"
            );
        }
    }

    fn writer(&self, name: &InterfaceName) -> Result<&Handle, Answer> {
        self.writers.get(name).ok_or_else(|| {
            self.counters.interfaces_refused();
            tracing::warn!(interface = %name, "a request named an interface that is not on the list");
            Answer::error(403, "interface_not_allowed", "this node does not serve that interface")
        })
    }
}

/// Hands a job to a writer and waits for what comes of it.
async fn ask<T>(
    writer: &Handle,
    job: impl FnOnce(oneshot::Sender<Result<T, Failure>>) -> Job,
) -> Result<T, Answer> {
    let (reply, answer) = oneshot::channel();
    writer.submit(job(reply))?;
    Ok(answer.await.unwrap_or(Err(Failure::Stopping))?)
}

/// A request that verified, with all that its handler needs.
struct Request<'a> {
    method: &'a str,
    route: Route,
    body: &'a [u8],
    caller: &'a Caller,
    random: [u8; 32],
}

/// Takes every request there is.
pub(crate) async fn handle(
    request: HttpRequest,
    payload: web::Payload,
    agent: web::Data<Agent>,
) -> HttpResponse {
    let now = clock::now();
    let head = *request.method() == Method::HEAD;
    match check_form(&request) {
        Err(answer) => answer.send(None, now, head),
        Ok("/livez" | "/v1/livez") if matches!(*request.method(), Method::GET | Method::HEAD) => {
            Answer::empty().send(None, now, head)
        }
        Ok(target) => match verify(&agent, &request, target, payload, now).await {
            Ok((caller, body)) => {
                let answer = serve(&agent, &request, target, &body, &caller).await;
                answer
                    .unwrap_or_else(|refused| refused)
                    .send(Some(&caller), clock::now(), head)
            }
            Err(Refused { answer, signer }) => answer.send(signer.as_ref(), now, head),
        },
    }
}

/// What must hold before a signature is even looked at.
fn check_form(request: &HttpRequest) -> Result<&str, Answer> {
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

/// A request that was not let in. The answer is signed where the caller proved who it is.
struct Refused {
    answer: Answer,
    signer: Option<Caller>,
}

impl From<Answer> for Refused {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            signer: None,
        }
    }
}

async fn verify(
    agent: &web::Data<Agent>,
    request: &HttpRequest,
    target: &str,
    payload: web::Payload,
    now: i64,
) -> Result<(Caller, Vec<u8>), Refused> {
    let from = request.peer_addr().map(|address| address.ip());
    let headers = signed_headers(request.headers())
        .map_err(|rejection| refuse(agent, from, rejection, now))?;
    check_encoding(request.headers())?;
    let route = route::find(target).ok();
    let full_set = route
        .as_ref()
        .is_some_and(|route| route.takes_full_set(request.method().as_str()));
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
            activates: route.as_ref().and_then(Route::activates),
        };
        let verdict = agent_too.auth.authenticate(&headers, covered, now);
        drop(taken);
        (verdict, body)
    };
    let (verdict, body) = if bounds.announced.unwrap_or(0) > LARGE_BODY || full_set {
        let failed = |_| Answer::later("stopping", "the agent is stopping");
        web::block(judge).await.map_err(failed)?
    } else {
        judge()
    };
    match verdict {
        Ok(caller) => Ok((caller, body)),
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

async fn serve(
    agent: &web::Data<Agent>,
    request: &HttpRequest,
    target: &str,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Answer> {
    let route = route::find(target)?;
    let method = request.method().as_str();
    if !route.methods().contains(&method) {
        let allow = route.methods().join(", ");
        let answer = Answer::error(
            405,
            "method_not_allowed",
            "this path does not answer that method",
        );
        return Err(match HeaderValue::from_str(&allow) {
            Ok(allow) => answer.with(header::ALLOW, allow),
            Err(_) => answer,
        });
    }
    if !body.is_empty() && !is_json(request.headers()) {
        return Err(Answer::error(
            415,
            "not_json",
            "the body must be application/json",
        ));
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random)
        .map_err(|_| Answer::later("busy", "the system gives no random bytes"))?;
    let request = Request {
        method: if method == "HEAD" { "GET" } else { method },
        route,
        body,
        caller,
        random,
    };
    match &request.route {
        Route::Livez => Ok(Answer::empty()),
        Route::Health => node::health(agent).await,
        Route::Status => Ok(node::status(agent)),
        Route::Metrics => node::metrics(agent).await,
        Route::Secrets | Route::Secret { .. } | Route::Activate { .. } => {
            secrets::change(agent, &request).await
        }
        Route::Peers { .. } | Route::Peer { .. } => peers::change(agent, &request).await,
        Route::Dump { name, since } => interface::dump(agent.writer(name)?, since.clone()).await,
        Route::Digest { name } => interface::digest(agent.writer(name)?).await,
        Route::Config { name } => interface::config(agent.writer(name)?, &request).await,
        Route::Syncconf { name } => interface::syncconf(agent.writer(name)?, &request).await,
        Route::Enable { name } | Route::Disable { name } | Route::Interface { name } => {
            interface::link(agent.writer(name)?, &request).await
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media = content_type.and_then(|text| text.split(';').next());
    media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads a body, telling what is no JSON (400) from JSON that means nothing here (422).
fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Answer> {
    serde_json::from_slice(body).map_err(|err| match err.classify() {
        serde_json::error::Category::Data => Answer::error(422, "invalid", &err.to_string()),
        _ => Answer::error(400, "not_json", "the body is not JSON"),
    })
}

/// Named here so that every handler refuses in the same words.
fn no_body(body: &[u8]) -> Result<(), Answer> {
    if body.is_empty() || body == b"{}" {
        return Ok(());
    }
    Err(Answer::error(422, "invalid", "this request takes no body"))
}
