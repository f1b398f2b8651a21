//! A new password, for whoever knows the old one. It ends all other sessions.

use actix_web::HttpResponse;
use zeroize::Zeroizing;

use super::{Forms, page};
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::domain::password::Password;
use crate::domain::user::UserName;
use crate::fleet::sign_in::{Denied, SignInError};
use crate::fleet::users::own;
use crate::fleet::{FleetError, sign_in};
use crate::web::answer::refused;
use crate::web::door::{self, let_in, password_mistake};
use crate::web::flash;
use crate::web::form::Form;
use crate::web::visit::Visit;

pub(super) async fn change(visit: Visit<Reads>, mut form: Form) -> Result<HttpResponse, Problem> {
    let t = visit.language;
    let old = Zeroizing::new(form.value("old").to_owned());
    let name = UserName::parse(&visit.session.name).map_err(|err| Problem::fault(&err))?;
    let new = match Password::choose(form.value("new"), &name) {
        Ok(new) => new,
        Err(err) => {
            form.set_mistake("new", password_mistake(t, err));
            return refuse(&visit, form, None).await;
        }
    };
    let hash = visit
        .fleet
        .hasher
        .hash(new)
        .await
        .map_err(FleetError::from)?;
    let visitor = visit.door.visitor();
    let changed = own::change_password(
        &visit.fleet,
        &visit.call,
        &visitor,
        &visit.session,
        old,
        hash,
    )
    .await;
    match changed {
        Ok(begun) => {
            let mut answer = flash::go_to("/profile", &t.say("profile-password-changed"));
            let_in(&mut answer, &visit.door, &begun.token);
            Ok(answer)
        }
        Err(SignInError::Denied(why)) => {
            form.set_mistake("old", wrong(&visit, why));
            refuse(&visit, form, Some(why)).await
        }
        Err(SignInError::Fault(err)) => Err(err.into()),
    }
}

/// Has somebody prove by their password, where they have one, that it is still them. `None`: they did.
pub(super) async fn check(visit: &Visit<Reads>, form: &Form) -> Result<Option<Denied>, Problem> {
    let row = crate::db::users::find(&visit.fleet.pool, visit.user()).await?;
    // Who comes in with a passkey or from elsewhere has no password to prove.
    if row.is_none_or(|row| !row.has_password) {
        return Ok(None);
    }
    let password = Zeroizing::new(form.value("password").to_owned());
    let visitor = visit.door.visitor();
    match sign_in::confirm_password(&visit.fleet, &visitor, visit.user(), password).await {
        Ok(()) => Ok(None),
        Err(SignInError::Denied(why)) => Ok(Some(why)),
        Err(SignInError::Fault(err)) => Err(err.into()),
    }
}

/// What stands beside the field of one's own password.
pub(super) fn wrong(visit: &Visit<Reads>, why: Denied) -> String {
    match why {
        Denied::Wrong => visit.language.say("profile-password-wrong"),
        why => door::sentence(visit.language, why),
    }
}

async fn refuse(
    visit: &Visit<Reads>,
    mut form: Form,
    why: Option<Denied>,
) -> Result<HttpResponse, Problem> {
    form.forget("old");
    form.forget("new");
    let forms = Forms {
        password: form,
        ..Forms::default()
    };
    let page = page(visit, forms).await?;
    match why {
        Some(why) => door::refusal(why, &page),
        None => refused(&page),
    }
}
