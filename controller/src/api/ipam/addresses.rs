//! `/networks/{id}/addresses`: who has which address, and which addresses rest.

use std::net::IpAddr;

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, get};
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::exists;
use crate::api::caller::{Caller, ReadsWithin};
use crate::api::lookup;
use crate::api::page::{Page, limit, mark, marked};
use crate::api::problem::{Problem, ReadProblems};
use crate::db::allocations::book::{self, Entry, Filter};
use crate::domain::ids::{InterfaceId, NetworkId, PeerId};
use crate::fleet::Fleet;

/// What cursors of this list begin with.
const CURSOR: &str = "address";

/// Which addresses are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AddressQuery {
    /// Those of this peer.
    #[param(value_type = Option<i64>)]
    peer: Option<PeerId>,
    /// An address or a prefix, or a part of the name of whoever has it.
    q: Option<String>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// How many, 1 to 500; 50 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// An address that somebody has, or had.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddressView {
    #[schema(value_type = String)]
    address: IpAddr,
    peer: Option<PeerId>,
    peer_name: Option<String>,
    interface: Option<InterfaceId>,
    interface_name: Option<String>,
    node_name: Option<String>,
    allocated_at: DateTime<Utc>,
    /// Nobody has it since.
    resting_since: Option<DateTime<Utc>>,
}

/// List the addresses of a network that somebody has or had, in their order.
#[utoipa::path(tag = "addresses", operation_id = "networks.addresses", params(("id" = i64, Path), AddressQuery),
    responses((status = 200, body = Page<AddressView>), ReadProblems))]
#[get("/networks/{id}/addresses")]
pub(crate) async fn index(
    caller: Caller<ReadsWithin>,
    fleet: Data<Fleet>,
    id: Path<NetworkId>,
    query: Query<AddressQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.into_inner();
    exists(&fleet, &caller, *id).await?;
    let limit = limit(query.limit)?;
    let after: Option<IpAddr> = match &query.cursor {
        Some(cursor) => Some(marked(CURSOR, cursor)?),
        None => None,
    };
    let q = lookup::part(query.q.as_deref())?;
    let within = q.and_then(within);
    let filter = Filter {
        peer: query.peer,
        within,
        name: q.filter(|_| within.is_none()),
    };
    let rows = book::list(&fleet.pool, *id, &filter, after, limit).await?;
    let next = |last: &Entry| mark(CURSOR, last.address);
    Ok(HttpResponse::Ok().json(Page::by(rows, limit, next, AddressView::of)))
}

fn within(q: &str) -> Option<IpNet> {
    let address = q.parse().map(|address: IpAddr| IpNet::from(address));
    address.or_else(|_| q.parse()).ok()
}

impl AddressView {
    fn of(entry: Entry) -> Self {
        Self {
            address: entry.address,
            peer: entry.peer,
            peer_name: entry.peer_name,
            interface: entry.interface,
            interface_name: entry.interface_name,
            node_name: entry.node_name,
            allocated_at: entry.allocated_at,
            resting_since: entry.released_at,
        }
    }
}
