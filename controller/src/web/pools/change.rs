//! A pool changed, all but its members.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::{belongs, fields, find};
use crate::api::caller::Writes;
use crate::api::problem::Problem;
use crate::db::pools::Pool;
use crate::domain::ids::PoolId;
use crate::fleet::{self, Call};
use crate::web::answer::answer;
use crate::web::flash;
use crate::web::form::{Form, taken};
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "pools/edit.html")]
struct EditPage {
    frame: Frame,
    pool: Pool,
    form: Form,
}

pub(super) async fn form(visit: Visit<Writes>, id: Path<PoolId>) -> Result<HttpResponse, Problem> {
    visit.within("pool", *id, belongs(&id))?;
    visit.everywhere()?;
    let pool = find(&visit.fleet, *id).await?;
    let form = Form::with([
        ("version", pool.version.to_string()),
        ("name", pool.name.clone()),
        ("placement", pool.placement.clone()),
        ("description", pool.description.clone()),
    ]);
    page(&visit, pool, form, StatusCode::OK).await
}

pub(super) async fn change(
    visit: Visit<Writes>,
    id: Path<PoolId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    visit.within("pool", *id, belongs(&id))?;
    visit.everywhere()?;
    let call = Call {
        if_match: form.value("version").parse().ok(),
        ..visit.call.clone()
    };
    let done = match fields::changes(&form) {
        Ok(changes) => fleet::pools::change(&visit.fleet, &call, *id, &changes)
            .await
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    let Some(pool) = taken(done, &mut form, visit.language)? else {
        let pool = find(&visit.fleet, *id).await?;
        return page(&visit, pool, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let text = visit
        .language
        .say_with("pool-changed", [("name", pool.name.into())]);
    Ok(flash::go_to(&format!("/pools/{id}"), &text))
}

async fn page(
    visit: &Visit<Writes>,
    pool: Pool,
    form: Form,
    status: StatusCode,
) -> Result<HttpResponse, Problem> {
    let page = EditPage {
        frame: visit.frame(Place::Pools).await?,
        pool,
        form,
    };
    answer(status, &page)
}
