//! A node is changed: what people say of it, and whether it is asked and told anything at all.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::whole;
use crate::api::caller::Writes;
use crate::api::nodes::NodeChange;
use crate::api::problem::Problem;
use crate::db::nodes::Node;
use crate::domain::ids::NodeId;
use crate::domain::node::Changes;
use crate::fleet::{self, Call};
use crate::web::answer::{refused, show};
use crate::web::flash;
use crate::web::form::{Form, Holds};
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

const FIELDS: [(&str, Holds); 10] = [
    ("name", Holds::Exactly),
    ("agent_url", Holds::Exactly),
    ("weight", Holds::Number),
    ("max_peers", Holds::Number),
    ("country", Holds::TextOrNull),
    ("operator_country", Holds::TextOrNull),
    ("region", Holds::TextOrNull),
    ("notes", Holds::Exactly),
    ("legacy", Holds::Flag),
    ("timeout_ms", Holds::Number),
];

#[derive(Template)]
#[template(path = "nodes/edit.html")]
struct EditPage {
    frame: Frame,
    form: Form,
    node: Node,
}

impl EditPage {
    fn heading(&self) -> String {
        self.frame
            .t
            .say_with("node-edit-of", [("name", self.node.name.as_str().into())])
    }
}

pub(super) async fn edit(visit: Visit<Writes>, id: Path<NodeId>) -> Result<HttpResponse, Problem> {
    whole::demand_everything(&visit)?;
    let node = whole::find(&visit, *id).await?.node;
    let frame = visit.frame(Place::Nodes).await?;
    let form = filled(&node);
    show(&EditPage { frame, form, node })
}

pub(super) async fn change(
    visit: Visit<Writes>,
    id: Path<NodeId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    whole::demand_everything(&visit)?;
    match changed(&visit, *id, &form).await {
        Ok(node) => {
            let text = visit
                .language
                .say_with("node-changed", [("name", node.name.as_str().into())]);
            Ok(flash::go_to(&format!("/nodes/{id}"), &text))
        }
        Err(problem) => {
            whole::refuse(&mut form, problem, visit.language)?;
            let node = whole::find(&visit, *id).await?.node;
            let frame = visit.frame(Place::Nodes).await?;
            refused(&EditPage { frame, form, node })
        }
    }
}

async fn changed(visit: &Visit<Writes>, id: NodeId, form: &Form) -> Result<Node, Problem> {
    let draft: NodeChange = form.read(&FIELDS)?;
    let mut changes = draft.parse()?;
    if form.value("timeout_ms").trim().is_empty() {
        changes.timeout_ms = Some(None);
    }
    let call = seen(&visit.call, form)?;
    Ok(fleet::nodes::change(&visit.fleet, &call, id, &changes).await?)
}

/// Neither asked nor told anything from now on; its peers stay.
pub(super) async fn disable(
    visit: Visit<Writes>,
    id: Path<NodeId>,
) -> Result<HttpResponse, Problem> {
    let name = switch(&visit, *id, false).await?;
    let text = visit
        .language
        .say_with("node-disabled", [("name", name.into())]);
    Ok(flash::go_to(&format!("/nodes/{id}"), &text))
}

pub(super) async fn enable(
    visit: Visit<Writes>,
    id: Path<NodeId>,
) -> Result<HttpResponse, Problem> {
    let name = switch(&visit, *id, true).await?;
    let text = visit
        .language
        .say_with("node-enabled", [("name", name.into())]);
    Ok(flash::go_to(&format!("/nodes/{id}"), &text))
}

async fn switch(visit: &Visit<Writes>, id: NodeId, enabled: bool) -> Result<String, Problem> {
    whole::demand_everything(visit)?;
    let changes = Changes {
        enabled: Some(enabled),
        ..Changes::default()
    };
    Ok(
        fleet::nodes::change(&visit.fleet, &visit.call, id, &changes)
            .await?
            .name,
    )
}

/// The change of what somebody looked at: the form holds the version that it was filled from.
pub(super) fn seen(call: &Call, form: &Form) -> Result<Call, Problem> {
    let version = form.value("version");
    let version = version.parse().map_err(|_| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_form",
            "the form holds no version",
        )
    })?;
    Ok(Call {
        if_match: Some(version),
        ..call.clone()
    })
}

fn filled(node: &Node) -> Form {
    let or_empty = |text: &Option<String>| text.as_deref().unwrap_or("").to_owned();
    let mut form = Form::with([
        ("version", node.version.to_string()),
        ("name", node.name.clone()),
        ("agent_url", node.agent_url.clone()),
        ("weight", node.weight.to_string()),
        ("max_peers", node.max_peers.to_string()),
        ("country", or_empty(&node.country)),
        ("operator_country", or_empty(&node.operator_country)),
        ("region", or_empty(&node.region)),
        ("notes", node.notes.clone()),
        (
            "timeout_ms",
            node.timeout_ms.map_or("".to_owned(), |ms| ms.to_string()),
        ),
        ("legacy", "on".to_owned()),
    ]);
    if !node.legacy {
        form.forget("legacy");
    }
    form
}
