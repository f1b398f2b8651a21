//! `/pools`: named sets of nodes, how full they are, and where the next peers would go.

mod change;
mod create;
mod delete;
mod fields;
mod index;
mod members;
mod show;

use super::table::Table;
use crate::api::problem::Problem;
use crate::db::pools::Pool;
use crate::domain::ids::PoolId;
use crate::domain::reach::Belongs;
use crate::fleet::{Fleet, Refusal};

pub(super) fn configure(table: &mut Table<'_>) {
    table
        .get("/pools", index::index)
        .get("/pools/new", create::form)
        .post("/pools", create::create)
        .get("/pools/{id}", show::show)
        .get("/pools/{id}/edit", change::form)
        .post("/pools/{id}/edit", change::change)
        .get("/pools/{id}/delete", delete::form)
        .post("/pools/{id}/delete", delete::delete)
        .post("/pools/{id}/members", members::add)
        .get("/pools/{id}/members/{node}/remove", members::form)
        .post("/pools/{id}/members/{node}/remove", members::remove);
}

async fn find(fleet: &Fleet, id: PoolId) -> Result<Pool, Problem> {
    let found = crate::db::pools::find(&fleet.pool, id).await?;
    Ok(found.ok_or_else(|| Refusal::missing("pool", id))?)
}

fn belongs(id: &PoolId) -> Belongs<'_> {
    Belongs {
        pools: std::slice::from_ref(id),
        networks: &[],
    }
}
