//! `peer_sessions`: when peers were in touch with nodes. Who signed in is in `sessions`.
//!
//! Rows are locked after those of `observations` and before those of `peers`, here and wherever else both are.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::Span;
use crate::domain::ids::{InterfaceId, NodeId, PeerId, PeerSessionId};
use crate::domain::traffic::Bytes;

/// How many are deleted at once, so that no statement takes long.
const PRUNED_AT_ONCE: i64 = 10_000;

/// So many of a peer's sessions are counted, and no more.
pub const MOST_COUNTED: i64 = 1000;

/// A session that is to begin, unless the peer has an open one on the interface.
#[derive(Debug, Clone)]
pub struct Beginning {
    pub interface: InterfaceId,
    pub peer: PeerId,
    pub key: String,
    pub endpoint: Option<String>,
    pub at: DateTime<Utc>,
    pub totals: Bytes,
}

/// A session that has begun.
#[derive(Debug, Clone)]
pub struct Begun {
    pub id: PeerSessionId,
    pub peer: PeerId,
    pub interface: InterfaceId,
    pub node: NodeId,
    pub endpoint: Option<String>,
    pub connected_at: DateTime<Utc>,
}

/// Begins sessions, none before the one before it ended.
pub async fn begin(db: impl PgExecutor<'_>, all: &[Beginning]) -> Result<Vec<Begun>, sqlx::Error> {
    let interfaces: Vec<i64> = all.iter().map(|one| one.interface.0).collect();
    let peers: Vec<i64> = all.iter().map(|one| one.peer.0).collect();
    let keys: Vec<&str> = all.iter().map(|one| one.key.as_str()).collect();
    let endpoints: Vec<Option<&str>> = all.iter().map(|one| one.endpoint.as_deref()).collect();
    let times: Vec<DateTime<Utc>> = all.iter().map(|one| one.at).collect();
    let rx: Vec<i64> = all.iter().map(|one| one.totals.rx).collect();
    let tx: Vec<i64> = all.iter().map(|one| one.totals.tx).collect();
    sqlx::query_as!(
        Begun,
        r#"
        INSERT INTO peer_sessions (peer_id, interface_id, node_id, node_name, public_key, endpoint, connected_at,
            rx_from, tx_from)
        SELECT given.peer_id, given.interface_id, nodes.id, nodes.name, given.key, given.endpoint,
            greatest(given.at, (
                SELECT disconnected_at FROM peer_sessions AS last
                WHERE last.peer_id = given.peer_id AND last.interface_id = given.interface_id
                ORDER BY last.id DESC LIMIT 1)),
            given.rx, given.tx
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[], $7::bigint[])
            AS given (interface_id, peer_id, key, endpoint, at, rx, tx)
        JOIN interfaces ON interfaces.id = given.interface_id
        JOIN nodes ON nodes.id = interfaces.node_id
        WHERE NOT EXISTS (
            SELECT FROM peer_sessions AS open
            WHERE open.interface_id = given.interface_id AND open.peer_id = given.peer_id
              AND open.disconnected_at IS NULL)
        ORDER BY given.interface_id, given.peer_id
        ON CONFLICT (interface_id, peer_id) WHERE disconnected_at IS NULL DO NOTHING
        RETURNING id AS "id: PeerSessionId", peer_id AS "peer: PeerId", interface_id AS "interface: InterfaceId",
            node_id AS "node: NodeId", endpoint, connected_at
        "#,
        &interfaces,
        &peers,
        &keys as &[&str],
        &endpoints as &[Option<&str>],
        &times,
        &rx,
        &tx,
    )
    .fetch_all(db)
    .await
}

/// Begins the sessions of keys that are in touch already when they become somebody's. They did not come just now:
/// nobody is told so, and bytes are counted from here.
pub async fn begin_of(db: impl PgExecutor<'_>, keys: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO peer_sessions (peer_id, interface_id, node_id, node_name, public_key, endpoint, connected_at,
            rx_from, tx_from)
        SELECT peer_id, interface_id, nodes.id, nodes.name, observations.public_key, endpoint, handshake_at, rx_total,
            tx_total
        FROM observations
        JOIN interfaces ON interfaces.id = interface_id
        JOIN nodes ON nodes.id = node_id
        WHERE observations.public_key = ANY($1) AND peer_id IS NOT NULL AND gone_at IS NULL
          AND handshake_at > now() - interval '185 seconds'
        ORDER BY interface_id, peer_id
        ON CONFLICT (interface_id, peer_id) WHERE disconnected_at IS NULL DO NOTHING
        "#,
        keys,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What ends a peer's session on an interface, if it has an open one with this key.
#[derive(Debug, Clone)]
pub struct Ending {
    pub interface: InterfaceId,
    pub peer: PeerId,
    pub key: String,
    /// The last handshake.
    pub at: DateTime<Utc>,
    pub totals: Bytes,
}

/// A session that has ended.
#[derive(Debug, Clone)]
pub struct Ended {
    pub id: PeerSessionId,
    pub peer: PeerId,
    pub interface: InterfaceId,
    pub node: NodeId,
    pub connected_at: DateTime<Utc>,
    pub disconnected_at: DateTime<Utc>,
    pub rx: i64,
    pub tx: i64,
}

/// Ends sessions of which their observations tell no more what they were.
pub async fn end(db: impl PgExecutor<'_>, all: &[Ending]) -> Result<Vec<Ended>, sqlx::Error> {
    let interfaces: Vec<i64> = all.iter().map(|one| one.interface.0).collect();
    let peers: Vec<i64> = all.iter().map(|one| one.peer.0).collect();
    let keys: Vec<&str> = all.iter().map(|one| one.key.as_str()).collect();
    let times: Vec<DateTime<Utc>> = all.iter().map(|one| one.at).collect();
    let rx: Vec<i64> = all.iter().map(|one| one.totals.rx).collect();
    let tx: Vec<i64> = all.iter().map(|one| one.totals.tx).collect();
    sqlx::query_as!(
        Ended,
        r#"
        UPDATE peer_sessions SET disconnected_at = greatest(connected_at, given.at),
            rx = greatest(given.rx - rx_from, 0), tx = greatest(given.tx - tx_from, 0)
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[], $5::bigint[], $6::bigint[])
            AS given (interface_id, peer_id, key, at, rx, tx)
        WHERE peer_sessions.interface_id = given.interface_id AND peer_sessions.peer_id = given.peer_id
          AND disconnected_at IS NULL AND public_key = given.key
        RETURNING id AS "id: PeerSessionId", peer_sessions.peer_id AS "peer: PeerId",
            peer_sessions.interface_id AS "interface: InterfaceId", node_id AS "node: NodeId", connected_at,
            disconnected_at AS "disconnected_at!", peer_sessions.rx AS "rx!", peer_sessions.tx AS "tx!"
        "#,
        &interfaces,
        &peers,
        &keys as &[&str],
        &times,
        &rx,
        &tx,
    )
    .fetch_all(db)
    .await
}

/// Ends the open sessions of interfaces whose last handshake lies between two moments, the first excluded:
/// (interface, from, until).
pub async fn end_dead(
    db: impl PgExecutor<'_>,
    looks: &[(InterfaceId, DateTime<Utc>, DateTime<Utc>)],
) -> Result<Vec<Ended>, sqlx::Error> {
    let interfaces: Vec<i64> = looks.iter().map(|one| one.0.0).collect();
    let from: Vec<DateTime<Utc>> = looks.iter().map(|one| one.1).collect();
    let until: Vec<DateTime<Utc>> = looks.iter().map(|one| one.2).collect();
    // Few observations are of such an age, and those are all that is looked at beside them.
    sqlx::query_as!(
        Ended,
        r#"
        WITH dead AS MATERIALIZED (
            SELECT seen.interface_id, peer_id, public_key, handshake_at, rx_total, tx_total
            FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS look (interface_id, since, until)
            JOIN observations AS seen ON seen.interface_id = look.interface_id
            WHERE handshake_at > look.since AND handshake_at <= look.until AND peer_id IS NOT NULL
        )
        UPDATE peer_sessions SET disconnected_at = greatest(connected_at, dead.handshake_at),
            rx = greatest(dead.rx_total - rx_from, 0), tx = greatest(dead.tx_total - tx_from, 0)
        FROM dead
        WHERE peer_sessions.interface_id = dead.interface_id AND peer_sessions.peer_id = dead.peer_id
          AND disconnected_at IS NULL AND peer_sessions.public_key = dead.public_key
        RETURNING id AS "id: PeerSessionId", peer_sessions.peer_id AS "peer: PeerId",
            peer_sessions.interface_id AS "interface: InterfaceId", node_id AS "node: NodeId", connected_at,
            disconnected_at AS "disconnected_at!", rx AS "rx!", tx AS "tx!"
        "#,
        &interfaces,
        &from,
        &until,
    )
    .fetch_all(db)
    .await
}

/// Ends all sessions of interfaces that nobody will look at any more, with what was last seen there.
pub async fn abandon(db: &mut PgConnection, interfaces: &[InterfaceId]) -> Result<(), sqlx::Error> {
    let ids: Vec<i64> = interfaces.iter().map(|id| id.0).collect();
    // Who books a look holds these: what it begins is ended here.
    sqlx::query!(
        "SELECT interface_id FROM interface_sync WHERE interface_id = ANY($1) ORDER BY interface_id FOR UPDATE",
        &ids,
    )
    .fetch_all(&mut *db)
    .await?;
    sqlx::query!(
        r#"
        UPDATE peer_sessions SET disconnected_at = greatest(connected_at, seen.handshake_at),
            rx = greatest(seen.rx_total - rx_from, 0), tx = greatest(seen.tx_total - tx_from, 0)
        FROM observations AS seen
        WHERE peer_sessions.interface_id = ANY($1) AND disconnected_at IS NULL
          AND seen.interface_id = peer_sessions.interface_id AND seen.public_key = peer_sessions.public_key
        "#,
        &ids,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets the sessions of peers that are about to be deleted.
pub async fn forget(db: impl PgExecutor<'_>, peers: &[PeerId]) -> Result<(), sqlx::Error> {
    let peers: Vec<i64> = peers.iter().map(|id| id.0).collect();
    sqlx::query!("DELETE FROM peer_sessions WHERE peer_id = ANY($1)", &peers)
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets some of the sessions that ended before `until`.
pub async fn prune(db: impl PgExecutor<'_>, until: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        r#"
        DELETE FROM peer_sessions USING (
            SELECT peer_id, id FROM peer_sessions WHERE disconnected_at < $1
            ORDER BY disconnected_at LIMIT $2
        ) AS old
        WHERE peer_sessions.peer_id = old.peer_id AND peer_sessions.id = old.id
        "#,
        until,
        PRUNED_AT_ONCE,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// A session, for people to look at.
#[derive(Debug, Clone)]
pub struct PeerSession {
    pub id: PeerSessionId,
    pub interface: InterfaceId,
    pub node: NodeId,
    pub node_name: String,
    /// The node was not deleted since.
    pub has_node: bool,
    pub endpoint: Option<String>,
    pub connected_at: DateTime<Utc>,
    pub disconnected_at: Option<DateTime<Utc>>,
    /// Of an open one, what is known of it so far.
    pub rx: Option<i64>,
    pub tx: Option<i64>,
    /// Whether the node answers, and when it last told of its peers.
    pub is_heard: bool,
    pub seen_at: Option<DateTime<Utc>>,
    /// How many the peer has, up to [`MOST_COUNTED`].
    pub count: i64,
}

/// A peer's sessions before one of them, or all; the newest first.
pub async fn list(
    db: impl PgExecutor<'_>,
    peer: PeerId,
    before: Span,
) -> Result<Vec<PeerSession>, sqlx::Error> {
    sqlx::query_as!(
        PeerSession,
        r#"
        SELECT peer_sessions.id AS "id: PeerSessionId", peer_sessions.interface_id AS "interface: InterfaceId",
            peer_sessions.node_id AS "node: NodeId", coalesce(nodes.name, node_name) AS "node_name!",
            nodes.id IS NOT NULL AS "has_node!", peer_sessions.endpoint, connected_at, disconnected_at,
            coalesce(rx, greatest(seen.rx_total - rx_from, 0)) AS rx,
            coalesce(tx, greatest(seen.tx_total - tx_from, 0)) AS tx,
            coalesce(nodes.enabled AND reachability = 'online', false) AS "is_heard!", observed_at AS "seen_at?",
            (SELECT count(*) FROM (SELECT FROM peer_sessions WHERE peer_id = $1 LIMIT $4) AS counted) AS "count!"
        FROM peer_sessions
        LEFT JOIN nodes ON nodes.id = peer_sessions.node_id
        LEFT JOIN node_status ON node_status.node_id = nodes.id
        LEFT JOIN interface_sync ON interface_sync.interface_id = peer_sessions.interface_id
        LEFT JOIN observations AS seen ON disconnected_at IS NULL
            AND seen.interface_id = peer_sessions.interface_id AND seen.public_key = peer_sessions.public_key
        WHERE peer_sessions.peer_id = $1 AND ($2::bigint = 0 OR peer_sessions.id < $2)
        ORDER BY peer_sessions.id DESC LIMIT $3
        "#,
        peer.0,
        before.after,
        before.limit,
        MOST_COUNTED,
    )
    .fetch_all(db)
    .await
}
