//! A new user.

use actix_web::HttpResponse;
use askama::Template;
use serde_json::{Map, Value};

use super::reaches::{self, ReachChoice, Reaches};
use crate::api::caller::Administers;
use crate::api::problem::Problem;
use crate::api::users::{UserDraft, hash};
use crate::fleet::users::{self, NewUser};
use crate::web::answer::{refused, show};
use crate::web::flash;
use crate::web::form::{Form, Holds, read_body};
use crate::web::frame::{Frame, Place};
use crate::web::refusal;
use crate::web::visit::Visit;

const FIELDS: [(&str, Holds); 4] = [
    ("name", Holds::Exactly),
    ("email", Holds::Text),
    ("role", Holds::Text),
    // Spaces at the ends are part of a password, and an empty field is none.
    ("password", Holds::Exactly),
];

#[derive(Template)]
#[template(path = "users/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    reaches: Vec<ReachChoice>,
}

pub(super) async fn new(visit: Visit<Administers>) -> Result<HttpResponse, Problem> {
    let form = Form::with([("role", "viewer".to_owned()), ("reach", "all".to_owned())]);
    show(&NewPage::of(&visit, form).await?)
}

pub(super) async fn create(
    visit: Visit<Administers>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    match made(&visit, &form).await {
        Ok((path, name)) => {
            let text = visit
                .language
                .say_with("user-created", [("name", name.into())]);
            Ok(flash::go_to(&path, &text))
        }
        Err(problem) => {
            refusal::onto(&mut form, problem, visit.language)?;
            form.forget("password");
            refused(&NewPage::of(&visit, form).await?)
        }
    }
}

async fn made(visit: &Visit<Administers>, form: &Form) -> Result<(String, String), Problem> {
    let mut body: Map<String, Value> = form.read(&FIELDS)?;
    if form.value("password").is_empty() {
        body.remove("password");
    }
    body.extend(reaches::json(form.value("reach")).map(|reach| ("reach".to_owned(), reach)));
    let parsed = read_body::<UserDraft>(body)?.parse()?;
    let new = NewUser {
        password: hash(&visit.fleet, parsed.password).await?,
        name: parsed.name,
        email: parsed.email,
        role: parsed.role,
        reach: parsed.reach,
    };
    let user = users::audited::create(&visit.fleet.pool, &visit.call, &new).await?;
    Ok((format!("/users/{}", user.id), user.name))
}

impl NewPage {
    async fn of(visit: &Visit<Administers>, form: Form) -> Result<Self, Problem> {
        let frame = visit.frame(Place::Users).await?;
        let reaches = Reaches::read(&visit.fleet.pool).await?;
        Ok(Self {
            reaches: reaches.choices(frame.t),
            frame,
            form,
        })
    }
}
