//! Plans: what would be done about an interface, shown line by line before it is, and carried out as long as neither
//! what should be nor what is has moved.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::drift::{Line, short};
use super::{strangers, whole};
use crate::api::caller::{Reads, Writes};
use crate::api::problem::Problem;
use crate::db;
use crate::db::interfaces::Interface;
use crate::db::peers::named::Named;
use crate::db::plans::Plan as Kept;
use crate::domain::drift::{Difference, Plan, Why};
use crate::domain::ids::{InterfaceId, PlanId};
use crate::domain::profile::Language;
use crate::fleet::{self, FleetError, Refusal};
use crate::web::answer::{go_to, show as shown};
use crate::web::flash;
use crate::web::form::Form;
use crate::web::frame::{Frame, Moment, Place};
use crate::web::visit::Visit;

/// Nobody reads more lines than these.
const MOST_LINES: usize = 500;

#[derive(Template)]
#[template(path = "nodes/plan.html")]
struct PlanPage {
    frame: Frame,
    kept: Kept,
    interface: Interface,
    made: Moment,
    applied: Option<Moment>,
    summary: String,
    lines: Vec<Line>,
    /// How many lines are left out.
    more: Option<String>,
    /// Removals that are too many to be made without a word: how many, and what the box beside them says.
    held_back: Option<(usize, String)>,
    is_empty: bool,
    may_change: bool,
}

impl PlanPage {
    fn heading(&self) -> String {
        let interface = ("interface", self.interface.name.as_str().into());
        let node = ("node", self.interface.node_name.as_str().into());
        self.frame.t.say_with("plan-of", [interface, node])
    }
}

/// Asks the node, and keeps what would be done.
pub(super) async fn create(
    visit: Visit<Writes>,
    id: Path<InterfaceId>,
) -> Result<HttpResponse, Problem> {
    let interface = whole::interface(&visit, *id).await?;
    match fleet::plans::create(&visit.fleet, &visit.call, *id).await {
        Ok(kept) => Ok(go_to(&format!("/plans/{}", kept.id))),
        Err(err) => strangers::tell(
            visit.language,
            &format!("/nodes/{}", interface.node_id),
            err.into(),
        ),
    }
}

/// A plan speaks of all that an interface carries, whosever it is.
pub(super) async fn show(visit: Visit<Reads>, id: Path<PlanId>) -> Result<HttpResponse, Problem> {
    visit.everywhere()?;
    let frame = visit.frame(Place::Nodes).await?;
    let pool = &visit.fleet.pool;
    let kept = db::plans::find(pool, *id).await?;
    let kept = kept.ok_or_else(|| Refusal::missing("plan", *id))?;
    let interface = db::interfaces::find(pool, kept.interface).await?;
    let interface = interface.ok_or_else(|| Refusal::missing("interface", kept.interface))?;
    let plan: Plan = serde_json::from_value(kept.steps.clone())
        .map_err(|_| FleetError::Corrupt("plans.steps"))?;
    let named = db::peers::named::by_keys(pool, &keys(&plan)).await?;
    let mut lines = Reader::new(frame.t, named).lines(&plan);
    let more = lines.len().saturating_sub(MOST_LINES) as u64;
    lines.truncate(MOST_LINES);
    shown(&PlanPage {
        made: frame.ago(kept.created_at),
        applied: kept.applied_at.map(|at| frame.ago(at)),
        summary: summary(frame.t, &plan),
        lines,
        more: (more > 0).then(|| frame.t.count("plan-more", more)),
        held_back: plan.held_back.map(|held| {
            let (count, all) = (
                frame.t.number(held.count as u64),
                frame.t.number(held.held as u64),
            );
            let text = frame.t.say_with(
                "plan-held-back",
                [("count", count.into()), ("all", all.into())],
            );
            (held.count, text)
        }),
        is_empty: plan.is_empty() && plan.held_back.is_none(),
        may_change: whole::may_change(&visit),
        frame,
        kept,
        interface,
    })
}

/// Carries a plan out.
pub(super) async fn apply(
    visit: Visit<Writes>,
    id: Path<PlanId>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    whole::demand_everything(&visit)?;
    let kept = db::plans::find(&visit.fleet.pool, *id).await?;
    let kept = kept.ok_or_else(|| Refusal::missing("plan", *id))?;
    let interface = whole::interface(&visit, kept.interface).await?;
    let here = format!("/plans/{id}");
    let allowed = match form.value("allow_removals") {
        "" => None,
        text => match text.parse() {
            Ok(allowed) => Some(allowed),
            Err(_) => {
                return Err(Refusal::invalid("invalid_form", "allow_removals is no number").into());
            }
        },
    };
    match fleet::plans::apply(&visit.fleet, &visit.call, *id, allowed).await {
        Ok(mended) => {
            let at = visit.language.number(mended.generation.unsigned_abs());
            let text = visit
                .language
                .say_with("plan-applied", [("generation", at.into())]);
            Ok(flash::go_to(
                &format!("/nodes/{}", interface.node_id),
                &text,
            ))
        }
        Err(err) => strangers::tell(visit.language, &here, err.into()),
    }
}

/// All keys that a plan speaks of, as far as lines are shown.
fn keys(plan: &Plan) -> Vec<String> {
    let removals = plan.removals.iter().map(|one| one.key);
    let releases = plan.releases.iter().map(|one| one.key);
    let writes = plan.writes.iter().map(|one| one.key);
    let blocked = plan.blocked.iter().map(|one| one.key);
    let others = plan.psk_lost.iter().chain(&plan.unproven).copied();
    let all = removals
        .chain(releases)
        .chain(writes)
        .chain(blocked)
        .chain(others);
    all.take(MOST_LINES).map(|key| key.to_string()).collect()
}

fn summary(t: Language, plan: &Plan) -> String {
    let is_new = |differs: &[Difference]| differs.contains(&Difference::Missing);
    let added = plan
        .writes
        .iter()
        .filter(|one| is_new(&one.differs))
        .count();
    let changed = plan.writes.len() - added;
    t.say_with(
        "plan-summary",
        [
            ("added", t.number(added as u64).into()),
            ("changed", t.number(changed as u64).into()),
            ("removed", t.number(plan.removals.len() as u64).into()),
            ("adopted", t.number(plan.adoptions.len() as u64).into()),
        ],
    )
}

/// Writes plans out with the names of those they are about.
struct Reader {
    t: Language,
    named: BTreeMap<String, Named>,
}

impl Reader {
    fn new(t: Language, named: Vec<Named>) -> Self {
        let named = named.into_iter().map(|one| (one.public_key.clone(), one));
        Self {
            t,
            named: named.collect(),
        }
    }

    fn lines(&self, plan: &Plan) -> Vec<Line> {
        let mut lines = Vec::new();
        for one in &plan.removals {
            let why = match one.why {
                Why::Forbidden => "plan-why-forbidden",
                Why::Expired => "plan-why-expired",
                Why::Unknown => "plan-why-unknown",
            };
            lines.push(self.line("del", &one.key.to_string(), self.t.say(why)));
        }
        for one in &plan.releases {
            lines.push(self.line("chg", &one.key.to_string(), self.t.say("plan-releases")));
        }
        for one in &plan.writes {
            let class = match one.differs.contains(&Difference::Missing) {
                true => "add",
                false => "chg",
            };
            let words: Vec<String> = one
                .differs
                .iter()
                .map(|one| self.t.say(difference(*one)))
                .collect();
            lines.push(self.line(class, &one.key.to_string(), words.join(", ")));
        }
        for key in &plan.adoptions {
            lines.push(self.line("add", &key.to_string(), self.t.say("plan-adopts")));
        }
        for key in &plan.reported {
            lines.push(self.line("", &key.to_string(), self.t.say("plan-reports")));
        }
        for one in &plan.blocked {
            let has = [
                ("owner", short(&one.owner.to_string()).into()),
                ("address", one.allowed_ip.to_string().into()),
            ];
            lines.push(self.line(
                "",
                &one.key.to_string(),
                self.t.say_with("plan-blocked", has),
            ));
        }
        for key in &plan.psk_lost {
            lines.push(self.line("", &key.to_string(), self.t.say("plan-psk-lost")));
        }
        for key in &plan.unproven {
            lines.push(self.line("", &key.to_string(), self.t.say("plan-unproven")));
        }
        lines
    }

    fn line(&self, class: &'static str, key: &str, what: String) -> Line {
        let text = match self.named.get(key) {
            Some(peer) => {
                let addresses: Vec<String> = peer
                    .addresses
                    .iter()
                    .map(|one| one.addr().to_string())
                    .collect();
                format!("{}  {}  {what}", peer.name, addresses.join(", "))
            }
            None => format!("{}  {what}", short(key)),
        };
        Line::new(class, text)
    }
}

fn difference(difference: Difference) -> &'static str {
    match difference {
        Difference::Missing => "node-differs-missing",
        Difference::AllowedIps => "node-differs-allowed-ips",
        Difference::Keepalive => "node-differs-keepalive",
        Difference::PresharedKey => "node-differs-psk",
        Difference::Expiry => "node-differs-expiry",
        Difference::Foreign => "node-differs-foreign",
    }
}
