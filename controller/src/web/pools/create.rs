//! A pool to be made.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::fields;
use super::show::MOST;
use crate::api::caller::Writes;
use crate::api::problem::Problem;
use crate::db;
use crate::db::nodes::{Filter, Node};
use crate::fleet;
use crate::web::answer::answer;
use crate::web::flash;
use crate::web::form::{Form, taken};
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "pools/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    nodes: Vec<Node>,
}

pub(super) async fn form(visit: Visit<Writes>) -> Result<HttpResponse, Problem> {
    visit.everywhere()?;
    let form = Form::with([("placement", "one".to_owned())]);
    page(&visit, form, StatusCode::OK).await
}

pub(super) async fn create(visit: Visit<Writes>, mut form: Form) -> Result<HttpResponse, Problem> {
    visit.everywhere()?;
    let made = match fields::draft(&form) {
        Ok(new) => fleet::pools::create(&visit.fleet, &visit.call, &new)
            .await
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    let Some(pool) = taken(made, &mut form, visit.language)? else {
        return page(&visit, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let text = visit
        .language
        .say_with("pool-made", [("name", pool.name.into())]);
    Ok(flash::go_to(&format!("/pools/{}", pool.id), &text))
}

async fn page(
    visit: &Visit<Writes>,
    form: Form,
    status: StatusCode,
) -> Result<HttpResponse, Problem> {
    let page = NewPage {
        frame: visit.frame(Place::Pools).await?,
        form,
        nodes: db::nodes::list(&visit.fleet.pool, &Filter::default(), MOST).await?,
    };
    answer(status, &page)
}
