//! The data keys, as they are wrapped. What is inside them this module never learns.

use sqlx::{Connection, PgConnection, PgExecutor, PgPool};

use crate::domain::ids::DataKeyId;

/// Any number that no other advisory lock of this database has.
const LOCK: i64 = 0x7767_666b_6579_7301;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKeyRow {
    pub id: DataKeyId,
    pub purpose: String,
    pub master_id: String,
    pub wrapped: Vec<u8>,
    pub current: bool,
}

/// The right to change the data keys and the file of the master key, held by one controller at a time.
///
/// It has a connection to itself, outside the pool: whichever way it ends, the lock ends with it.
pub struct Lock {
    connection: PgConnection,
}

impl Lock {
    pub async fn acquire(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let mut connection = pool.acquire().await?.detach();
        sqlx::query!("SELECT pg_advisory_lock($1)", LOCK)
            .execute(&mut connection)
            .await?;
        Ok(Self { connection })
    }

    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Gives the lock back, and has the database know at once.
    pub async fn release(self) -> Result<(), sqlx::Error> {
        self.connection.close().await
    }
}

pub async fn list(db: impl PgExecutor<'_>) -> Result<Vec<DataKeyRow>, sqlx::Error> {
    sqlx::query_as!(
        DataKeyRow,
        r#"
        SELECT id AS "id: DataKeyId", purpose, master_id, wrapped, retired_at IS NULL AS "current!"
        FROM data_keys
        ORDER BY id
        "#,
    )
    .fetch_all(db)
    .await
}

/// Adds the current key of a purpose, which has none at this moment.
pub async fn insert(
    db: impl PgExecutor<'_>,
    purpose: &str,
    master_id: &str,
    wrapped: &[u8],
) -> Result<DataKeyId, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO data_keys (purpose, master_id, wrapped)
        VALUES ($1, $2, $3)
        RETURNING id AS "id: DataKeyId"
        "#,
        purpose,
        master_id,
        wrapped,
    )
    .fetch_one(db)
    .await
}

pub async fn retire(db: impl PgExecutor<'_>, purpose: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE data_keys SET retired_at = now() WHERE purpose = $1 AND retired_at IS NULL",
        purpose,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn rewrap(
    db: impl PgExecutor<'_>,
    id: DataKeyId,
    master_id: &str,
    wrapped: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE data_keys SET master_id = $2, wrapped = $3 WHERE id = $1",
        id.0,
        master_id,
        wrapped,
    )
    .execute(db)
    .await?;
    Ok(())
}
