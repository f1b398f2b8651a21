//! Addresses: free prefixes for a network to be made, how full ranges are, who has which address, and what is reserved.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, delete, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Body;
use super::caller::{Caller, Reads, ReadsWithin, WriteQuery, Writes};
use super::fields::Fields;
use super::problem::{Problem, ReadProblems, WriteProblems};
use super::texts;
use crate::clock;
use crate::db;
use crate::db::ranges::Range as RangeRow;
use crate::db::reservations::Reservation;
use crate::domain::address::range::Range;
use crate::domain::address::suggest::{self, DEFAULT_BASE, SuggestError};
use crate::domain::address::usage::Usage;
use crate::domain::address::{prefix, rest};
use crate::domain::ids::{InterfaceId, NetworkId, RangeId, ReservationId};
use crate::domain::reach::Belongs;
use crate::fleet::usage::WINDOW;
use crate::fleet::{self, Fleet, FleetError, Refusal};
use crate::random;

pub mod addresses;

/// A random prefix that is taken is drawn again; that this happens so often means that something is wrong.
const DRAWS: usize = 1_000;

/// What a network is to hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SuggestQuery {
    /// How many peers it is to hold.
    max_peers: u32,
    /// How many suggestions, 1 to 20; 1 if absent.
    #[param(minimum = 1, maximum = 20)]
    count: Option<usize>,
    /// Where to look; `10.0.0.0/8` if absent.
    base: Option<String>,
}

/// Prefixes that overlap nothing known. A suggestion is no reservation.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestionView {
    prefix_length: u8,
    /// How many peers an IPv4 prefix of this length holds.
    pub(crate) hosts: u32,
    /// Fewer than asked for, or none, if the base has no more.
    #[schema(value_type = Vec<String>)]
    pub(crate) v4: Vec<Ipv4Net>,
    /// Unique local addresses with a random id.
    #[schema(value_type = Vec<String>)]
    pub(crate) v6: Vec<Ipv6Net>,
}

/// How full a range is, and when it will be.
#[derive(Debug, Serialize, ToSchema)]
pub struct RangeView {
    id: RangeId,
    /// The interface whose peers draw from it; null: the network's own prefix, whatever draws from it.
    interface: Option<InterfaceId>,
    #[schema(value_type = String)]
    prefix: IpNet,
    /// Hosts that can be given, 2^64 - 1 at most.
    capacity: u64,
    used: u64,
    /// Given back, and given again only when nothing else is free.
    resting: u64,
    reserved: u64,
    free: u64,
    percent: f64,
    /// If it goes on as in the last seven days; null: not in a century.
    time_to_full_s: Option<i64>,
}

/// A part of a network that nobody gets.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReservationView {
    id: ReservationId,
    #[schema(value_type = String)]
    prefix: IpNet,
    reason: String,
}

/// A part to be reserved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"prefix": "10.8.0.0/28", "reason": "printers"}))]
pub struct ReservationDraft {
    /// A single host is a prefix as well: `10.8.0.9/32`.
    #[schema(value_type = texts::Prefix)]
    prefix: String,
    #[serde(default)]
    #[schema(value_type = texts::Notes)]
    reason: String,
}

/// Suggest free prefixes for a network.
#[utoipa::path(tag = "addresses", operation_id = "ipam.suggest", params(SuggestQuery),
    responses((status = 200, body = SuggestionView), (status = 422, body = Problem), ReadProblems))]
#[get("/ipam/suggest")]
pub(crate) async fn suggestions(
    _caller: Caller<Reads>,
    fleet: Data<Fleet>,
    query: Query<SuggestQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.into_inner();
    let view = suggest(&fleet, query.max_peers, query.count, query.base.as_deref()).await?;
    Ok(HttpResponse::Ok().json(view))
}

pub(crate) async fn suggest(
    fleet: &Fleet,
    max_peers: u32,
    count: Option<usize>,
    base: Option<&str>,
) -> Result<SuggestionView, Problem> {
    let count = count.unwrap_or(1);
    let base = match base {
        Some(text) => text
            .parse()
            .map_err(|_| Refusal::invalid("invalid_query", "base is no IPv4 prefix"))?,
        None => DEFAULT_BASE,
    };
    let base = base.trunc();
    let known = db::ranges::occupied(&fleet.pool).await?;
    let length = suggest::length_for(max_peers).map_err(unsuitable)?;
    let v4 = suggest::v4(max_peers, count, base, &known).map_err(unsuitable)?;
    let draws = std::iter::repeat_with(|| suggest::v6(random::bytes(), &known));
    Ok(SuggestionView {
        prefix_length: length,
        hosts: suggest::hosts(length),
        v4,
        v6: draws.take(DRAWS).flatten().take(count).collect(),
    })
}

/// Show how full the ranges of a network are: its prefixes, and the pools of its interfaces.
#[utoipa::path(tag = "addresses", operation_id = "networks.ranges", params(("id" = i64, Path)),
    responses((status = 200, body = Vec<RangeView>), ReadProblems))]
#[get("/networks/{id}/ranges")]
pub(crate) async fn ranges(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    id: Path<NetworkId>,
) -> Result<HttpResponse, Problem> {
    exists(&fleet, &caller, *id).await?;
    let reserved = db::ranges::reserved(&fleet.pool, *id).await?;
    let now = clock::now();
    let mut shown = Vec::new();
    for row in db::ranges::of_network(&fleet.pool, *id).await? {
        shown.push(usage(&fleet, row, &reserved, now).await?);
    }
    Ok(HttpResponse::Ok().json(shown))
}

/// List what is reserved in a network.
#[utoipa::path(tag = "addresses", operation_id = "networks.reservations", params(("id" = i64, Path)),
    responses((status = 200, body = Vec<ReservationView>), ReadProblems))]
#[get("/networks/{id}/reservations")]
pub(crate) async fn reservations(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    id: Path<NetworkId>,
) -> Result<HttpResponse, Problem> {
    exists(&fleet, &caller, *id).await?;
    let rows = db::reservations::of_network(&fleet.pool, *id).await?;
    let views: Vec<_> = rows.into_iter().map(ReservationView::of).collect();
    Ok(HttpResponse::Ok().json(views))
}

/// Reserve a part of a network where no address is in use.
#[utoipa::path(tag = "addresses", operation_id = "networks.reserve", params(("id" = i64, Path), WriteQuery),
    request_body = ReservationDraft, responses((status = 201, body = ReservationView), WriteProblems))]
#[post("/networks/{id}/reservations")]
pub(crate) async fn reserve(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<NetworkId>,
    body: Body<ReservationDraft>,
) -> Result<HttpResponse, Problem> {
    let (prefix, reason) = body.0.parse()?;
    let made = fleet::reservations::create(&fleet, &caller.call, *id, prefix, &reason).await?;
    let location = format!("/api/v1/networks/{id}/reservations/{}", made.id);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .json(ReservationView::of(made)))
}

/// End a reservation.
#[utoipa::path(tag = "addresses", operation_id = "networks.unreserve",
    params(("id" = i64, Path), ("reservation_id" = i64, Path), WriteQuery),
    responses((status = 204), WriteProblems))]
#[delete("/networks/{id}/reservations/{reservation_id}")]
pub(crate) async fn unreserve(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    path: Path<(NetworkId, ReservationId)>,
) -> Result<HttpResponse, Problem> {
    let (network, id) = path.into_inner();
    fleet::reservations::delete(&fleet, &caller.call, network, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn usage(
    fleet: &Fleet,
    row: RangeRow,
    reserved: &[IpNet],
    now: DateTime<Utc>,
) -> Result<RangeView, Problem> {
    let window = WINDOW;
    let rested_since = rest::rested_since(now, fleet.settings.address_rest);
    let counts = db::allocations::book::count(
        &fleet.pool,
        row.network,
        row.prefix,
        rested_since,
        now - window,
    );
    let counts = counts.await?;
    let number = |count: i64| u64::try_from(count).map_err(|_| FleetError::Corrupt("a count"));
    let range = Range::new(row.prefix, reserved);
    let usage = Usage::new(&range, number(counts.used)?, number(counts.resting)?);
    let shown = |hosts: u128| u64::try_from(hosts).unwrap_or(u64::MAX);
    Ok(RangeView {
        id: row.id,
        interface: row.interface,
        prefix: row.prefix,
        capacity: shown(usage.capacity),
        used: shown(usage.used),
        resting: shown(usage.resting),
        reserved: shown(usage.reserved),
        free: shown(usage.free),
        percent: usage.percent(),
        time_to_full_s: usage
            .time_to_full(counts.growth, window)
            .map(|left| left.num_seconds()),
    })
}

/// A network without anything to list is not one that is missing.
async fn exists(fleet: &Fleet, caller: &Caller<ReadsWithin>, id: NetworkId) -> Result<(), Problem> {
    let belongs = Belongs {
        networks: &[id],
        ..Belongs::default()
    };
    caller.check("network", id, belongs)?;
    match db::networks::find(&fleet.pool, id).await? {
        Some(_) => Ok(()),
        None => Err(Refusal::missing("network", id).into()),
    }
}

fn unsuitable(err: SuggestError) -> Problem {
    Refusal::invalid("unsuitable", err.to_string()).into()
}

impl ReservationDraft {
    pub(crate) fn parse(self) -> Result<(IpNet, String), Problem> {
        let mut fields = Fields::default();
        let prefix = fields.take("prefix", prefix::parse_route(&self.prefix));
        fields.text("reason", &self.reason);
        Ok((fields.finish(prefix)?, self.reason))
    }
}

impl ReservationView {
    fn of(reservation: Reservation) -> Self {
        Self {
            id: reservation.id,
            prefix: reservation.prefix,
            reason: reservation.reason,
        }
    }
}
