//! How the addresses of a network lie in its prefix, and in the pools of its interfaces.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::{InterfaceId, NetworkId, NodeId};

/// What lies in one part of a prefix, outside what is reserved.
#[derive(Debug, Clone, Copy)]
pub struct Square {
    pub at: i64,
    pub used: i64,
    pub resting: i64,
    /// Given less given back since the window began.
    pub growth: i64,
}

/// The parts of a prefix that hold anything, each of so many addresses.
pub async fn squares(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    prefix: IpNet,
    size: i64,
    reserved: &[IpNet],
    rested_since: DateTime<Utc>,
    window_from: DateTime<Utc>,
) -> Result<Vec<Square>, sqlx::Error> {
    let (first, last) = ends(prefix);
    sqlx::query_as!(
        Square,
        r#"
        SELECT (address - $2::inet) / $4 AS "at!",
            count(*) FILTER (WHERE released_at IS NULL) AS "used!",
            count(*) FILTER (WHERE released_at > $6) AS "resting!",
            count(*) FILTER (WHERE allocated_at > $7) - count(*) FILTER (WHERE released_at > $7) AS "growth!"
        FROM ip_allocations
        WHERE network_id = $1 AND address BETWEEN $2 AND $3
          AND (cardinality($5::cidr[]) = 0
            OR NOT EXISTS (SELECT FROM unnest($5::cidr[]) AS given (part) WHERE address <<= part))
        GROUP BY 1
        "#,
        network.0,
        first,
        last,
        size,
        reserved,
        rested_since,
        window_from,
    )
    .fetch_all(db)
    .await
}

/// The first and the last address of a prefix that anybody has or had.
pub async fn extent(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    prefix: IpNet,
) -> Result<Option<(IpAddr, IpAddr)>, sqlx::Error> {
    let (first, last) = ends(prefix);
    let row = sqlx::query!(
        r#"
        SELECT min(address) AS "first: IpAddr", max(address) AS "last: IpAddr"
        FROM ip_allocations WHERE network_id = $1 AND address BETWEEN $2 AND $3
        "#,
        network.0,
        first,
        last,
    )
    .fetch_one(db)
    .await?;
    Ok(row.first.zip(row.last))
}

/// Its own ends, as addresses.
fn ends(prefix: IpNet) -> (IpNet, IpNet) {
    (prefix.network().into(), prefix.broadcast().into())
}

/// The pool of an interface, and how much of it is in use.
#[derive(Debug, Clone)]
pub struct InterfacePool {
    pub interface: InterfaceId,
    pub interface_name: String,
    pub node: NodeId,
    pub node_name: String,
    pub prefix: IpNet,
    pub used: i64,
}

pub async fn interface_pools(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    limit: i64,
) -> Result<Vec<InterfacePool>, sqlx::Error> {
    sqlx::query_as!(
        InterfacePool,
        r#"
        SELECT interfaces.id AS "interface: InterfaceId", interfaces.name AS interface_name,
            nodes.id AS "node: NodeId", nodes.name AS node_name, prefix AS "prefix: IpNet",
            (SELECT count(*) FROM ip_allocations
             WHERE network_id = $1 AND released_at IS NULL
               AND address BETWEEN host(prefix)::inet AND host(broadcast(prefix))::inet) AS "used!"
        FROM address_ranges
        JOIN interfaces ON interfaces.id = interface_id
        JOIN nodes ON nodes.id = node_id
        WHERE address_ranges.network_id = $1
        ORDER BY nodes.name, prefix LIMIT $2
        "#,
        network.0,
        limit,
    )
    .fetch_all(db)
    .await
}
