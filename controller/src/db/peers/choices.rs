//! Names of what a peer belongs to, for forms and filters.

use sqlx::PgExecutor;

use crate::domain::ids::{NetworkId, PeerId, PoolId, UserId};
use crate::domain::reach::Reach;

/// Nobody reads through a longer list of choices.
const MOST: i64 = 500;

/// What there is to choose from, as (id, name).
#[derive(Debug, Clone, Default)]
pub struct Choices {
    pub networks: Vec<(i64, String)>,
    pub pools: Vec<(i64, String)>,
    pub nodes: Vec<(i64, String)>,
}

/// All that somebody reaches. Of a pool these are its members and the networks that they serve.
pub async fn within(db: impl PgExecutor<'_>, reach: Reach) -> Result<Choices, sqlx::Error> {
    let mut choices = Choices::default();
    let Some((pool, network)) = reach.narrow(None, None) else {
        return Ok(choices);
    };
    let rows = sqlx::query!(
        r#"
        (SELECT 'network' AS "kind!", id AS "id!", name AS "name!" FROM networks
            WHERE ($3::bigint IS NULL OR id = $3)
                AND ($2::bigint IS NULL OR EXISTS (
                    SELECT FROM interfaces JOIN pool_members USING (node_id)
                    WHERE network_id = networks.id AND pool_id = $2))
            ORDER BY name LIMIT $1)
        UNION ALL
        (SELECT 'pool', id, name FROM pools WHERE $3 IS NULL AND ($2 IS NULL OR id = $2) ORDER BY name LIMIT $1)
        UNION ALL
        (SELECT 'node', id, name FROM nodes
            WHERE ($2 IS NULL OR EXISTS (SELECT FROM pool_members WHERE node_id = nodes.id AND pool_id = $2))
                AND ($3 IS NULL OR EXISTS (SELECT FROM interfaces WHERE node_id = nodes.id AND network_id = $3))
            ORDER BY name LIMIT $1)
        "#,
        MOST,
        pool.map(|id: PoolId| id.0),
        network.map(|id: NetworkId| id.0),
    )
    .fetch_all(db)
    .await?;
    for row in rows {
        let list = match row.kind.as_str() {
            "network" => &mut choices.networks,
            "pool" => &mut choices.pools,
            _ => &mut choices.nodes,
        };
        list.push((row.id, row.name));
    }
    Ok(choices)
}

/// What a peer belongs to, by name.
#[derive(Debug, Clone)]
pub struct Names {
    pub network: String,
    pub pool: Option<String>,
    pub owner: Option<String>,
}

pub async fn of_peer(db: impl PgExecutor<'_>, peer: PeerId) -> Result<Option<Names>, sqlx::Error> {
    sqlx::query_as!(
        Names,
        r#"
        SELECT networks.name AS network, pools.name AS "pool?", users.name AS "owner?"
        FROM peers
        JOIN networks ON networks.id = network_id
        LEFT JOIN pools ON pools.id = pool_id
        LEFT JOIN users ON users.id = owner_id
        WHERE peers.id = $1
        "#,
        peer.0,
    )
    .fetch_optional(db)
    .await
}

pub async fn owner(db: impl PgExecutor<'_>, name: &str) -> Result<Option<UserId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT id AS "id: UserId" FROM users WHERE name = $1"#,
        name
    )
    .fetch_optional(db)
    .await
}
