//! The list of peers. Its rows are a page of their own, which refreshes itself and answers what is typed.

use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::density::Density;
use super::evidence::{self, Exception, Intent};
use super::wanted::Wanted;
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::db;
use crate::db::peers::choices::Choices;
use crate::db::peers::homes::Home;
use crate::db::peers::listing::{Listed, Order};
use crate::domain::ids::PeerId;
use crate::domain::peer::Standing;
use crate::domain::profile::Language;
use crate::web::answer::show;
use crate::web::frame::{Frame, Moment, Place};
use crate::web::pictures::evidence::FourBars;
use crate::web::visit::Visit;

const PAGE: i64 = 50;

/// So much of a key tells one from another for the eye.
const KEY_CHARACTERS: usize = 8;

#[derive(Template)]
#[template(path = "peers/index.html")]
struct IndexPage {
    frame: Frame,
    rows: Rows,
    wanted: Wanted,
    choices: Choices,
    summary: String,
    writes: bool,
}

/// The rows with the way to the next ones and what can be done to those that are ticked.
#[derive(Template)]
#[template(path = "peers/_rows.html")]
struct Rows {
    t: Language,
    csrf: String,
    /// Where to ask for these rows again.
    href: String,
    wanted: Wanted,
    rows: Vec<Row>,
    next: Option<String>,
    density: Density,
    may_write: bool,
}

struct Row {
    id: PeerId,
    name: String,
    /// What its box is for.
    label: String,
    href: String,
    key: String,
    key_begin: String,
    addresses: Vec<String>,
    bars: FourBars,
    handshake: Option<Moment>,
    seen: Option<Moment>,
    exception: Option<Exception>,
    node: Option<(String, String)>,
    more_nodes: usize,
    owner: Option<String>,
    /// Each with the list of those that have it.
    tags: Vec<(String, String)>,
    received: String,
    sent: String,
}

pub(super) async fn index(
    request: HttpRequest,
    visit: Visit<Reads>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Peers).await?;
    let wanted = wanted.into_inner();
    let chosen = wanted.density;
    let density = chosen.unwrap_or_else(|| Density::kept(&request));
    let rows = read(&visit, &frame, &wanted, density).await?;
    let choices = db::peers::choices::within(&visit.fleet.pool, visit.access.reach).await?;
    let summary = match frame.counts.is_rough {
        true => frame.t.count("peers-summary-rough", frame.counts.peers),
        false => frame.t.count("peers-summary", frame.counts.peers),
    };
    let mut answer = show(&IndexPage {
        summary,
        writes: frame.writes(),
        frame,
        rows,
        wanted,
        choices,
    })?;
    if let Some(density) = chosen {
        density.keep(&mut answer);
    }
    Ok(answer)
}

pub(super) async fn rows(
    request: HttpRequest,
    visit: Visit<Reads>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Peers).await?;
    show(&read(&visit, &frame, &wanted, Density::kept(&request)).await?)
}

async fn read(
    visit: &Visit<Reads>,
    frame: &Frame,
    wanted: &Wanted,
    density: Density,
) -> Result<Rows, Problem> {
    let pool = &visit.fleet.pool;
    let peers = match wanted.filter(visit.access.reach)? {
        Some(mut filter) => {
            let span = wanted.page(PAGE, &mut filter)?;
            db::peers::listing::list(pool, &filter, span).await?
        }
        None => Vec::new(),
    };
    let ids: Vec<PeerId> = peers.iter().map(|peer| peer.id).collect();
    let mut homes = evidence::by_peer(db::peers::homes::of_peers(pool, &ids).await?);
    let is_full = i64::try_from(peers.len()) == Ok(PAGE);
    let last = peers.last().filter(|_| is_full);
    let next = last.map(|peer| wanted.behind(peer));
    let rows = peers.into_iter().map(|peer| {
        let own: Vec<Home> = homes.remove(&peer.id).into_iter().flatten().collect();
        Row::of(frame, wanted, peer, &own)
    });
    Ok(Rows {
        t: frame.t,
        csrf: frame.csrf.clone(),
        href: wanted.href("/peers/rows", wanted.cursor.as_deref()),
        wanted: wanted.clone(),
        rows: rows.collect(),
        next,
        density,
        may_write: frame.writes(),
    })
}

impl Row {
    fn of(frame: &Frame, wanted: &Wanted, peer: Listed, homes: &[Home]) -> Self {
        let t = frame.t;
        let intent = Intent {
            enabled: peer.enabled,
            expired: peer.expired,
            isolated: peer.isolated_at.is_some(),
        };
        let first = homes.first();
        let tags = peer.tags.into_iter().map(|tag| (wanted.tagged(&tag), tag));
        Self {
            id: peer.id,
            label: t.say_with("peers-select", [("name", peer.name.as_str().into())]),
            href: format!("/peers/{}", peer.id),
            key_begin: peer.public_key.chars().take(KEY_CHARACTERS).collect(),
            key: peer.public_key,
            addresses: peer
                .addresses
                .iter()
                .map(|net| net.addr().to_string())
                .collect(),
            bars: evidence::facts(intent, homes, frame.now).draw(t),
            handshake: evidence::handshake(homes).map(|at| frame.ago(at)),
            seen: evidence::seen(homes).map(|at| frame.ago(at)),
            exception: evidence::exception(t, intent, homes),
            node: first.map(|home| (home.node_name.clone(), format!("/nodes/{}", home.node))),
            more_nodes: homes.len().saturating_sub(1),
            owner: peer.owner_name,
            tags: tags.collect(),
            received: t.bytes(peer.rx_total.unsigned_abs()),
            sent: t.bytes(peer.tx_total.unsigned_abs()),
            name: peer.name,
        }
    }
}

pub(super) fn order_name(order: Order) -> &'static str {
    match order {
        Order::Made => "peers-order-made",
        Order::Newest => "peers-order-newest",
        Order::Name => "peers-order-name",
        Order::NameDown => "peers-order-name-down",
    }
}

pub(super) fn density_name(density: Density) -> &'static str {
    match density {
        Density::Compact => "density-compact",
        Density::Comfortable => "density-comfortable",
    }
}

pub(super) fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Online => "peers-online",
        Standing::Waiting => "peers-waiting",
        Standing::Disabled => "peers-disabled",
        Standing::Expired => "peers-expired",
        Standing::Isolated => "peers-isolated",
    }
}
