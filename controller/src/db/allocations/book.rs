//! The address book of a network, for people to look at, and how full its ranges are.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::{InterfaceId, NetworkId, PeerId};

/// An address with its holder, or resting.
#[derive(Debug, Clone)]
pub struct Entry {
    pub address: IpAddr,
    pub peer: Option<PeerId>,
    pub peer_name: Option<String>,
    pub interface: Option<InterfaceId>,
    pub interface_name: Option<String>,
    pub node_name: Option<String>,
    pub allocated_at: DateTime<Utc>,
    pub released_at: Option<DateTime<Utc>>,
}

/// Which entries are wanted; none is not narrowed.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    pub peer: Option<PeerId>,
    /// Inside this prefix.
    pub within: Option<IpNet>,
    /// A part of the holder's name.
    pub name: Option<&'a str>,
}

/// The entries of a network behind an address, ascending.
pub async fn list(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    filter: &Filter<'_>,
    after: Option<IpAddr>,
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    sqlx::query_as!(
        Entry,
        r#"
        SELECT address AS "address: IpAddr", peer_id AS "peer: PeerId", peers.name AS "peer_name?",
            interface_id AS "interface: InterfaceId", interfaces.name AS "interface_name?",
            nodes.name AS "node_name?", allocated_at, released_at
        FROM ip_allocations
        LEFT JOIN peers ON peers.id = peer_id
        LEFT JOIN interfaces ON interfaces.id = interface_id
        LEFT JOIN nodes ON nodes.id = node_id
        WHERE ip_allocations.network_id = $1
          AND ($2::inet IS NULL OR address > $2)
          AND ($4::bigint IS NULL OR peer_id = $4)
          AND ($5::inet IS NULL OR address <<= $5)
          AND ($6::text IS NULL OR peers.name ILIKE $6 OR nodes.name ILIKE $6)
        ORDER BY address LIMIT $3
        "#,
        network.0,
        after.map(IpNet::from),
        limit,
        filter.peer.map(|id| id.0),
        filter.within,
        filter.name.map(crate::db::containing),
    )
    .fetch_all(db)
    .await
}

/// What is counted in a range outside its reserved parts.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    pub used: i64,
    pub resting: i64,
    /// Given less given back since the window began.
    pub growth: i64,
}

pub async fn count(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    prefix: IpNet,
    rested_since: DateTime<Utc>,
    window_from: DateTime<Utc>,
) -> Result<Counts, sqlx::Error> {
    sqlx::query_as!(
        Counts,
        r#"
        SELECT count(*) FILTER (WHERE released_at IS NULL) AS "used!",
            count(*) FILTER (WHERE released_at > $3) AS "resting!",
            count(*) FILTER (WHERE allocated_at > $4) - count(*) FILTER (WHERE released_at > $4) AS "growth!"
        FROM ip_allocations
        WHERE network_id = $1 AND address <<= $2
          AND NOT EXISTS (SELECT FROM reserved_ranges WHERE network_id = $1 AND address <<= prefix)
        "#,
        network.0,
        prefix,
        rested_since,
        window_from,
    )
    .fetch_one(db)
    .await
}

/// The addresses inside a prefix that have a holder, ascending, at most `limit`, and how many there are.
pub async fn held_within(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    prefix: IpNet,
    limit: i64,
) -> Result<(Vec<IpAddr>, i64), sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT address AS "address: IpAddr", count(*) OVER () AS "count!" FROM ip_allocations
        WHERE network_id = $1 AND address <<= $2 AND released_at IS NULL
        ORDER BY address LIMIT $3
        "#,
        network.0,
        prefix,
        limit,
    )
    .fetch_all(db)
    .await?;
    let count = rows.first().map_or(0, |row| row.count);
    Ok((rows.into_iter().map(|row| row.address).collect(), count))
}

/// Forgets addresses of one family that left the network: those that peers give up, and all that rest outside of what
/// is now its prefix.
pub async fn forget(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    family: i32,
    given_up: &[IpAddr],
    prefix: Option<IpNet>,
) -> Result<(), sqlx::Error> {
    let given_up: Vec<IpNet> = given_up.iter().copied().map(IpNet::from).collect();
    sqlx::query!(
        r#"
        DELETE FROM ip_allocations
        WHERE network_id = $1 AND family(address) = $2 AND interface_id IS NULL
          AND (address = ANY($3) OR (peer_id IS NULL AND ($4::cidr IS NULL OR NOT address <<= $4)))
        "#,
        network.0,
        family,
        &given_up,
        prefix,
    )
    .execute(db)
    .await
    .map(|_| ())
}
