//! Who looks at a page, what they may, and how they want to see it: every handler of a page begins with a [`Visit`].
//!
//! What a page demands is a type, as for the JSON API, so a page that asks nothing cannot be written by mistake.

mod reach;

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use chrono_tz::Tz;

use super::frame::{Frame, Place, shown};
use super::{cookie, flash};
use crate::api::caller::{Demand, actor};
use crate::api::problem::Problem;
use crate::api::requests::RequestId;
use crate::auth::{AtDoor, Principal};
use crate::clock;
use crate::db::counts::counts;
use crate::db::sessions::SignedInRow;
use crate::domain::ids::UserId;
use crate::domain::profile::Language;
use crate::domain::reach::Access;
use crate::fleet::{Call, Fleet};

/// The cookie of a language that was chosen before signing in.
pub(super) const LANGUAGE: &str = "wgfleet-language";

pub struct Visit<D> {
    pub fleet: Data<Fleet>,
    pub door: AtDoor,
    pub session: SignedInRow,
    pub access: Access,
    /// How a change is made in their name.
    pub call: Call,
    pub language: Language,
    flash: Option<String>,
    demand: PhantomData<D>,
}

impl<D: Demand> FromRequest for Visit<D> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(visit(request))
    }
}

fn visit<D: Demand>(request: &HttpRequest) -> Result<Visit<D>, Problem> {
    let extensions = request.extensions();
    let door = extensions.get::<AtDoor>().ok_or_else(nobody)?.clone();
    let principal = extensions.get::<Principal>().ok_or_else(nobody)?;
    let session = door.session().ok_or_else(nobody)?.clone();
    if !principal.may(D::PERMISSION) {
        let text = "your role does not extend to this";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", text));
    }
    let fleet = request
        .app_data::<Data<Fleet>>()
        .ok_or_else(Problem::not_found)?
        .clone();
    Ok(Visit {
        call: Call::by(actor(principal, extensions.get::<RequestId>())),
        access: principal.access(),
        language: session
            .language
            .or_else(|| asked(request))
            .unwrap_or(Language::En),
        flash: flash::read(request),
        fleet,
        door,
        session,
        demand: PhantomData,
    })
}

/// The language that a browser asks for, or that somebody chose before signing in.
pub fn asked(request: &HttpRequest) -> Option<Language> {
    let chosen = cookie::read(request, LANGUAGE).and_then(Language::of_code);
    let accepted = || {
        let header = request
            .headers()
            .get(header::ACCEPT_LANGUAGE)?
            .to_str()
            .ok()?;
        Language::accepted(header)
    };
    chosen.or_else(accepted)
}

fn nobody() -> Problem {
    let text = "sign in first";
    Problem::new(StatusCode::UNAUTHORIZED, "not_signed_in", text)
}

impl<D> Visit<D> {
    pub fn user(&self) -> UserId {
        self.session.user
    }

    /// What goes around the page at this place.
    pub async fn frame(&self, here: Place) -> Result<Frame, Problem> {
        Ok(Frame {
            t: self.language,
            theme: shown(self.session.theme),
            who: self.session.name.clone(),
            access: self.access,
            csrf: self.door.csrf().to_owned(),
            flash: self.flash.clone(),
            now: clock::now(),
            zone: self.zone(),
            here,
            counts: counts(&self.fleet.pool, self.access.reach).await?,
        })
    }

    /// A zone that is not known any more is read as UTC, which every page names beside its times.
    pub fn zone(&self) -> Tz {
        self.session.time_zone.parse().unwrap_or(Tz::UTC)
    }
}
