//! A new password for somebody who lost what proves who they are; the old proofs go with their sessions.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::find;
use crate::api::caller::Administers;
use crate::api::problem::Problem;
use crate::db::users::UserRow;
use crate::domain::ids::UserId;
use crate::domain::password::Password;
use crate::domain::user::UserName;
use crate::fleet::factors::{self, Factors};
use crate::fleet::users::recover;
use crate::fleet::{self, FleetError};
use crate::web::answer::{refused, show};
use crate::web::door::password_mistake;
use crate::web::flash;
use crate::web::form::Form;
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "users/recover.html")]
struct RecoverPage {
    frame: Frame,
    form: Form,
    user: UserRow,
    factors: Factors,
    sessions: usize,
}

pub(super) async fn ask(
    visit: Visit<Administers>,
    id: Path<UserId>,
) -> Result<HttpResponse, Problem> {
    let user = find(&visit, *id).await?;
    show(&RecoverPage::of(&visit, user, Form::default()).await?)
}

pub(super) async fn recover(
    visit: Visit<Administers>,
    id: Path<UserId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    let user = find(&visit, *id).await?;
    let name = UserName::parse(&user.name).map_err(|err| Problem::fault(&err))?;
    let password = match Password::choose(form.value("password"), &name) {
        Ok(password) => password,
        Err(err) => {
            form.forget("password");
            form.set_mistake("password", password_mistake(visit.language, err));
            return refused(&RecoverPage::of(&visit, user, form).await?);
        }
    };
    let hash = visit
        .fleet
        .hasher
        .hash(password)
        .await
        .map_err(FleetError::from)?;
    let fleet = &visit.fleet;
    recover::recover(&fleet.pool, &fleet.keyring, &visit.call, &name, hash).await?;
    let text = visit
        .language
        .say_with("user-recovered", [("name", user.name.as_str().into())]);
    Ok(flash::go_to(&format!("/users/{}", user.id), &text))
}

impl RecoverPage {
    async fn of(visit: &Visit<Administers>, user: UserRow, form: Form) -> Result<Self, Problem> {
        Ok(Self {
            frame: visit.frame(Place::Users).await?,
            factors: factors::list(&visit.fleet, user.id).await?,
            sessions: fleet::sessions::list(&visit.fleet, user.id).await?.len(),
            form,
            user,
        })
    }

    fn sessions_end(&self) -> String {
        self.frame
            .t
            .count("user-recover-sessions", self.sessions as u64)
    }

    fn passkeys_end(&self) -> String {
        let passkeys = self.factors.passkeys.len() as u64;
        self.frame.t.count("user-recover-passkeys", passkeys)
    }
}
