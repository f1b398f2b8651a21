//! A node as its pages look it up: with its interfaces, and only for those whose reach covers it.

use actix_web::ResponseError;
use actix_web::http::StatusCode;

use crate::api::caller::Writes;
use crate::api::nodes;
use crate::api::problem::Problem;
use crate::db;
use crate::db::interfaces::Interface;
use crate::db::nodes::Node;
use crate::domain::ids::{InterfaceId, NodeId};
use crate::domain::profile::Language;
use crate::domain::role::Permission;
use crate::fleet::Refusal;
use crate::web::form::Form;
use crate::web::visit::Visit;

pub(super) struct Whole {
    pub node: Node,
    pub interfaces: Vec<Interface>,
}

/// A node that the visitor may see.
pub(super) async fn find<D>(visit: &Visit<D>, id: NodeId) -> Result<Whole, Problem> {
    let found = nodes::find(&visit.fleet.pool, &visit.access, id).await?;
    let (node, interfaces) = found;
    Ok(Whole { node, interfaces })
}

/// An interface of a fleet that the visitor may change.
pub(super) async fn interface(
    visit: &Visit<Writes>,
    id: InterfaceId,
) -> Result<Interface, Problem> {
    demand_everything(visit)?;
    let found = db::interfaces::find(&visit.fleet.pool, id).await?;
    Ok(found.ok_or_else(|| Refusal::missing("interface", id))?)
}

/// Whether the visitor may change nodes: they are everybody's, so nobody does who is limited to a part of the fleet.
pub(super) fn may_change<D>(visit: &Visit<D>) -> bool {
    visit.access.may_everywhere(Permission::Write)
}

pub(super) fn demand_everything(visit: &Visit<Writes>) -> Result<(), Problem> {
    match may_change(visit) {
        true => Ok(()),
        false => {
            let text =
                "your role extends to a part of the fleet, and nodes are shared by all of it";
            Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", text))
        }
    }
}

/// Puts a refusal into the form that it is about; what is no fault of the form goes on.
pub(super) fn refuse(form: &mut Form, problem: Problem, t: Language) -> Result<(), Problem> {
    if !problem.status_code().is_client_error() {
        return Err(problem);
    }
    let field = match problem.code() {
        "name_taken" => Some("name"),
        "agent_url_taken" => Some("agent_url"),
        "secret_taken" => Some("secret"),
        _ => None,
    };
    match field {
        Some(field) if form.has(field) => form.set_mistake(field, t.why(problem.words())),
        _ => form.refuse(&problem, t),
    }
    Ok(())
}
