//! `address_ranges` and `reserved_ranges`: where addresses come from, and where none do.

use std::net::IpAddr;

use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::{InterfaceId, NetworkId, RangeId};

#[derive(Debug, Clone)]
pub struct Range {
    pub id: RangeId,
    pub network: NetworkId,
    /// None: the network's own prefix.
    pub interface: Option<InterfaceId>,
    pub prefix: IpNet,
    /// Where the search for a free address goes on.
    pub next: IpAddr,
}

/// The pool of an interface, for people.
#[derive(Debug, Clone)]
pub struct Pool {
    pub node: String,
    pub interface: String,
    pub prefix: IpNet,
}

#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    /// Another network, or another interface's pool, covers part of it.
    #[error("overlaps another range")]
    Overlap,
    #[error("a range of this family exists")]
    Second,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

pub async fn insert(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    interface: Option<InterfaceId>,
    prefix: IpNet,
) -> Result<(), InsertError> {
    sqlx::query!(
        "INSERT INTO address_ranges (network_id, interface_id, prefix, next) VALUES ($1, $2, $3, $4)",
        network.0,
        interface.map(|id| id.0),
        prefix,
        IpNet::from(prefix.addr()),
    )
    .execute(db)
    .await
    .map(|_| ())
    .map_err(|err| match super::violated(&err) {
        Some("address_ranges_networks_apart" | "address_ranges_pools_apart") => InsertError::Overlap,
        Some("address_ranges_one_per_family") => InsertError::Second,
        _ => InsertError::Db(err),
    })
}

/// The prefixes of networks that share addresses with `prefix`, with the network's name.
pub async fn overlapping(
    db: impl PgExecutor<'_>,
    prefix: IpNet,
) -> Result<Vec<(String, IpNet)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT networks.name, address_ranges.prefix AS "prefix: IpNet"
        FROM address_ranges JOIN networks ON networks.id = network_id
        WHERE interface_id IS NULL AND prefix && $1
        ORDER BY prefix
        "#,
        prefix as IpNet,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.prefix)).collect())
}

/// Every prefix that a new network must keep clear of: those of all networks, and those behind peers.
pub async fn occupied(db: impl PgExecutor<'_>) -> Result<Vec<IpNet>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT prefix AS "prefix!: IpNet" FROM address_ranges WHERE interface_id IS NULL
        UNION SELECT prefix FROM peer_routes
        "#
    )
    .fetch_all(db)
    .await
}

/// The same for many prefixes at once, as (prefix, network's name, its prefix), one for each that shares any.
pub async fn overlapping_each(
    db: impl PgExecutor<'_>,
    prefixes: &[IpNet],
) -> Result<Vec<(IpNet, String, IpNet)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT DISTINCT ON (wanted) wanted AS "wanted!: IpNet", networks.name, prefix AS "prefix: IpNet"
        FROM unnest($1::cidr[]) AS given (wanted)
            JOIN address_ranges ON interface_id IS NULL AND prefix && wanted
            JOIN networks ON networks.id = network_id
        ORDER BY wanted, prefix
        "#,
        prefixes,
    )
    .fetch_all(db)
    .await?;
    let rows = rows.into_iter();
    Ok(rows.map(|row| (row.wanted, row.name, row.prefix)).collect())
}

/// The pools of interfaces, one aside, that share addresses with `prefix`.
pub async fn overlapping_pools(
    db: impl PgExecutor<'_>,
    prefix: IpNet,
    aside: InterfaceId,
) -> Result<Vec<Pool>, sqlx::Error> {
    sqlx::query_as!(
        Pool,
        r#"
        SELECT nodes.name AS node, interfaces.name AS interface, prefix AS "prefix: IpNet"
        FROM address_ranges
            JOIN interfaces ON interfaces.id = interface_id
            JOIN nodes ON nodes.id = interfaces.node_id
        WHERE interface_id <> $2 AND prefix && $1
        ORDER BY prefix
        "#,
        prefix as IpNet,
        aside.0,
    )
    .fetch_all(db)
    .await
}

/// Takes a network's own prefix of one family away.
pub async fn delete_own(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    family: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM address_ranges WHERE network_id = $1 AND interface_id IS NULL AND family(prefix) = $2",
        network.0,
        family,
    )
    .execute(db)
    .await
    .map(|_| ())
}

/// Takes an interface's pools away, all but those that are kept.
pub async fn delete_of_interface(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
    keep: &[IpNet],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM address_ranges WHERE interface_id = $1 AND prefix <> ALL($2)",
        interface.0,
        keep,
    )
    .execute(db)
    .await
    .map(|_| ())
}

/// All ranges of a network: its own prefixes and the pools of its interfaces.
pub async fn of_network(
    db: impl PgExecutor<'_>,
    network: NetworkId,
) -> Result<Vec<Range>, sqlx::Error> {
    sqlx::query_as!(
        Range,
        r#"
        SELECT id AS "id: RangeId", network_id AS "network: NetworkId", interface_id AS "interface: InterfaceId",
            prefix AS "prefix: IpNet", next AS "next: IpAddr"
        FROM address_ranges WHERE network_id = $1 ORDER BY family(prefix), id
        "#,
        network.0,
    )
    .fetch_all(db)
    .await
}

pub async fn move_next(
    db: impl PgExecutor<'_>,
    range: RangeId,
    next: IpAddr,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE address_ranges SET next = $2 WHERE id = $1",
        range.0,
        IpNet::from(next),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Prefixes of a network that nobody gets.
pub async fn reserved(
    db: impl PgExecutor<'_>,
    network: NetworkId,
) -> Result<Vec<IpNet>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT prefix AS "prefix: IpNet" FROM reserved_ranges WHERE network_id = $1"#,
        network.0,
    )
    .fetch_all(db)
    .await
}

/// The same of several networks at once.
pub async fn reserved_in(
    db: impl PgExecutor<'_>,
    networks: &[NetworkId],
) -> Result<Vec<(NetworkId, IpNet)>, sqlx::Error> {
    let ids: Vec<i64> = networks.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"
        SELECT network_id AS "network: NetworkId", prefix AS "prefix: IpNet"
        FROM reserved_ranges WHERE network_id = ANY($1)
        "#,
        &ids,
    )
    .fetch_all(db)
    .await?;
    let rows = rows.into_iter();
    Ok(rows.map(|row| (row.network, row.prefix)).collect())
}
