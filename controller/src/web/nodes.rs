//! `/nodes`: the servers of the fleet, each with what was seen of it and how long ago; and with them their interfaces,
//! what these hold that nobody asked for, and what is to be done about it.
//!
//! A node is shared by all who have peers on it: whoever is limited to a pool or a network sees those that belong
//! there, and changes none.

mod board;
mod create;
mod delete;
mod device;
mod drift;
mod edit;
pub(super) mod index;
mod interface;
mod plan;
mod secret;
mod show;
mod standing;
mod strangers;
mod tested;
mod traffic;
mod whole;

use super::table::Table;

pub(super) fn configure(table: &mut Table<'_>) {
    table
        .get("/nodes", index::index)
        .post("/nodes", create::create)
        .get("/nodes/rows", index::rows)
        .get("/nodes/new", create::new)
        .post("/nodes/test", create::test)
        .get("/nodes/{id}", show::show)
        .post("/nodes/{id}", edit::change)
        .get("/nodes/{id}/board", show::board)
        .get("/nodes/{id}/traffic", traffic::table)
        .get("/nodes/{id}/edit", edit::edit)
        .post("/nodes/{id}/disabled", edit::disable)
        .delete("/nodes/{id}/disabled", edit::enable)
        .post("/nodes/{id}/disabled/delete", edit::enable)
        .get("/nodes/{id}/delete", delete::node)
        .post("/nodes/{id}/delete", delete::delete_node)
        .get("/nodes/{id}/secret", secret::edit)
        .post("/nodes/{id}/secret", secret::replace)
        .post("/nodes/{id}/test", tested::test)
        .post("/nodes/{id}/interfaces", interface::create)
        .get("/nodes/{id}/interfaces/new", interface::new);
    table
        .get("/interfaces/{id}", interface::show)
        .post("/interfaces/{id}", interface::change)
        .get("/interfaces/{id}/edit", interface::edit)
        .get("/interfaces/{id}/delete", delete::interface)
        .post("/interfaces/{id}/delete", delete::delete_interface)
        .post(
            "/interfaces/{id}/key-acknowledgement",
            interface::acknowledge_key,
        )
        .post("/interfaces/{id}/adoptions", strangers::adopt)
        .get("/interfaces/{id}/removals/new", strangers::ask)
        .post("/interfaces/{id}/removals", strangers::remove)
        .post("/interfaces/{id}/plans", plan::create)
        .get("/plans/{id}", plan::show)
        .post("/plans/{id}/application", plan::apply);
}
