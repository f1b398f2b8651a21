//! Keys that nodes hold and no desired state contains.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::InterfaceId;

#[derive(Debug, Clone)]
pub struct Unknown {
    pub public_key: String,
    /// Known to the node's kernel alone.
    pub is_foreign: bool,
    pub has_psk: bool,
    pub allowed_ips: Vec<IpNet>,
    pub keepalive_s: i32,
    pub endpoint: Option<String>,
    pub handshake_at: Option<DateTime<Utc>>,
    pub rx_total: i64,
    pub tx_total: i64,
    pub first_at: DateTime<Utc>,
}

/// The unknown keys of an interface behind a key, in their order; with `only`, just these.
pub async fn list(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
    only: Option<&[String]>,
    after: &str,
    limit: i64,
) -> Result<Vec<Unknown>, sqlx::Error> {
    sqlx::query_as!(
        Unknown,
        r#"
        SELECT public_key, is_foreign, has_psk, allowed_ips AS "allowed_ips: Vec<IpNet>", keepalive_s, endpoint,
            handshake_at, rx_total, tx_total, first_at
        FROM observations
        WHERE interface_id = $1 AND peer_id IS NULL AND gone_at IS NULL
          AND public_key COLLATE "C" > $3 AND ($2::text[] IS NULL OR public_key = ANY($2))
        ORDER BY public_key COLLATE "C" LIMIT $4
        "#,
        interface.0,
        only,
        after,
        limit,
    )
    .fetch_all(db)
    .await
}

/// Which of these keys another interface holds, and the name of its node.
pub async fn elsewhere(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
    keys: &[String],
) -> Result<Vec<(String, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT observations.public_key, nodes.name AS node FROM observations
        JOIN interfaces ON interfaces.id = interface_id
        JOIN nodes ON nodes.id = node_id
        WHERE interface_id <> $1 AND gone_at IS NULL AND observations.public_key = ANY($2)
        ORDER BY 1, 2
        "#,
        interface.0,
        keys,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.public_key, row.node))
        .collect())
}

/// Notes that an interface no longer holds these keys: its node said so just now.
pub async fn removed(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
    keys: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE observations SET gone_at = now(), changed_at = now()
        WHERE interface_id = $1 AND public_key = ANY($2) AND gone_at IS NULL
        "#,
        interface.0,
        keys,
    )
    .execute(db)
    .await
    .map(|_| ())
}
