//! One network: how full it is and when it will be, where its addresses lie, what is reserved.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use ipnet::IpNet;

use super::{belongs, find};
use crate::api::caller::{Demand, Reads};
use crate::api::problem::Problem;
use crate::db;
use crate::db::allocations::map::{self, InterfacePool};
use crate::db::networks::Network;
use crate::db::reservations::Reservation;
use crate::domain::address::range::Range;
use crate::domain::ids::NetworkId;
use crate::domain::profile::Language;
use crate::domain::role::Permission;
use crate::fleet::usage::{self, PrefixUse};
use crate::web::answer::answer;
use crate::web::form::Form;
use crate::web::frame::{Frame, Moment, Place};
use crate::web::pictures::meter::Meter;
use crate::web::pictures::prefix_map::{Part, PrefixMap};
use crate::web::visit::Visit;

/// More pools of interfaces than anybody reads through here.
const POOLS: i64 = 100;

#[derive(Template)]
#[template(path = "networks/show.html")]
struct ShowPage {
    frame: Frame,
    network: Network,
    may_change: bool,
    created: Moment,
    changed: Moment,
    dns: String,
    prefixes: Vec<Prefix>,
    pools: Vec<Pool>,
    reservations: Vec<Reservation>,
    /// What somebody is about to reserve.
    form: Form,
}

struct Prefix {
    prefix: IpNet,
    used: String,
    capacity: String,
    load: Meter,
    sentence: String,
    /// What the map shows, where that is not all.
    corner: Option<String>,
    map: Option<PrefixMap>,
}

struct Pool {
    href: String,
    name: String,
    prefix: IpNet,
    used: String,
    capacity: String,
    load: Meter,
}

pub(super) async fn show(
    visit: Visit<Reads>,
    id: Path<NetworkId>,
) -> Result<HttpResponse, Problem> {
    page(&visit, *id, StatusCode::OK, Form::default()).await
}

/// The page, with what was written into its form.
pub(super) async fn page<D: Demand>(
    visit: &Visit<D>,
    id: NetworkId,
    status: StatusCode,
    form: Form,
) -> Result<HttpResponse, Problem> {
    visit.within("network", id, belongs(&id))?;
    let frame = visit.frame(Place::Networks).await?;
    let fleet = &visit.fleet;
    let network = find(fleet, id).await?;
    let reservations = db::reservations::of_network(&fleet.pool, id).await?;
    let reserved: Vec<IpNet> = reservations.iter().map(|one| one.prefix).collect();
    let mut prefixes = Vec::new();
    for prefix in &network.prefixes {
        let used = usage::of_prefix(fleet, id, *prefix, &reserved, frame.now).await?;
        prefixes.push(Prefix::of(frame.t, used));
    }
    let pools = map::interface_pools(&fleet.pool, id, POOLS)
        .await?
        .into_iter();
    let pools = pools
        .map(|pool| Pool::of(frame.t, pool, &reserved))
        .collect();
    let dns: Vec<String> = network
        .dns
        .iter()
        .map(|one| one.addr().to_string())
        .collect();
    let page = ShowPage {
        may_change: visit.access.may_everywhere(Permission::Write),
        dns: dns.join(", "),
        created: frame.ago(network.created_at),
        changed: frame.ago(network.updated_at),
        frame,
        network,
        prefixes,
        pools,
        reservations,
        form,
    };
    answer(status, &page)
}

impl Prefix {
    fn of(t: Language, one: PrefixUse) -> Self {
        let shown = |hosts: u128| u64::try_from(hosts).unwrap_or(u64::MAX);
        let (used, capacity) = (shown(one.usage.used), shown(one.usage.capacity));
        Self {
            corner: (one.drawn != one.prefix)
                .then(|| t.say_of("prefix-corner", one.drawn.to_string())),
            prefix: one.prefix,
            used: t.number(used),
            capacity: match capacity > 1 << 40 {
                true => t.say("beyond-counting"),
                false => t.number(capacity),
            },
            load: Meter::load(used, Some(capacity)),
            sentence: sentence(t, &one),
            map: map_of(t, &one),
        }
    }
}

/// How full, and for how long it lasts.
pub(in crate::web) fn sentence(t: Language, one: &PrefixUse) -> String {
    let percent = t.percent(one.usage.percent() / 100.0);
    match one.time_to_full {
        Some(left) => t.say_with(
            "prefix-full-in",
            [("percent", percent.into()), ("span", t.span(left).into())],
        ),
        None => t.say_with("prefix-used", [("percent", percent.into())]),
    }
}

/// None where it lies too far apart for a picture, or nothing does.
pub(in crate::web) fn map_of(t: Language, one: &PrefixUse) -> Option<PrefixMap> {
    let each = one.parts.first()?.prefix.prefix_len();
    let parts: Vec<Part> = one
        .parts
        .iter()
        .map(|part| Part {
            prefix: part.prefix.to_string(),
            used: part.used,
            size: part.size,
            is_reserved: part.is_reserved,
        })
        .collect();
    let full = parts
        .iter()
        .filter(|part| part.used * 10 >= part.size * 9)
        .count() as u64;
    let some = parts.iter().filter(|part| part.used > 0).count() as u64 - full;
    let label = t.say_with(
        "prefix-map-in-words",
        [
            ("prefix", one.drawn.to_string().into()),
            ("each", format!("/{each}").into()),
            ("full", t.number(full).into()),
            ("some", t.number(some).into()),
            ("free", t.number(parts.len() as u64 - full - some).into()),
        ],
    );
    let title = |part: &Part| {
        let used = t.say_with(
            "prefix-part",
            [
                ("prefix", part.prefix.clone().into()),
                ("used", t.number(part.used).into()),
                ("size", t.number(part.size).into()),
            ],
        );
        match part.is_reserved {
            true => format!("{used}, {}", t.say("reserved")),
            false => used,
        }
    };
    Some(PrefixMap::of(label, &parts, title))
}

impl Pool {
    fn of(t: Language, pool: InterfacePool, reserved: &[IpNet]) -> Self {
        let range = Range::new(pool.prefix, reserved);
        let capacity = u64::try_from(range.hosts() - range.reserved()).unwrap_or(u64::MAX);
        let used = pool.used.unsigned_abs();
        Self {
            href: format!("/nodes/{}", pool.node),
            name: format!("{} {}", pool.node_name, pool.interface_name),
            prefix: pool.prefix,
            used: t.number(used),
            capacity: match capacity > 1 << 40 {
                true => t.say("beyond-counting"),
                false => t.number(capacity),
            },
            load: Meter::load(used, Some(capacity)),
        }
    }
}
