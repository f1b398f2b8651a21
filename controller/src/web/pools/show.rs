//! One pool: its members with the shares that their weights give them, and where the next peers would go and why.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;

use super::index::placement_name;
use super::{belongs, find};
use crate::api::caller::{Demand, Reads};
use crate::api::problem::Problem;
use crate::db::nodes::{Filter, Node};
use crate::db::peers::choices;
use crate::db::pools::Pool;
use crate::db::{self, Span};
use crate::domain::ids::{NetworkId, PoolId};
use crate::domain::node::State;
use crate::domain::placement::{Ranked, Reason};
use crate::domain::profile::Language;
use crate::domain::role::Permission;
use crate::fleet::peers::preview::{self, Preview};
use crate::web::answer::answer;
use crate::web::form::Form;
use crate::web::frame::{Frame, Place};
use crate::web::nodes::index::state_name;
use crate::web::pictures::meter::Meter;
use crate::web::visit::Visit;

/// How many peers the preview places.
const NEXT: u32 = 100;
/// More is not read through; the choices of a form end there too.
pub(super) const MOST: Span = Span {
    after: 0,
    limit: 500,
};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    network: Option<NetworkId>,
}

#[derive(Template)]
#[template(path = "pools/show.html")]
struct ShowPage {
    frame: Frame,
    pool: Pool,
    placement: String,
    may_change: bool,
    members: Vec<Member>,
    /// Who could become one.
    others: Vec<Node>,
    /// By id and name.
    networks: Vec<(i64, String)>,
    /// Of which network the peers of the preview are.
    chosen: Option<NetworkId>,
    next: Option<Next>,
    form: Form,
}

struct Member {
    node: Node,
    exception: Option<(&'static str, String)>,
    weight: String,
    share: String,
    share_bar: Meter,
    peers: String,
    capacity: Option<String>,
    load: Meter,
}

/// What the placement of the next peers would be.
struct Next {
    sentence: String,
    rows: Vec<Candidate>,
}

struct Candidate {
    href: String,
    name: String,
    gets: String,
    bar: Meter,
    standing: String,
    reason: String,
}

pub(super) async fn show(
    visit: Visit<Reads>,
    id: Path<PoolId>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    page(&visit, *id, wanted.network, StatusCode::OK, Form::default()).await
}

pub(super) async fn page<D: Demand>(
    visit: &Visit<D>,
    id: PoolId,
    network: Option<NetworkId>,
    status: StatusCode,
    form: Form,
) -> Result<HttpResponse, Problem> {
    visit.within("pool", id, belongs(&id))?;
    let frame = visit.frame(Place::Pools).await?;
    let fleet = &visit.fleet;
    let pool = find(fleet, id).await?;
    let may_change = visit.access.may_everywhere(Permission::Write);
    let of_pool = Filter {
        pool: Some(id),
        ..Filter::default()
    };
    let nodes = db::nodes::list(&fleet.pool, &of_pool, MOST).await?;
    let others = match may_change {
        true => db::nodes::list(&fleet.pool, &Filter::default(), MOST).await?,
        false => Vec::new(),
    };
    let others = others
        .into_iter()
        .filter(|node| !pool.members.contains(&node.id));
    let networks = choices::within(&fleet.pool, visit.access.reach)
        .await?
        .networks;
    let chosen = network.filter(|id| networks.iter().any(|(other, _)| *other == id.0));
    let chosen = chosen.or_else(|| networks.first().map(|(id, _)| NetworkId(*id)));
    let next = match chosen {
        Some(network) => Some(Next::of(
            frame.t,
            &preview::of_pool(fleet, &pool, network, NEXT).await?,
        )),
        None => None,
    };
    let page = ShowPage {
        placement: frame.t.say(placement_name(&pool.placement)),
        members: members(frame.t, nodes),
        others: others.collect(),
        frame,
        pool,
        may_change,
        networks,
        chosen,
        next,
        form,
    };
    answer(status, &page)
}

impl ShowPage {
    fn is_chosen(&self, network: &i64) -> bool {
        self.chosen.is_some_and(|chosen| chosen.0 == *network)
    }
}

fn members(t: Language, nodes: Vec<Node>) -> Vec<Member> {
    let weight = |node: &Node| {
        if node.enabled {
            u64::from(node.weight.unsigned_abs())
        } else {
            0
        }
    };
    let all: u64 = nodes.iter().map(weight).sum();
    let member = |node: Node| {
        let own = weight(&node);
        let peers = node.peers.unsigned_abs();
        let capacity = Some(u64::from(node.max_peers.unsigned_abs())).filter(|most| *most > 0);
        Member {
            exception: exception(t, &node),
            weight: t.number(u64::from(node.weight.unsigned_abs())),
            share: t.percent(own as f64 / all.max(1) as f64),
            share_bar: Meter::share_of(own, all),
            peers: t.number(peers),
            capacity: capacity.map(|most| t.number(most)),
            load: Meter::load(peers, capacity),
            node,
        }
    };
    nodes.into_iter().map(member).collect()
}

fn exception(t: Language, node: &Node) -> Option<(&'static str, String)> {
    let state = node.state();
    let class = match state {
        State::Online => return None,
        State::Disabled | State::Pending => "off",
        State::Offline | State::Error => "bad",
    };
    Some((class, t.say(state_name(state))))
}

impl Next {
    fn of(t: Language, preview: &Preview) -> Self {
        let placed = u64::from(preview.placed);
        let sentence = match preview.placed {
            0 => t.say("preview-none"),
            NEXT => t.count("preview-all", placed),
            _ => t.count("preview-some", placed),
        };
        // Who gets none is told apart by what it lacks; those of no concern come last, and not all of them.
        let in_pool = preview
            .ranked
            .iter()
            .filter(|(one, _)| one.reason != Some(Reason::NotInPool));
        let most = in_pool.clone().map(|(_, gets)| *gets).max().unwrap_or(0);
        let row = |(one, gets): &(Ranked, u32)| Candidate::of(t, one, *gets, most);
        Self {
            sentence,
            rows: in_pool.map(row).collect(),
        }
    }
}

impl Candidate {
    fn of(t: Language, one: &Ranked, gets: u32, most: u32) -> Self {
        let number = |count: i64| t.number(count.unsigned_abs());
        Self {
            href: format!("/nodes/{}", one.node),
            name: one.node_name.clone(),
            gets: t.number(gets.into()),
            bar: Meter::share_of(gets.into(), most.into()),
            standing: t.say_with(
                "preview-standing",
                [
                    ("peers", number(one.peers).into()),
                    ("weight", number(one.weight.into()).into()),
                ],
            ),
            reason: match (gets, one.reason) {
                (1.., _) => t.say("preview-takes"),
                (0, Some(reason)) => t.say(reason_name(reason)),
                (0, None) => String::new(),
            },
        }
    }
}

fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::Tied => "reason-tied",
        Reason::Loaded => "reason-loaded",
        Reason::SameNode => "reason-same-node",
        Reason::Full => "reason-full",
        Reason::Drained => "reason-drained",
        Reason::Unreachable => "reason-unreachable",
        Reason::Disabled => "reason-disabled",
        Reason::NotInPool => "reason-not-in-pool",
    }
}
