//! A network deleted: only one that holds nothing, which its page says first.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::{belongs, find};
use crate::api::caller::Writes;
use crate::api::problem::Problem;
use crate::db::networks::{Holding, Network};
use crate::domain::ids::NetworkId;
use crate::fleet;
use crate::web::answer::answer;
use crate::web::flash;
use crate::web::form::{Form, taken};
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "networks/delete.html")]
struct DeletePage {
    frame: Frame,
    network: Network,
    holding: Holding,
    form: Form,
}

pub(super) async fn form(
    visit: Visit<Writes>,
    id: Path<NetworkId>,
) -> Result<HttpResponse, Problem> {
    visit.within("network", *id, belongs(&id))?;
    visit.everywhere()?;
    page(&visit, *id, Form::default(), StatusCode::OK).await
}

pub(super) async fn delete(
    visit: Visit<Writes>,
    id: Path<NetworkId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    visit.within("network", *id, belongs(&id))?;
    visit.everywhere()?;
    let network = find(&visit.fleet, *id).await?;
    let done = fleet::networks::delete(&visit.fleet, &visit.call, *id).await;
    if taken(done.map_err(Problem::from), &mut form, visit.language)?.is_none() {
        return page(&visit, *id, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let text = visit
        .language
        .say_with("network-deleted", [("name", network.name.into())]);
    Ok(flash::go_to("/networks", &text))
}

async fn page(
    visit: &Visit<Writes>,
    id: NetworkId,
    form: Form,
    status: StatusCode,
) -> Result<HttpResponse, Problem> {
    let network = find(&visit.fleet, id).await?;
    let page = DeletePage {
        frame: visit.frame(Place::Networks).await?,
        holding: fleet::networks::holding(&visit.fleet.pool, id).await?,
        network,
        form,
    };
    answer(status, &page)
}

impl DeletePage {
    fn is_empty(&self) -> bool {
        self.holding.peers == 0 && self.holding.interfaces == 0
    }

    fn holds(&self) -> String {
        let t = self.frame.t;
        let number = |count: i64| t.number(count.unsigned_abs());
        t.say_with(
            "network-holds",
            [
                ("peers", number(self.holding.peers).into()),
                ("interfaces", number(self.holding.interfaces).into()),
            ],
        )
    }
}
