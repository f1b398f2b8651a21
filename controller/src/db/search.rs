//! What a name, as it is typed, could mean: a few of each kind. Peers are found by their own list.

use sqlx::PgExecutor;

use crate::domain::ids::{NetworkId, NodeId, PoolId};

#[derive(Debug, Clone)]
pub struct Named<I> {
    pub id: I,
    pub name: String,
}

// Those whose name begins like that come first.
macro_rules! named {
    ($id:literal, $table:literal, $db:expr, $q:expr, $limit:expr) => {
        sqlx::query!(
            r#"SELECT id AS "id: "#
                + $id
                + r#"", name FROM "#
                + $table
                + r#" WHERE name ILIKE $1
           ORDER BY NOT starts_with(name, $2), name LIMIT $3"#,
            super::containing($q),
            $q,
            $limit,
        )
        .map(|row| Named {
            id: row.id,
            name: row.name,
        })
        .fetch_all($db)
        .await
    };
}

pub async fn nodes(
    db: impl PgExecutor<'_>,
    q: &str,
    limit: i64,
) -> Result<Vec<Named<NodeId>>, sqlx::Error> {
    named!("NodeId", "nodes", db, q, limit)
}

pub async fn networks(
    db: impl PgExecutor<'_>,
    q: &str,
    limit: i64,
) -> Result<Vec<Named<NetworkId>>, sqlx::Error> {
    named!("NetworkId", "networks", db, q, limit)
}

pub async fn pools(
    db: impl PgExecutor<'_>,
    q: &str,
    limit: i64,
) -> Result<Vec<Named<PoolId>>, sqlx::Error> {
    named!("PoolId", "pools", db, q, limit)
}
