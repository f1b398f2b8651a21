//! The list of nodes. Its rows are a page of their own, which refreshes itself.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::api::{lookup, page, reached};
use crate::db::interfaces::Interface;
use crate::db::nodes::{Filter, Node};
use crate::db::pools::Pool;
use crate::db::samples::Throughput;
use crate::db::{self, Span};
use crate::domain::ids::NodeId;
use crate::domain::node::State;
use crate::domain::profile::Language;
use crate::web::answer::show;
use crate::web::frame::{Frame, Moment, Place};
use crate::web::nodes::standing::{Exception, exception, facts, standing};
use crate::web::nodes::traffic::Lately;
use crate::web::nodes::whole::may_change;
use crate::web::pictures::evidence::FourBars;
use crate::web::pictures::meter::Meter;
use crate::web::pictures::spark::Spark;
use crate::web::visit::Visit;

const PAGE: i64 = 50;
/// Nobody reads through a longer list of choices.
const CHOICES: Span = Span {
    after: 0,
    limit: 500,
};

/// What is asked for. Empty fields of the form ask for nothing.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    pool: String,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "nodes/index.html")]
struct IndexPage {
    frame: Frame,
    rows: Rows,
    wanted: Wanted,
    pools: Vec<Pool>,
    summary: String,
    may_change: bool,
}

/// The rows with the way to the next ones.
#[derive(Template)]
#[template(path = "nodes/_rows.html")]
struct Rows {
    t: Language,
    /// Where to ask for these rows again.
    href: String,
    rows: Vec<Row>,
    is_filtered: bool,
    may_change: bool,
    next: Option<String>,
}

struct Row {
    name: String,
    href: String,
    place: String,
    bars: FourBars,
    seen: Option<Moment>,
    problem: Option<String>,
    standing: String,
    exception: Option<Exception>,
    peers: String,
    capacity: Option<String>,
    load: Meter,
    weight: String,
    /// What goes through it now, and how that went in the last hour.
    rate: Option<String>,
    spark: Option<Spark>,
}

pub(super) async fn index(
    visit: Visit<Reads>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Nodes).await?;
    let wanted = wanted.into_inner();
    let rows = read(&visit, &frame, &wanted).await?;
    let reach = visit.access.reach;
    let pools = reached::pools(&visit.fleet.pool, reach, None, CHOICES).await?;
    show(&IndexPage {
        summary: frame.t.count("nodes-summary", frame.counts.nodes),
        may_change: may_change(&visit),
        frame,
        rows,
        wanted,
        pools,
    })
}

pub(super) async fn rows(
    visit: Visit<Reads>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Nodes).await?;
    show(&read(&visit, &frame, &wanted).await?)
}

async fn read(visit: &Visit<Reads>, frame: &Frame, wanted: &Wanted) -> Result<Rows, Problem> {
    let pool = &visit.fleet.pool;
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (q, in_pool) = (given(&wanted.q), given(&wanted.pool));
    let span = page::PageQuery {
        cursor: wanted.cursor.clone(),
        limit: Some(PAGE),
    }
    .span()?;
    let asked = lookup::pool(pool, in_pool.as_deref()).await?;
    let filter = match visit.access.reach.narrow(asked, None) {
        Some((pool, network)) => Filter {
            q: lookup::part(q.as_deref())?,
            state: State::of_word(&wanted.state),
            pool,
            network,
            region: None,
        },
        None => return Err(Problem::not_found()),
    };
    let nodes = db::nodes::list(pool, &filter, span).await?;
    let ids: Vec<NodeId> = nodes.iter().map(|node| node.id).collect();
    let mut interfaces: BTreeMap<NodeId, Vec<Interface>> = BTreeMap::new();
    for interface in db::interfaces::of_nodes(pool, &ids).await? {
        interfaces
            .entry(interface.node_id)
            .or_default()
            .push(interface);
    }
    let mut lately: BTreeMap<NodeId, Vec<Throughput>> = BTreeMap::new();
    let since = Lately::since(visit, frame.now);
    for one in db::samples::throughput(pool, &ids, since).await? {
        lately.entry(one.node).or_default().push(one);
    }
    let is_full = i64::try_from(nodes.len()) == Ok(PAGE);
    let last = nodes.last().filter(|_| is_full);
    let next = last.map(|node| wanted.href("/nodes", Some(&page::cursor(node.id.0))));
    let rows = nodes.into_iter().map(|node| {
        let own = interfaces.remove(&node.id).into_iter().flatten().collect();
        let lately = Lately::of(
            visit,
            frame.now,
            lately.remove(&node.id).into_iter().flatten(),
        );
        Row::of(frame, node, own, &lately)
    });
    Ok(Rows {
        t: frame.t,
        href: wanted.href("/nodes/rows", wanted.cursor.as_deref()),
        is_filtered: q.is_some() || in_pool.is_some() || !wanted.state.is_empty(),
        may_change: may_change(visit),
        rows: rows.collect(),
        next,
    })
}

impl Wanted {
    fn href(&self, path: &str, cursor: Option<&str>) -> String {
        let given = [
            ("q", self.q.as_str()),
            ("state", &self.state),
            ("pool", &self.pool),
        ];
        let given = given
            .into_iter()
            .chain(cursor.map(|cursor| ("cursor", cursor)));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(given.filter(|(_, value)| !value.is_empty()))
            .finish();
        format!("{path}?{query}")
    }
}

impl Row {
    fn of(frame: &Frame, node: Node, interfaces: Vec<Interface>, lately: &Lately) -> Self {
        let t = frame.t;
        let facts = facts(&node, &interfaces, lately.fact());
        let capacity = u64::try_from(node.max_peers).ok().filter(|most| *most > 0);
        let peers = node.peers.unsigned_abs();
        let places = [&node.region, &node.country].into_iter().flatten();
        let places: Vec<&str> = places.map(String::as_str).collect();
        let exception = exception(t, &node, &interfaces);
        Self {
            href: format!("/nodes/{}", node.id),
            place: places.join(", "),
            bars: facts.draw(t),
            seen: node.good_at.map(|at| frame.ago(at)),
            problem: node.problem_text.clone(),
            standing: standing(t, &interfaces),
            exception,
            peers: t.number(peers),
            capacity: capacity.map(|most| t.number(most)),
            load: Meter::load(peers, capacity),
            weight: t.number(u64::from(node.weight.unsigned_abs())),
            rate: lately.rate.map(|rate| t.bits_per_second(rate)),
            spark: lately.spark(),
            name: node.name,
        }
    }
}

pub(crate) fn state_name(state: State) -> &'static str {
    match state {
        State::Online => "state-online",
        State::Offline => "state-offline",
        State::Error => "state-error",
        State::Pending => "state-pending",
        State::Disabled => "state-disabled",
    }
}
