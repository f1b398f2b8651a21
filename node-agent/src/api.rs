//! The HTTP side: from a request to a call of a writer, and back to a signed answer.
//!
//! It only translates. One function takes every request, because the order of the checks is the
//! security of the agent: form, headers, body, MAC, age, repetition, and only then what is asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use protocol::InterfaceName;
use serde::de::IgnoredAny;
use serde_json::error::Category;
use tokio::sync::oneshot;

use crate::auth::{Auth, Caller};
use crate::clock;
use crate::config::Config;
use crate::limiter::FailureLimiter;
use crate::strangers;
use crate::system::Sampler;
use crate::writer::{Failure, Handle, Job};

mod admission;
mod answer;
mod body;
mod interface;
mod node;
mod peers;
pub mod route;
mod secrets;

use admission::{Refused, Verified};
use answer::Answer;
use body::Room;
use route::{Route, RouteError};

/// One agent as HTTP sees it.
pub struct Agent {
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
    /// A large one is not kept longer than it takes to parse it.
    body: Vec<u8>,
    caller: &'a Caller,
}

/// Takes every request there is.
///
/// Which agent a request is for is the server's business: it may serve several, each at its own door.
pub async fn handle(
    request: HttpRequest,
    mut payload: web::Payload,
    agent: web::Data<Agent>,
) -> HttpResponse {
    if strangers::is_turned_away(&request) {
        return HttpResponse::Forbidden().finish();
    }
    let answer = answer(&request, &mut payload, &agent).await;
    body::close_unless_read(answer, payload)
}

async fn answer(
    request: &HttpRequest,
    payload: &mut web::Payload,
    agent: &web::Data<Agent>,
) -> HttpResponse {
    let now = clock::now();
    let head = *request.method() == Method::HEAD;
    match admission::check_form(request) {
        Err(answer) => answer.send(None, now, head),
        Ok("/livez" | "/v1/livez") if matches!(*request.method(), Method::GET | Method::HEAD) => {
            Answer::empty().send(None, now, head)
        }
        Ok(target) => match admission::verify(agent, request, target, payload, now).await {
            Ok(Verified {
                caller,
                route,
                body,
            }) => {
                let answer = serve(agent, request, route, body, &caller).await;
                answer
                    .unwrap_or_else(|refused| refused)
                    .send(Some(&caller), clock::now(), head)
            }
            Err(Refused { answer, signer }) => answer.send(signer.as_ref(), now, head),
        },
    }
}

async fn serve(
    agent: &web::Data<Agent>,
    request: &HttpRequest,
    route: Result<Route, RouteError>,
    body: Vec<u8>,
    caller: &Caller,
) -> Result<Answer, Answer> {
    let route = route?;
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
    let mut request = Request {
        method: if method == "HEAD" { "GET" } else { method },
        route,
        body,
        caller,
    };
    match &request.route {
        Route::Livez => Ok(Answer::empty()),
        Route::Health => node::health(agent).await,
        Route::Status => Ok(node::status(agent)),
        Route::Metrics => node::metrics(agent).await,
        Route::Secrets | Route::Secret { .. } | Route::Activate { .. } => {
            secrets::change(agent, &request).await
        }
        Route::Peers { .. } | Route::Peer { .. } => peers::change(agent, &mut request).await,
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
    serde_json::from_slice(body).map_err(|err| {
        // What follows the first wrong value was not read, and may be no JSON at all.
        match err.classify() {
            Category::Data if is_json_text(body) => Answer::error(422, "invalid", &err.to_string()),
            _ => Answer::error(400, "not_json", "the body is not JSON"),
        }
    })
}

fn is_json_text(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Named here so that every handler refuses in the same words.
fn no_body(body: &[u8]) -> Result<(), Answer> {
    if body.is_empty() || body == b"{}" {
        return Ok(());
    }
    Err(Answer::error(422, "invalid", "this request takes no body"))
}
