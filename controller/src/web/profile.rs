//! `/profile`: how somebody wants to see things, and what proves that it is them. Everything here is one's own; what
//! administrators change of others is in `users`.

mod authenticator;
mod display;
mod passkeys;
mod password;
mod sessions;

use actix_web::HttpResponse;
use askama::Template;

use super::answer::show;
use super::browser_name;
use super::form::Form;
use super::frame::{Frame, Moment, Place};
use super::table::Table;
use super::visit::Visit;
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::db;
use crate::db::sessions::SessionRow;
use crate::domain::ids::{PasskeyId, SessionId};
use crate::domain::profile::Language;
use crate::domain::session::Method;
use crate::fleet::{self, Refusal, factors};

pub(super) fn configure(table: &mut Table<'_>) {
    table
        .get("/profile", index)
        .post("/profile/display", display::change)
        .post("/profile/password", password::change)
        .post("/profile/authenticator", authenticator::begin)
        .post("/profile/authenticator/confirm", authenticator::confirm)
        .post("/profile/authenticator/remove", authenticator::remove)
        .post("/profile/recovery-codes", authenticator::renew_codes)
        .post("/profile/passkeys/begin", passkeys::begin)
        .post("/profile/passkeys", passkeys::finish)
        .post("/profile/passkeys/{id}/remove", passkeys::remove)
        .post("/profile/sessions/end-others", sessions::end_others)
        .post("/profile/sessions/{id}/end", sessions::end);
}

/// The forms of the page; at most one of them was refused.
#[derive(Default)]
struct Forms {
    display: Option<Form>,
    password: Form,
    authenticator: Form,
}

#[derive(Template)]
#[template(path = "profile/index.html")]
struct ProfilePage {
    frame: Frame,
    forms: Forms,
    display: Form,
    has_password: bool,
    has_totp: bool,
    codes_left: String,
    takes_passkeys: bool,
    passkeys: Vec<Passkey>,
    sessions: Vec<Session>,
}

struct Passkey {
    id: PasskeyId,
    name: String,
    made: Moment,
    used: Option<Moment>,
}

/// A browser in which somebody is signed in.
pub(super) struct Session {
    pub(super) id: SessionId,
    /// As it calls itself.
    pub(super) agent: String,
    /// As people call it.
    pub(super) browser: String,
    pub(super) address: String,
    pub(super) method: &'static str,
    pub(super) began: Moment,
    pub(super) seen: Moment,
    pub(super) is_this: bool,
}

async fn index(visit: Visit<Reads>) -> Result<HttpResponse, Problem> {
    show(&page(&visit, Forms::default()).await?)
}

async fn page(visit: &Visit<Reads>, forms: Forms) -> Result<ProfilePage, Problem> {
    let frame = visit.frame(Place::Nowhere).await?;
    let user = visit.user();
    let row = db::users::find(&visit.fleet.pool, user).await?;
    let row = row.ok_or_else(|| Refusal::missing("user", user))?;
    let factors = factors::list(&visit.fleet, user).await?;
    let sessions = fleet::sessions::list(&visit.fleet, user).await?;
    let passkeys = factors.passkeys.into_iter().map(|row| Passkey {
        id: row.id,
        name: row.name,
        made: frame.ago(row.created_at),
        used: row.last_used_at.map(|at| frame.ago(at)),
    });
    Ok(ProfilePage {
        display: forms
            .display
            .clone()
            .unwrap_or_else(|| display::current(visit)),
        forms,
        has_password: row.has_password,
        has_totp: factors.has_totp,
        codes_left: frame.t.count(
            "profile-codes-left",
            factors.recovery_codes_left.unsigned_abs(),
        ),
        takes_passkeys: visit.fleet.door.passkeys.is_some(),
        passkeys: passkeys.collect(),
        sessions: sessions
            .into_iter()
            .map(|row| Session::of(&frame, row, Some(visit.session.id)))
            .collect(),
        frame,
    })
}

impl Session {
    pub(super) fn of(frame: &Frame, row: SessionRow, this: Option<SessionId>) -> Self {
        let unknown = || frame.t.say("session-unknown");
        let agent = row.user_agent.unwrap_or_else(unknown);
        Self {
            id: row.id,
            browser: browser_name::of(&agent).unwrap_or_else(|| agent.clone()),
            agent,
            address: row
                .address
                .map_or_else(unknown, |net| net.addr().to_string()),
            method: method(row.method),
            began: frame.ago(row.created_at),
            seen: frame.ago(row.last_seen_at),
            is_this: this == Some(row.id),
        }
    }
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Setup => "session-by-setup",
        Method::Password => "session-by-password",
        Method::Totp => "session-by-totp",
        Method::RecoveryCode => "session-by-recovery-code",
        Method::Passkey => "session-by-passkey",
        Method::Oidc => "session-by-oidc",
    }
}

impl ProfilePage {
    fn languages(&self) -> [(&'static str, String); 3] {
        [
            ("", self.frame.t.say("profile-language-browser")),
            (Language::En.as_str(), "English".to_owned()),
            (Language::Fr.as_str(), "Français".to_owned()),
        ]
    }
}
