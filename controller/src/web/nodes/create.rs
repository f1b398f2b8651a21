//! `/nodes/new`: a node is added, with its first interface, after its connection was tested or without.

use actix_web::HttpResponse;
use askama::Template;
use serde_json::json;

use super::tested::Tested;
use super::{secret, whole};
use crate::api::caller::Writes;
use crate::api::fields::Fields;
use crate::api::fields::mistake::Mistake;
use crate::api::nodes::NodeDraft;
use crate::api::nodes::connection::TestDraft;
use crate::api::problem::Problem;
use crate::db::networks::Network;
use crate::db::{self, Span};
use crate::domain::node::DEFAULT_WEIGHT;
use crate::fleet;
use crate::fleet::nodes::{Added, Untried};
use crate::web::answer::{refused, show};
use crate::web::flash;
use crate::web::form::{Form, Holds};
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

/// Nobody reads through a longer list of choices.
pub(super) const CHOICES: Span = Span {
    after: 0,
    limit: 500,
};

const NODE: [(&str, Holds); 12] = [
    ("name", Holds::Exactly),
    ("agent_url", Holds::Exactly),
    ("secret", Holds::Text),
    ("key_id", Holds::Text),
    ("weight", Holds::Number),
    ("max_peers", Holds::Number),
    ("country", Holds::Text),
    ("operator_country", Holds::Text),
    ("region", Holds::Text),
    ("notes", Holds::Exactly),
    ("legacy", Holds::Flag),
    ("timeout_ms", Holds::Number),
];

const INTERFACE: [(&str, Holds); 6] = [
    ("interface.name", Holds::Exactly),
    ("interface.network", Holds::Exactly),
    ("interface.endpoint", Holds::Exactly),
    ("interface.ip_pool_v4", Holds::Text),
    ("interface.ip_pool_v6", Holds::Text),
    ("interface.drift_policy", Holds::Text),
];

#[derive(Template)]
#[template(path = "nodes/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    networks: Vec<Network>,
    tested: Option<Tested>,
    /// Why nothing was tested.
    untested: Vec<String>,
}

pub(super) async fn new(visit: Visit<Writes>) -> Result<HttpResponse, Problem> {
    whole::demand_everything(&visit)?;
    let form = Form::with([
        ("weight", DEFAULT_WEIGHT.to_string()),
        ("max_peers", "0".to_owned()),
        ("interface.name", "wg0".to_owned()),
        ("interface.drift_policy", "report".to_owned()),
    ]);
    show(&page(&visit, form).await?)
}

pub(super) async fn create(visit: Visit<Writes>, mut form: Form) -> Result<HttpResponse, Problem> {
    whole::demand_everything(&visit)?;
    let added = match added(&visit, &form).await {
        Ok(added) => added,
        Err(problem) => {
            whole::refuse(&mut form, problem, visit.language)?;
            return refused(&page(&visit, form).await?);
        }
    };
    match added.generated {
        Some(made) => secret::show_once(&visit, added.node, &made).await,
        None => {
            let text = visit
                .language
                .say_with("node-added", [("name", added.node.name.as_str().into())]);
            Ok(flash::go_to(&format!("/nodes/{}", added.node.id), &text))
        }
    }
}

async fn added(visit: &Visit<Writes>, form: &Form) -> Result<Added, Problem> {
    let draft: NodeDraft = match is_with_interface(form) {
        true => form.read(&[&NODE[..], &INTERFACE[..]].concat())?,
        false => form.read(&NODE)?,
    };
    let (new, secret, interface) = draft.parse()?;
    Ok(fleet::nodes::create(&visit.fleet, &visit.call, &new, secret, interface.as_ref()).await?)
}

/// A node may come without one; a name or an endpoint alone is one that is not filled in.
fn is_with_interface(form: &Form) -> bool {
    ["interface.name", "interface.endpoint"]
        .iter()
        .any(|name| !form.value(name).trim().is_empty())
}

/// Tests what is in the form and shows it again with what was found. Nothing is written.
pub(super) async fn test(visit: Visit<Writes>, mut form: Form) -> Result<HttpResponse, Problem> {
    whole::demand_everything(&visit)?;
    match untried(&form) {
        Ok(untried) => {
            let diagnosis = fleet::nodes::test_untried(&visit.fleet, &visit.call, untried).await;
            let mut page = page(&visit, form).await?;
            page.tested = Some(Tested::of(visit.language, diagnosis));
            show(&page)
        }
        Err(problem) => {
            let untested = problem
                .words()
                .mistakes()
                .map(|(field, words)| format!("{field} {}", visit.language.wrong(words)));
            let untested = untested.collect();
            whole::refuse(&mut form, problem, visit.language)?;
            let mut page = page(&visit, form).await?;
            page.untested = untested;
            refused(&page)
        }
    }
}

fn untried(form: &Form) -> Result<Untried, Problem> {
    let given = |name: &str| form.value(name).trim().to_owned();
    let key_id = Some(given("key_id")).filter(|id| !id.is_empty());
    if given("secret").is_empty() {
        let mut fields = Fields::default();
        fields.mistake(
            "secret",
            Mistake::new("needed_to_test", "is needed to test"),
        );
        return fields.finish(None);
    }
    let draft = json!({"agent_url": given("agent_url"), "secret": given("secret"), "key_id": key_id,
        "interface": given("interface.name"), "legacy": form.has("legacy")});
    let draft: TestDraft = serde_json::from_value(draft).map_err(|err| Problem::fault(&err))?;
    draft.parse()
}

async fn page(visit: &Visit<Writes>, mut form: Form) -> Result<NewPage, Problem> {
    form.forget("secret");
    if let Some(text) = form.mistake("interface").map(str::to_owned) {
        form.set_mistake("interface.name", text);
    }
    Ok(NewPage {
        frame: visit.frame(Place::Nodes).await?,
        form,
        networks: db::networks::list(&visit.fleet.pool, CHOICES).await?,
        tested: None,
        untested: Vec::new(),
    })
}
