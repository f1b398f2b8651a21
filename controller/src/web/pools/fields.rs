//! The form of a pool, read as the API reads its bodies, and its members, of which a form has many.

use crate::api::pools::{PoolChange, PoolDraft};
use crate::api::problem::Problem;
use crate::domain::ids::NodeId;
use crate::domain::pool::{Changes, NewPool};
use crate::fleet::Refusal;
use crate::web::form::{Form, Holds};

const FIELDS: [(&str, Holds); 3] = [
    ("name", Holds::Exactly),
    ("placement", Holds::Text),
    ("description", Holds::Exactly),
];

pub(super) fn draft(form: &Form) -> Result<NewPool, Problem> {
    let mut new = form.read::<PoolDraft>(&FIELDS)?.parse()?;
    new.members = members(form)?;
    Ok(new)
}

/// Members are changed on the pool's own page, one by one.
pub(super) fn changes(form: &Form) -> Result<Changes, Problem> {
    form.read::<PoolChange>(&FIELDS)?.parse()
}

fn members(form: &Form) -> Result<Vec<NodeId>, Problem> {
    let ids = form.values("member").map(|text| {
        let unknown = |_| Refusal::invalid("unknown_node", format!("there is no node {text}"));
        text.parse().map_err(unknown)
    });
    Ok(ids.collect::<Result<Vec<NodeId>, Refusal>>()?)
}
