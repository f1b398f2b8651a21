//! Interfaces of nodes: added, changed, and their changed keys acknowledged. They are shown on the page of their node.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use protocol::PublicKey;

use super::create::CHOICES;
use super::edit::seen;
use super::{strangers, whole};
use crate::api::caller::{Reads, Writes};
use crate::api::fields::Fields;
use crate::api::interfaces::{self, InterfaceChange, InterfaceDraft, endpoint};
use crate::api::problem::Problem;
use crate::db;
use crate::db::interfaces::Interface;
use crate::db::networks::Network;
use crate::domain::ids::{InterfaceId, NodeId};
use crate::fleet;
use crate::web::answer::{go_to, refused, show as shown};
use crate::web::flash;
use crate::web::form::{Form, Holds};
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

const NEW: [(&str, Holds); 6] = [
    ("name", Holds::Exactly),
    ("network", Holds::Exactly),
    ("endpoint", Holds::Exactly),
    ("ip_pool_v4", Holds::Text),
    ("ip_pool_v6", Holds::Text),
    ("drift_policy", Holds::Text),
];

const CHANGE: [(&str, Holds); 6] = [
    ("name", Holds::Exactly),
    ("network", Holds::Exactly),
    ("endpoint", Holds::Exactly),
    ("ip_pool_v4", Holds::TextOrNull),
    ("ip_pool_v6", Holds::TextOrNull),
    ("drift_policy", Holds::Text),
];

#[derive(Template)]
#[template(path = "nodes/interface.html")]
struct InterfacePage {
    frame: Frame,
    form: Form,
    networks: Vec<Network>,
    node: NodeId,
    node_name: String,
    /// None: one is added.
    name: Option<String>,
    action: String,
}

impl InterfacePage {
    fn heading(&self) -> String {
        let t = self.frame.t;
        let node = ("node", self.node_name.as_str().into());
        match &self.name {
            Some(name) => t.say_with(
                "node-edit-interface",
                [("name", name.as_str().into()), node],
            ),
            None => t.say_with("node-add-interface-to", [node]),
        }
    }
}

/// Whoever names an interface finds it on the page of its node.
pub(super) async fn show(
    visit: Visit<Reads>,
    id: Path<InterfaceId>,
) -> Result<HttpResponse, Problem> {
    let interface = interfaces::find(&visit.fleet.pool, &visit.access, *id).await?;
    Ok(go_to(&format!(
        "/nodes/{}#interface-{id}",
        interface.node_id
    )))
}

pub(super) async fn new(visit: Visit<Writes>, node: Path<NodeId>) -> Result<HttpResponse, Problem> {
    let form = Form::with([("drift_policy", "report".to_owned())]);
    shown(&new_page(&visit, *node, form).await?)
}

pub(super) async fn create(
    visit: Visit<Writes>,
    node: Path<NodeId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    whole::demand_everything(&visit)?;
    match created(&visit, *node, &form).await {
        Ok(interface) => {
            let text = visit
                .language
                .say_with("node-interface-added", [("name", interface.name.into())]);
            Ok(flash::go_to(&format!("/nodes/{node}"), &text))
        }
        Err(problem) => {
            whole::refuse(&mut form, problem, visit.language)?;
            refused(&new_page(&visit, *node, form).await?)
        }
    }
}

async fn created(visit: &Visit<Writes>, node: NodeId, form: &Form) -> Result<Interface, Problem> {
    let draft: InterfaceDraft = form.read(&NEW)?;
    Ok(fleet::interfaces::create(&visit.fleet, &visit.call, node, &draft.parse()?).await?)
}

async fn new_page(visit: &Visit<Writes>, id: NodeId, form: Form) -> Result<InterfacePage, Problem> {
    whole::demand_everything(visit)?;
    let node = whole::find(visit, id).await?.node;
    Ok(InterfacePage {
        frame: visit.frame(Place::Nodes).await?,
        form,
        networks: db::networks::list(&visit.fleet.pool, CHOICES).await?,
        node: id,
        node_name: node.name,
        name: None,
        action: format!("/nodes/{id}/interfaces"),
    })
}

pub(super) async fn edit(
    visit: Visit<Writes>,
    id: Path<InterfaceId>,
) -> Result<HttpResponse, Problem> {
    let interface = whole::interface(&visit, *id).await?;
    let form = filled(&interface);
    shown(&edit_page(&visit, interface, form).await?)
}

pub(super) async fn change(
    visit: Visit<Writes>,
    id: Path<InterfaceId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    let interface = whole::interface(&visit, *id).await?;
    match changed(&visit, *id, &form).await {
        Ok(changed) => {
            let text = visit
                .language
                .say_with("node-interface-changed", [("name", changed.name.into())]);
            Ok(flash::go_to(&format!("/nodes/{}", changed.node_id), &text))
        }
        Err(problem) => {
            whole::refuse(&mut form, problem, visit.language)?;
            refused(&edit_page(&visit, interface, form).await?)
        }
    }
}

async fn changed(
    visit: &Visit<Writes>,
    id: InterfaceId,
    form: &Form,
) -> Result<Interface, Problem> {
    let draft: InterfaceChange = form.read(&CHANGE)?;
    let call = seen(&visit.call, form)?;
    Ok(fleet::interfaces::change(&visit.fleet, &call, id, &draft.parse()?).await?)
}

async fn edit_page(
    visit: &Visit<Writes>,
    interface: Interface,
    form: Form,
) -> Result<InterfacePage, Problem> {
    Ok(InterfacePage {
        frame: visit.frame(Place::Nodes).await?,
        form,
        networks: db::networks::list(&visit.fleet.pool, CHOICES).await?,
        node: interface.node_id,
        node_name: interface.node_name,
        name: Some(interface.name),
        action: format!("/interfaces/{}", interface.id),
    })
}

fn filled(interface: &Interface) -> Form {
    let range = |is_v4: bool| {
        let mut ranges = interface.ip_pools.iter();
        let range = ranges.find(|range| range.addr().is_ipv4() == is_v4);
        range.map_or("".to_owned(), ToString::to_string)
    };
    Form::with([
        ("version", interface.version.to_string()),
        ("name", interface.name.clone()),
        ("network", interface.network_id.to_string()),
        (
            "endpoint",
            endpoint(&interface.endpoint_host, interface.endpoint_port),
        ),
        ("ip_pool_v4", range(true)),
        ("ip_pool_v6", range(false)),
        ("drift_policy", interface.drift_policy.clone()),
    ])
}

/// Notes that a person has seen the key that an interface has now.
pub(super) async fn acknowledge_key(
    visit: Visit<Writes>,
    id: Path<InterfaceId>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let interface = whole::interface(&visit, *id).await?;
    let back = format!("/nodes/{}", interface.node_id);
    let mut fields = Fields::default();
    let key = fields.take("public_key", PublicKey::parse(form.value("public_key")));
    let key = fields.finish(key)?;
    match fleet::interfaces::acknowledge_key(&visit.fleet, &visit.call, *id, &key).await {
        Ok(_) => Ok(flash::go_to(
            &back,
            &visit.language.say("node-key-acknowledged"),
        )),
        Err(err) => strangers::tell(visit.language, &back, err.into()),
    }
}
