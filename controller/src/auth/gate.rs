//! The gate around the machine API: reads and bounds the body, finds out who asks, sees whether they may,
//! hands on, and signs the answer's very bytes.
//!
//! Nothing that changes an answer, such as compression, may stand outside it; what streams without end
//! does not belong inside it.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{self as answer_body, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode, Version};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, error, web};
use protocol::Cidr;
use protocol::signing::{Rejection, Secret, sign_response};
use protocol::target;
use sqlx::PgPool;

use super::body::{self, Limits, Room};
use super::client::client_address;
use super::decision::Covered;
use super::extract::RawBody;
use super::limiter::FailureLimiter;
use super::principal::Principal;
use super::refusal::Refused;
use super::verify::{Caller, Denied, Proof, Signer, authenticate};
use crate::clock;
use crate::domain::role::Permission;
use crate::keyring::Keyring;
use crate::random;

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// What a route needs, by its method (GET for HEAD) and its pattern. `None`: nobody may.
pub type Needs = fn(&Method, &str) -> Option<Permission>;

/// The methods that a path takes; none where nothing is.
pub type Takes = fn(&str) -> Vec<&'static str>;

/// What is told of the routes behind the gate.
#[derive(Clone, Copy)]
pub struct Routes {
    pub needs: Needs,
    pub takes: Takes,
}

/// What the gate stands on; one for all threads of a server.
pub struct Gate {
    pub(super) pool: PgPool,
    pub(super) keyring: Arc<Keyring>,
    /// Computes a MAC where there is no key, so that it takes as long.
    pub(super) stranger: Secret,
    trusted_proxies: Vec<Cidr>,
    routes: Routes,
    limits: Limits,
    limiter: FailureLimiter,
    room: Arc<Room>,
}

impl Gate {
    pub fn new(
        pool: PgPool,
        keyring: Arc<Keyring>,
        trusted_proxies: Vec<Cidr>,
        routes: Routes,
        limits: Limits,
    ) -> Self {
        let digits = hex::encode(random::bytes::<32>());
        Self {
            pool,
            keyring,
            stranger: Secret::parse(&digits)
                .expect("32 random bytes as good as never have fewer than 8 different digits"),
            trusted_proxies,
            routes,
            limits,
            limiter: FailureLimiter::default(),
            room: Arc::default(),
        }
    }
}

impl Gate {
    /// Reads a body whole, within the limits that hold for strangers.
    pub(super) async fn read_body(
        &self,
        headers: &header::HeaderMap,
        payload: &mut Payload,
    ) -> Result<web::Bytes, Refused> {
        let (bytes, _taken) = body::read(headers, payload, self.limits, &self.room).await?;
        Ok(bytes)
    }
}

/// Lets through who may pass; wrap a scope in it with `from_fn`.
pub async fn guard(
    gate: web::Data<Gate>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let head = *request.method() == Method::HEAD;
    let admitted = admit(&gate, &mut request).await;
    let (signer, response) = match admitted {
        Err(Refused { answer, signer }) => {
            let payload = request.take_payload();
            let answer = body::close_unless_read(*answer, payload);
            (signer, request.into_response(answer))
        }
        Ok(caller) => {
            let permitted = permit(&gate, &request, &caller.principal);
            // Of a refused caller too: whoever writes the refusal down names them.
            request.extensions_mut().insert(caller.principal);
            match permitted {
                Err(Refused { answer, .. }) => (caller.signer, request.into_response(*answer)),
                Ok(()) => {
                    let response = next.call(request).await?.map_into_boxed_body();
                    (caller.signer, response)
                }
            }
        }
    };
    let mut response = match signer {
        Some(signer) => sign(response, &signer, head).await?,
        None => response,
    };
    // What one caller may see, no cache between may show to another.
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn admit(gate: &Gate, request: &mut ServiceRequest) -> Result<Caller, Refused> {
    let target = check_form(gate, request)?.to_owned();
    let from = client(gate, request);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let proof = Proof::read(request.headers(), reads)
        .map_err(|rejection| refuse(gate, from, rejection, &rejection.to_string()))?;
    let mut payload = request.take_payload();
    let read = body::read(request.headers(), &mut payload, gate.limits, &gate.room).await;
    request.set_payload(payload);
    let (body, _taken) = read?;
    let covered = Covered {
        method: request.method().as_str(),
        target: &target,
        body: &body,
    };
    let caller = authenticate(gate, &proof, covered, from, clock::now())
        .await
        .map_err(|denied| deny(gate, from, denied))?;
    request.set_payload(Payload::from(body.clone()));
    request.extensions_mut().insert(RawBody(body));
    Ok(caller)
}

/// What must hold before a signature is even looked at.
fn check_form<'r>(gate: &Gate, request: &'r ServiceRequest) -> Result<&'r str, Refused> {
    if !matches!(request.version(), Version::HTTP_11 | Version::HTTP_2) {
        return Err(Refused::new(
            StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            "http_version",
            "the machine API speaks HTTP/1.1 and HTTP/2",
        ));
    }
    if !METHODS.contains(&request.method().as_str()) {
        return Err(unknown_method(gate, request.path()));
    }
    let bad = |err: target::TargetError| {
        Refused::new(StatusCode::BAD_REQUEST, "bad_target", &err.to_string())
    };
    let uri = request.uri();
    // HTTP/2 has an authority in every request.
    let absolute = uri.authority().is_some() && request.version() == Version::HTTP_11;
    let target = uri.path_and_query().filter(|_| !absolute);
    let target = target
        .ok_or(target::TargetError::NotAPath)
        .map_err(bad)?
        .as_str();
    target::check(target).map_err(bad)?;
    Ok(target)
}

fn unknown_method(gate: &Gate, path: &str) -> Refused {
    let mut refused = Refused::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this method is not known here",
    );
    let taken = (gate.routes.takes)(path);
    let taken = if taken.is_empty() {
        &METHODS[..]
    } else {
        &taken
    };
    if let Ok(allow) = HeaderValue::try_from(taken.join(", ")) {
        refused.answer.headers_mut().insert(header::ALLOW, allow);
    }
    refused
}

fn client(gate: &Gate, request: &ServiceRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let values: Vec<&str> = request
        .headers()
        .get_all(header::X_FORWARDED_FOR)
        // What is no text is no address either; the search ends there.
        .map(|value| value.to_str().unwrap_or(""))
        .collect();
    Some(client_address(peer, &values, &gate.trusted_proxies))
}

/// What nobody has said who may do it, nobody may. A path without a route is answered further in.
fn permit(gate: &Gate, request: &ServiceRequest, principal: &Principal) -> Result<(), Refused> {
    let Some(pattern) = request.match_pattern() else {
        return Ok(());
    };
    let method = match *request.method() {
        Method::HEAD => &Method::GET,
        ref method => method,
    };
    let needed = (gate.routes.needs)(method, &pattern);
    if needed.is_some_and(|needed| principal.may(needed)) {
        return Ok(());
    }
    let actor = principal.actor();
    tracing::warn!(actor, %method, %pattern, "refused {method} {pattern} to {actor}");
    Err(Refused::new(
        StatusCode::FORBIDDEN,
        "not_permitted",
        "this key may not do that",
    ))
}

fn deny(gate: &Gate, from: Option<IpAddr>, denied: Denied) -> Refused {
    match denied {
        Denied::Unavailable(err) => {
            tracing::error!(error = &err as &dyn Error, "cannot tell who is asking");
            Refused::unavailable()
        }
        Denied::Rejected {
            rejection,
            why,
            signer: None,
        } => refuse(gate, from, rejection, &why),
        Denied::Rejected {
            rejection,
            why,
            signer,
        } => {
            tracing::warn!(
                ?from,
                code = rejection.code(),
                "refused a request that verified: {why}"
            );
            Refused::rejected(rejection, signer, clock::now().timestamp())
        }
    }
}

/// Answers a request that proved nothing, unless its sender did so too often.
fn refuse(gate: &Gate, from: Option<IpAddr>, rejection: Rejection, why: &str) -> Refused {
    let limited = from.and_then(|from| gate.limiter.take(from, Instant::now()).err());
    if let Some(wait) = limited {
        return Refused::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_failures",
            "too many requests from here did not verify",
        )
        .retry_after(wait.0);
    }
    tracing::warn!(
        ?from,
        code = rejection.code(),
        "refused a request that did not verify: {why}"
    );
    Refused::rejected(rejection, None, clock::now().timestamp())
}

/// Signs an answer, whole as it is sent. The one to HEAD has no body.
async fn sign(
    response: ServiceResponse<BoxBody>,
    signer: &Signer,
    head: bool,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let (request, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    let bytes = answer_body::to_bytes(body)
        .await
        .map_err(error::ErrorInternalServerError)?;
    let bytes = if head { web::Bytes::new() } else { bytes };
    let now = clock::now().timestamp();
    let status = response.status().as_u16();
    let signature = sign_response(&signer.secret, status, &bytes, now, &signer.signature);
    let signature =
        HeaderValue::try_from(signature.to_string()).map_err(error::ErrorInternalServerError)?;
    let headers = response.headers_mut();
    headers.insert(header::HeaderName::from_static("x-signature"), signature);
    headers.insert(
        header::HeaderName::from_static("x-timestamp"),
        HeaderValue::from(now),
    );
    let response: HttpResponse = response.set_body(BoxBody::new(bytes));
    Ok(ServiceResponse::new(request, response))
}
