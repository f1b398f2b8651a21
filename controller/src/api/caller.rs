//! Who calls, what they may, and how they want it done (`If-Match`, `?dry_run=true`).

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::Query;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde::Deserialize;
use utoipa::IntoParams;

use super::problem::Problem;
use super::requests::RequestId;
use super::version;
use crate::auth::{Principal, Who};
use crate::domain::actor::{Actor, ActorKind};
use crate::domain::role::Permission;
use crate::fleet::Call;

/// How a change is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WriteQuery {
    /// Do all of it, answer what would be, and take it back.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a route demands of its caller.
pub trait Demand {
    const PERMISSION: Permission;
}

pub struct Reads;
pub struct Writes;
pub struct Administers;

impl Demand for Reads {
    const PERMISSION: Permission = Permission::Read;
}
impl Demand for Writes {
    const PERMISSION: Permission = Permission::Write;
}
impl Demand for Administers {
    const PERMISSION: Permission = Permission::Admin;
}

/// The caller of a route, who may do what it demands: a handler without one of these does not exist.
pub struct Caller<D> {
    pub call: Call,
    demand: PhantomData<D>,
}

impl<D: Demand> FromRequest for Caller<D> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller::<D>(request))
    }
}

fn caller<D: Demand>(request: &HttpRequest) -> Result<Caller<D>, Problem> {
    let extensions = request.extensions();
    let principal = extensions.get::<Principal>().ok_or_else(unknown)?;
    if !principal.may(D::PERMISSION) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "this key may not do that",
        ));
    }
    let call = Call {
        actor: actor(principal, extensions.get::<RequestId>()),
        dry_run: dry_run(request)?,
        if_match: if_match(request)?,
    };
    Ok(Caller {
        call,
        demand: PhantomData,
    })
}

/// A principal as the audit log names it.
pub fn actor(principal: &Principal, request: Option<&RequestId>) -> Actor {
    Actor {
        kind: match principal.who {
            Who::ApiKey { .. } => ActorKind::ApiKey,
            Who::User { .. } => ActorKind::User,
        },
        name: principal.actor().to_owned(),
        ip: principal.from,
        request_id: request.map(|id| id.as_str().to_owned()),
    }
}

fn unknown() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "missing_signature",
        "sign the request or send a bearer token",
    )
}

/// Only changes may be tried; what a read is asked besides, its own handler reads.
fn dry_run(request: &HttpRequest) -> Result<bool, Problem> {
    if request.method().is_safe() {
        return Ok(false);
    }
    let query = Query::<WriteQuery>::from_query(request.query_string());
    query
        .map(|query| query.dry_run)
        .map_err(|err| Problem::new(StatusCode::BAD_REQUEST, "invalid_query", err.to_string()))
}

fn if_match(request: &HttpRequest) -> Result<Option<i64>, Problem> {
    let Some(value) = request.headers().get(header::IF_MATCH) else {
        return Ok(None);
    };
    let tag = value.to_str().ok().and_then(version::parse);
    tag.map(Some).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_if_match",
            "If-Match is one ETag as this API gives them, such as \"7\"",
        )
    })
}
