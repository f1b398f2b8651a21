//! What was seen of all keys of a node together, for people to look at.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::{InterfaceId, NodeId, PeerId};

/// So many peers of a node whose last handshake is about as old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeGroup {
    /// How many of the ends that were asked for lie behind their ages. None: they never had a handshake.
    pub class: Option<i32>,
    pub peers: i64,
}

/// Sorts the peers that a node holds by the age of their last handshake, into classes that end at these seconds.
pub async fn ages(
    db: impl PgExecutor<'_>,
    node: NodeId,
    now: DateTime<Utc>,
    ends_s: &[f64],
) -> Result<Vec<AgeGroup>, sqlx::Error> {
    sqlx::query_as!(
        AgeGroup,
        r#"
        SELECT width_bucket(extract(epoch FROM $2::timestamptz - handshake_at)::float8, $3::float8[]) AS class,
            count(*) AS "peers!"
        FROM interfaces JOIN observations ON interface_id = interfaces.id
        WHERE node_id = $1 AND peer_id IS NOT NULL AND gone_at IS NULL
        GROUP BY 1
        "#,
        node.0,
        now,
        ends_s,
    )
    .fetch_all(db)
    .await
}

/// A key that an interface holds and nobody asked for.
#[derive(Debug, Clone)]
pub struct Stranger {
    pub interface: InterfaceId,
    pub public_key: String,
    pub has_psk: bool,
    pub allowed_ips: Vec<IpNet>,
    pub keepalive_s: i32,
    pub endpoint: Option<String>,
    pub handshake_at: Option<DateTime<Utc>>,
    pub first_at: DateTime<Utc>,
}

/// The keys on a node that nobody asked for, interface by interface.
pub async fn strangers(
    db: impl PgExecutor<'_>,
    node: NodeId,
    limit: i64,
) -> Result<Vec<Stranger>, sqlx::Error> {
    sqlx::query_as!(
        Stranger,
        r#"
        SELECT interface_id AS "interface: InterfaceId", observations.public_key, has_psk,
            allowed_ips AS "allowed_ips: Vec<IpNet>", keepalive_s, endpoint, handshake_at, first_at
        FROM interfaces JOIN observations ON interface_id = interfaces.id
        WHERE node_id = $1 AND peer_id IS NULL AND gone_at IS NULL
        ORDER BY interface_id, first_at, observations.public_key LIMIT $2
        "#,
        node.0,
        limit,
    )
    .fetch_all(db)
    .await
}

/// A peer of a node, with what went through it lately.
#[derive(Debug, Clone)]
pub struct Busy {
    pub id: PeerId,
    pub name: String,
    pub addresses: Vec<IpNet>,
    pub handshake_at: Option<DateTime<Utc>>,
    /// Bytes both ways in the span of the newest sample. None: it has none.
    pub bytes: Option<i64>,
}

/// The busiest peers of a node by their samples since a moment, then those that were heard last.
pub async fn busiest(
    db: impl PgExecutor<'_>,
    node: NodeId,
    since: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Busy>, sqlx::Error> {
    sqlx::query_as!(
        Busy,
        r#"
        SELECT page.id AS "id!: PeerId", page.name AS "name!",
            ARRAY(SELECT address FROM ip_allocations WHERE peer_id = page.id ORDER BY family(address))
                AS "addresses!: Vec<IpNet>",
            handshake_at, bytes
        FROM (
            SELECT peers.id, peers.name, observations.handshake_at, lately.bytes
            FROM interfaces
            JOIN placements ON placements.interface_id = interfaces.id
            JOIN peers ON peers.id = placements.peer_id
            LEFT JOIN observations ON observations.interface_id = interfaces.id
                AND observations.public_key = peers.public_key AND gone_at IS NULL
            LEFT JOIN LATERAL (
                SELECT rx + tx AS bytes FROM samples_minute
                WHERE peer_id = peers.id AND at >= $2 AND interface_id = interfaces.id ORDER BY at DESC LIMIT 1
            ) AS lately ON true
            WHERE node_id = $1
            ORDER BY lately.bytes DESC NULLS LAST, observations.handshake_at DESC NULLS LAST, peers.id LIMIT $3
        ) AS page
        ORDER BY bytes DESC NULLS LAST, handshake_at DESC NULLS LAST, page.id
        "#,
        node.0,
        since,
        limit,
    )
    .fetch_all(db)
    .await
}
