//! How many of everything there are, as far as somebody reaches, for the menu; and which event was the newest then.

use sqlx::PgExecutor;

use crate::domain::reach::Reach;

/// Up to here rows are counted; above, the estimate that Postgres keeps is close enough and costs nothing.
const COUNTED: i64 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub nodes: u64,
    pub networks: u64,
    pub pools: u64,
    pub peers: u64,
    /// The number of peers is an estimate.
    pub is_rough: bool,
    /// The id of the newest event that the counts know of; 0 before the first.
    pub newest_event: i64,
}

pub async fn counts(db: impl PgExecutor<'_>, reach: Reach) -> Result<Counts, sqlx::Error> {
    let Some((pool, network)) = reach.narrow(None, None) else {
        return Ok(Counts::default());
    };
    // A part has no estimate.
    let most = (reach == Reach::All).then_some(COUNTED + 1);
    let row = sqlx::query!(
        r#"
        SELECT (SELECT count(*) FROM nodes
                WHERE ($2::bigint IS NULL OR EXISTS (
                        SELECT FROM pool_members WHERE node_id = nodes.id AND pool_id = $2))
                    AND ($3::bigint IS NULL OR EXISTS (
                        SELECT FROM interfaces WHERE node_id = nodes.id AND network_id = $3))) AS "nodes!",
            (SELECT count(*) FROM networks WHERE $2 IS NULL AND ($3 IS NULL OR id = $3)) AS "networks!",
            (SELECT count(*) FROM pools WHERE $3 IS NULL AND ($2 IS NULL OR id = $2)) AS "pools!",
            (SELECT count(*) FROM (
                SELECT FROM peers WHERE ($2 IS NULL OR pool_id = $2) AND ($3 IS NULL OR network_id = $3)
                LIMIT $1) AS counted) AS "peers!",
            (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'peers'::regclass) AS "estimate!",
            (SELECT coalesce(max(id), 0) FROM events) AS "newest_event!"
        "#,
        most,
        pool.map(|id| id.0),
        network.map(|id| id.0),
    )
    .fetch_one(db)
    .await?;
    let is_rough = most.is_some() && row.peers > COUNTED;
    let peers = if is_rough {
        row.estimate.max(row.peers)
    } else {
        row.peers
    };
    Ok(Counts {
        nodes: row.nodes.unsigned_abs(),
        networks: row.networks.unsigned_abs(),
        pools: row.pools.unsigned_abs(),
        peers: peers.unsigned_abs(),
        is_rough,
        newest_event: row.newest_event,
    })
}
