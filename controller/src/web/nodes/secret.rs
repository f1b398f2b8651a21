//! The secret that a node is called with: replaced here after, or before, it was on the machine. One that was made up
//! here is shown this once.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use protocol::signing::Secret;

use super::whole;
use crate::api::caller::Writes;
use crate::api::nodes::SecretDraft;
use crate::api::problem::Problem;
use crate::db::nodes::Node;
use crate::domain::ids::NodeId;
use crate::fleet;
use crate::web::answer::{refused, show};
use crate::web::flash;
use crate::web::form::{Form, Holds};
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

const FIELDS: [(&str, Holds); 2] = [("secret", Holds::Text), ("key_id", Holds::Text)];

#[derive(Template)]
#[template(path = "nodes/secret.html")]
struct SecretPage {
    frame: Frame,
    form: Form,
    node: Node,
}

impl SecretPage {
    fn heading(&self) -> String {
        self.frame
            .t
            .say_with("node-secret-of", [("name", self.node.name.as_str().into())])
    }
}

/// Not kept by anybody who does not write it down.
#[derive(Template)]
#[template(path = "nodes/secret_shown.html")]
struct ShownPage<'a> {
    frame: Frame,
    node: Node,
    secret: &'a str,
}

impl ShownPage<'_> {
    fn heading(&self) -> String {
        self.frame
            .t
            .say_with("node-secret-of", [("name", self.node.name.as_str().into())])
    }
}

pub(super) async fn edit(visit: Visit<Writes>, id: Path<NodeId>) -> Result<HttpResponse, Problem> {
    whole::demand_everything(&visit)?;
    show(&page(&visit, *id, Form::default()).await?)
}

pub(super) async fn replace(
    visit: Visit<Writes>,
    id: Path<NodeId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    whole::demand_everything(&visit)?;
    match replaced(&visit, *id, &form).await {
        Ok((node, Some(made))) => show_once(&visit, node, &made).await,
        Ok((node, None)) => {
            let text = visit.language.say("node-secret-replaced");
            Ok(flash::go_to(&format!("/nodes/{}", node.id), &text))
        }
        Err(problem) => {
            whole::refuse(&mut form, problem, visit.language)?;
            refused(&page(&visit, *id, form).await?)
        }
    }
}

async fn replaced(
    visit: &Visit<Writes>,
    id: NodeId,
    form: &Form,
) -> Result<(Node, Option<Secret>), Problem> {
    let draft: SecretDraft = form.read(&FIELDS)?;
    Ok(fleet::nodes::replace_secret(&visit.fleet, &visit.call, id, draft.parse()?).await?)
}

async fn page(visit: &Visit<Writes>, id: NodeId, mut form: Form) -> Result<SecretPage, Problem> {
    form.forget("secret");
    Ok(SecretPage {
        node: whole::find(visit, id).await?.node,
        frame: visit.frame(Place::Nodes).await?,
        form,
    })
}

/// The answer that tells a secret, to the one request that had it made up.
pub(super) async fn show_once(
    visit: &Visit<Writes>,
    node: Node,
    secret: &Secret,
) -> Result<HttpResponse, Problem> {
    show(&ShownPage {
        frame: visit.frame(Place::Nodes).await?,
        node,
        secret: secret.reveal(),
    })
}
