//! One user: what they may, whether they may come in, and where they are signed in.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use serde_json::{Map, Value};

use super::reaches::{self, ReachChoice, Reaches};
use super::{find, role_name};
use crate::api::caller::Administers;
use crate::api::problem::Problem;
use crate::api::users::UserChange;
use crate::db::users::UserRow;
use crate::domain::ids::{SessionId, UserId};
use crate::fleet::factors::{self, Factors};
use crate::fleet::{self, Call, users};
use crate::web::answer::{refused, show as page};
use crate::web::flash;
use crate::web::form::{Form, Holds, read_body};
use crate::web::frame::{Frame, Place};
use crate::web::profile::Session;
use crate::web::refusal;
use crate::web::visit::Visit;

const FIELDS: [(&str, Holds); 3] = [
    ("email", Holds::TextOrNull),
    ("role", Holds::Text),
    ("enabled", Holds::Flag),
];

#[derive(Template)]
#[template(path = "users/show.html")]
struct UserPage {
    frame: Frame,
    form: Form,
    user: UserRow,
    is_self: bool,
    reach: String,
    reaches: Vec<ReachChoice>,
    factors: Factors,
    sessions: Vec<Session>,
}

pub(super) async fn show(
    visit: Visit<Administers>,
    id: Path<UserId>,
) -> Result<HttpResponse, Problem> {
    let user = find(&visit, *id).await?;
    let mut form = Form::with([
        ("email", user.email.as_deref().unwrap_or("").to_owned()),
        ("role", user.role.to_string()),
        ("reach", reaches::value(user.reach())),
    ]);
    if user.enabled {
        form.set("enabled", "on");
    }
    page(&UserPage::of(&visit, user, form).await?)
}

pub(super) async fn change(
    visit: Visit<Administers>,
    id: Path<UserId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    let user = find(&visit, *id).await?;
    match changed(&visit, &user, &form).await {
        Ok(()) => Ok(flash::go_to(
            &path(*id),
            &visit.language.say("user-changed"),
        )),
        Err(problem) => {
            let is_stale = problem.status_code() == StatusCode::PRECONDITION_FAILED;
            refusal::onto(&mut form, problem, visit.language)?;
            if is_stale {
                form.refusal = Some(visit.language.say("user-stale"));
            }
            refused(&UserPage::of(&visit, user, form).await?)
        }
    }
}

async fn changed(visit: &Visit<Administers>, user: &UserRow, form: &Form) -> Result<(), Problem> {
    let mut body: Map<String, Value> = form.read(&FIELDS)?;
    body.extend(reaches::json(form.value("reach")).map(|reach| ("reach".to_owned(), reach)));
    let (wanted, _) = read_body::<UserChange>(body)?.parse(&user.name)?;
    let version: Result<i64, _> = form.value("version").parse();
    let call = Call {
        // What somebody else changed meanwhile is not overwritten unseen.
        if_match: Some(version.map_err(|_| unversioned())?),
        ..visit.call.clone()
    };
    users::audited::change(&visit.fleet.pool, &call, user.id, wanted).await?;
    Ok(())
}

pub(super) async fn end_session(
    visit: Visit<Administers>,
    ids: Path<(UserId, SessionId)>,
) -> Result<HttpResponse, Problem> {
    let (user, session) = *ids;
    fleet::sessions::end(&visit.fleet, &visit.call, user, session).await?;
    Ok(flash::go_to(
        &path(user),
        &visit.language.say("session-ended"),
    ))
}

pub(super) async fn end_sessions(
    visit: Visit<Administers>,
    id: Path<UserId>,
) -> Result<HttpResponse, Problem> {
    let user = find(&visit, *id).await?;
    // An administrator who looks at themselves stays.
    let this = (visit.user() == user.id).then_some(visit.session.id);
    let ended = fleet::sessions::end_all(&visit.fleet, &visit.call, user.id, this).await?;
    Ok(flash::go_to(
        &path(user.id),
        &visit.language.count("sessions-ended", ended),
    ))
}

fn unversioned() -> Problem {
    let text = "the form does not say of which version of the user it is";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_form", text)
}

fn path(id: UserId) -> String {
    format!("/users/{id}")
}

impl UserPage {
    async fn of(visit: &Visit<Administers>, user: UserRow, form: Form) -> Result<Self, Problem> {
        let frame = visit.frame(Place::Users).await?;
        let reaches = Reaches::read(&visit.fleet.pool).await?;
        let factors = factors::list(&visit.fleet, user.id).await?;
        let sessions = fleet::sessions::list(&visit.fleet, user.id).await?;
        let this = Some(visit.session.id);
        Ok(Self {
            is_self: visit.user() == user.id,
            reach: reaches.words(frame.t, user.reach()),
            reaches: reaches.choices(frame.t),
            factors,
            sessions: sessions
                .into_iter()
                .map(|row| Session::of(&frame, row, this))
                .collect(),
            frame,
            form,
            user,
        })
    }

    fn role(&self) -> &'static str {
        role_name(self.user.role)
    }

    fn passkeys(&self) -> String {
        self.frame.t.number(self.factors.passkeys.len() as u64)
    }

    /// Where the forms of this page go.
    fn path(&self) -> String {
        path(self.user.id)
    }
}
