//! A pool deleted: only one that no peer names, which its page says first.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::{belongs, find};
use crate::api::caller::Writes;
use crate::api::problem::Problem;
use crate::db::pools::Pool;
use crate::domain::ids::PoolId;
use crate::fleet;
use crate::web::answer::answer;
use crate::web::flash;
use crate::web::form::{Form, taken};
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "pools/delete.html")]
struct DeletePage {
    frame: Frame,
    pool: Pool,
    form: Form,
}

pub(super) async fn form(visit: Visit<Writes>, id: Path<PoolId>) -> Result<HttpResponse, Problem> {
    visit.within("pool", *id, belongs(&id))?;
    visit.everywhere()?;
    let pool = find(&visit.fleet, *id).await?;
    page(&visit, pool, Form::default(), StatusCode::OK).await
}

pub(super) async fn delete(
    visit: Visit<Writes>,
    id: Path<PoolId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    visit.within("pool", *id, belongs(&id))?;
    visit.everywhere()?;
    let pool = find(&visit.fleet, *id).await?;
    let done = fleet::pools::delete(&visit.fleet, &visit.call, *id).await;
    if taken(done.map_err(Problem::from), &mut form, visit.language)?.is_none() {
        return page(&visit, pool, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let text = visit
        .language
        .say_with("pool-deleted", [("name", pool.name.into())]);
    Ok(flash::go_to("/pools", &text))
}

async fn page(
    visit: &Visit<Writes>,
    pool: Pool,
    form: Form,
    status: StatusCode,
) -> Result<HttpResponse, Problem> {
    let page = DeletePage {
        frame: visit.frame(Place::Pools).await?,
        pool,
        form,
    };
    answer(status, &page)
}

impl DeletePage {
    fn sentence(&self) -> String {
        let t = self.frame.t;
        match self.pool.peers.unsigned_abs() {
            0 => t.say("pool-delete-why"),
            peers => t.count("pool-in-use", peers),
        }
    }
}
