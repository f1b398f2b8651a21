//! The list of pools, each with how full its nodes are.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use crate::api::caller::Reads;
use crate::api::page::{PageQuery, cursor};
use crate::api::problem::Problem;
use crate::api::reached;
use crate::db::fleetwide::{PoolFill, pool_fills};
use crate::db::pools::Pool;
use crate::domain::ids::PoolId;
use crate::domain::profile::Language;
use crate::domain::role::Permission;
use crate::web::answer::show;
use crate::web::frame::{Frame, Place};
use crate::web::pictures::meter::Meter;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "pools/index.html")]
struct IndexPage {
    frame: Frame,
    may_change: bool,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    href: String,
    name: String,
    description: String,
    placement: String,
    members: String,
    dead: bool,
    fill: Fill,
    named_by: String,
}

/// How many peers the nodes of a pool carry, of as many as they take.
pub(in crate::web) struct Fill {
    pub peers: String,
    pub capacity: Option<String>,
    pub load: Meter,
}

pub(super) async fn index(
    visit: Visit<Reads>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Pools).await?;
    let pool = &visit.fleet.pool;
    let span = query.span()?;
    let pools = reached::pools(pool, visit.access.reach, None, span).await?;
    let ids: Vec<PoolId> = pools.iter().map(|pool| pool.id).collect();
    let fills = pool_fills(pool, Some(&ids)).await?.into_iter();
    let mut fills: BTreeMap<PoolId, PoolFill> = fills.map(|fill| (fill.pool, fill)).collect();
    let is_full = i64::try_from(pools.len()) == Ok(span.limit);
    let last = pools.last().filter(|_| is_full);
    let next = last.map(|last| format!("/pools?cursor={}", cursor(last.id.0)));
    // One that was deleted in between is left out.
    let rows = pools.into_iter().filter_map(|pool| {
        let fill = fills.remove(&pool.id)?;
        Some(Row::of(frame.t, pool, &fill))
    });
    show(&IndexPage {
        rows: rows.collect(),
        may_change: visit.access.may_everywhere(Permission::Write),
        frame,
        next,
    })
}

impl Row {
    fn of(t: Language, pool: Pool, fill: &PoolFill) -> Self {
        let number = |count: i64| t.number(count.unsigned_abs());
        Self {
            href: format!("/pools/{}", pool.id),
            placement: t.say(placement_name(&pool.placement)),
            members: t.say_with(
                "members-online",
                [
                    ("online", number(fill.online).into()),
                    ("members", number(fill.members).into()),
                ],
            ),
            dead: pool.peers > 0 && fill.online == 0,
            fill: Fill::of(t, fill),
            named_by: number(pool.peers),
            name: pool.name,
            description: pool.description,
        }
    }
}

impl Fill {
    pub(in crate::web) fn of(t: Language, fill: &PoolFill) -> Self {
        let (peers, capacity) = (
            fill.peers.unsigned_abs(),
            fill.capacity.map(i64::unsigned_abs),
        );
        Self {
            peers: t.number(peers),
            capacity: capacity.map(|capacity| t.number(capacity)),
            load: Meter::load(peers, capacity),
        }
    }
}

pub(super) fn placement_name(placement: &str) -> &'static str {
    match placement {
        "all" => "placement-all",
        _ => "placement-one",
    }
}
