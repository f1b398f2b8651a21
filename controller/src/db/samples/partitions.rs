//! The partitions of the tiers of samples, by the moment at which each begins.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::domain::tier::{Partition, Tier};

/// Readers are waited for no longer than this, because whoever comes after waits as well.
const LOCK_TIMEOUT: &str = "2s";

pub async fn list(db: &mut PgConnection, tier: Tier) -> Result<Vec<Partition>, sqlx::Error> {
    let begins = sqlx::query_scalar!(
        r#"
        SELECT to_timestamp(substring(relname FROM '[0-9]+$')::bigint) AS "from!: DateTime<Utc>"
        FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = ('samples_' || $1)::regclass
        ORDER BY 1
        "#,
        tier.as_str(),
    )
    .fetch_all(db)
    .await?;
    Ok(begins
        .into_iter()
        .map(|from| Partition { tier, from })
        .collect())
}

pub async fn make(db: &mut PgConnection, partition: Partition) -> Result<(), sqlx::Error> {
    wait_briefly(&mut *db).await?;
    sqlx::query_scalar!(
        "SELECT make_samples_partition($1, $2, $3)",
        partition.tier.as_str(),
        partition.from,
        partition.until(),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn drop(db: &mut PgConnection, partition: Partition) -> Result<(), sqlx::Error> {
    wait_briefly(&mut *db).await?;
    sqlx::query_scalar!(
        "SELECT drop_samples_partition($1, $2)",
        partition.tier.as_str(),
        partition.from,
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn wait_briefly(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query_scalar!("SELECT set_config('lock_timeout', $1, true)", LOCK_TIMEOUT)
        .fetch_one(db)
        .await?;
    Ok(())
}
