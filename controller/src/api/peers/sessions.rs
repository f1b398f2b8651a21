//! `/peers/{id}/sessions`: when a peer was in touch with which node.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, get};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::find;
use crate::api::caller::{Caller, ReadsWithin};
use crate::api::page::{Page, PageQuery};
use crate::api::problem::{Problem, ReadProblems};
use crate::clock;
use crate::db;
use crate::db::peer_sessions::PeerSession;
use crate::domain::ids::{InterfaceId, NodeId, PeerId, PeerSessionId};
use crate::domain::peer_session::{Standing, standing};
use crate::fleet::Fleet;

/// How much is known of a session.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PeerSessionState {
    Open,
    /// It was open when its node was last heard; the node does not answer since.
    Unknown,
    Ended,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeerSessionView {
    id: PeerSessionId,
    state: PeerSessionState,
    interface: InterfaceId,
    node: NodeId,
    /// The name that it has, or had before it was deleted.
    node_name: String,
    /// From where it began.
    endpoint: Option<String>,
    /// The first handshake that was seen of it.
    connected_at: DateTime<Utc>,
    /// The last one; null while it has not ended as far as is known. None for three minutes ends it.
    disconnected_at: Option<DateTime<Utc>>,
    /// From the first handshake to the last one, or until now where it is open; null where that is not known.
    seconds: Option<i64>,
    /// Bytes that the node received; null where that is not known.
    rx: Option<i64>,
    /// Bytes that the node sent; null where that is not known.
    tx: Option<i64>,
    /// When its node last told of its peers, of one that has not ended.
    seen_at: Option<DateTime<Utc>>,
}

/// List the sessions of a peer, the newest first.
#[utoipa::path(tag = "peers", operation_id = "peers.sessions", params(("id" = i64, Path), PageQuery),
    responses((status = 200, body = Page<PeerSessionView>), ReadProblems))]
#[get("/peers/{id}/sessions")]
pub(crate) async fn index(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    id: Path<PeerId>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let span = query.span()?;
    find(&fleet, &caller, *id).await?;
    let rows = db::peer_sessions::list(&fleet.pool, *id, span).await?;
    let now = clock::now();
    let view = |session: PeerSession| PeerSessionView::of(session, now);
    let page = Page::of(rows, span, |session| session.id.0, view);
    Ok(HttpResponse::Ok().json(page))
}

impl PeerSessionView {
    fn of(session: PeerSession, now: DateTime<Utc>) -> Self {
        let standing = standing(session.disconnected_at, session.is_heard, session.seen_at);
        let (state, until) = match standing {
            Standing::Open => (PeerSessionState::Open, Some(now)),
            Standing::Unknown(_) => (PeerSessionState::Unknown, None),
            Standing::Ended(at) => (PeerSessionState::Ended, Some(at)),
        };
        let seconds = until.map(|until| (until - session.connected_at).num_seconds().max(0));
        Self {
            id: session.id,
            state,
            interface: session.interface,
            node: session.node,
            node_name: session.node_name,
            endpoint: session.endpoint,
            connected_at: session.connected_at,
            disconnected_at: session.disconnected_at,
            seconds,
            rx: session.rx,
            tx: session.tx,
            seen_at: session
                .seen_at
                .filter(|_| session.disconnected_at.is_none()),
        }
    }
}
