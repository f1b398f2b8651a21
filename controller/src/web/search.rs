//! `/search` and the palette: commands, then nodes, peers, networks and pools, by what somebody types.
//!
//! The palette asks for the part alone. Whoever is limited to a pool or a network finds commands and that.

use std::net::IpAddr;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use ipnet::IpNet;
use serde::Deserialize;

use super::answer::show;
use super::frame::{Command, Frame, Place};
use super::table::Table;
use super::visit::Visit;
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::db::peers::listing::{self, Filter};
use crate::db::search::{networks, nodes, pools};
use crate::db::{self, Span};
use crate::domain::reach::Reach;

/// More are not looked through.
const MOST: usize = 8;
/// Of fewer letters no index knows anything.
const LEAST_LETTERS: usize = 3;

pub(super) fn configure(table: &mut Table<'_>) {
    table.get("/search", index).get("/search/found", found);
}

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default)]
    q: String,
}

#[derive(Template)]
#[template(path = "search/index.html")]
struct SearchPage {
    found: Found,
    q: String,
    frame: Frame,
}

#[derive(Template)]
#[template(path = "search/_found.html")]
struct Found {
    t: crate::domain::profile::Language,
    commands: Vec<&'static Command>,
    hits: Vec<Hit>,
    is_asked: bool,
}

struct Hit {
    href: String,
    name: String,
    kind: String,
}

async fn index(visit: Visit<Reads>, wanted: Query<Wanted>) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Nowhere).await?;
    let found = search(&visit, &frame, &wanted.q).await?;
    show(&SearchPage {
        found,
        q: wanted.into_inner().q,
        frame,
    })
}

async fn found(visit: Visit<Reads>, wanted: Query<Wanted>) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Nowhere).await?;
    show(&search(&visit, &frame, &wanted.q).await?)
}

async fn search(visit: &Visit<Reads>, frame: &Frame, q: &str) -> Result<Found, Problem> {
    // Nothing is called by what no row can keep.
    let q = if q.contains('\0') { "" } else { q.trim() };
    let lower = q.to_lowercase();
    let commands = frame.commands().filter(|command| {
        let name = frame.t.say(command.name).to_lowercase();
        q.is_empty() || name.contains(&lower)
    });
    let commands: Vec<&'static Command> = commands.take(MOST).collect();
    let hits = match q.is_empty() {
        true => Vec::new(),
        false => hits(visit, frame, q, MOST - commands.len()).await?,
    };
    Ok(Found {
        t: frame.t,
        commands,
        hits,
        is_asked: !q.is_empty(),
    })
}

async fn hits(
    visit: &Visit<Reads>,
    frame: &Frame,
    q: &str,
    room: usize,
) -> Result<Vec<Hit>, Problem> {
    let pool = &visit.fleet.pool;
    let limit = i64::try_from(room).unwrap_or(0);
    let t = frame.t;
    let reach = visit.access.reach;
    let mut hits = Vec::new();
    if reach == Reach::All {
        for node in nodes(pool, q, limit).await? {
            hits.push(hit("nodes", node.id, node.name, t.say("node")));
        }
    }
    for peer in peers(visit, q, limit).await? {
        let address = peer
            .addresses
            .first()
            .map(|address| address.addr().to_string());
        let kind = [Some(t.say("peer")), address]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>();
        hits.push(hit("peers", peer.id, peer.name, kind.join(", ")));
    }
    for network in networks(pool, q, limit).await? {
        if reach == Reach::All || reach == Reach::Network(Some(network.id)) {
            hits.push(hit("networks", network.id, network.name, t.say("network")));
        }
    }
    for found in pools(pool, q, limit).await? {
        if reach == Reach::All || reach == Reach::Pool(Some(found.id)) {
            hits.push(hit("pools", found.id, found.name, t.say("pool")));
        }
    }
    hits.truncate(room);
    Ok(hits)
}

async fn peers(visit: &Visit<Reads>, q: &str, limit: i64) -> Result<Vec<listing::Listed>, Problem> {
    let address = q.parse::<IpAddr>().ok().map(IpNet::from);
    if address.is_none() && q.chars().count() < LEAST_LETTERS
        || visit.access.reach == Reach::Pool(None)
    {
        return Ok(Vec::new());
    }
    let (pool, network) = match visit.access.reach {
        Reach::All => (None, None),
        Reach::Pool(pool) => (pool, None),
        Reach::Network(Some(network)) => (None, Some(network)),
        Reach::Network(None) => return Ok(Vec::new()),
    };
    let filter = Filter {
        pool,
        network,
        text: address.is_none().then(|| q.to_owned()),
        address,
        ..Filter::default()
    };
    let span = Span { after: 0, limit };
    Ok(db::peers::listing::list(&visit.fleet.pool, &filter, span).await?)
}

fn hit(folder: &str, id: impl std::fmt::Display, name: String, kind: String) -> Hit {
    Hit {
        href: format!("/{folder}/{id}"),
        name,
        kind,
    }
}
