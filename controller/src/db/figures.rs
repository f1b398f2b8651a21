//! Counts over several tables, for metrics.

use sqlx::PgExecutor;

/// How many changes an interface has not taken.
#[derive(Debug, Clone)]
pub struct Lag {
    pub node: String,
    pub interface: String,
    pub generations: i64,
}

pub async fn lags(db: impl PgExecutor<'_>) -> Result<Vec<Lag>, sqlx::Error> {
    sqlx::query_as!(
        Lag,
        r#"
        SELECT nodes.name AS node, interfaces.name AS interface,
            greatest(desired_generation - applied_generation, 0) AS "generations!"
        FROM interface_sync
        JOIN interfaces ON interfaces.id = interface_id
        JOIN nodes ON nodes.id = node_id
        "#
    )
    .fetch_all(db)
    .await
}

/// Deliveries to receivers of events that have not succeeded and are not given up.
pub async fn waiting_deliveries(db: impl PgExecutor<'_>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM webhook_deliveries WHERE next_attempt_at IS NOT NULL"#
    )
    .fetch_one(db)
    .await
}

/// How many nodes each pool has.
pub async fn pool_sizes(db: impl PgExecutor<'_>) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT name, (SELECT count(*) FROM pool_members WHERE pool_id = pools.id) AS "members!" FROM pools
        "#
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.name, row.members))
        .collect())
}
