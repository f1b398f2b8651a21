//! Sessions of one's own, ended one by one or all but this one.

use actix_web::HttpResponse;
use actix_web::web::Path;

use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::domain::ids::SessionId;
use crate::fleet::sessions;
use crate::web::flash;
use crate::web::visit::Visit;

/// Ending the session that this is asked in is signing out: the next page is the door.
pub(super) async fn end(visit: Visit<Reads>, id: Path<SessionId>) -> Result<HttpResponse, Problem> {
    sessions::end(&visit.fleet, &visit.call, visit.user(), *id).await?;
    Ok(flash::go_to(
        "/profile",
        &visit.language.say("session-ended"),
    ))
}

pub(super) async fn end_others(visit: Visit<Reads>) -> Result<HttpResponse, Problem> {
    let this = Some(visit.session.id);
    let ended = sessions::end_all(&visit.fleet, &visit.call, visit.user(), this).await?;
    Ok(flash::go_to(
        "/profile",
        &visit.language.count("sessions-ended", ended),
    ))
}
