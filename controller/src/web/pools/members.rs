//! Who belongs to a pool: added at once, taken out after its page has said what that does.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::{belongs, find, show};
use crate::api::caller::Writes;
use crate::api::problem::Problem;
use crate::db;
use crate::db::nodes::Node;
use crate::db::pools::Pool;
use crate::domain::ids::{NodeId, PoolId};
use crate::fleet::{self, Refusal};
use crate::web::answer::answer;
use crate::web::flash;
use crate::web::form::{Form, taken};
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "pools/remove.html")]
struct RemovePage {
    frame: Frame,
    pool: Pool,
    node: Node,
    form: Form,
}

pub(super) async fn add(
    visit: Visit<Writes>,
    id: Path<PoolId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    visit.within("pool", *id, belongs(&id))?;
    visit.everywhere()?;
    let wanted = form.value("node");
    let done = match wanted.parse() {
        Ok(node) => fleet::pools::add_member(&visit.fleet, &visit.call, *id, node)
            .await
            .map_err(Problem::from),
        Err(_) => Err(Refusal::invalid("invalid_form", "choose a node").into()),
    };
    if taken(done, &mut form, visit.language)?.is_none() {
        return show::page(&visit, *id, None, StatusCode::UNPROCESSABLE_ENTITY, form).await;
    }
    Ok(flash::go_to(
        &format!("/pools/{id}"),
        &visit.language.say("member-added"),
    ))
}

pub(super) async fn form(
    visit: Visit<Writes>,
    path: Path<(PoolId, NodeId)>,
) -> Result<HttpResponse, Problem> {
    let (id, node) = path.into_inner();
    visit.within("pool", id, belongs(&id))?;
    visit.everywhere()?;
    page(&visit, id, node, Form::default(), StatusCode::OK).await
}

pub(super) async fn remove(
    visit: Visit<Writes>,
    path: Path<(PoolId, NodeId)>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    let (id, node) = path.into_inner();
    visit.within("pool", id, belongs(&id))?;
    visit.everywhere()?;
    let done = fleet::pools::remove_member(&visit.fleet, &visit.call, id, node).await;
    if taken(done.map_err(Problem::from), &mut form, visit.language)?.is_none() {
        return page(&visit, id, node, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    Ok(flash::go_to(
        &format!("/pools/{id}"),
        &visit.language.say("member-removed"),
    ))
}

async fn page(
    visit: &Visit<Writes>,
    id: PoolId,
    node: NodeId,
    form: Form,
    status: StatusCode,
) -> Result<HttpResponse, Problem> {
    let pool = find(&visit.fleet, id).await?;
    let found = db::nodes::find(&visit.fleet.pool, node).await?;
    let page = RemovePage {
        frame: visit.frame(Place::Pools).await?,
        pool,
        node: found.ok_or_else(|| Refusal::missing("node", node))?,
        form,
    };
    answer(status, &page)
}

impl RemovePage {
    fn question(&self) -> String {
        let (node, pool) = (self.node.name.as_str(), self.pool.name.as_str());
        self.frame.t.say_with(
            "member-take-out",
            [("node", node.into()), ("pool", pool.into())],
        )
    }

    /// What becomes of the peers.
    fn consequence(&self) -> String {
        let t = self.frame.t;
        let peers = self.pool.peers.unsigned_abs();
        match self.pool.placement.as_str() {
            "all" => t.count("member-leaves-all", peers),
            _ => t.say("member-leaves-one"),
        }
    }
}
