//! `/me`: who a caller is to this controller.

use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, ReadsWithin};
use super::problem::{Problem, ReadProblems};
use crate::auth::{Principal, Who};
use crate::domain::reach::Reach;
use crate::domain::role::{Role, Scope};

#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Me {
    ApiKey {
        name: String,
        key_id: String,
        scope: Scope,
        reach: Reach,
    },
    User {
        name: String,
        role: Role,
        reach: Reach,
    },
}

/// Tell who is asking, and what they may.
#[utoipa::path(tag = "me", operation_id = "me.show",
    responses((status = 200, body = Me), ReadProblems))]
#[get("/me")]
pub(crate) async fn show(
    _caller: Caller<ReadsWithin>,
    principal: Principal,
) -> Result<HttpResponse, Problem> {
    let (name, reach) = (principal.name, principal.reach);
    let me = match principal.who {
        Who::ApiKey { key_id, scope, .. } => Me::ApiKey {
            name,
            key_id,
            scope,
            reach,
        },
        Who::User { role, .. } => Me::User { name, role, reach },
    };
    Ok(HttpResponse::Ok().json(me))
}
