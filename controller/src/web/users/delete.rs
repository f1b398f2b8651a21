//! Deleting a user: what that takes away, and then doing it.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::find;
use crate::api::caller::Administers;
use crate::api::problem::Problem;
use crate::db::users::UserRow;
use crate::domain::ids::UserId;
use crate::fleet::{self, users};
use crate::web::answer::{refused, show};
use crate::web::flash;
use crate::web::form::Form;
use crate::web::frame::{Frame, Place};
use crate::web::refusal;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "users/delete.html")]
struct DeletePage {
    frame: Frame,
    form: Form,
    user: UserRow,
    sessions: usize,
}

pub(super) async fn ask(
    visit: Visit<Administers>,
    id: Path<UserId>,
) -> Result<HttpResponse, Problem> {
    let user = find(&visit, *id).await?;
    show(&DeletePage::of(&visit, user, Form::default()).await?)
}

pub(super) async fn delete(
    visit: Visit<Administers>,
    id: Path<UserId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    let user = find(&visit, *id).await?;
    match users::audited::delete(&visit.fleet.pool, &visit.call, user.id).await {
        Ok(()) => {
            let text = visit
                .language
                .say_with("user-deleted", [("name", user.name.as_str().into())]);
            Ok(flash::go_to("/users", &text))
        }
        Err(err) => {
            refusal::onto(&mut form, err.into(), visit.language)?;
            refused(&DeletePage::of(&visit, user, form).await?)
        }
    }
}

impl DeletePage {
    async fn of(visit: &Visit<Administers>, user: UserRow, form: Form) -> Result<Self, Problem> {
        Ok(Self {
            frame: visit.frame(Place::Users).await?,
            sessions: fleet::sessions::list(&visit.fleet, user.id).await?.len(),
            form,
            user,
        })
    }

    fn heading(&self) -> String {
        let name = self.user.name.as_str();
        self.frame
            .t
            .say_with("user-delete-name", [("name", name.into())])
    }

    fn sessions_end(&self) -> String {
        self.frame
            .t
            .count("user-recover-sessions", self.sessions as u64)
    }
}
