//! Prefixes behind peers, as what others must keep clear of.

use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::NetworkId;

/// The routes of peers that share addresses with one of these prefixes, as (peer's name, route); with a network, only
/// those of its peers.
pub async fn overlapping(
    db: impl PgExecutor<'_>,
    network: Option<NetworkId>,
    prefixes: &[IpNet],
) -> Result<Vec<(String, IpNet)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT DISTINCT name, prefix AS "prefix: IpNet" FROM peer_routes
        JOIN peers ON peers.id = peer_id
        JOIN unnest($2::cidr[]) AS given (wanted) ON prefix && wanted
        WHERE $1::bigint IS NULL OR peer_routes.network_id = $1
        ORDER BY prefix, name
        "#,
        network.map(|id| id.0),
        prefixes,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.prefix)).collect())
}

/// For each prefix in its network a peer there whose route shares addresses with it, if there is one, as (network,
/// prefix, peer's name, its route).
pub async fn overlapping_each(
    db: impl PgExecutor<'_>,
    wanted: &[(NetworkId, IpNet)],
) -> Result<Vec<(NetworkId, IpNet, String, IpNet)>, sqlx::Error> {
    let networks: Vec<i64> = wanted.iter().map(|(network, _)| network.0).collect();
    let prefixes: Vec<IpNet> = wanted.iter().map(|(_, prefix)| *prefix).collect();
    let rows = sqlx::query!(
        r#"
        SELECT DISTINCT ON (given.network, wanted) given.network AS "network!: NetworkId",
            wanted AS "wanted!: IpNet", name, prefix AS "prefix: IpNet"
        FROM unnest($1::bigint[], $2::cidr[]) AS given (network, wanted)
        JOIN peer_routes ON peer_routes.network_id = given.network AND prefix && wanted
        JOIN peers ON peers.id = peer_id
        ORDER BY given.network, wanted, prefix
        "#,
        &networks,
        &prefixes,
    )
    .fetch_all(db)
    .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|row| (row.network, row.wanted, row.name, row.prefix))
        .collect())
}
