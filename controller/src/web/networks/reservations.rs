//! Parts of a network that nobody gets: added and ended from the network's own page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;

use super::{belongs, show};
use crate::api::caller::Writes;
use crate::api::ipam::ReservationDraft;
use crate::api::problem::Problem;
use crate::domain::ids::{NetworkId, ReservationId};
use crate::fleet;
use crate::web::flash;
use crate::web::form::{Form, Holds, taken};
use crate::web::visit::Visit;

const FIELDS: [(&str, Holds); 2] = [("prefix", Holds::Exactly), ("reason", Holds::Exactly)];

pub(super) async fn reserve(
    visit: Visit<Writes>,
    id: Path<NetworkId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    visit.within("network", *id, belongs(&id))?;
    visit.everywhere()?;
    let draft = form
        .read::<ReservationDraft>(&FIELDS)
        .and_then(ReservationDraft::parse);
    let made = match draft {
        Ok((prefix, reason)) => {
            let made =
                fleet::reservations::create(&visit.fleet, &visit.call, *id, prefix, &reason).await;
            made.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    let Some(made) = taken(made, &mut form, visit.language)? else {
        return show::page(&visit, *id, StatusCode::UNPROCESSABLE_ENTITY, form).await;
    };
    let text = visit.language.say_with(
        "reservation-made",
        [("prefix", made.prefix.to_string().into())],
    );
    Ok(flash::go_to(&format!("/networks/{id}"), &text))
}

pub(super) async fn release(
    visit: Visit<Writes>,
    path: Path<(NetworkId, ReservationId)>,
) -> Result<HttpResponse, Problem> {
    let (network, id) = path.into_inner();
    visit.within("network", network, belongs(&network))?;
    visit.everywhere()?;
    fleet::reservations::delete(&visit.fleet, &visit.call, network, id).await?;
    Ok(flash::go_to(
        &format!("/networks/{network}"),
        &visit.language.say("reservation-ended"),
    ))
}
