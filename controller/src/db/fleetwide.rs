//! Figures over the whole fleet that pages draw: traffic, ages of handshakes, how full pools and networks are.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::{NetworkId, NodeId, PoolId};

/// What all interfaces carried in one span.
#[derive(Debug, Clone, Copy)]
pub struct Carried {
    /// Of an hour, else of a minute.
    pub is_hour: bool,
    pub at: DateTime<Utc>,
    pub rx: i64,
    pub tx: i64,
    /// Peers with a fresh handshake at its end.
    pub active: Option<i64>,
}

/// The hours and the minutes that begin at such a moment or later, the oldest first.
pub async fn carried(
    db: impl PgExecutor<'_>,
    hours_from: DateTime<Utc>,
    minutes_from: DateTime<Utc>,
) -> Result<Vec<Carried>, sqlx::Error> {
    sqlx::query_as!(
        Carried,
        r#"
        SELECT tier = 'hour' AS "is_hour!", at AS "at!", sum(rx)::bigint AS "rx!", sum(tx)::bigint AS "tx!",
            sum(active)::bigint AS active
        FROM samples
        WHERE peer_id IS NULL AND (tier = 'hour' AND at >= $1 OR tier = 'minute' AND at >= $2)
        GROUP BY tier, at ORDER BY at
        "#,
        hours_from,
        minutes_from,
    )
    .fetch_all(db)
    .await
}

/// How many peers on nodes had their last handshake before the first of these moments (0), between two of them, after
/// the last; none: never. The moments rise.
pub async fn handshakes(
    db: impl PgExecutor<'_>,
    moments: &[DateTime<Utc>],
) -> Result<Vec<(Option<i32>, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT width_bucket(handshake_at, $1) AS class, count(*) AS "peers!"
        FROM observations
        WHERE peer_id IS NOT NULL AND gone_at IS NULL
        GROUP BY 1
        "#,
        moments,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.class, row.peers)).collect())
}

/// How full a pool is: the peers on its members, and the places that these have.
#[derive(Debug, Clone)]
pub struct PoolFill {
    pub pool: PoolId,
    pub name: String,
    pub members: i64,
    pub online: i64,
    /// Over all that they serve, whichever pool a peer names.
    pub peers: i64,
    /// None: one of them takes any number.
    pub capacity: Option<i64>,
}

/// Of these pools, or of all.
pub async fn pool_fills(
    db: impl PgExecutor<'_>,
    pools: Option<&[PoolId]>,
) -> Result<Vec<PoolFill>, sqlx::Error> {
    let ids: Option<Vec<i64>> = pools.map(|ids| ids.iter().map(|id| id.0).collect());
    sqlx::query_as!(
        PoolFill,
        r#"
        SELECT pools.id AS "pool: PoolId", pools.name, count(nodes.id) AS "members!",
            count(*) FILTER (WHERE nodes.enabled AND reachability = 'online') AS "online!",
            coalesce(sum(own.peers), 0)::bigint AS "peers!",
            CASE WHEN bool_or(nodes.max_peers = 0) THEN NULL ELSE coalesce(sum(nodes.max_peers), 0) END AS capacity
        FROM pools
        LEFT JOIN pool_members ON pool_id = pools.id
        LEFT JOIN nodes ON nodes.id = pool_members.node_id
        LEFT JOIN node_status ON node_status.node_id = nodes.id
        LEFT JOIN (SELECT node_id, sum(placed) AS peers FROM interfaces GROUP BY node_id) AS own
            ON own.node_id = nodes.id
        WHERE $1::bigint[] IS NULL OR pools.id = ANY($1)
        GROUP BY pools.id
        ORDER BY pools.id
        "#,
        ids.as_deref(),
    )
    .fetch_all(db)
    .await
}

/// The network with an IPv4 prefix that holds the most placements for its size.
#[derive(Debug, Clone)]
pub struct Fullest {
    pub network: NetworkId,
    pub name: String,
    pub prefix: IpNet,
    /// What of its network nobody is given by itself.
    pub reserved: Vec<IpNet>,
}

pub async fn fullest_network(db: impl PgExecutor<'_>) -> Result<Option<Fullest>, sqlx::Error> {
    sqlx::query_as!(
        Fullest,
        r#"
        SELECT networks.id AS "network: NetworkId", networks.name, prefix AS "prefix: IpNet",
            ARRAY(SELECT prefix FROM reserved_ranges WHERE reserved_ranges.network_id = networks.id)
                AS "reserved!: Vec<IpNet>"
        FROM address_ranges JOIN networks ON networks.id = network_id
        LEFT JOIN (SELECT network_id, sum(placed) AS peers FROM interfaces GROUP BY network_id) AS held
            ON held.network_id = networks.id
        WHERE interface_id IS NULL AND family(prefix) = 4
        ORDER BY coalesce(held.peers, 0) / 2 ^ (32 - masklen(prefix)) DESC, networks.id
        LIMIT 1
        "#
    )
    .fetch_optional(db)
    .await
}

/// How many peers take a way through the fleet: from a network by a pool, or none, to a node.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub network: NetworkId,
    pub pool: Option<PoolId>,
    pub node: NodeId,
    pub peers: i64,
}

pub async fn ways(db: impl PgExecutor<'_>) -> Result<Vec<Way>, sqlx::Error> {
    sqlx::query_as!(
        Way,
        r#"
        SELECT interfaces.network_id AS "network: NetworkId", pool_id AS "pool: PoolId",
            node_id AS "node: NodeId", sum(placed.peers)::bigint AS "peers!"
        FROM (
            SELECT interface_id, pool_id, count(*) AS peers
            FROM placements JOIN peers ON peers.id = peer_id
            GROUP BY interface_id, pool_id
        ) AS placed
        JOIN interfaces ON interfaces.id = interface_id
        GROUP BY 1, 2, 3
        ORDER BY 1, 2, 3
        "#
    )
    .fetch_all(db)
    .await
}

/// What stands at the ends of the ways.
#[derive(Debug, Clone)]
pub struct Stop {
    /// `network`, `pool` or `node`.
    pub kind: String,
    pub id: i64,
    pub name: String,
    /// Only of a node.
    pub country: Option<String>,
    pub enabled: Option<bool>,
    pub reachability: Option<String>,
    pub is_behind: Option<bool>,
}

pub async fn stops(db: impl PgExecutor<'_>) -> Result<Vec<Stop>, sqlx::Error> {
    sqlx::query_as!(
        Stop,
        r#"
        SELECT 'network' AS "kind!", id AS "id!", name AS "name!", NULL AS country, NULL::bool AS enabled,
            NULL AS reachability, NULL::bool AS is_behind
        FROM networks
        UNION ALL
        SELECT 'pool', id, name, NULL, NULL, NULL, NULL FROM pools
        UNION ALL
        SELECT 'node', nodes.id, name, country, enabled, reachability,
            EXISTS (SELECT FROM interfaces JOIN interface_sync ON interface_id = interfaces.id
                    WHERE interfaces.node_id = nodes.id AND desired_generation > applied_generation)
        FROM nodes JOIN node_status ON node_status.node_id = nodes.id
        ORDER BY 1, 3
        "#
    )
    .fetch_all(db)
    .await
}

/// When each kind of work of the fleet last left a trace in the rows, whichever controller did it.
#[derive(Debug, Clone, Copy)]
pub struct Traces {
    pub polled_at: Option<DateTime<Utc>>,
    pub applied_at: Option<DateTime<Utc>>,
    pub sampled_upto: Option<DateTime<Utc>>,
    pub size_bytes: i64,
    pub started_at: DateTime<Utc>,
}

pub async fn traces(db: impl PgExecutor<'_>) -> Result<Traces, sqlx::Error> {
    sqlx::query_as!(
        Traces,
        r#"
        SELECT (SELECT max(polled_at) FROM node_status) AS polled_at,
            (SELECT max(applied_at) FROM interface_sync) AS applied_at,
            (SELECT upto FROM sample_progress WHERE tier = 'minute') AS sampled_upto,
            pg_database_size(current_database()) AS "size_bytes!",
            pg_postmaster_start_time() AS "started_at!"
        "#
    )
    .fetch_one(db)
    .await
}
