//! `/nodes/{id}`: all that is known of one node, the evidence first, then what needs a person.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;

use super::board::Board;
use super::device::Shown;
use super::drift::Item;
use super::traffic::{Course, Lately, Range, RangeQuery, fresh_since};
use super::whole::{self, Whole};
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::db;
use crate::db::nodes::Node;
use crate::db::observations::of_node::{self, Busy};
use crate::domain::audit::StoredRow;
use crate::domain::ids::{InterfaceId, NodeId};
use crate::domain::role::Permission;
use crate::web::answer::show as shown;
use crate::web::frame::{Frame, Moment, Place};
use crate::web::pictures::histogram::{Ages, CLASSES, Histogram};
use crate::web::pictures::throughput::Throughput;
use crate::web::visit::Visit;

const PEERS: i64 = 8;
const CHANGES: i64 = 8;
/// Differences that are shown at once, of all interfaces together.
const STRANGERS: i64 = 50;
/// A peer with more prefixes than these is shown with the first ones.
const ADDRESSES: usize = 2;

#[derive(Template)]
#[template(path = "nodes/show.html")]
struct NodePage {
    frame: Frame,
    node: Node,
    place: String,
    board: Board,
    range: Range,
    chart: Option<Throughput>,
    ages: Histogram,
    held: u64,
    pools: String,
    interfaces: Vec<Shown>,
    peers: Vec<PeerRow>,
    log: Vec<Change>,
    /// Who reaches a part of the fleet sees of its nodes only what concerns everybody there.
    sees_all: bool,
    may_change: bool,
}

struct PeerRow {
    name: String,
    href: String,
    addresses: String,
    handshake: Option<Moment>,
    rate: Option<String>,
}

struct Change {
    at: Moment,
    actor: String,
    action: String,
    object: String,
    hash: String,
}

pub(super) async fn show(
    visit: Visit<Reads>,
    id: Path<NodeId>,
    query: Query<RangeQuery>,
) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Nodes).await?;
    let whole = whole::find(&visit, *id).await?;
    let (course, lately) = courses(&visit, &frame, *id, query.range).await?;
    let ages = ages(&visit, &frame, *id).await?;
    let interfaces = interfaces(&visit, &frame, &whole).await?;
    let places = [&whole.node.region, &whole.node.country]
        .into_iter()
        .flatten();
    let places: Vec<&str> = places.map(String::as_str).collect();
    let caption = frame
        .t
        .say_with("node-ages-of", [("name", whole.node.name.as_str().into())]);
    shown(&NodePage {
        place: places.join(", "),
        board: Board::of(&frame, &whole, &lately),
        range: query.range,
        chart: course.draw(
            &frame,
            frame.t.say_with(
                "node-traffic-of",
                [("name", whole.node.name.as_str().into())],
            ),
        ),
        held: ages.total(),
        pools: frame.t.number(whole.node.pools.len() as u64),
        ages: ages.draw(frame.t, caption),
        peers: peers(&visit, &frame, *id).await?,
        log: log(&visit, &frame, &whole).await?,
        sees_all: sees_all(&visit),
        may_change: whole::may_change(&visit),
        node: whole.node,
        interfaces,
        frame,
    })
}

/// The evidence alone, which asks for itself again.
pub(super) async fn board(visit: Visit<Reads>, id: Path<NodeId>) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Nodes).await?;
    let whole = whole::find(&visit, *id).await?;
    let (_, lately) = courses(&visit, &frame, *id, Range::Hour).await?;
    shown(&Board::of(&frame, &whole, &lately))
}

/// The course that is drawn, and the last hour, which mostly is the same.
async fn courses(
    visit: &Visit<Reads>,
    frame: &Frame,
    id: NodeId,
    range: Range,
) -> Result<(Course, Lately), Problem> {
    let course = Course::read(visit, frame, id, range).await?;
    let lately = match range {
        Range::Hour => Lately::by(&course.points),
        Range::Day | Range::Week => {
            Lately::by(&Course::read(visit, frame, id, Range::Hour).await?.points)
        }
    };
    Ok((course, lately))
}

fn sees_all(visit: &Visit<Reads>) -> bool {
    visit.access.may_everywhere(Permission::Read)
}

async fn ages(visit: &Visit<Reads>, frame: &Frame, id: NodeId) -> Result<Ages, Problem> {
    let ends = CLASSES.map(|(seconds, _)| seconds as f64);
    let mut ages = Ages::default();
    for group in of_node::ages(&visit.fleet.pool, id, frame.now, &ends).await? {
        let peers = group.peers.unsigned_abs();
        match group.class.map(usize::try_from) {
            None => ages.never += peers,
            Some(Ok(class)) if class < CLASSES.len() => ages.within[class] += peers,
            Some(_) => ages.older += peers,
        }
    }
    Ok(ages)
}

async fn interfaces(
    visit: &Visit<Reads>,
    frame: &Frame,
    whole: &Whole,
) -> Result<Vec<Shown>, Problem> {
    let mut found: BTreeMap<InterfaceId, Vec<Item>> = BTreeMap::new();
    // What nobody asked for belongs to no pool and no network.
    if sees_all(visit) && whole.interfaces.iter().any(|one| one.unknown_peers > 0) {
        for stranger in of_node::strangers(&visit.fleet.pool, whole.node.id, STRANGERS).await? {
            let items = found.entry(stranger.interface).or_default();
            items.push(Item::of(frame, stranger));
        }
    }
    let shown = whole.interfaces.iter().map(|interface| {
        let items = found.remove(&interface.id).into_iter().flatten().collect();
        Shown::of(frame, interface.clone(), items)
    });
    Ok(shown.collect())
}

async fn peers(visit: &Visit<Reads>, frame: &Frame, id: NodeId) -> Result<Vec<PeerRow>, Problem> {
    if !sees_all(visit) {
        return Ok(Vec::new());
    }
    let every = visit.fleet.settings.samples.every;
    let since = fresh_since(visit, frame.now);
    let busiest = of_node::busiest(&visit.fleet.pool, id, since, PEERS).await?;
    Ok(busiest
        .into_iter()
        .map(|peer| PeerRow::of(frame, peer, every.as_seconds_f64()))
        .collect())
}

async fn log(visit: &Visit<Reads>, frame: &Frame, whole: &Whole) -> Result<Vec<Change>, Problem> {
    if !sees_all(visit) {
        return Ok(Vec::new());
    }
    let mut objects = vec![format!("node/{}", whole.node.id)];
    objects.extend(
        whole
            .interfaces
            .iter()
            .map(|one| format!("interface/{}", one.id)),
    );
    let rows = db::audit::of_objects(&visit.fleet.pool, &objects, CHANGES).await?;
    Ok(rows.into_iter().map(|row| Change::of(frame, row)).collect())
}

impl NodePage {
    fn peers_on(&self) -> String {
        self.frame
            .t
            .say_with("node-peers-on", [("name", self.node.name.as_str().into())])
    }

    fn audit_of(&self) -> String {
        self.frame
            .t
            .say_with("node-audit-of", [("name", self.node.name.as_str().into())])
    }
}

impl PeerRow {
    fn of(frame: &Frame, peer: Busy, span_s: f64) -> Self {
        let addresses = peer
            .addresses
            .iter()
            .take(ADDRESSES)
            .map(|one| one.addr().to_string());
        Self {
            href: format!("/peers/{}", peer.id),
            addresses: addresses.collect::<Vec<_>>().join(", "),
            handshake: peer.handshake_at.map(|at| frame.ago(at)),
            rate: peer
                .bytes
                .map(|bytes| frame.t.bits_per_second(bytes as f64 * 8.0 / span_s)),
            name: peer.name,
        }
    }
}

impl Change {
    fn of(frame: &Frame, row: StoredRow) -> Self {
        Self {
            at: frame.ago(row.at),
            actor: row.actor,
            action: row.action,
            object: row.object,
            hash: hex::encode(&row.hash[..4.min(row.hash.len())]),
        }
    }
}
