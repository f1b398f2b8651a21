//! `/users`: people who may sign in, for administrators.

mod change;
mod create;
mod delete;
mod index;
pub(super) mod reaches;
mod recover;

use super::table::Table;
use super::visit::Visit;
use crate::api::caller::Administers;
use crate::api::problem::Problem;
use crate::db;
use crate::db::users::UserRow;
use crate::domain::ids::UserId;
use crate::domain::role::Role;
use crate::fleet::Refusal;

pub(super) fn configure(table: &mut Table<'_>) {
    table
        .get("/users", index::index)
        .post("/users", create::create)
        .get("/users/new", create::new)
        .get("/users/{id}", change::show)
        .post("/users/{id}", change::change)
        .post("/users/{id}/sessions/end", change::end_sessions)
        .post("/users/{id}/sessions/{session}/end", change::end_session)
        .get("/users/{id}/recover", recover::ask)
        .post("/users/{id}/recover", recover::recover)
        .get("/users/{id}/delete", delete::ask)
        .post("/users/{id}/delete", delete::delete);
}

async fn find(visit: &Visit<Administers>, id: UserId) -> Result<UserRow, Problem> {
    let user = db::users::find(&visit.fleet.pool, id).await?;
    Ok(user.ok_or_else(|| Refusal::missing("user", id))?)
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Admin => "role-admin",
        Role::Operator => "role-operator",
        Role::Viewer => "role-viewer",
    }
}

/// The roles that somebody may be given, the smallest first: value and name.
const ROLES: [(&str, &str); 3] = [
    ("viewer", "role-viewer-long"),
    ("operator", "role-operator-long"),
    ("admin", "role-admin-long"),
];
