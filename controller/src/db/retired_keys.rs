//! `retired_keys`: keys that peers gave up. They are removed wherever they are seen.

use sqlx::PgExecutor;

use crate::domain::ids::{NetworkId, PeerId};

/// Retires the current keys of these peers.
pub async fn retire(db: impl PgExecutor<'_>, peers: &[PeerId]) -> Result<(), sqlx::Error> {
    let ids: Vec<i64> = peers.iter().map(|id| id.0).collect();
    sqlx::query!(
        r#"
        INSERT INTO retired_keys (public_key, peer_name, network_id)
        SELECT public_key, name, network_id FROM peers WHERE id = ANY($1) ORDER BY public_key
        ON CONFLICT (public_key)
        DO UPDATE SET peer_name = excluded.peer_name, network_id = excluded.network_id, retired_at = now()
        "#,
        &ids,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes keys back into use.
pub async fn revive(db: impl PgExecutor<'_>, keys: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM retired_keys WHERE public_key = ANY($1)", keys)
        .execute(db)
        .await?;
    Ok(())
}

/// Which of these keys were retired, and whose they were.
pub async fn among(
    db: impl PgExecutor<'_>,
    keys: &[String],
) -> Result<Vec<(String, String, Option<NetworkId>)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT public_key, peer_name, network_id AS "network: NetworkId" FROM retired_keys WHERE public_key = ANY($1)"#,
        keys,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.public_key, row.peer_name, row.network))
        .collect())
}
