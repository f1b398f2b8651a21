//! When a peer was in touch with which node: the last times on its own page, and all of them page by page.
//!
//! A session that was open when its node was last heard is shown as unknown since then, not as open and not as over.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;

use super::find;
use crate::api::caller::Reads;
use crate::api::page::{PageQuery, cursor};
use crate::api::problem::Problem;
use crate::db::peer_sessions::{self, MOST_COUNTED, PeerSession};
use crate::db::{self, Span};
use crate::domain::ids::PeerId;
use crate::domain::peer_session::{Standing, standing};
use crate::domain::profile::Language;
use crate::web::answer::show as show_page;
use crate::web::frame::{Frame, Moment, Place};
use crate::web::visit::Visit;

/// Shown on the page of the peer.
const NEWEST: i64 = 5;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "peers/sessions.html")]
struct SessionsPage {
    frame: Frame,
    id: PeerId,
    name: String,
    sessions: Sessions,
    is_first: bool,
    next: Option<String>,
}

/// Sessions as a table.
#[derive(Template)]
#[template(path = "peers/_sessions.html")]
pub(super) struct Sessions {
    t: Language,
    rows: Vec<Row>,
    none: String,
    /// What leads to all of them, where these are not.
    pub all: Option<String>,
}

struct Row {
    began: Moment,
    lasted: Lasted,
    endpoint: Option<String>,
    node: String,
    /// None: it was deleted.
    node_href: Option<String>,
    /// None: not known.
    bytes: Option<(String, String)>,
}

enum Lasted {
    Length(String),
    /// Since its node was heard, if it ever was.
    Unknown(Option<Moment>),
}

pub(super) async fn index(
    visit: Visit<Reads>,
    id: Path<PeerId>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let wanted = wanted.into_inner();
    let is_first = wanted.cursor.is_none();
    let span = PageQuery {
        cursor: wanted.cursor,
        limit: None,
    }
    .span()?;
    let peer = find(&visit, *id).await?;
    let frame = visit.frame(Place::Peers).await?;
    let rows = db::peer_sessions::list(&visit.fleet.pool, *id, span).await?;
    let is_full = i64::try_from(rows.len()) == Ok(span.limit);
    let next = rows.last().filter(|_| is_full);
    let next = next.map(|last| cursor(last.id.0));
    let none = match is_first {
        true => frame.t.say("peer-sessions-none"),
        false => frame.t.say("peer-sessions-no-older"),
    };
    show_page(&SessionsPage {
        id: peer.id,
        name: peer.name,
        sessions: Sessions::of(&frame, rows, none),
        is_first,
        next,
        frame,
    })
}

/// The last sessions of a peer.
pub(super) async fn newest(
    visit: &Visit<Reads>,
    frame: &Frame,
    peer: PeerId,
) -> Result<Sessions, Problem> {
    let span = Span {
        after: 0,
        limit: NEWEST,
    };
    let rows = peer_sessions::list(&visit.fleet.pool, peer, span).await?;
    let count = rows.first().map_or(0, |row| row.count);
    let t = frame.t;
    let all = match count {
        ..=NEWEST => None,
        MOST_COUNTED.. => Some(t.say("peer-sessions-all")),
        _ => Some(t.count("peer-sessions-all-of", count.unsigned_abs())),
    };
    Ok(Sessions {
        all,
        ..Sessions::of(frame, rows, t.say("peer-sessions-none"))
    })
}

impl Sessions {
    fn of(frame: &Frame, rows: Vec<PeerSession>, none: String) -> Self {
        Self {
            t: frame.t,
            rows: rows.into_iter().map(|row| Row::of(frame, row)).collect(),
            none,
            all: None,
        }
    }
}

impl Row {
    fn of(frame: &Frame, session: PeerSession) -> Self {
        let t = frame.t;
        let bytes = |bytes: i64| t.bytes(bytes.unsigned_abs());
        Self {
            began: frame.ago(session.connected_at),
            lasted: Lasted::of(frame, &session),
            bytes: session.rx.map(bytes).zip(session.tx.map(bytes)),
            node_href: session.has_node.then(|| format!("/nodes/{}", session.node)),
            endpoint: session.endpoint,
            node: session.node_name,
        }
    }
}

impl Lasted {
    fn of(frame: &Frame, session: &PeerSession) -> Self {
        let t = frame.t;
        let since = session.connected_at;
        match standing(session.disconnected_at, session.is_heard, session.seen_at) {
            Standing::Unknown(seen_at) => Self::Unknown(seen_at.map(|at| frame.since(at))),
            Standing::Open => {
                let length = t.length(frame.now - since);
                Self::Length(t.say_with("peer-still-open", [("length", length.into())]))
            }
            Standing::Ended(at) if at == since => Self::Length(t.say("peer-one-handshake")),
            Standing::Ended(at) => Self::Length(t.length(at - since)),
        }
    }
}
