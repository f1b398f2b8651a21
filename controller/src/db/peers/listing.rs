//! Lists of peers: pages of many thousands, filtered, and found by what is typed.
//!
//! Planned each time for the filters that are really given: one plan that fits every filter reads the whole table.
//! Who is on a node or has an address is known first, as an array; as a join it would filter all peers one by one.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::PgPool;

use crate::db::{self, Span};
use crate::domain::ids::{NetworkId, NodeId, PeerId, PoolId, UserId};

/// A peer in a list, with where it is and what was last seen of it.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: PeerId,
    pub network: NetworkId,
    pub pool: Option<PoolId>,
    pub name: String,
    pub public_key: String,
    pub kind: String,
    pub owner: Option<UserId>,
    pub tags: Vec<String>,
    pub enabled: bool,
    pub expired: bool,
    pub isolated_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub addresses: Vec<IpNet>,
    pub nodes: Vec<String>,
    pub handshake_at: Option<DateTime<Utc>>,
    pub rx_total: i64,
    pub tx_total: i64,
    pub version: i64,
    pub created_at: DateTime<Utc>,
}

/// What a list is narrowed to. None: not narrowed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub network: Option<NetworkId>,
    pub pool: Option<PoolId>,
    pub node: Option<NodeId>,
    pub owner: Option<UserId>,
    pub tag: Option<String>,
    /// Whether it is on its nodes: enabled, not expired, not isolated.
    pub active: Option<bool>,
    /// A part of name, key or notes.
    pub text: Option<String>,
    /// An address that it holds.
    pub address: Option<IpNet>,
}

pub async fn list(pool: &PgPool, filter: &Filter, span: Span) -> Result<Vec<Listed>, sqlx::Error> {
    let pattern = filter.text.as_deref().map(db::containing);
    let mut db = pool.begin().await?;
    sqlx::query!("SET LOCAL plan_cache_mode = force_custom_plan")
        .execute(&mut *db)
        .await?;
    let rows = sqlx::query_as!(
        Listed,
        r#"
        SELECT id AS "id: PeerId", network_id AS "network: NetworkId", pool_id AS "pool: PoolId", name, public_key,
            kind, owner_id AS "owner: UserId", tags, enabled, expired, isolated_at, expires_at,
            ARRAY(SELECT address FROM ip_allocations WHERE peer_id = page.id ORDER BY family(address)) AS "addresses!: Vec<IpNet>",
            ARRAY(SELECT nodes.name FROM placements JOIN interfaces ON interfaces.id = interface_id
                  JOIN nodes ON nodes.id = node_id WHERE peer_id = page.id ORDER BY 1) AS "nodes!",
            seen.handshake_at AS "handshake_at?", coalesce(seen.rx_total, 0) AS "rx_total!",
            coalesce(seen.tx_total, 0) AS "tx_total!", version, created_at
        FROM (
            SELECT * FROM peers
            WHERE peers.id > $1
              AND ($3::bigint IS NULL OR network_id = $3)
              AND ($4::bigint IS NULL OR pool_id = $4)
              AND ($5::bigint IS NULL OR peers.id = ANY(ARRAY(
                    SELECT peer_id FROM placements JOIN interfaces ON interfaces.id = interface_id WHERE node_id = $5)))
              AND ($6::bigint IS NULL OR owner_id = $6)
              AND ($7::text IS NULL OR tags @> ARRAY[$7])
              AND ($8::bool IS NULL OR (enabled AND NOT expired AND isolated_at IS NULL) = $8)
              AND ($9::text IS NULL OR name ILIKE $9 OR public_key ILIKE $9 OR notes ILIKE $9)
              AND ($10::inet IS NULL OR peers.id = ANY(ARRAY(SELECT peer_id FROM ip_allocations WHERE address = $10)))
            ORDER BY peers.id LIMIT $2
        ) AS page
        LEFT JOIN LATERAL (
            SELECT max(handshake_at) AS handshake_at, sum(rx_total)::bigint AS rx_total, sum(tx_total)::bigint AS tx_total
            FROM observations WHERE peer_id = page.id
        ) AS seen ON true
        ORDER BY id
        "#,
        span.after,
        span.limit,
        filter.network.map(|id| id.0),
        filter.pool.map(|id| id.0),
        filter.node.map(|id| id.0),
        filter.owner.map(|id| id.0),
        filter.tag,
        filter.active,
        pattern,
        filter.address,
    )
    .fetch_all(&mut *db)
    .await?;
    db.commit().await?;
    Ok(rows)
}
