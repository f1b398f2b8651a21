//! `/login/passkey`: what the script of the login page asks for and sends, as JSON. Without scripts there are no
//! passkeys.

use actix_web::HttpResponse;
use actix_web::web::Query;
use serde_json::{Value, json};

use super::login::Wanted;
use super::{Stranger, denied, let_in, way};
use crate::api::problem::Problem;
use crate::domain::profile::Language;
use crate::fleet::sign_in::{SignInError, passkeys};
use crate::web::answer::protect;

pub(super) async fn begin(stranger: Stranger) -> Result<HttpResponse, Problem> {
    let begun = passkeys::begin(&stranger.fleet, &stranger.door.visitor()).await;
    told(stranger.t, begun)
}

/// The body is what `navigator.credentials.get` gave.
pub(super) async fn finish(
    stranger: Stranger,
    wanted: Query<Wanted>,
    credential: String,
) -> Result<HttpResponse, Problem> {
    let finished = passkeys::finish(&stranger.fleet, &stranger.door.visitor(), &credential).await;
    let begun = match finished {
        Ok(begun) => begun,
        Err(err) => return told(stranger.t, Err(err)),
    };
    let mut answer = json_answer(HttpResponse::Ok().json(json!({"next": way::own(&wanted.next)})));
    let_in(&mut answer, &stranger.door, &begun.token);
    Ok(answer)
}

/// A value for the script, or the sentence that it shows.
pub(in crate::web) fn told(
    t: Language,
    answer: Result<Value, SignInError>,
) -> Result<HttpResponse, Problem> {
    match answer {
        Ok(value) => Ok(json_answer(HttpResponse::Ok().json(value))),
        Err(SignInError::Denied(why)) => {
            let body = json!({"detail": denied::sentence(t, why)});
            let mut answer = json_answer(HttpResponse::build(denied::status(why)).json(body));
            denied::mark(&mut answer, why);
            Ok(answer)
        }
        Err(SignInError::Fault(err)) => Err(err.into()),
    }
}

fn json_answer(mut answer: HttpResponse) -> HttpResponse {
    protect(answer.headers_mut());
    answer
}
