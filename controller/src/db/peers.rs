//! `peers` and `peer_routes`.

pub mod bulk;
pub mod choices;
pub mod homes;
pub mod listing;
pub mod named;
pub mod numbered;
pub mod routes;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::{PgConnection, PgExecutor};

use crate::domain::ids::{NetworkId, PeerId, PoolId, UserId};
use crate::domain::peer::{NewPeer, PeerChanges};

/// A peer's own row, without what was observed of it.
#[derive(Debug, Clone)]
pub struct Peer {
    pub id: PeerId,
    pub network: NetworkId,
    pub pool: Option<PoolId>,
    pub name: String,
    pub public_key: String,
    pub kind: String,
    pub owner: Option<UserId>,
    pub tags: Vec<String>,
    pub notes: String,
    pub keepalive_s: Option<i32>,
    pub enabled: bool,
    pub expired: bool,
    pub isolated_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub addresses: Vec<IpNet>,
    pub routes: Vec<IpNet>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("a peer with this name exists in the network")]
    NameTaken,
    #[error("a peer with this public key exists")]
    KeyTaken,
    #[error("no such owner")]
    NoOwner,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

/// Adds many peers in one statement and tells their ids in the order given.
pub async fn insert(db: impl PgExecutor<'_>, peers: &[NewPeer]) -> Result<Vec<PeerId>, WriteError> {
    let column = |of: fn(&NewPeer) -> String| -> Vec<String> { peers.iter().map(of).collect() };
    let networks: Vec<i64> = peers.iter().map(|peer| peer.network.0).collect();
    let pools: Vec<Option<i64>> = peers.iter().map(|peer| peer.pool.map(|id| id.0)).collect();
    let owners: Vec<Option<i64>> = peers.iter().map(|peer| peer.owner.map(|id| id.0)).collect();
    let keepalives: Vec<Option<i32>> = peers
        .iter()
        .map(|peer| peer.keepalive_s.map(i32::from))
        .collect();
    let enabled: Vec<bool> = peers.iter().map(|peer| peer.enabled).collect();
    let expiries: Vec<Option<DateTime<Utc>>> = peers.iter().map(|peer| peer.expires_at).collect();
    // Arrays of arrays have one length in Postgres: tags travel as JSON.
    let tags: Vec<serde_json::Value> = peers.iter().map(|peer| peer.tags.clone().into()).collect();
    let rows = sqlx::query!(
        r#"
        WITH given AS (
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[],
                $7::jsonb[], $8::text[], $9::int[], $10::bool[], $11::timestamptz[])
            WITH ORDINALITY AS given (network, pool, name, key, kind, owner, tags, notes, keepalive, enabled, expiry, n)
        ),
        added AS (
            INSERT INTO peers (network_id, pool_id, name, public_key, kind, owner_id, tags, notes, keepalive_s,
                               enabled, expires_at)
            SELECT network, pool, name, key, kind, owner, ARRAY(SELECT jsonb_array_elements_text(tags)), notes,
                   keepalive, enabled, expiry
            FROM given ORDER BY n
            RETURNING id, public_key
        )
        SELECT added.id AS "id!: PeerId" FROM added JOIN given ON given.key = added.public_key ORDER BY given.n
        "#,
        &networks,
        &pools as &[Option<i64>],
        &column(|peer| peer.name.to_string()),
        &column(|peer| peer.public_key.to_string()),
        &column(|peer| peer.kind.as_str().to_owned()),
        &owners as &[Option<i64>],
        &tags,
        &column(|peer| peer.notes.clone()),
        &keepalives as &[Option<i32>],
        &enabled,
        &expiries as &[Option<DateTime<Utc>>],
    )
    .fetch_all(db)
    .await
    .map_err(refused)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Which of these names and keys are taken already, as (name in its network, key).
pub async fn taken(
    db: impl PgExecutor<'_>,
    peers: &[NewPeer],
) -> Result<Vec<(NetworkId, String, String)>, sqlx::Error> {
    let networks: Vec<i64> = peers.iter().map(|peer| peer.network.0).collect();
    let names: Vec<String> = peers.iter().map(|peer| peer.name.to_string()).collect();
    let keys: Vec<String> = peers
        .iter()
        .map(|peer| peer.public_key.to_string())
        .collect();
    let rows = sqlx::query!(
        r#"
        SELECT network_id AS "network!: NetworkId", name AS "name!", public_key AS "public_key!" FROM peers
        WHERE public_key = ANY($3)
        -- Not OR, for which no index serves.
        UNION ALL
        SELECT peers.network_id, peers.name, public_key
        FROM unnest($1::bigint[], $2::text[]) AS given (network_id, name)
        JOIN peers ON peers.network_id = given.network_id AND peers.name = given.name
        "#,
        &networks,
        &names,
        &keys,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.network, row.name, row.public_key))
        .collect())
}

/// Reads a peer and holds its row until the transaction ends.
pub async fn lock(db: &mut PgConnection, id: PeerId) -> Result<Option<Peer>, sqlx::Error> {
    let held = sqlx::query_scalar!("SELECT id FROM peers WHERE id = $1 FOR NO KEY UPDATE", id.0)
        .fetch_optional(&mut *db)
        .await?;
    match held {
        Some(_) => find(db, id).await,
        None => Ok(None),
    }
}

pub async fn find(db: impl PgExecutor<'_>, id: PeerId) -> Result<Option<Peer>, sqlx::Error> {
    let found = find_all(db, &[id]).await?;
    Ok(found.into_iter().next())
}

pub async fn find_all(db: impl PgExecutor<'_>, ids: &[PeerId]) -> Result<Vec<Peer>, sqlx::Error> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Peer,
        r#"
        SELECT id AS "id: PeerId", network_id AS "network: NetworkId", pool_id AS "pool: PoolId", name, public_key,
            kind, owner_id AS "owner: UserId", tags, notes, keepalive_s, enabled, expired, isolated_at, expires_at,
            ARRAY(SELECT address FROM ip_allocations WHERE peer_id = peers.id ORDER BY family(address)) AS "addresses!: Vec<IpNet>",
            ARRAY(SELECT prefix FROM peer_routes WHERE peer_id = peers.id ORDER BY prefix) AS "routes!: Vec<IpNet>",
            version, created_at, updated_at
        FROM peers WHERE id = ANY($1) ORDER BY id
        "#,
        &ids,
    )
    .fetch_all(db)
    .await
}

/// Replaces what is given and counts the version up.
pub async fn update(
    db: impl PgExecutor<'_>,
    id: PeerId,
    changes: &PeerChanges,
) -> Result<(), WriteError> {
    sqlx::query!(
        r#"
        UPDATE peers SET
            name = coalesce($2, name),
            public_key = coalesce($3, public_key),
            owner_id = CASE WHEN $4 THEN $5 ELSE owner_id END,
            tags = coalesce($6, tags),
            notes = coalesce($7, notes),
            keepalive_s = CASE WHEN $8 THEN $9 ELSE keepalive_s END,
            enabled = coalesce($10, enabled),
            expires_at = CASE WHEN $11 THEN $12 ELSE expires_at END,
            expired = CASE WHEN $11 THEN coalesce($12 <= now(), false) ELSE expired END,
            version = version + 1,
            updated_at = now()
        WHERE id = $1
        "#,
        id.0,
        changes.name.as_ref().map(|name| name.as_str()),
        changes.public_key.map(|key| key.to_string()),
        changes.owner.is_some(),
        changes.owner.flatten().map(|owner| owner.0),
        changes.tags.as_deref(),
        changes.notes.as_deref(),
        changes.keepalive_s.is_some(),
        changes.keepalive_s.flatten().map(i32::from),
        changes.enabled,
        changes.expires_at.is_some(),
        changes.expires_at.flatten(),
    )
    .execute(db)
    .await
    .map(|_| ())
    .map_err(refused)
}

pub async fn set_isolated(
    db: impl PgExecutor<'_>,
    id: PeerId,
    at: Option<DateTime<Utc>>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE peers SET isolated_at = $2, version = version + 1, updated_at = now() WHERE id = $1",
        id.0,
        at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Marks the peers whose time has come, and tells which.
pub async fn expire(db: impl PgExecutor<'_>, limit: i64) -> Result<Vec<PeerId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        UPDATE peers SET expired = true, version = version + 1, updated_at = now()
        WHERE id IN (SELECT id FROM peers WHERE expires_at <= now() AND NOT expired
                     ORDER BY id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING id AS "id: PeerId"
        "#,
        limit,
    )
    .fetch_all(db)
    .await
}

pub async fn delete(db: impl PgExecutor<'_>, ids: &[PeerId]) -> Result<(), sqlx::Error> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    sqlx::query!("DELETE FROM peers WHERE id = ANY($1)", &ids)
        .execute(db)
        .await?;
    Ok(())
}

#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    #[error("overlaps a route of another peer in the network")]
    Overlap,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

/// Adds routes, as (peer, its network, prefix).
pub async fn add_routes(
    db: impl PgExecutor<'_>,
    routes: &[(PeerId, NetworkId, IpNet)],
) -> Result<(), RouteError> {
    let peers: Vec<i64> = routes.iter().map(|route| route.0.0).collect();
    let networks: Vec<i64> = routes.iter().map(|route| route.1.0).collect();
    let prefixes: Vec<IpNet> = routes.iter().map(|route| route.2).collect();
    sqlx::query!(
        r#"
        INSERT INTO peer_routes (peer_id, network_id, prefix)
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::cidr[])
        "#,
        &peers,
        &networks,
        &prefixes as &[IpNet],
    )
    .execute(db)
    .await
    .map(|_| ())
    .map_err(|err| match super::violated(&err) {
        Some("peer_routes_no_overlap" | "peer_routes_pkey") => RouteError::Overlap,
        _ => RouteError::Db(err),
    })
}

pub async fn remove_routes(db: impl PgExecutor<'_>, id: PeerId) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM peer_routes WHERE peer_id = $1", id.0)
        .execute(db)
        .await?;
    Ok(())
}

fn refused(err: sqlx::Error) -> WriteError {
    match super::violated(&err) {
        Some("peers_name_key") => WriteError::NameTaken,
        Some("peers_public_key_key") => WriteError::KeyTaken,
        Some("peers_owner") => WriteError::NoOwner,
        _ => WriteError::Db(err),
    }
}

/// Keys that the database knows.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub peers: Vec<String>,
    pub retired: Vec<String>,
}

/// Which of these keys belong to peers, and which to peers that gave them up.
pub async fn known(db: impl PgExecutor<'_>, keys: &[String]) -> Result<Known, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT public_key AS "key!", true AS "is_peer!" FROM peers WHERE public_key = ANY($1)
        UNION ALL
        SELECT public_key, false FROM retired_keys WHERE public_key = ANY($1)
        "#,
        keys,
    )
    .fetch_all(db)
    .await?;
    let (peers, retired): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.is_peer);
    Ok(Known {
        peers: peers.into_iter().map(|row| row.key).collect(),
        retired: retired.into_iter().map(|row| row.key).collect(),
    })
}
