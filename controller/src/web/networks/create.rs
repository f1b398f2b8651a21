//! A network to be made, with free prefixes suggested for as many peers as it is to hold.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use super::{FIELDS, check};
use crate::api::caller::Writes;
use crate::api::ipam::suggest;
use crate::api::networks::NetworkDraft;
use crate::api::problem::Problem;
use crate::fleet;
use crate::web::answer::{refused, show};
use crate::web::flash;
use crate::web::form::{Form, taken};
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

/// What is suggested for before anybody says how many.
const USUAL_PEERS: u32 = 250;
const SUGGESTIONS: usize = 5;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    peers: Option<u32>,
}

#[derive(Template)]
#[template(path = "networks/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    peers: u32,
    suggestions: Vec<String>,
    /// Why there are none.
    no_suggestion: Option<String>,
}

pub(super) async fn form(
    visit: Visit<Writes>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    visit.everywhere()?;
    let peers = wanted.peers.unwrap_or(USUAL_PEERS);
    let mut page = page(&visit, peers).await?;
    let v6 = suggest(&visit.fleet, USUAL_PEERS, Some(1), None).await?.v6;
    page.form = Form::with([
        ("domain_suffix", "internal".to_owned()),
        ("keepalive", "25".to_owned()),
        (
            "cidr_v4",
            page.suggestions
                .first()
                .cloned()
                .unwrap_or_else(String::new),
        ),
        (
            "cidr_v6",
            v6.first().map_or_else(String::new, ToString::to_string),
        ),
    ]);
    show(&page)
}

pub(super) async fn create(visit: Visit<Writes>, mut form: Form) -> Result<HttpResponse, Problem> {
    visit.everywhere()?;
    if check(&mut form, visit.language) {
        let draft = form
            .read::<NetworkDraft>(&FIELDS)
            .and_then(NetworkDraft::parse);
        let made = match draft {
            Ok(new) => fleet::networks::create(&visit.fleet, &visit.call, &new)
                .await
                .map_err(Problem::from),
            Err(problem) => Err(problem),
        };
        if let Some(network) = taken(made, &mut form, visit.language)? {
            let text = visit
                .language
                .say_with("network-made", [("name", network.name.into())]);
            return Ok(flash::go_to(&format!("/networks/{}", network.id), &text));
        }
    }
    let mut page = page(&visit, USUAL_PEERS).await?;
    page.form = form;
    refused(&page)
}

async fn page(visit: &Visit<Writes>, peers: u32) -> Result<NewPage, Problem> {
    let found = suggest(&visit.fleet, peers, Some(SUGGESTIONS), None).await;
    let (suggestions, no_suggestion) = match found {
        Ok(found) => (found.v4.iter().map(ToString::to_string).collect(), None),
        Err(problem) if problem.code() == "unsuitable" => {
            (Vec::new(), Some(visit.language.why(problem.words())))
        }
        Err(problem) => return Err(problem),
    };
    Ok(NewPage {
        frame: visit.frame(Place::Networks).await?,
        form: Form::default(),
        peers,
        suggestions,
        no_suggestion,
    })
}
