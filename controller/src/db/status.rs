//! Counts over the whole fleet, for the one who asks how it is. Reads only, best in one snapshot.

use sqlx::PgExecutor;

use crate::domain::status::{Interfaces, Nodes, Peers, Pools};

pub async fn nodes(db: impl PgExecutor<'_>) -> Result<Nodes, sqlx::Error> {
    sqlx::query_as!(
        Nodes,
        r#"
        SELECT count(*) AS "total!",
            count(*) FILTER (WHERE enabled AND reachability = 'pending') AS "pending!",
            count(*) FILTER (WHERE enabled AND reachability = 'online') AS "online!",
            count(*) FILTER (WHERE enabled AND reachability = 'offline') AS "offline!",
            count(*) FILTER (WHERE enabled AND reachability = 'error') AS "error!",
            count(*) FILTER (WHERE NOT enabled) AS "disabled!"
        FROM nodes JOIN node_status ON node_id = id
        "#
    )
    .fetch_one(db)
    .await
}

pub async fn interfaces(db: impl PgExecutor<'_>) -> Result<Interfaces, sqlx::Error> {
    sqlx::query_as!(
        Interfaces,
        r#"
        SELECT count(*) AS "total!",
            count(*) FILTER (WHERE desired_generation > applied_generation) AS "behind!",
            extract(epoch FROM now() - min(desired_at) FILTER (WHERE desired_generation > applied_generation))::bigint
                AS behind_s,
            count(*) FILTER (WHERE interface_sync.problem IS NOT NULL) AS "failing!",
            count(*) FILTER (WHERE link IN ('down', 'missing')) AS "down!",
            count(*) FILTER (WHERE unknown_peers > 0) AS "with_unknown_peers!",
            count(*) FILTER (WHERE key_changed_at IS NOT NULL) AS "with_new_keys!"
        FROM interfaces
        JOIN interface_sync ON interface_id = interfaces.id
        JOIN nodes ON nodes.id = interfaces.node_id
        WHERE nodes.enabled
        "#
    )
    .fetch_one(db)
    .await
}

pub async fn pools(db: impl PgExecutor<'_>) -> Result<Pools, sqlx::Error> {
    sqlx::query_as!(
        Pools,
        r#"
        SELECT count(*) AS "total!",
            coalesce(array_agg(name ORDER BY name) FILTER (
                WHERE EXISTS (SELECT FROM peers WHERE pool_id = pools.id)
                  AND NOT EXISTS (
                      SELECT FROM pool_members
                      JOIN nodes ON nodes.id = pool_members.node_id
                      JOIN node_status ON node_status.node_id = nodes.id
                      WHERE pool_id = pools.id AND enabled AND reachability IN ('online', 'pending'))
            ), '{}') AS "without_online_node!"
        FROM pools
        "#
    )
    .fetch_one(db)
    .await
}

pub async fn peers(db: impl PgExecutor<'_>) -> Result<Peers, sqlx::Error> {
    sqlx::query_as!(
        Peers,
        r#"
        SELECT count(*) AS "total!",
            count(*) FILTER (WHERE isolated_at IS NOT NULL) AS "isolated!",
            (SELECT coalesce(sum(unknown_peers), 0)::bigint FROM interface_sync) AS "unknown!"
        FROM peers
        "#
    )
    .fetch_one(db)
    .await
}

/// What the server calls itself, such as `15.14`.
pub async fn server_version(db: impl PgExecutor<'_>) -> Result<String, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT current_setting('server_version') AS "version!""#)
        .fetch_one(db)
        .await
}
