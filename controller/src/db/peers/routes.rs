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
