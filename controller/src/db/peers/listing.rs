//! Lists of peers: pages of many thousands, filtered, and found by what is typed.
//!
//! Planned each time for the filters that are really given: one plan that fits every filter reads the whole table.
//! Who is on a node, has an address, a tag or an owner is known first, as an array; as a join or beside what is typed it
//! would filter all peers one by one.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::PgPool;

use crate::db::{self, Span};
use crate::domain::ids::{NetworkId, NodeId, PeerId, PoolId, UserId};
use crate::domain::peer::Standing;

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
    pub owner_name: Option<String>,
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
    pub standing: Option<Standing>,
    pub among: Option<Vec<PeerId>>,
    /// A part of its name, key or notes or of its owner's name; or a tag, whole.
    pub text: Option<String>,
    /// Where one of its addresses lies.
    pub address: Option<IpNet>,
    pub order: Order,
    /// Where names order the list: that of the peer whose id it goes on behind.
    pub behind: Option<String>,
}

/// In which order peers are listed. Each has an index, so that any page of it is as near as the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The oldest first.
    #[default]
    Made,
    Newest,
    Name,
    NameDown,
}

impl Order {
    pub const ALL: [Self; 4] = [Self::Made, Self::Newest, Self::Name, Self::NameDown];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Newest => "newest",
            Self::Name => "name",
            Self::NameDown => "name-down",
        }
    }
}

impl Filter {
    fn numbers(&self) -> Option<Vec<i64>> {
        let among = self.among.as_ref()?;
        Some(among.iter().map(|id| id.0).collect())
    }
}

/// Fetches what a statement says of the peers that a filter and a span leave.
///
/// Who is online is asked by a statement of its own: only a condition that stands by itself becomes a join, which ends
/// with the page; within another one it would be answered for every peer beforehand.
macro_rules! of_those {
    ($db:expr, $query:ident($($row:ident)?), $before:literal, $after:literal, $filter:expr, $among:expr, $span:expr) => {
        match $filter.standing {
            Some(Standing::Online) => of_those!(
                @$query($($row)?),
                $before,
                // Who is online has an open session; the other way round a node may have fallen silent.
                r#"
              AND EXISTS (SELECT FROM peer_sessions WHERE peer_sessions.peer_id = peers.id AND disconnected_at IS NULL)
              AND EXISTS (
                    SELECT FROM observations WHERE observations.peer_id = peers.id AND gone_at IS NULL
                       AND handshake_at > now() - interval '3 minutes')
                "#,
                $after, $filter, $among, $span
            )
            .fetch_all($db)
            .await,
            _ => of_those!(@$query($($row)?), $before, "", $after, $filter, $among, $span)
                .fetch_all($db)
                .await,
        }
    };
    (@$query:ident($($row:ident)?), $before:literal, $also:literal, $after:literal, $filter:expr, $among:expr, $span:expr) => {
        sqlx::$query!(
            $($row,)?
            $before + r#"
            FROM peers
            WHERE ($14 <> 'made' OR peers.id > $1)
              AND ($14 <> 'newest' OR $1 = 0 OR peers.id < $1)
              AND ($14 <> 'name' OR $15::text IS NULL OR (name, peers.id) > ($15, $1))
              AND ($14 <> 'name-down' OR $15::text IS NULL OR (name, peers.id) < ($15, $1))
              AND ($3::bigint IS NULL OR network_id = $3)
              AND ($4::bigint IS NULL OR pool_id = $4)
              AND ($5::bigint IS NULL OR peers.id = ANY(ARRAY(
                    SELECT peer_id FROM placements JOIN interfaces ON interfaces.id = interface_id WHERE node_id = $5)))
              AND ($6::bigint IS NULL OR owner_id = $6)
              AND ($7::text IS NULL OR tags @> ARRAY[$7])
              AND ($8::bool IS NULL OR (enabled AND NOT expired AND isolated_at IS NULL) = $8)
              AND ($9::text IS NULL OR name ILIKE $9 OR public_key ILIKE $9 OR notes ILIKE $9
                   OR peers.id = ANY(ARRAY(
                        SELECT id FROM peers WHERE tags @> ARRAY[$11]
                        UNION ALL
                        SELECT peers.id FROM users JOIN peers ON owner_id = users.id WHERE users.name ILIKE $9)))
              AND ($10::inet IS NULL OR peers.id = ANY(ARRAY(
                    SELECT peer_id FROM ip_allocations WHERE address <<= $10 AND peer_id IS NOT NULL)))
              AND ($12::text IS NULL OR CASE $12
                    WHEN 'disabled' THEN NOT enabled
                    WHEN 'expired' THEN expired
                    WHEN 'isolated' THEN isolated_at IS NOT NULL
                    WHEN 'online' THEN true
                    -- OFFSET keeps it by the index of generations: few wait, whatever their number.
                    ELSE peers.id = ANY(ARRAY(
                        SELECT waiting.peer_id FROM interface_sync, LATERAL (
                            SELECT peer_id FROM placements
                            WHERE placements.interface_id = interface_sync.interface_id
                              AND generation > applied_generation OFFSET 0) AS waiting))
                    END)
              AND ($13::bigint[] IS NULL OR peers.id = ANY($13))
            "# + $also + r#"
            -- What does not apply is a constant, and no index is asked for it.
            ORDER BY CASE WHEN $14::text = 'name' THEN name END, CASE WHEN $14 = 'name-down' THEN name END DESC,
                CASE WHEN $14 IN ('newest', 'name-down') THEN peers.id END DESC, peers.id
            LIMIT $2
            "# + $after,
            $span.after,
            $span.limit,
            $filter.network.map(|id| id.0),
            $filter.pool.map(|id| id.0),
            $filter.node.map(|id| id.0),
            $filter.owner.map(|id| id.0),
            $filter.tag.as_deref(),
            $filter.active,
            $filter.text.as_deref().map(db::containing),
            $filter.address,
            $filter.text.as_deref(),
            $filter.standing.map(Standing::as_str),
            $among.as_deref(),
            $filter.order.as_str(),
            $filter.behind.as_deref(),
        )
    };
}

pub async fn list(pool: &PgPool, filter: &Filter, span: Span) -> Result<Vec<Listed>, sqlx::Error> {
    let among = filter.numbers();
    let mut db = planned_anew(pool).await?;
    let rows = of_those!(
        &mut *db,
        query_as(Listed),
        r#"
        SELECT id AS "id: PeerId", network_id AS "network: NetworkId", pool_id AS "pool: PoolId", name, public_key,
            kind, owner_id AS "owner: UserId", (SELECT users.name FROM users WHERE users.id = owner_id) AS owner_name,
            tags, enabled, expired, isolated_at, expires_at,
            ARRAY(SELECT address FROM ip_allocations WHERE peer_id = page.id ORDER BY family(address)) AS "addresses!: Vec<IpNet>",
            ARRAY(SELECT nodes.name FROM placements JOIN interfaces ON interfaces.id = interface_id
                  JOIN nodes ON nodes.id = node_id WHERE peer_id = page.id ORDER BY 1) AS "nodes!",
            seen.handshake_at AS "handshake_at?", coalesce(seen.rx_total, 0) AS "rx_total!",
            coalesce(seen.tx_total, 0) AS "tx_total!", version, created_at
        FROM (
            SELECT *
        "#,
        r#"
        ) AS page
        LEFT JOIN LATERAL (
            SELECT max(handshake_at) AS handshake_at, sum(rx_total)::bigint AS rx_total, sum(tx_total)::bigint AS tx_total
            FROM observations WHERE peer_id = page.id
        ) AS seen ON true
        ORDER BY CASE WHEN $14 = 'name' THEN name END, CASE WHEN $14 = 'name-down' THEN name END DESC,
            CASE WHEN $14 IN ('newest', 'name-down') THEN id END DESC, id
        "#,
        filter,
        among,
        span
    )?;
    db.commit().await?;
    Ok(rows)
}

/// Only who they are.
pub async fn ids(pool: &PgPool, filter: &Filter, span: Span) -> Result<Vec<PeerId>, sqlx::Error> {
    let among = filter.numbers();
    let mut db = planned_anew(pool).await?;
    let ids = of_those!(
        &mut *db,
        query_scalar(),
        r#"SELECT id AS "id: PeerId""#,
        "",
        filter,
        among,
        span
    )?;
    db.commit().await?;
    Ok(ids)
}

async fn planned_anew(pool: &PgPool) -> Result<sqlx::PgTransaction<'static>, sqlx::Error> {
    let mut db = pool.begin().await?;
    sqlx::query!("SET LOCAL plan_cache_mode = force_custom_plan")
        .execute(&mut *db)
        .await?;
    Ok(db)
}
