//! The pages of whoever is not signed in: setting up, the ways in, and the way out.
//!
//! What proves somebody, how often it may be tried and what is written down of it, the flows in `fleet` decide; a page
//! shows the form and says in the visitor's language what became of it.

mod code;
mod denied;
mod leave;
mod login;
mod oidc;
mod passkey;
mod setup;
pub(super) mod way;

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use super::table::Table;
use super::visit::asked;
use crate::api::problem::Problem;
use crate::auth::AtDoor;
use crate::domain::profile::Language;
use crate::domain::token::Token;
use crate::fleet::Fleet;
pub(super) use denied::{refusal, sentence};
pub(super) use passkey::told;
pub(super) use setup::password_mistake;

pub(super) fn configure(table: &mut Table<'_>) {
    table
        .get("/setup", setup::show)
        .post("/setup", setup::complete)
        .get("/login", login::show)
        .post("/login", login::sign_in)
        .get("/login/code", code::show)
        .post("/login/code", code::sign_in)
        .post("/login/passkey", passkey::begin)
        .post("/login/passkey/finish", passkey::finish)
        .get("/login/oidc", oidc::begin)
        .get("/login/oidc/callback", oidc::finish)
        .post("/logout", leave::sign_out)
        .post("/language", leave::choose_language);
}

/// Somebody at the door, signed in or not.
pub(super) struct Stranger {
    pub(super) fleet: Data<Fleet>,
    pub(super) door: AtDoor,
    pub(super) t: Language,
}

/// What goes around a page at the door.
pub(super) struct Outside {
    pub(super) t: Language,
    pub(super) csrf: String,
    /// Where the other language leads back to.
    pub(super) here: String,
}

impl FromRequest for Stranger {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let door = AtDoor::from_request(request, payload).into_inner();
        let fleet = request.app_data::<Data<Fleet>>().cloned();
        let (Ok(door), Some(fleet)) = (door, fleet) else {
            return ready(Err(Problem::not_found()));
        };
        ready(Ok(Self {
            fleet,
            door,
            t: asked(request).unwrap_or(Language::En),
        }))
    }
}

impl Stranger {
    pub(super) fn outside(&self, here: String) -> Outside {
        Outside {
            t: self.t,
            csrf: self.door.csrf().to_owned(),
            here,
        }
    }
}

impl Outside {
    /// The language that this page is not in.
    pub(super) fn other(&self) -> (Language, &'static str) {
        match self.t {
            Language::En => (Language::Fr, "Français"),
            Language::Fr => (Language::En, "English"),
        }
    }
}

/// Gives whoever has just come in the cookie of their session.
pub(super) fn let_in(answer: &mut HttpResponse, door: &AtDoor, token: &Token) {
    for header in door.come_in(token) {
        set(answer, header);
    }
}

fn set(answer: &mut HttpResponse, (name, value): (HeaderName, String)) {
    let value = HeaderValue::try_from(value).expect("cookies are plain words");
    answer.headers_mut().append(name, value);
}
