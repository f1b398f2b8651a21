//! One peer: what is known of it and how old that is, where it is and why, and what was done to it.
//!
//! Whether its device still has what it would be given now takes writing the text anew, so that is a part of its own,
//! and so is its traffic.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::evidence::{self, Exception, Intent};
use super::find;
use super::sessions::{self, Sessions};
use super::why::Why;
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::db::peers::Peer;
use crate::db::peers::choices::Names;
use crate::db::peers::homes::{self, Home};
use crate::db::{self, Span};
use crate::domain::audit::StoredRow;
use crate::domain::ids::PeerId;
use crate::domain::profile::Language;
use crate::fleet::FleetError;
use crate::fleet::peers::issue;
use crate::web::answer::show as show_page;
use crate::web::frame::{Frame, Moment, Place};
use crate::web::pictures::evidence::FourBars;
use crate::web::visit::Visit;

const CHANGES: i64 = 20;

#[derive(Template)]
#[template(path = "peers/show.html")]
struct ShowPage {
    frame: Frame,
    peer: Peer,
    names: Names,
    intent: Intent,
    exception: Option<Exception>,
    bars: FourBars,
    created: String,
    expires: Option<Moment>,
    handshake: Option<Moment>,
    seen: Option<Moment>,
    endpoint: Option<(String, String)>,
    received: String,
    sent: String,
    places: Vec<Placed>,
    why: Option<Why>,
    sessions: Sessions,
    changes: Vec<Changed>,
    writes: bool,
}

/// A peer on one node.
struct Placed {
    node: String,
    href: String,
    interface: String,
    bars: FourBars,
    handshake: Option<Moment>,
    endpoint: Option<String>,
    received: String,
    sent: String,
    generation: String,
    has_psk: bool,
}

struct Changed {
    at: Moment,
    actor: String,
    action: String,
    outcome: Option<String>,
    hash: String,
}

/// Says that the device has an old configuration, or nothing.
#[derive(Template)]
#[template(path = "peers/_stale.html")]
struct Stale {
    t: Language,
    id: PeerId,
    /// When it was handed out, and in which mode.
    since: Option<(Moment, String)>,
    writes: bool,
}

pub(super) async fn show(visit: Visit<Reads>, id: Path<PeerId>) -> Result<HttpResponse, Problem> {
    let pool = &visit.fleet.pool;
    let peer = find(&visit, *id).await?;
    let frame = visit.frame(Place::Peers).await?;
    let names = db::peers::choices::of_peer(pool, *id).await?;
    let names = names.ok_or_else(Problem::not_found)?;
    let homes = homes::of_peers(pool, &[*id]).await?;
    let ranking = homes::ranking(pool, *id).await?;
    let object = format!("peer/{id}");
    let about = db::audit::Filter {
        object: Some(&object),
        ..db::audit::Filter::default()
    };
    let newest = Span {
        after: 0,
        limit: CHANGES,
    };
    let changes = db::audit::list(pool, &about, newest).await?;
    let sessions = sessions::newest(&visit, &frame, *id).await?;
    let intent = Intent {
        enabled: peer.enabled,
        expired: peer.expired,
        isolated: peer.isolated_at.is_some(),
    };
    let t = frame.t;
    let total = |of: fn(&Home) -> i64| t.bytes(homes.iter().map(of).sum::<i64>().unsigned_abs());
    let last = homes
        .iter()
        .filter(|home| home.endpoint.is_some())
        .max_by_key(|home| home.handshake_at);
    show_page(&ShowPage {
        exception: evidence::exception(t, intent, &homes),
        bars: evidence::facts(intent, &homes, frame.now).draw(t),
        created: frame.absolute(peer.created_at),
        expires: peer.expires_at.map(|at| frame.ago(at)),
        handshake: evidence::handshake(&homes).map(|at| frame.ago(at)),
        seen: evidence::seen(&homes).map(|at| frame.ago(at)),
        endpoint: last.and_then(|home| split_endpoint(home.endpoint.as_deref()?)),
        received: total(|home| home.rx_total),
        sent: total(|home| home.tx_total),
        places: homes
            .iter()
            .map(|home| Placed::of(&frame, intent, home))
            .collect(),
        why: match ranking {
            Some((ranking, at)) => {
                let explanation = serde_json::from_str(ranking.get())
                    .map_err(|_| FleetError::Corrupt("placements.ranking"))?;
                Some(Why::of(&frame, &explanation, frame.ago(at)))
            }
            None => None,
        },
        sessions,
        changes: changes
            .into_iter()
            .map(|row| Changed::of(&frame, row))
            .collect(),
        writes: frame.writes(),
        frame,
        peer,
        names,
        intent,
    })
}

pub(super) async fn stale(visit: Visit<Reads>, id: Path<PeerId>) -> Result<HttpResponse, Problem> {
    find(&visit, *id).await?;
    let frame = visit.frame(Place::Peers).await?;
    let earlier = issue::earlier(&visit.fleet, *id).await?;
    let old = earlier.into_iter().filter(|one| one.stale == Some(true));
    let oldest = old.max_by_key(|one| one.issued_at);
    show_page(&Stale {
        t: frame.t,
        id: *id,
        since: oldest.map(|one| (frame.ago(one.issued_at), one.mode.to_string())),
        writes: frame.writes(),
    })
}

/// Host and port apart.
fn split_endpoint(endpoint: &str) -> Option<(String, String)> {
    let (host, port) = endpoint.rsplit_once(':')?;
    Some((host.to_owned(), port.to_owned()))
}

impl Placed {
    fn of(frame: &Frame, intent: Intent, home: &Home) -> Self {
        let t = frame.t;
        let number = |generation: i64| t.number(generation.unsigned_abs());
        let generation = match home.applied_generation >= home.generation {
            true => t.say_with(
                "peer-applied",
                [("generation", number(home.applied_generation).into())],
            ),
            false => t.say_with(
                "peer-not-applied",
                [
                    ("applied", number(home.applied_generation).into()),
                    ("wanted", number(home.generation).into()),
                ],
            ),
        };
        Self {
            node: home.node_name.clone(),
            href: format!("/nodes/{}", home.node),
            interface: home.interface_name.clone(),
            bars: evidence::facts(intent, std::slice::from_ref(home), frame.now).draw(t),
            handshake: home.handshake_at.map(|at| frame.ago(at)),
            endpoint: home.endpoint.clone(),
            received: t.bytes(home.rx_total.unsigned_abs()),
            sent: t.bytes(home.tx_total.unsigned_abs()),
            generation,
            has_psk: home.has_psk,
        }
    }
}

impl Changed {
    fn of(frame: &Frame, row: StoredRow) -> Self {
        Self {
            at: frame.ago(row.at),
            actor: row.actor,
            action: row.action,
            outcome: (row.outcome != "done").then_some(row.outcome),
            hash: hex::encode(&row.hash[..4.min(row.hash.len())]),
        }
    }
}
