//! Counts over the whole fleet, for the one who asks how it is: all of one moment, because it is one statement.

use sqlx::PgExecutor;

use crate::domain::status::{Facts, Interfaces, Nodes, Peers, Pending, Pools};

/// What is counted, and what the database server calls itself, such as `15.14`.
pub async fn facts(db: impl PgExecutor<'_>) -> Result<(Facts, String), sqlx::Error> {
    let row = sqlx::query!(
        r#"
        SELECT n.total AS "nodes!", n.pending AS "pending!", n.online AS "online!", n.offline AS "offline!",
            n.error AS "error!", n.disabled AS "disabled!",
            i.total AS "interfaces!", i.behind AS "behind!", i.behind_s, i.failing AS "failing!", i.down AS "down!",
            i.with_unknown_peers AS "with_unknown_peers!", i.with_new_keys AS "with_new_keys!",
            p.total AS "pools!", p.without_online_node AS "without_online_node!",
            e.total AS "peers!", e.isolated AS "isolated!",
            (SELECT coalesce(sum(unknown_peers), 0)::bigint FROM interface_sync) AS "unknown!",
            (SELECT count(*) FROM webhook_deliveries WHERE next_attempt_at IS NOT NULL) AS "deliveries!",
            current_setting('server_version') AS "version!"
        FROM (
            SELECT count(*) AS total,
                count(*) FILTER (WHERE enabled AND reachability = 'pending') AS pending,
                count(*) FILTER (WHERE enabled AND reachability = 'online') AS online,
                count(*) FILTER (WHERE enabled AND reachability = 'offline') AS offline,
                count(*) FILTER (WHERE enabled AND reachability = 'error') AS error,
                count(*) FILTER (WHERE NOT enabled) AS disabled
            FROM nodes JOIN node_status ON node_id = id
        ) AS n, (
            SELECT count(*) AS total,
                count(*) FILTER (WHERE desired_generation > applied_generation) AS behind,
                extract(epoch FROM now() - min(desired_at) FILTER (WHERE desired_generation > applied_generation))::bigint
                    AS behind_s,
                count(*) FILTER (WHERE interface_sync.problem IS NOT NULL) AS failing,
                count(*) FILTER (WHERE link IN ('down', 'missing')) AS down,
                count(*) FILTER (WHERE unknown_peers > 0) AS with_unknown_peers,
                count(*) FILTER (WHERE key_changed_at IS NOT NULL) AS with_new_keys
            FROM interfaces
            JOIN interface_sync ON interface_id = interfaces.id
            JOIN nodes ON nodes.id = interfaces.node_id
            WHERE nodes.enabled
        ) AS i, (
            SELECT count(*) AS total,
                coalesce(array_agg(name ORDER BY name) FILTER (
                    WHERE EXISTS (SELECT FROM peers WHERE pool_id = pools.id)
                      AND NOT EXISTS (
                          SELECT FROM pool_members
                          JOIN nodes ON nodes.id = pool_members.node_id
                          JOIN node_status ON node_status.node_id = nodes.id
                          WHERE pool_id = pools.id AND enabled AND reachability IN ('online', 'pending'))
                ), '{}') AS without_online_node
            FROM pools
        ) AS p, (
            SELECT count(*) AS total, count(isolated_at) AS isolated FROM peers
        ) AS e
        "#
    )
    .fetch_one(db)
    .await?;
    let facts = Facts {
        nodes: Nodes {
            total: row.nodes,
            pending: row.pending,
            online: row.online,
            offline: row.offline,
            error: row.error,
            disabled: row.disabled,
        },
        interfaces: Interfaces {
            total: row.interfaces,
            behind: row.behind,
            behind_s: row.behind_s,
            failing: row.failing,
            down: row.down,
            with_unknown_peers: row.with_unknown_peers,
            with_new_keys: row.with_new_keys,
        },
        pools: Pools {
            total: row.pools,
            without_online_node: row.without_online_node,
        },
        peers: Peers {
            total: row.peers,
            isolated: row.isolated,
            unknown: row.unknown,
        },
        pending: Pending {
            interfaces: row.behind,
            webhook_deliveries: row.deliveries,
        },
    };
    Ok((facts, row.version))
}
