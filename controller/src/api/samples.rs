//! Traffic and state over time: of an interface, of a node, of a peer.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, get};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::{Caller, ReadsWithin};
use super::problem::{Problem, ReadProblems};
use super::{interfaces, nodes, peers};
use crate::clock;
use crate::db;
use crate::db::samples::{Point, Window};
use crate::domain::ids::{InterfaceId, NodeId, PeerId};
use crate::domain::tier::{Rules, Tier, floor};
use crate::fleet::{Fleet, Refusal};

/// More than any screen has columns.
const MOST_POINTS: i32 = 2000;

/// Which part of the time is wanted, and how fine.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SamplesQuery {
    /// `minute` if absent.
    #[param(inline)]
    tier: Option<Tier>,
    /// A day, a month or two years before `until`, by the tier, if absent.
    from: Option<DateTime<Utc>>,
    /// Now if absent. Between the two lie at most 2000 spans of the tier.
    until: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SamplesView {
    tier: Tier,
    /// The seconds that one point stands for.
    span_s: i64,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    /// Oldest first. Of an interface or a node, a missing point was not seen by any controller; of a peer, it may also
    /// be one without traffic.
    points: Vec<PointView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointView {
    /// When the span began.
    at: DateTime<Utc>,
    /// Bytes that the node received.
    rx: i64,
    /// Bytes that the node sent.
    tx: i64,
    /// Peers with a fresh handshake at the end of the span, in coarser tiers the most there were; not of a peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<i64>,
    /// Seconds of the span in which the node was online; not of a peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    online_s: Option<i32>,
}

/// Show an interface's traffic over time.
#[utoipa::path(tag = "samples", operation_id = "interfaces.samples", params(("id" = i64, Path), SamplesQuery),
    responses((status = 200, body = SamplesView), ReadProblems))]
#[get("/interfaces/{id}/samples")]
pub(crate) async fn of_interface(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    id: Path<InterfaceId>,
    query: Query<SamplesQuery>,
) -> Result<HttpResponse, Problem> {
    let window = query.window(&fleet.settings.samples, clock::now())?;
    interfaces::find(&fleet.pool, &caller.access, *id).await?;
    let points = db::samples::of_interface(&fleet.pool, *id, window).await?;
    Ok(shown(&fleet, window, points))
}

/// Show a node's traffic over time, all its interfaces together.
#[utoipa::path(tag = "samples", operation_id = "nodes.samples", params(("id" = i64, Path), SamplesQuery),
    responses((status = 200, body = SamplesView), ReadProblems))]
#[get("/nodes/{id}/samples")]
pub(crate) async fn of_node(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    id: Path<NodeId>,
    query: Query<SamplesQuery>,
) -> Result<HttpResponse, Problem> {
    let window = query.window(&fleet.settings.samples, clock::now())?;
    nodes::find(&fleet.pool, &caller.access, *id).await?;
    let points = db::samples::of_node(&fleet.pool, *id, window).await?;
    Ok(shown(&fleet, window, points))
}

/// Show a peer's traffic over time, wherever it was.
#[utoipa::path(tag = "samples", operation_id = "peers.samples", params(("id" = i64, Path), SamplesQuery),
    responses((status = 200, body = SamplesView), ReadProblems))]
#[get("/peers/{id}/samples")]
pub(crate) async fn of_peer(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    id: Path<PeerId>,
    query: Query<SamplesQuery>,
) -> Result<HttpResponse, Problem> {
    let window = query.window(&fleet.settings.samples, clock::now())?;
    peers::find(&fleet, &caller, *id).await?;
    let points = db::samples::of_peer(&fleet.pool, *id, window).await?;
    Ok(shown(&fleet, window, points))
}

fn shown(fleet: &Fleet, window: Window, points: Vec<Point>) -> HttpResponse {
    HttpResponse::Ok().json(SamplesView {
        tier: window.tier,
        span_s: window.tier.span(&fleet.settings.samples).num_seconds(),
        from: window.from,
        until: window.until,
        points: points.into_iter().map(PointView::of).collect(),
    })
}

impl SamplesQuery {
    fn window(&self, rules: &Rules, now: DateTime<Utc>) -> Result<Window, Problem> {
        let refused = |text: &str| Refusal::invalid("invalid_query", text);
        let tier = self.tier.unwrap_or(Tier::Minute);
        let until = self.until.unwrap_or(now);
        let longest = tier.span(rules) * MOST_POINTS;
        let usual = match tier {
            Tier::Minute => TimeDelta::days(1).min(longest),
            Tier::Hour => TimeDelta::days(30),
            Tier::Day => TimeDelta::days(730),
        };
        let from = match self.from {
            Some(from) => from,
            None => until
                .checked_sub_signed(usual)
                .ok_or_else(|| refused("until lies before all time"))?,
        };
        if from >= until {
            return Err(refused("from must lie before until").into());
        }
        if until - from > longest {
            let text = format!("from and until are more than {MOST_POINTS} spans apart");
            return Err(refused(&text).into());
        }
        Ok(Window {
            tier,
            // A span that has begun before is wanted as a whole.
            from: floor(from, tier.span(rules)),
            until,
            limit: i64::from(MOST_POINTS) + 1,
        })
    }
}

impl PointView {
    fn of(point: Point) -> Self {
        Self {
            at: point.at,
            rx: point.rx,
            tx: point.tx,
            active: point.active,
            online_s: point.online_s,
        }
    }
}
