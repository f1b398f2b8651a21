//! Peers that a node holds and nobody asked for: made peers of the fleet as they are, or removed from the node after a
//! page that says whose sessions end.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use protocol::PublicKey;

use super::drift::Item;
use super::whole;
use crate::api::caller::Writes;
use crate::api::fields::Fields;
use crate::api::fields::mistake::Mistake;
use crate::api::problem::Problem;
use crate::db;
use crate::db::interfaces::Interface;
use crate::db::observations::of_node::Stranger;
use crate::domain::ids::InterfaceId;
use crate::domain::names::Label;
use crate::domain::profile::Language;
use crate::fleet::Refusal;
use crate::fleet::adopt::{self, MOST_REMOVALS, Wish};
use crate::web::answer::show;
use crate::web::flash;
use crate::web::form::Form;
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "nodes/removal.html")]
struct RemovalPage {
    frame: Frame,
    interface: Interface,
    items: Vec<Item>,
    asks: String,
    button: String,
}

impl RemovalPage {
    /// What happens to whom.
    fn radius(&self) -> String {
        let interface = ("interface", self.interface.name.as_str().into());
        let node = ("node", self.interface.node_name.as_str().into());
        self.frame.t.say_with("node-remove-from", [interface, node])
    }
}

/// Makes peers of keys: of those that the form names, or of all there are.
pub(super) async fn adopt(
    visit: Visit<Writes>,
    id: Path<InterfaceId>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let interface = whole::interface(&visit, *id).await?;
    let back = format!("/nodes/{}#drift", interface.node_id);
    match adopted(&visit, *id, &form).await {
        Ok((adopted, left)) => {
            let t = visit.language;
            let mut text = t.count("node-adopted", adopted);
            let count = t.number(left.len() as u64);
            if let Some((_, why)) = left.into_iter().next() {
                text.push(' ');
                text.push_str(&t.say_with(
                    "node-adopted-not",
                    [("shown", count.into()), ("why", t.refusal(why).into())],
                ));
            }
            Ok(flash::go_to(&back, &text))
        }
        Err(problem) => tell(visit.language, &back, problem),
    }
}

async fn adopted(
    visit: &Visit<Writes>,
    id: InterfaceId,
    form: &Form,
) -> Result<(u64, Vec<(String, Refusal)>), Problem> {
    let wish = match form.has("all") {
        true => Wish {
            partial: true,
            ..Wish::default()
        },
        false => wish(form)?,
    };
    let adopted = adopt::adopt(&visit.fleet, &visit.call, id, &wish).await?;
    Ok((adopted.peers.len() as u64, adopted.left))
}

/// One key, and what it is to be called if that was written.
fn wish(form: &Form) -> Result<Wish, Problem> {
    let mut fields = Fields::default();
    let key = fields.take("key", PublicKey::parse(form.value("key")));
    let name = match form.value("name").trim() {
        "" => None,
        name => fields.take("name", Label::parse(name)),
    };
    let wish = key.map(|key| Wish {
        keys: Some(vec![key]),
        names: name
            .map(|name| (key, name))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        ..Wish::default()
    });
    fields.finish(wish)
}

/// Asks before keys are removed: those that the query names, or all there are.
pub(super) async fn ask(
    visit: Visit<Writes>,
    id: Path<InterfaceId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let interface = whole::interface(&visit, *id).await?;
    let frame = visit.frame(Place::Nodes).await?;
    let query = url::form_urlencoded::parse(request.query_string().as_bytes());
    let named: Vec<String> = query
        .filter(|(name, _)| name == "key")
        .map(|(_, key)| key.into_owned())
        .collect();
    let only = (!named.is_empty()).then_some(&named[..]);
    let limit = i64::try_from(MOST_REMOVALS).unwrap_or(i64::MAX);
    let found = db::observations::unknown::list(&visit.fleet.pool, *id, only, "", limit).await?;
    let count = found.len() as u64;
    let items = found.into_iter().map(|one| {
        let stranger = Stranger {
            interface: *id,
            public_key: one.public_key,
            has_psk: one.has_psk,
            allowed_ips: one.allowed_ips,
            keepalive_s: one.keepalive_s,
            endpoint: one.endpoint,
            handshake_at: one.handshake_at,
            first_at: one.first_at,
        };
        Item::of(&frame, stranger)
    });
    show(&RemovalPage {
        asks: frame.t.count("node-remove-asks", count),
        button: frame.t.count("node-remove-them", count),
        items: items.collect(),
        frame,
        interface,
    })
}

/// Has the node remove the keys that the form names.
pub(super) async fn remove(
    visit: Visit<Writes>,
    id: Path<InterfaceId>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let interface = whole::interface(&visit, *id).await?;
    let back = format!("/nodes/{}#drift", interface.node_id);
    match removed(&visit, *id, &form).await {
        Ok(count) => Ok(flash::go_to(
            &back,
            &visit.language.count("node-removed", count),
        )),
        Err(problem) => tell(visit.language, &back, problem),
    }
}

async fn removed(visit: &Visit<Writes>, id: InterfaceId, form: &Form) -> Result<u64, Problem> {
    let mut fields = Fields::default();
    let mut keys: Vec<PublicKey> = form
        .values("key")
        .filter_map(|text| fields.take("key", PublicKey::parse(text)))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    if !(1..=MOST_REMOVALS).contains(&keys.len()) {
        let what = format!("are not 1 to {MOST_REMOVALS}");
        fields.mistake(
            "key",
            Mistake::new("too_many_keys", what).with("most", MOST_REMOVALS),
        );
    }
    let keys = fields.finish(Some(keys))?;
    adopt::remove(&visit.fleet, &visit.call, id, &keys).await?;
    Ok(keys.len() as u64)
}

/// Why something was not done, told on the page where it was asked for. A fault of the controller goes on.
pub(super) fn tell(t: Language, back: &str, problem: Problem) -> Result<HttpResponse, Problem> {
    let status = problem.status_code();
    let is_told = status.is_client_error() || status == StatusCode::BAD_GATEWAY;
    let is_elsewhere = status == StatusCode::NOT_FOUND || status == StatusCode::FORBIDDEN;
    match is_told && !is_elsewhere {
        true => Ok(flash::go_to(back, &t.why(problem.words()))),
        false => Err(problem),
    }
}
