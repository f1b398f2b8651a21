//! `/setup`: the first administrator, made by whoever has the link that the controller printed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use super::{Outside, Stranger, let_in};
use crate::api::problem::Problem;
use crate::auth::Reason;
use crate::domain::password::{Password, PasswordError};
use crate::domain::profile::Language;
use crate::domain::token::Token;
use crate::domain::user::{Email, UserName};
use crate::fleet::setup::{self, First};
use crate::fleet::{FleetError, Kind};
use crate::web::answer::{answer, refused, show as page};
use crate::web::flash;
use crate::web::form::Form;

#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    token: String,
}

#[derive(Template)]
#[template(path = "door/setup.html")]
struct SetupPage {
    outside: Outside,
    form: Form,
    token: String,
}

/// The link is not good any more.
#[derive(Template)]
#[template(path = "door/setup_closed.html")]
struct ClosedPage {
    outside: Outside,
}

pub(super) async fn show(stranger: Stranger, link: Query<Link>) -> Result<HttpResponse, Problem> {
    match open(&stranger, &link.token).await? {
        Some(_) => page(&SetupPage::of(&stranger, Form::default(), &link.token)),
        None => closed(&stranger),
    }
}

pub(super) async fn complete(stranger: Stranger, mut form: Form) -> Result<HttpResponse, Problem> {
    let text = form.value("token").to_owned();
    let Some(token) = open(&stranger, &text).await? else {
        return closed(&stranger);
    };
    let Some((name, email, password)) = parse(stranger.t, &mut form) else {
        form.forget("password");
        return refused(&SetupPage::of(&stranger, form, &text));
    };
    let hash = stranger
        .fleet
        .hasher
        .hash(password)
        .await
        .map_err(FleetError::from)?;
    let first = First {
        name,
        email,
        password: hash,
    };
    match setup::complete(&stranger.fleet, &stranger.door.visitor(), &token, first).await {
        Ok(begun) => {
            let mut answer = flash::go_to("/", &stranger.t.say("setup-done"));
            let_in(&mut answer, &stranger.door, &begun.token);
            Ok(answer)
        }
        Err(FleetError::Refused(refusal)) if refusal.kind == Kind::Forbidden => closed(&stranger),
        Err(FleetError::Refused(refusal)) => {
            form.forget("password");
            form.refusal = Some(stranger.t.refusal(refusal));
            refused(&SetupPage::of(&stranger, form, &text))
        }
        Err(err) => Err(err.into()),
    }
}

async fn open(stranger: &Stranger, text: &str) -> Result<Option<Token>, Problem> {
    let Some(token) = Token::parse(text) else {
        return Ok(None);
    };
    let is_open = setup::is_open(&stranger.fleet, &token).await?;
    Ok(is_open.then_some(token))
}

fn closed(stranger: &Stranger) -> Result<HttpResponse, Problem> {
    let page = ClosedPage {
        outside: stranger.outside("/setup".to_owned()),
    };
    let mut answer = answer(StatusCode::FORBIDDEN, &page)?;
    answer.extensions_mut().insert(Reason("setup_closed"));
    Ok(answer)
}

fn parse(t: Language, form: &mut Form) -> Option<(UserName, Option<Email>, Password)> {
    let name = UserName::parse(form.value("name").trim());
    if name.is_err() {
        form.set_mistake("name", t.say("user-name-wrong"));
    }
    let email = match form.value("email").trim() {
        "" => Ok(None),
        text => Email::parse(text).map(Some),
    };
    if email.is_err() {
        form.set_mistake("email", t.say("user-email-wrong"));
    }
    let (Ok(name), email) = (name, email) else {
        return None;
    };
    match Password::choose(form.value("password"), &name) {
        Ok(password) => Some((name, email.ok()?, password)),
        Err(err) => {
            form.set_mistake("password", password_mistake(t, err));
            None
        }
    }
}

/// What is wrong with a password that somebody chose.
pub(in crate::web) fn password_mistake(t: Language, err: PasswordError) -> String {
    match err {
        PasswordError::Short => t.say("password-short"),
        PasswordError::Long => t.say("password-long"),
        PasswordError::Obvious => t.say("password-obvious"),
        PasswordError::Name => t.say("password-name"),
    }
}

impl SetupPage {
    fn of(stranger: &Stranger, form: Form, token: &str) -> Self {
        Self {
            outside: stranger.outside(format!("/setup?token={token}")),
            form,
            token: token.to_owned(),
        }
    }
}
