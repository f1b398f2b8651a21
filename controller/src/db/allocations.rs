//! `ip_allocations`: who has which address, and which addresses rest.

pub mod book;
pub mod map;

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::{InterfaceId, NetworkId, PeerId};

/// Who holds an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    Peer(PeerId),
    Interface(InterfaceId),
}

/// What the holder of an address is called: a peer, or an interface of a node.
#[derive(Debug, Clone)]
pub struct HolderNames {
    pub peer: Option<String>,
    pub interface: Option<String>,
    pub node: Option<String>,
}

/// The addresses of `from..=until` that cannot be given, ascending, at most `limit`: those with a holder, and those
/// released after `rested_since`.
pub async fn taken(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    from: IpAddr,
    until: IpAddr,
    limit: i64,
    rested_since: DateTime<Utc>,
) -> Result<Vec<IpAddr>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT address AS "address: IpAddr" FROM ip_allocations
        WHERE network_id = $1 AND address BETWEEN $2 AND $3
          AND (peer_id IS NOT NULL OR interface_id IS NOT NULL OR released_at > $5)
        ORDER BY address LIMIT $4
        "#,
        network.0,
        IpNet::from(from),
        IpNet::from(until),
        limit,
        rested_since,
    )
    .fetch_all(db)
    .await
}

/// The resting addresses inside a prefix, oldest first.
pub async fn resting(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    prefix: IpNet,
    limit: i64,
) -> Result<Vec<(IpAddr, DateTime<Utc>)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT address AS "address: IpAddr", released_at AS "released_at!" FROM ip_allocations
        WHERE network_id = $1 AND released_at IS NOT NULL AND address << $2
        ORDER BY released_at, address LIMIT $3
        "#,
        network.0,
        prefix,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.address, row.released_at))
        .collect())
}

/// The holders of these addresses.
pub async fn holders(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    addresses: &[IpAddr],
) -> Result<Vec<(IpAddr, Holder)>, sqlx::Error> {
    let addresses: Vec<IpNet> = addresses.iter().copied().map(IpNet::from).collect();
    let rows = sqlx::query!(
        r#"
        SELECT address AS "address: IpAddr", peer_id AS "peer: PeerId", interface_id AS "interface: InterfaceId"
        FROM ip_allocations WHERE network_id = $1 AND address = ANY($2)
        "#,
        network.0,
        &addresses,
    )
    .fetch_all(db)
    .await?;
    let held = |peer: Option<PeerId>, interface: Option<InterfaceId>| {
        peer.map(Holder::Peer).or(interface.map(Holder::Interface))
    };
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((row.address, held(row.peer, row.interface)?)))
        .collect())
}

/// Gives addresses to peers. False where one of them has a holder already: then the caller's transaction is void.
pub async fn give(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    given: &[(IpAddr, PeerId)],
) -> Result<bool, sqlx::Error> {
    let addresses: Vec<IpNet> = given.iter().map(|one| IpNet::from(one.0)).collect();
    let peers: Vec<i64> = given.iter().map(|one| one.1.0).collect();
    let done = sqlx::query!(
        r#"
        INSERT INTO ip_allocations (network_id, address, peer_id)
        SELECT $1, address, peer FROM unnest($2::inet[], $3::bigint[]) AS given (address, peer) ORDER BY address
        ON CONFLICT (network_id, address) DO UPDATE
        SET peer_id = excluded.peer_id, released_at = NULL, allocated_at = now()
        WHERE ip_allocations.peer_id IS NULL AND ip_allocations.interface_id IS NULL
        "#,
        network.0,
        &addresses,
        &peers,
    )
    .execute(db)
    .await?;
    Ok(usize::try_from(done.rows_affected()) == Ok(given.len()))
}

/// Books an interface's own addresses. False where one of them has another holder.
pub async fn give_to_interface(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    interface: InterfaceId,
    addresses: &[IpAddr],
) -> Result<bool, sqlx::Error> {
    let nets: Vec<IpNet> = addresses.iter().copied().map(IpNet::from).collect();
    let done = sqlx::query!(
        r#"
        INSERT INTO ip_allocations (network_id, address, interface_id)
        SELECT $1, address, $3 FROM unnest($2::inet[]) AS given (address) ORDER BY address
        ON CONFLICT (network_id, address) DO UPDATE
        SET interface_id = excluded.interface_id, released_at = NULL
        WHERE ip_allocations.peer_id IS NULL
          AND coalesce(ip_allocations.interface_id, excluded.interface_id) = excluded.interface_id
        "#,
        network.0,
        &nets,
        interface.0,
    )
    .execute(db)
    .await?;
    Ok(usize::try_from(done.rows_affected()) == Ok(nets.len()))
}

/// The addresses of these interfaces.
pub async fn of_interfaces(
    db: impl PgExecutor<'_>,
    interfaces: &[InterfaceId],
) -> Result<Vec<(InterfaceId, IpAddr)>, sqlx::Error> {
    let ids: Vec<i64> = interfaces.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"
        SELECT interface_id AS "interface!: InterfaceId", address AS "address: IpAddr" FROM ip_allocations
        WHERE interface_id = ANY($1)
        "#,
        &ids,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.interface, row.address))
        .collect())
}

/// Lets the addresses of an interface rest, all but those that are kept.
pub async fn release_of_interface(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
    keep: &[IpAddr],
) -> Result<(), sqlx::Error> {
    let keep: Vec<IpNet> = keep.iter().copied().map(IpNet::from).collect();
    sqlx::query!(
        "UPDATE ip_allocations SET interface_id = NULL WHERE interface_id = $1 AND address <> ALL($2)",
        interface.0,
        &keep,
    )
    .execute(db)
    .await
    .map(|_| ())
}

/// What the holder of an address is called.
pub async fn holder_names(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    address: IpAddr,
) -> Result<Option<HolderNames>, sqlx::Error> {
    sqlx::query_as!(
        HolderNames,
        r#"
        SELECT peers.name AS "peer?", interfaces.name AS "interface?", nodes.name AS "node?"
        FROM ip_allocations
            LEFT JOIN peers ON peers.id = peer_id
            LEFT JOIN interfaces ON interfaces.id = interface_id
            LEFT JOIN nodes ON nodes.id = interfaces.node_id
        WHERE ip_allocations.network_id = $1 AND address = $2
        "#,
        network.0,
        IpNet::from(address) as IpNet,
    )
    .fetch_optional(db)
    .await
}
