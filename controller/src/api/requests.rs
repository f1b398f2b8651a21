//! What goes along with every request: an id that reaches the logs and the agents, a figure for the metrics, and a row
//! in the audit log for each change that was not made.

use std::error::Error;
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};
use tracing::Instrument;

use super::caller::actor;
use crate::auth::{Principal, Reason, Written};
use crate::clock;
use crate::domain::actor::{Actor, ActorKind};
use crate::domain::audit::Outcome;
use crate::fleet::{Fleet, audit};
use crate::metrics::{HttpLabels, StatusClass};
use crate::random;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Names one request in logs, in the audit log, and towards agents.
#[derive(Debug, Clone)]
pub struct RequestId(Box<str>);

impl RequestId {
    /// The caller's own id, where it is one that no log line breaks on, else a fresh one.
    fn of(request: &ServiceRequest) -> Self {
        let given = request
            .headers()
            .get(HEADER)
            .and_then(|value| value.to_str().ok());
        let usable = |id: &&str| {
            (1..=64).contains(&id.len())
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        match given.filter(usable) {
            Some(id) => Self(id.into()),
            None => Self(hex::encode(random::bytes::<16>()).into()),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Wraps the whole application.
pub async fn follow(
    fleet: web::Data<Fleet>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let id = RequestId::of(&request);
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let span =
        tracing::info_span!("request", request.id = id.as_str(), %method, path = request.path());
    let started = Instant::now();
    let mut response = next.call(request).instrument(span.clone()).await?;
    let status = response.status().as_u16();
    let route = response
        .request()
        .match_pattern()
        .unwrap_or_else(|| "unknown".to_owned());
    fleet
        .metrics
        .http_seconds
        .get_or_create(&HttpLabels {
            method: known(&method),
            route: route.clone(),
            status: StatusClass::of(status),
        })
        .observe(started.elapsed().as_secs_f64());
    if !method.is_safe() && status >= 400 {
        note_refusal(&fleet, &response, &route, &id)
            .instrument(span)
            .await;
    }
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(HEADER, value);
    }
    Ok(response)
}

/// A method as the figures name it: what a stranger makes up is one of many.
fn known(method: &Method) -> &'static str {
    let served = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    served
        .into_iter()
        .find(|name| *name == method.as_str())
        .unwrap_or("other")
}

/// Writes down that a change was asked for and not made.
async fn note_refusal<B>(
    fleet: &Fleet,
    response: &ServiceResponse<B>,
    route: &str,
    id: &RequestId,
) {
    let status = response.status().as_u16();
    if response.response().extensions().get::<Written>().is_some() {
        return;
    }
    // A flood of strangers is stopped by the limiter, and must not fill the log instead.
    if status == 429 {
        return;
    }
    let request = response.request();
    let actor = match request.extensions().get::<Principal>() {
        Some(principal) => actor(principal, Some(id)),
        None => Actor {
            kind: ActorKind::Nobody,
            name: "nobody".into(),
            ip: request.peer_addr().map(|address| address.ip()),
            request_id: Some(id.as_str().to_owned()),
        },
    };
    let reason = response
        .response()
        .extensions()
        .get::<Reason>()
        .map_or("refused", |reason| reason.0);
    let outcome = if status >= 500 {
        Outcome::Failed
    } else {
        Outcome::Refused
    };
    let action = format!("{} {route}", request.method());
    let written = write(fleet, &actor, &action, request.path(), outcome, reason).await;
    if let Err(err) = written {
        tracing::error!(
            error = &err as &dyn Error,
            "a refused change cannot be entered in the audit log"
        );
    }
}

async fn write(
    fleet: &Fleet,
    actor: &Actor,
    action: &str,
    object: &str,
    outcome: Outcome,
    reason: &str,
) -> crate::fleet::Result<()> {
    let entry = audit::not_done(actor, action, object, outcome, reason, clock::now());
    let mut tx = fleet.pool.begin().await?;
    audit::append(&mut tx, &entry).await?;
    Ok(tx.commit().await?)
}
