//! The peers of a network as those who hold its addresses.

use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::{InterfaceId, NetworkId, PeerId};

/// A peer with its addresses, and its home where it has just one.
#[derive(Debug, Clone)]
pub struct Numbered {
    pub id: PeerId,
    pub home: Option<InterfaceId>,
    pub addresses: Vec<IpNet>,
}

/// The peers of a network whose devices follow no change, as (id, name), by id.
pub async fn statics(
    db: impl PgExecutor<'_>,
    network: NetworkId,
) -> Result<Vec<(PeerId, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id: PeerId", name FROM peers WHERE network_id = $1 AND kind = 'static' ORDER BY id"#,
        network.0,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Reads the peers of a network and holds their rows until the transaction ends.
pub async fn hold(
    db: impl PgExecutor<'_>,
    network: NetworkId,
) -> Result<Vec<Numbered>, sqlx::Error> {
    sqlx::query_as!(
        Numbered,
        r#"
        SELECT id AS "id: PeerId",
            (SELECT interface_id FROM placements WHERE peer_id = peers.id AND sole) AS "home: InterfaceId",
            ARRAY(SELECT address FROM ip_allocations WHERE peer_id = peers.id ORDER BY address) AS "addresses!: Vec<IpNet>"
        FROM peers WHERE network_id = $1 ORDER BY id FOR NO KEY UPDATE
        "#,
        network.0,
    )
    .fetch_all(db)
    .await
}

/// Counts the versions of these peers up.
pub async fn renumbered(db: impl PgExecutor<'_>, peers: &[PeerId]) -> Result<(), sqlx::Error> {
    let ids: Vec<i64> = peers.iter().map(|id| id.0).collect();
    sqlx::query!(
        "UPDATE peers SET version = version + 1, updated_at = now() WHERE id = ANY($1)",
        &ids
    )
    .execute(db)
    .await
    .map(|_| ())
}
