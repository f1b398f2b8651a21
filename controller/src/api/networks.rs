//! `/networks`: address spaces with DNS and MTU.

use std::collections::BTreeMap;
use std::net::IpAddr;

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, delete, get, patch, post};
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, given};
use super::caller::{Caller, ReadsWithin, WriteQuery, Writes};
use super::fields::Fields;
use super::page::{Page, PageQuery};
use super::problem::{Problem, ReadProblems, WriteProblems};
use super::reached;
use super::texts;
use super::version;
use crate::api::fields::mistake::Mistake;
use crate::db;
use crate::db::networks::{Holding, Network};
use crate::domain::address::prefix;
use crate::domain::ids::NetworkId;
use crate::domain::names::HostName;
use crate::domain::network::{Changes, NewNetwork};
use crate::domain::reach::Belongs;
use crate::fleet::{self, Fleet, Refusal};

const DEFAULT_SUFFIX: &str = "internal";
const DEFAULT_KEEPALIVE_S: u16 = 25;

/// A network to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "office", "cidr_v4": "10.8.0.0/16", "dns": ["10.8.0.1"]}))]
pub struct NetworkDraft {
    /// A host name.
    #[schema(value_type = texts::HostName)]
    name: String,
    /// `internal` if absent.
    #[schema(value_type = Option<texts::HostName>)]
    domain_suffix: Option<String>,
    /// At least one of the two, host bits zero.
    #[schema(value_type = Option<texts::PrefixV4>)]
    cidr_v4: Option<String>,
    #[schema(value_type = Option<texts::PrefixV6>)]
    cidr_v6: Option<String>,
    /// Resolvers that peers are told.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    dns: Vec<IpAddr>,
    #[schema(minimum = 1280, maximum = 65535)]
    mtu: Option<u16>,
    /// Seconds; 0 is off, 25 if absent.
    #[schema(maximum = 65535)]
    keepalive: Option<u16>,
}

/// What to change of a network; absent keeps.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkChange {
    #[schema(value_type = Option<texts::HostName>)]
    name: Option<String>,
    #[schema(value_type = Option<texts::HostName>)]
    domain_suffix: Option<String>,
    #[schema(value_type = Option<Vec<String>>)]
    dns: Option<Vec<IpAddr>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u16>, minimum = 1280, maximum = 65535)]
    mtu: Option<Option<u16>>,
    #[schema(maximum = 65535)]
    keepalive: Option<u16>,
    /// Another prefix gives every peer another address, at once; refused while any peer is static. Null gives the
    /// family up.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<texts::PrefixV4>)]
    cidr_v4: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<texts::PrefixV6>)]
    cidr_v6: Option<Option<String>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NetworkView {
    id: NetworkId,
    name: String,
    domain_suffix: String,
    #[schema(value_type = Option<String>)]
    cidr_v4: Option<IpNet>,
    #[schema(value_type = Option<String>)]
    cidr_v6: Option<IpNet>,
    #[schema(value_type = Vec<String>)]
    dns: Vec<IpAddr>,
    mtu: Option<i32>,
    keepalive: i32,
    peers: i64,
    interfaces: i64,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// List networks.
#[utoipa::path(tag = "networks", operation_id = "networks.list", params(PageQuery),
    responses((status = 200, body = Page<NetworkView>), ReadProblems))]
#[get("/networks")]
pub(crate) async fn index(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let span = query.span()?;
    let rows = reached::networks(&fleet.pool, caller.access.reach, span).await?;
    let ids: Vec<NetworkId> = rows.iter().map(|network| network.id).collect();
    let holdings = db::networks::holdings(&fleet.pool, &ids).await?;
    let holdings: BTreeMap<NetworkId, Holding> = holdings
        .into_iter()
        .map(|holding| (holding.network, holding))
        .collect();
    let view = |network: Network| {
        // One that was deleted in between holds nothing.
        let nothing = Holding::nothing(network.id);
        let holding = holdings.get(&network.id).copied();
        NetworkView::of(network, holding.unwrap_or(nothing))
    };
    let page = Page::of(rows, span, |network| network.id.0, view);
    Ok(HttpResponse::Ok().json(page))
}

/// Make a network.
#[utoipa::path(tag = "networks", operation_id = "networks.create", params(WriteQuery), request_body = NetworkDraft,
    responses((status = 201, body = NetworkView), WriteProblems))]
#[post("/networks")]
pub(crate) async fn create(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    body: Body<NetworkDraft>,
) -> Result<HttpResponse, Problem> {
    let new = body.0.parse()?;
    let network = fleet::networks::create(&fleet, &caller.call, &new).await?;
    let nothing = Holding::nothing(network.id);
    Ok(HttpResponse::Created()
        .insert_header(version::etag(network.version))
        .insert_header((header::LOCATION, format!("/api/v1/networks/{}", network.id)))
        .json(NetworkView::of(network, nothing)))
}

/// Show a network.
#[utoipa::path(tag = "networks", operation_id = "networks.show", params(("id" = i64, Path)),
    responses((status = 200, body = NetworkView), ReadProblems))]
#[get("/networks/{id}")]
pub(crate) async fn show(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    id: Path<NetworkId>,
) -> Result<HttpResponse, Problem> {
    let belongs = Belongs {
        networks: &[*id],
        ..Belongs::default()
    };
    caller.check("network", *id, belongs)?;
    let network = db::networks::find(&fleet.pool, *id).await?;
    let network = network.ok_or_else(|| Refusal::missing("network", *id))?;
    let holding = fleet::networks::holding(&fleet.pool, network.id).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version::etag(network.version))
        .json(NetworkView::of(network, holding)))
}

/// Change a network.
#[utoipa::path(tag = "networks", operation_id = "networks.change", params(("id" = i64, Path), WriteQuery),
    request_body = NetworkChange, responses((status = 200, body = NetworkView), WriteProblems))]
#[patch("/networks/{id}")]
pub(crate) async fn change(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<NetworkId>,
    body: Body<NetworkChange>,
) -> Result<HttpResponse, Problem> {
    let changes = body.0.parse()?;
    let network = fleet::networks::change(&fleet, &caller.call, *id, &changes).await?;
    let holding = fleet::networks::holding(&fleet.pool, network.id).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version::etag(network.version))
        .json(NetworkView::of(network, holding)))
}

/// Delete a network that holds nothing.
#[utoipa::path(tag = "networks", operation_id = "networks.delete", params(("id" = i64, Path), WriteQuery),
    responses((status = 204), WriteProblems))]
#[delete("/networks/{id}")]
pub(crate) async fn delete(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<NetworkId>,
) -> Result<HttpResponse, Problem> {
    fleet::networks::delete(&fleet, &caller.call, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

impl NetworkDraft {
    pub(crate) fn parse(self) -> Result<NewNetwork, Problem> {
        let mut fields = Fields::default();
        let name = fields.take("name", HostName::parse(&self.name));
        let suffix = self.domain_suffix.as_deref().unwrap_or(DEFAULT_SUFFIX);
        let domain_suffix = fields.take("domain_suffix", HostName::parse(suffix));
        let mut prefixes = Vec::new();
        prefixes.extend(cidr(&mut fields, "cidr_v4", self.cidr_v4.as_deref()));
        prefixes.extend(cidr(&mut fields, "cidr_v6", self.cidr_v6.as_deref()));
        if self.cidr_v4.is_none() && self.cidr_v6.is_none() {
            let what = "or cidr_v6 must be given";
            fields.mistake("cidr_v4", Mistake::new("no_prefix", what));
        }
        check_mtu(&mut fields, self.mtu);
        let new = name
            .zip(domain_suffix)
            .map(|(name, domain_suffix)| NewNetwork {
                name,
                domain_suffix,
                dns: self.dns,
                mtu: self.mtu,
                keepalive_s: self.keepalive.unwrap_or(DEFAULT_KEEPALIVE_S),
                prefixes,
            });
        fields.finish(new)
    }
}

impl NetworkChange {
    pub(crate) fn parse(self) -> Result<Changes, Problem> {
        let mut fields = Fields::default();
        let name = self
            .name
            .map(|name| fields.take("name", HostName::parse(&name)));
        let suffix = self
            .domain_suffix
            .map(|suffix| fields.take("domain_suffix", HostName::parse(&suffix)));
        check_mtu(&mut fields, self.mtu.flatten());
        let prefix_v4 = self
            .cidr_v4
            .map(|text| cidr(&mut fields, "cidr_v4", text.as_deref()));
        let prefix_v6 = self
            .cidr_v6
            .map(|text| cidr(&mut fields, "cidr_v6", text.as_deref()));
        fields.finish(Some(Changes {
            name: name.flatten(),
            domain_suffix: suffix.flatten(),
            dns: self.dns,
            mtu: self.mtu,
            keepalive_s: self.keepalive,
            prefix_v4,
            prefix_v6,
        }))
    }
}

fn cidr(fields: &mut Fields, field: &str, text: Option<&str>) -> Option<IpNet> {
    let prefix = fields.take(field, prefix::parse(text?))?;
    if prefix.addr().is_ipv4() != (field == "cidr_v4") {
        fields.mistake(
            field,
            Mistake::new("other_family", "is of the other family"),
        );
    }
    Some(prefix)
}

fn check_mtu(fields: &mut Fields, mtu: Option<u16>) {
    if mtu.is_some_and(|mtu| mtu < 1280) {
        let what = "is below 1280, the least that IPv6 needs";
        fields.mistake("mtu", Mistake::new("small_mtu", what));
    }
}

impl NetworkView {
    fn of(network: Network, holding: Holding) -> Self {
        let prefix = |v4: bool| {
            let of_family = |prefix: &&IpNet| prefix.addr().is_ipv4() == v4;
            network.prefixes.iter().find(of_family).copied()
        };
        Self {
            id: network.id,
            cidr_v4: prefix(true),
            cidr_v6: prefix(false),
            dns: network.dns.iter().map(IpNet::addr).collect(),
            name: network.name,
            domain_suffix: network.domain_suffix,
            mtu: network.mtu,
            keepalive: network.keepalive_s,
            peers: holding.peers,
            interfaces: holding.interfaces,
            version: network.version,
            created_at: network.created_at,
            updated_at: network.updated_at,
        }
    }
}
