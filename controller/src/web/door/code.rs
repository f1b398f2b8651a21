//! `/login/code`: after the password, a code of the authenticator or one of those on paper.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use super::login::Wanted;
use super::{Outside, Stranger, denied, let_in, way};
use crate::api::problem::Problem;
use crate::fleet::sign_in::{Denied, SignInError, awaits_code, with_code};
use crate::web::answer::{go_to, show as page};
use crate::web::form::Form;

#[derive(Template)]
#[template(path = "door/code.html")]
struct CodePage {
    outside: Outside,
    form: Form,
    next: String,
}

pub(super) async fn show(
    stranger: Stranger,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let next = way::own(&wanted.next);
    if stranger.door.session().is_some() {
        return Ok(go_to(next));
    }
    match awaits_code(&stranger.fleet, &stranger.door.visitor()).await {
        Ok(true) => page(&CodePage::of(&stranger, Form::default(), next)),
        Ok(false) | Err(SignInError::Denied(_)) => Ok(go_to(&way::with_next("/login", next))),
        Err(SignInError::Fault(err)) => Err(err.into()),
    }
}

pub(super) async fn sign_in(stranger: Stranger, mut form: Form) -> Result<HttpResponse, Problem> {
    let next = way::own(form.value("next")).to_owned();
    let code = form.value("code").trim();
    let why = match with_code(&stranger.fleet, &stranger.door.visitor(), code).await {
        Ok(begun) => {
            let mut answer = go_to(&next);
            let_in(&mut answer, &stranger.door, &begun.token);
            return Ok(answer);
        }
        Err(SignInError::Denied(why)) => why,
        Err(SignInError::Fault(err)) => return Err(err.into()),
    };
    form.forget("code");
    if why == Denied::Expired {
        // The password has to be proved again, and for that there is another page.
        return super::login::refused(&stranger, Form::default(), &next, why, None).await;
    }
    form.refusal = Some(denied::sentence(stranger.t, why));
    denied::refusal(why, &CodePage::of(&stranger, form, &next))
}

impl CodePage {
    fn of(stranger: &Stranger, form: Form, next: &str) -> Self {
        Self {
            outside: stranger.outside(way::with_next("/login/code", next)),
            form,
            next: next.to_owned(),
        }
    }
}
