//! `/logout`, and `/language` for whoever has no profile to keep it in.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{Stranger, set, way};
use crate::api::problem::Problem;
use crate::domain::actor::{Actor, ActorKind};
use crate::domain::profile::Language;
use crate::fleet::{Call, FleetError, Kind, sessions};
use crate::web::answer::go_to;
use crate::web::cookie;
use crate::web::form::Form;
use crate::web::visit::LANGUAGE;

const YEAR_S: u32 = 365 * 86_400;

/// Ends the session, should there be one: whoever leaves twice is out all the same.
pub(super) async fn sign_out(stranger: Stranger) -> Result<HttpResponse, Problem> {
    if let Some(session) = stranger.door.session() {
        let visitor = stranger.door.visitor();
        let call = Call::by(Actor {
            kind: ActorKind::User,
            name: session.name.clone(),
            ip: visitor.address,
            request_id: visitor.request_id.map(str::to_owned),
        });
        match sessions::end(&stranger.fleet, &call, session.user, session.id).await {
            Ok(()) => {}
            // It ended while they were leaving.
            Err(FleetError::Refused(refusal)) if refusal.kind == Kind::Missing => {}
            Err(err) => return Err(err.into()),
        }
    }
    let mut answer = go_to("/login");
    set(&mut answer, stranger.door.go_out());
    Ok(answer)
}

pub(super) async fn choose_language(form: Form) -> Result<HttpResponse, Problem> {
    let Some(language) = Language::of_code(form.value("language")) else {
        let text = "this language is not spoken here";
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "unknown_language",
            text,
        ));
    };
    let mut answer = go_to(way::own(form.value("here")));
    cookie::set(&mut answer, LANGUAGE, language.as_str(), YEAR_S);
    Ok(answer)
}
