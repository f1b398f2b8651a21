//! A network changed. Another prefix gives every peer another address, so its consequences are told before it is done.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::{FIELDS, belongs, check, find, prefix_text};
use crate::api::caller::Writes;
use crate::api::networks::NetworkChange;
use crate::api::problem::Problem;
use crate::db::networks::Network;
use crate::domain::ids::NetworkId;
use crate::domain::network::Changes;
use crate::fleet::{self, Call};
use crate::web::answer::answer;
use crate::web::flash;
use crate::web::form::{Form, taken};
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

/// Whoever moves more peers than this writes the name of the network first.
const TYPED_ABOVE: u64 = 25;

#[derive(Template)]
#[template(path = "networks/edit.html")]
struct EditPage {
    frame: Frame,
    network: Network,
    form: Form,
}

#[derive(Template)]
#[template(path = "networks/readdress.html")]
struct ReaddressPage {
    frame: Frame,
    network: Network,
    form: Form,
    /// What the button does.
    deed: String,
    headline: String,
    is_typed: bool,
}

pub(super) async fn form(
    visit: Visit<Writes>,
    id: Path<NetworkId>,
) -> Result<HttpResponse, Problem> {
    visit.within("network", *id, belongs(&id))?;
    visit.everywhere()?;
    let network = find(&visit.fleet, *id).await?;
    let dns: Vec<String> = network
        .dns
        .iter()
        .map(|one| one.addr().to_string())
        .collect();
    let form = Form::with([
        ("version", network.version.to_string()),
        ("name", network.name.clone()),
        ("domain_suffix", network.domain_suffix.clone()),
        ("cidr_v4", prefix_text(&network.prefixes, true)),
        ("cidr_v6", prefix_text(&network.prefixes, false)),
        ("dns", dns.join(", ")),
        (
            "mtu",
            network.mtu.map_or_else(String::new, |mtu| mtu.to_string()),
        ),
        ("keepalive", network.keepalive_s.to_string()),
    ]);
    edit(&visit, network, form, StatusCode::OK).await
}

pub(super) async fn change(
    visit: Visit<Writes>,
    id: Path<NetworkId>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    visit.within("network", *id, belongs(&id))?;
    visit.everywhere()?;
    let network = find(&visit.fleet, *id).await?;
    if !check(&mut form, visit.language) {
        return edit(&visit, network, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let Some(changes) = taken(changes(&form), &mut form, visit.language)? else {
        return edit(&visit, network, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let moves = changes.prefixes(&network.prefixes) != network.prefixes;
    let is_confirmed =
        form.has("confirmed") && (!form.has("typed") || form.value("typed").trim() == network.name);
    let call = Call {
        if_match: form.version()?,
        dry_run: moves && !is_confirmed,
        ..visit.call.clone()
    };
    let done = fleet::networks::change(&visit.fleet, &call, *id, &changes).await;
    match taken(done.map_err(Problem::from), &mut form, visit.language)? {
        None => edit(&visit, network, form, StatusCode::UNPROCESSABLE_ENTITY).await,
        Some(_) if call.dry_run => readdress(&visit, network, form).await,
        Some(after) => {
            let text = visit
                .language
                .say_with("network-changed", [("name", after.name.into())]);
            Ok(flash::go_to(&format!("/networks/{id}"), &text))
        }
    }
}

fn changes(form: &Form) -> Result<Changes, Problem> {
    let mut changes = form.read::<NetworkChange>(&FIELDS)?.parse()?;
    // A field that is empty takes away here, where in a body an absent one keeps.
    let is_empty = |name| form.value(name).trim().is_empty();
    if is_empty("mtu") {
        changes.mtu = Some(None);
    }
    if is_empty("cidr_v4") {
        changes.prefix_v4 = Some(None);
    }
    if is_empty("cidr_v6") {
        changes.prefix_v6 = Some(None);
    }
    Ok(changes)
}

async fn edit(
    visit: &Visit<Writes>,
    network: Network,
    form: Form,
    status: StatusCode,
) -> Result<HttpResponse, Problem> {
    let page = EditPage {
        frame: visit.frame(Place::Networks).await?,
        network,
        form,
    };
    answer(status, &page)
}

/// What comes with other prefixes, before they are given.
async fn readdress(
    visit: &Visit<Writes>,
    network: Network,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Networks).await?;
    let holding = fleet::networks::holding(&visit.fleet.pool, network.id).await?;
    let peers = holding.peers.unsigned_abs();
    let status = match form.has("confirmed") {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    let page = ReaddressPage {
        headline: frame.t.count("readdress-peers", peers),
        deed: frame
            .t
            .say_with("readdress-do", [("peers", frame.t.number(peers).into())]),
        is_typed: peers > TYPED_ABOVE,
        frame,
        network,
        form,
    };
    answer(status, &page)
}
