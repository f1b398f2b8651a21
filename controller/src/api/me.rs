//! `/me`: who a caller is to this controller.

use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Reads};
use super::problem::{Problem, ReadProblems};
use crate::auth::{Principal, Who};
use crate::domain::role::{Role, Scope};

#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Me {
    ApiKey {
        name: String,
        key_id: String,
        scope: Scope,
    },
    User {
        name: String,
        role: Role,
    },
}

/// Tell who is asking, and what they may.
#[utoipa::path(tag = "me", operation_id = "me.show",
    responses((status = 200, body = Me), ReadProblems))]
#[get("/me")]
pub(crate) async fn show(
    _caller: Caller<Reads>,
    principal: Principal,
) -> Result<HttpResponse, Problem> {
    let name = principal.name;
    let me = match principal.who {
        Who::ApiKey { key_id, scope, .. } => Me::ApiKey {
            name,
            key_id,
            scope,
        },
        Who::User { role, .. } => Me::User { name, role },
    };
    Ok(HttpResponse::Ok().json(me))
}
