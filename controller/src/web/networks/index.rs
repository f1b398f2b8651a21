//! The list of networks, each with how much of it is in use.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use ipnet::IpNet;

use crate::api::caller::Reads;
use crate::api::page::{PageQuery, cursor};
use crate::api::problem::Problem;
use crate::api::reached;
use crate::db;
use crate::db::networks::{Holding, Network};
use crate::domain::address::range::Range;
use crate::domain::ids::NetworkId;
use crate::domain::role::Permission;
use crate::web::answer::show;
use crate::web::frame::{Frame, Place};
use crate::web::pictures::meter::Meter;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "networks/index.html")]
struct IndexPage {
    frame: Frame,
    may_change: bool,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    href: String,
    name: String,
    suffix: String,
    prefixes: Vec<String>,
    peers: String,
    capacity: Option<String>,
    load: Meter,
    interfaces: String,
}

pub(super) async fn index(
    visit: Visit<Reads>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Networks).await?;
    let pool = &visit.fleet.pool;
    let span = query.span()?;
    let networks = reached::networks(pool, visit.access.reach, span).await?;
    let ids: Vec<NetworkId> = networks.iter().map(|network| network.id).collect();
    let holdings = db::networks::holdings(pool, &ids).await?.into_iter();
    let holdings: BTreeMap<NetworkId, Holding> = holdings.map(|one| (one.network, one)).collect();
    let mut reserved: BTreeMap<NetworkId, Vec<IpNet>> = BTreeMap::new();
    for (network, prefix) in db::ranges::reserved_in(pool, &ids).await? {
        reserved.entry(network).or_default().push(prefix);
    }
    let is_full = i64::try_from(networks.len()) == Ok(span.limit);
    let last = networks.last().filter(|_| is_full);
    let next = last.map(|last| format!("/networks?cursor={}", cursor(last.id.0)));
    let rows = networks.into_iter().map(|network| {
        // One that was deleted in between holds nothing.
        let nothing = Holding::nothing(network.id);
        let holding = holdings.get(&network.id).copied().unwrap_or(nothing);
        let reserved = reserved.get(&network.id).map_or(&[][..], Vec::as_slice);
        Row::of(&frame, network, holding, reserved)
    });
    show(&IndexPage {
        rows: rows.collect(),
        may_change: visit.access.may_everywhere(Permission::Write),
        frame,
        next,
    })
}

impl Row {
    fn of(frame: &Frame, network: Network, holding: Holding, reserved: &[IpNet]) -> Self {
        let t = frame.t;
        let peers = holding.peers.unsigned_abs();
        let capacity = smallest(&network.prefixes, reserved);
        Self {
            href: format!("/networks/{}", network.id),
            prefixes: network.prefixes.iter().map(IpNet::to_string).collect(),
            peers: t.number(peers),
            capacity: capacity.map(|capacity| t.number(capacity)),
            load: Meter::load(peers, capacity),
            interfaces: t.number(holding.interfaces.unsigned_abs()),
            name: network.name,
            suffix: network.domain_suffix,
        }
    }
}

/// Each peer has an address in every prefix, so the smallest of them is full first. None: beyond counting.
fn smallest(prefixes: &[IpNet], reserved: &[IpNet]) -> Option<u64> {
    let hosts = prefixes.iter().map(|prefix| {
        let range = Range::new(*prefix, reserved);
        range.hosts() - range.reserved()
    });
    u64::try_from(hosts.min()?)
        .ok()
        .filter(|hosts| *hosts < 1 << 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_full_when_its_smaller_prefix_is() {
        let nets = |texts: &[&str]| -> Vec<IpNet> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };

        let both = nets(&["10.8.0.0/24", "fd00:8::/64"]);
        assert_eq!(smallest(&both, &[]), Some(254));
        assert_eq!(smallest(&both, &nets(&["10.8.0.128/25"])), Some(127));
        assert_eq!(smallest(&both[1..], &[]), None);
    }
}
