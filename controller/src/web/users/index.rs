//! The list of people.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use super::reaches::Reaches;
use super::role_name;
use crate::api::caller::Administers;
use crate::api::page::{Page, PageQuery};
use crate::api::problem::Problem;
use crate::db;
use crate::db::users::UserRow;
use crate::domain::ids::UserId;
use crate::web::answer::show;
use crate::web::frame::{Frame, Moment, Place};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "users/index.html")]
struct IndexPage {
    frame: Frame,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    id: UserId,
    name: String,
    email: Option<String>,
    role: &'static str,
    reach: String,
    enabled: bool,
    has_password: bool,
    created: Moment,
}

pub(super) async fn index(
    visit: Visit<Administers>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Users).await?;
    let pool = &visit.fleet.pool;
    let span = page.span()?;
    let users = db::users::list(pool, span).await?;
    let reaches = Reaches::read(pool).await?;
    let page = Page::of(
        users,
        span,
        |user| user.id.0,
        |user| Row::of(&frame, &reaches, user),
    );
    show(&IndexPage {
        frame,
        rows: page.items,
        next: page.next,
    })
}

impl Row {
    fn of(frame: &Frame, reaches: &Reaches, user: UserRow) -> Self {
        Self {
            id: user.id,
            reach: reaches.words(frame.t, user.reach()),
            role: role_name(user.role),
            enabled: user.enabled,
            has_password: user.has_password,
            created: frame.ago(user.created_at),
            name: user.name,
            email: user.email,
        }
    }
}
