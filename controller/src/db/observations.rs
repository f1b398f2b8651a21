//! `observations`: what nodes say about the keys they hold.
//!
//! Rows are locked after those of `interface_sync`, here and wherever else both are.

pub mod evidence;
pub mod of_node;
pub mod unknown;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::domain::ids::{InterfaceId, PeerId};
use crate::domain::traffic::{Bytes, Meter};

/// Says whose these keys are, wherever they have been seen. What was left as it is there is looked at again.
pub async fn claim(
    db: &mut PgConnection,
    keys: &[String],
    peers: &[PeerId],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE interface_sync SET settled_generation = NULL, settled_digest = NULL
        WHERE settled_digest IS NOT NULL
          AND interface_id IN (SELECT interface_id FROM observations WHERE public_key = ANY($1))
        "#,
        keys,
    )
    .execute(&mut *db)
    .await?;
    let peers: Vec<i64> = peers.iter().map(|id| id.0).collect();
    sqlx::query!(
        r#"
        UPDATE observations SET peer_id = given.peer
        FROM unnest($1::text[], $2::bigint[]) AS given (key, peer)
        WHERE public_key = given.key
        "#,
        keys,
        &peers,
    )
    .execute(&mut *db)
    .await?;
    super::peer_sessions::begin_of(db, keys).await
}

/// Makes what was seen of these peers nobody's, before they are deleted. Who books a poll holds these rows and then
/// looks at the peers; whoever takes them the other way round would wait for him for ever.
pub async fn disown(db: impl PgExecutor<'_>, peers: &[PeerId]) -> Result<(), sqlx::Error> {
    let peers: Vec<i64> = peers.iter().map(|id| id.0).collect();
    sqlx::query!(
        "UPDATE observations SET peer_id = NULL WHERE peer_id = ANY($1)",
        &peers,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What was known of a key on an interface.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// False: it was never seen there.
    pub seen: bool,
    /// It left; the row is what remains of it.
    pub gone: bool,
    pub peer: Option<PeerId>,
    pub meter: Meter,
    pub handshake_at: Option<DateTime<Utc>>,
}

/// What is known of these keys, in the order given, with whose they are.
pub async fn before(
    db: impl PgExecutor<'_>,
    keys: &[(InterfaceId, String)],
) -> Result<Vec<Before>, sqlx::Error> {
    let interfaces: Vec<i64> = keys.iter().map(|one| one.0.0).collect();
    let names: Vec<&str> = keys.iter().map(|one| one.1.as_str()).collect();
    let rows = sqlx::query!(
        r#"
        SELECT coalesce(peer_id, (SELECT id FROM peers WHERE peers.public_key = given.key)) AS "peer: PeerId",
            first_at AS "first_at?", gone_at,
            rx_counter AS "rx_counter?", tx_counter AS "tx_counter?", rx_total AS "rx_total?", tx_total AS "tx_total?",
            handshake_at
        FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS given (interface_id, key, n)
        LEFT JOIN observations
            ON observations.interface_id = given.interface_id AND observations.public_key = given.key
        ORDER BY n
        "#,
        &interfaces,
        &names as &[&str],
    )
    .fetch_all(db)
    .await?;
    let bytes = |rx: Option<i64>, tx: Option<i64>| match (rx, tx) {
        (Some(rx), Some(tx)) => Bytes { rx, tx },
        // There is no row: nothing was ever counted.
        _ => Bytes::default(),
    };
    let before = rows.into_iter().map(|row| Before {
        seen: row.first_at.is_some(),
        gone: row.gone_at.is_some(),
        peer: row.peer,
        meter: Meter {
            counters: bytes(row.rx_counter, row.tx_counter),
            totals: bytes(row.rx_total, row.tx_total),
        },
        handshake_at: row.handshake_at,
    });
    Ok(before.collect())
}

/// A key that an interface holds, as it is now.
#[derive(Debug, Clone)]
pub struct Observation {
    pub interface: InterfaceId,
    pub key: String,
    pub peer: Option<PeerId>,
    pub is_foreign: bool,
    pub has_psk: bool,
    /// Prefixes between braces, as Postgres writes an array of them: rows of many lengths make no array of arrays.
    pub allowed_ips: String,
    pub keepalive_s: i32,
    pub endpoint: Option<String>,
    pub handshake_at: Option<DateTime<Utc>>,
    pub meter: Meter,
}

/// Writes what is held now, by rows whose key and interface differ from each other.
pub async fn upsert(
    db: impl PgExecutor<'_>,
    seen: &[Observation],
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let column = Columns::of(seen);
    sqlx::query!(
        r#"
        INSERT INTO observations AS o (interface_id, public_key, peer_id, is_foreign, has_psk, allowed_ips, keepalive_s,
            endpoint, handshake_at, rx_counter, tx_counter, rx_total, tx_total, first_at, changed_at)
        SELECT interface_id, key, peer_id, is_foreign, has_psk, ips::cidr[], keepalive_s, endpoint, handshake_at,
            rx_counter, tx_counter, rx_total, tx_total, $14, $14
        FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bool[], $5::bool[], $6::text[], $7::int[], $8::text[],
                    $9::timestamptz[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
            AS given (interface_id, key, peer_id, is_foreign, has_psk, ips, keepalive_s, endpoint, handshake_at,
                      rx_counter, tx_counter, rx_total, tx_total)
        ON CONFLICT (interface_id, public_key) DO UPDATE SET
            peer_id = excluded.peer_id, is_foreign = excluded.is_foreign, has_psk = excluded.has_psk,
            allowed_ips = excluded.allowed_ips, keepalive_s = excluded.keepalive_s, endpoint = excluded.endpoint,
            handshake_at = excluded.handshake_at, rx_counter = excluded.rx_counter,
            tx_counter = excluded.tx_counter, rx_total = excluded.rx_total, tx_total = excluded.tx_total,
            changed_at = excluded.changed_at, gone_at = NULL
        WHERE o.rx_counter <> excluded.rx_counter OR o.tx_counter <> excluded.tx_counter
            OR o.handshake_at IS DISTINCT FROM excluded.handshake_at OR o.endpoint IS DISTINCT FROM excluded.endpoint
            OR o.gone_at IS NOT NULL OR o.peer_id IS DISTINCT FROM excluded.peer_id
            OR o.is_foreign <> excluded.is_foreign OR o.has_psk <> excluded.has_psk
            OR o.keepalive_s <> excluded.keepalive_s OR o.allowed_ips <> excluded.allowed_ips
            OR o.rx_total <> excluded.rx_total OR o.tx_total <> excluded.tx_total
        "#,
        &column.interface,
        &column.key as &[&str],
        &column.peer as &[Option<i64>],
        &column.is_foreign,
        &column.has_psk,
        &column.allowed_ips as &[&str],
        &column.keepalive_s,
        &column.endpoint as &[Option<&str>],
        &column.handshake_at as &[Option<DateTime<Utc>>],
        &column.rx_counter,
        &column.tx_counter,
        &column.rx_total,
        &column.tx_total,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A peer's key that an interface holds no more, as it was last seen there.
#[derive(Debug, Clone)]
pub struct Gone {
    pub interface: InterfaceId,
    pub key: String,
    pub peer: Option<PeerId>,
    pub handshake_at: Option<DateTime<Utc>>,
    pub rx_total: i64,
    pub tx_total: i64,
}

/// Notes that these keys left, and tells which of them were there.
pub async fn left(
    db: impl PgExecutor<'_>,
    keys: &[(InterfaceId, String)],
    now: DateTime<Utc>,
) -> Result<Vec<Gone>, sqlx::Error> {
    let interfaces: Vec<i64> = keys.iter().map(|one| one.0.0).collect();
    let names: Vec<&str> = keys.iter().map(|one| one.1.as_str()).collect();
    sqlx::query_as!(
        Gone,
        r#"
        UPDATE observations SET gone_at = $3
        FROM unnest($1::bigint[], $2::text[]) AS given (interface_id, key)
        WHERE observations.interface_id = given.interface_id AND public_key = given.key AND gone_at IS NULL
        RETURNING observations.interface_id AS "interface: InterfaceId", public_key AS key, peer_id AS "peer: PeerId",
            handshake_at, rx_total, tx_total
        "#,
        &interfaces,
        &names as &[&str],
        now,
    )
    .fetch_all(db)
    .await
}

/// Notes that all keys but these left an interface, and tells which.
pub async fn left_but(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
    keys: &[&str],
    now: DateTime<Utc>,
) -> Result<Vec<Gone>, sqlx::Error> {
    sqlx::query_as!(
        Gone,
        r#"
        UPDATE observations SET gone_at = $3
        WHERE interface_id = $1 AND gone_at IS NULL
          AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS given (key) WHERE given.key = public_key)
        RETURNING interface_id AS "interface: InterfaceId", public_key AS key, peer_id AS "peer: PeerId", handshake_at,
            rx_total, tx_total
        "#,
        interface.0,
        keys as &[&str],
        now,
    )
    .fetch_all(db)
    .await
}

/// Observations, column by column.
#[derive(Default)]
struct Columns<'a> {
    interface: Vec<i64>,
    key: Vec<&'a str>,
    peer: Vec<Option<i64>>,
    is_foreign: Vec<bool>,
    has_psk: Vec<bool>,
    allowed_ips: Vec<&'a str>,
    keepalive_s: Vec<i32>,
    endpoint: Vec<Option<&'a str>>,
    handshake_at: Vec<Option<DateTime<Utc>>>,
    rx_counter: Vec<i64>,
    tx_counter: Vec<i64>,
    rx_total: Vec<i64>,
    tx_total: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(seen: &'a [Observation]) -> Self {
        let mut columns = Self::default();
        for one in seen {
            columns.interface.push(one.interface.0);
            columns.key.push(&one.key);
            columns.peer.push(one.peer.map(|id| id.0));
            columns.is_foreign.push(one.is_foreign);
            columns.has_psk.push(one.has_psk);
            columns.allowed_ips.push(&one.allowed_ips);
            columns.keepalive_s.push(one.keepalive_s);
            columns.endpoint.push(one.endpoint.as_deref());
            columns.handshake_at.push(one.handshake_at);
            columns.rx_counter.push(one.meter.counters.rx);
            columns.tx_counter.push(one.meter.counters.tx);
            columns.rx_total.push(one.meter.totals.rx);
            columns.tx_total.push(one.meter.totals.tx);
        }
        columns
    }
}
