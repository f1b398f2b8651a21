//! A node or an interface is deleted, after a page that says what goes with it. One that holds peers stays.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::whole;
use crate::api::caller::Writes;
use crate::api::problem::Problem;
use crate::domain::ids::{InterfaceId, NodeId};
use crate::domain::profile::Language;
use crate::fleet;
use crate::web::answer::{refused, show};
use crate::web::flash;
use crate::web::form::Form;
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "nodes/delete.html")]
struct DeletePage {
    frame: Frame,
    form: Form,
    what: Doomed,
}

/// What is to go.
struct Doomed {
    node: NodeId,
    node_name: String,
    heading: String,
    /// What happens to whom.
    radius: Vec<String>,
    button: String,
    action: String,
    /// Why it cannot go: so many peers are on it.
    held_by: Option<String>,
}

pub(super) async fn node(visit: Visit<Writes>, id: Path<NodeId>) -> Result<HttpResponse, Problem> {
    show(&node_page(&visit, *id, Form::default()).await?)
}

pub(super) async fn delete_node(
    visit: Visit<Writes>,
    id: Path<NodeId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    let page = node_page(&visit, *id, Form::default()).await?;
    match fleet::nodes::delete(&visit.fleet, &visit.call, *id).await {
        Ok(()) => {
            let text = visit
                .language
                .say_with("node-deleted", [("name", page.what.node_name.into())]);
            Ok(flash::go_to("/nodes", &text))
        }
        Err(err) => {
            whole::refuse(&mut form, err.into(), visit.language)?;
            refused(&node_page(&visit, *id, form).await?)
        }
    }
}

async fn node_page(visit: &Visit<Writes>, id: NodeId, form: Form) -> Result<DeletePage, Problem> {
    whole::demand_everything(visit)?;
    let whole::Whole { node, interfaces } = whole::find(visit, id).await?;
    let t = visit.language;
    let name = node.name.as_str();
    Ok(DeletePage {
        frame: visit.frame(Place::Nodes).await?,
        form,
        what: Doomed {
            node: id,
            heading: t.say_with("node-delete-node-asks", [("name", name.into())]),
            radius: vec![
                t.count("node-delete-node-interfaces", interfaces.len() as u64),
                t.say("node-delete-node-machine"),
            ],
            button: t.say_with("node-delete-node", [("name", name.into())]),
            action: format!("/nodes/{id}/delete"),
            held_by: held_by(t, node.peers.unsigned_abs()),
            node_name: node.name,
        },
    })
}

pub(super) async fn interface(
    visit: Visit<Writes>,
    id: Path<InterfaceId>,
) -> Result<HttpResponse, Problem> {
    show(&interface_page(&visit, *id, Form::default()).await?)
}

pub(super) async fn delete_interface(
    visit: Visit<Writes>,
    id: Path<InterfaceId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    let page = interface_page(&visit, *id, Form::default()).await?;
    match fleet::interfaces::delete(&visit.fleet, &visit.call, *id).await {
        Ok(()) => {
            let text = visit.language.say("node-interface-deleted");
            Ok(flash::go_to(&format!("/nodes/{}", page.what.node), &text))
        }
        Err(err) => {
            whole::refuse(&mut form, err.into(), visit.language)?;
            refused(&interface_page(&visit, *id, form).await?)
        }
    }
}

async fn interface_page(
    visit: &Visit<Writes>,
    id: InterfaceId,
    form: Form,
) -> Result<DeletePage, Problem> {
    let interface = whole::interface(visit, id).await?;
    let t = visit.language;
    let (name, node) = (interface.name.as_str(), interface.node_name.as_str());
    Ok(DeletePage {
        frame: visit.frame(Place::Nodes).await?,
        form,
        what: Doomed {
            node: interface.node_id,
            heading: t.say_with(
                "node-delete-interface-asks",
                [("name", name.into()), ("node", node.into())],
            ),
            radius: vec![
                t.say("node-delete-interface-addresses"),
                t.say("node-delete-interface-machine"),
            ],
            button: t.say_with("node-delete-interface", [("name", name.into())]),
            action: format!("/interfaces/{id}/delete"),
            held_by: held_by(t, u64::from(interface.peers.unsigned_abs())),
            node_name: interface.node_name,
        },
    })
}

fn held_by(t: Language, peers: u64) -> Option<String> {
    (peers > 0).then(|| t.count("node-delete-held-by", peers))
}
