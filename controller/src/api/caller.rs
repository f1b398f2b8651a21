//! Who calls, what they may, and how they want it done (`If-Match`, `?dry_run=true`).

use std::fmt;
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
use crate::domain::reach::{Access, Belongs};
use crate::domain::role::Permission;
use crate::fleet::{Call, Refusal};

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
///
/// Whoever is limited to a pool or a network comes only where a demand says so: a handler that asks for one `Within`
/// looks at each object, with [`Caller::check`], before it shows or changes it.
pub trait Demand {
    const PERMISSION: Permission;
    const WITHIN: bool = false;
}

pub struct Reads;
pub struct Writes;
pub struct Administers;
/// Reads what belongs to a pool or a network.
pub struct ReadsWithin;
/// Changes what belongs to a pool or a network.
pub struct WritesWithin;

impl Demand for Reads {
    const PERMISSION: Permission = Permission::Read;
}
impl Demand for Writes {
    const PERMISSION: Permission = Permission::Write;
}
impl Demand for ReadsWithin {
    const PERMISSION: Permission = Permission::Read;
    const WITHIN: bool = true;
}
impl Demand for WritesWithin {
    const PERMISSION: Permission = Permission::Write;
    const WITHIN: bool = true;
}
impl Demand for Administers {
    const PERMISSION: Permission = Permission::Admin;
}

/// The caller of a route, who may do what it demands: a handler without one of these does not exist.
pub struct Caller<D> {
    pub call: Call,
    pub access: Access,
    demand: PhantomData<D>,
}

impl<D: Demand> Caller<D> {
    /// Refuses an object beyond the caller's reach, in the words for one that is not there.
    pub fn check(
        &self,
        what: &str,
        which: impl fmt::Display,
        object: Belongs<'_>,
    ) -> Result<(), Refusal> {
        match self.access.may_to(D::PERMISSION, object) {
            true => Ok(()),
            false => Err(Refusal::missing(what, which)),
        }
    }
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
    let access = principal.access();
    let may = match D::WITHIN {
        true => access.may(D::PERMISSION),
        false => access.may_everywhere(D::PERMISSION),
    };
    if !may {
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
        access,
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
