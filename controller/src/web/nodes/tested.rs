//! A tested connection, step by step: each well, failed, or not asked because an earlier one failed.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::whole;
use crate::agent::{Checked, Diagnosis, Outcome};
use crate::api::caller::Writes;
use crate::api::problem::Problem;
use crate::db::nodes::Node;
use crate::domain::ids::NodeId;
use crate::domain::profile::Language;
use crate::fleet;
use crate::web::answer::show;
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "nodes/_tested.html")]
pub(super) struct Tested {
    verdict: String,
    steps: Vec<Step>,
}

struct Step {
    class: &'static str,
    outcome: String,
    name: String,
    sentence: String,
}

#[derive(Template)]
#[template(path = "nodes/tested.html")]
struct TestedPage {
    frame: Frame,
    node: Node,
    tested: Tested,
}

impl TestedPage {
    fn heading(&self) -> String {
        self.frame
            .t
            .say_with("node-test-of", [("name", self.node.name.as_str().into())])
    }
}

/// Tests the connection to a node as it is known.
pub(super) async fn test(visit: Visit<Writes>, id: Path<NodeId>) -> Result<HttpResponse, Problem> {
    whole::demand_everything(&visit)?;
    let frame = visit.frame(Place::Nodes).await?;
    let node = whole::find(&visit, *id).await?.node;
    let diagnosis = fleet::nodes::test(&visit.fleet, &visit.call, *id, None).await?;
    show(&TestedPage {
        tested: Tested::of(frame.t, diagnosis),
        frame,
        node,
    })
}

impl Tested {
    pub(super) fn of(t: Language, diagnosis: Diagnosis) -> Self {
        let step = |check: crate::agent::Check| {
            let (class, outcome) = match check.outcome {
                Outcome::Ok => ("ok", "node-outcome-ok"),
                Outcome::Failed => ("bad", "node-outcome-failed"),
                Outcome::Unknown => ("off", "node-outcome-not-asked"),
            };
            Step {
                class,
                outcome: t.say(outcome),
                name: t.say(name(check.check)),
                sentence: t.found(&check),
            }
        };
        Self {
            verdict: match diagnosis.ok {
                true => t.say("node-test-well"),
                false => t.say("node-test-not-well"),
            },
            steps: diagnosis.checks.into_iter().map(step).collect(),
        }
    }
}

fn name(check: Checked) -> &'static str {
    match check {
        Checked::Reachable => "node-check-reachable",
        Checked::Agent => "node-check-agent",
        Checked::Signature => "node-check-signature",
        Checked::Clock => "node-check-clock",
        Checked::Interface => "node-check-interface",
        Checked::Wireguard => "node-check-wireguard",
    }
}
