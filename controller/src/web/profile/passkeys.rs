//! Passkeys of one's own: made by the script of the page, removed by a form.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use serde::Deserialize;
use serde_json::json;

use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::domain::ids::PasskeyId;
use crate::fleet::FleetError;
use crate::fleet::factors;
use crate::fleet::sign_in::{SignInError, passkeys};
use crate::web::door::told;
use crate::web::flash;
use crate::web::visit::Visit;

/// What the owner calls it.
#[derive(Deserialize)]
pub(super) struct Called {
    #[serde(default)]
    name: String,
}

pub(super) async fn begin(visit: Visit<Reads>) -> Result<HttpResponse, Problem> {
    let begun =
        passkeys::begin_registration(&visit.fleet, &visit.door.visitor(), visit.user()).await;
    told(visit.language, begun)
}

/// The body is what `navigator.credentials.create` gave.
pub(super) async fn finish(
    visit: Visit<Reads>,
    called: Query<Called>,
    credential: String,
) -> Result<HttpResponse, Problem> {
    let visitor = visit.door.visitor();
    let (name, user) = (called.name.trim(), visit.user());
    let made =
        passkeys::finish_registration(&visit.fleet, &visit.call, &visitor, user, name, &credential)
            .await;
    match made {
        Err(SignInError::Fault(FleetError::Refused(refusal))) => {
            let problem = Problem::from(refusal);
            let status = actix_web::ResponseError::status_code(&problem);
            let mut answer = HttpResponse::build(status)
                .json(json!({"detail": visit.language.why(problem.words())}));
            answer
                .extensions_mut()
                .insert(crate::auth::Reason(problem.code()));
            Ok(answer)
        }
        made => told(visit.language, made.map(|_| json!({"next": "/profile"}))),
    }
}

pub(super) async fn remove(
    visit: Visit<Reads>,
    id: Path<PasskeyId>,
) -> Result<HttpResponse, Problem> {
    factors::remove_passkey(&visit.fleet, &visit.call, visit.user(), *id).await?;
    Ok(flash::go_to(
        "/profile",
        &visit.language.say("profile-passkey-removed"),
    ))
}
