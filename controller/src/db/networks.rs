//! `networks`.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::{PgConnection, PgExecutor};

use super::Span;
use crate::domain::ids::{InterfaceId, NetworkId};
use crate::domain::network::{Changes, NewNetwork};
use crate::domain::reference::Reference;

#[derive(Debug, Clone)]
pub struct Network {
    pub id: NetworkId,
    pub name: String,
    pub domain_suffix: String,
    pub dns: Vec<IpNet>,
    pub mtu: Option<i32>,
    pub keepalive_s: i32,
    /// One or two, IPv4 first.
    pub prefixes: Vec<IpNet>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// How much a network holds. Counting takes longer the more there is, so it is not part of every look at one.
#[derive(Debug, Clone, Copy)]
pub struct Holding {
    pub network: NetworkId,
    pub peers: i64,
    pub interfaces: i64,
}

impl Holding {
    pub fn nothing(network: NetworkId) -> Self {
        Self {
            network,
            peers: 0,
            interfaces: 0,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    #[error("a network with this name exists")]
    NameTaken,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    #[error("interfaces or peers belong to it")]
    InUse,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

pub async fn insert(
    db: impl PgExecutor<'_>,
    network: &NewNetwork,
) -> Result<NetworkId, InsertError> {
    let dns: Vec<IpNet> = network.dns.iter().copied().map(IpNet::from).collect();
    sqlx::query_scalar!(
        r#"
        INSERT INTO networks (name, domain_suffix, dns, mtu, keepalive_s)
        VALUES ($1, $2, $3, $4, $5)
        RETURNING id AS "id: NetworkId"
        "#,
        network.name.as_str(),
        network.domain_suffix.as_str(),
        &dns,
        network.mtu.map(i32::from),
        i32::from(network.keepalive_s),
    )
    .fetch_one(db)
    .await
    .map_err(name_taken)
}

pub async fn find(db: impl PgExecutor<'_>, id: NetworkId) -> Result<Option<Network>, sqlx::Error> {
    sqlx::query_as!(
        Network,
        r#"
        SELECT id AS "id: NetworkId", name, domain_suffix, dns AS "dns: Vec<IpNet>", mtu, keepalive_s,
            ARRAY(SELECT prefix FROM address_ranges
                  WHERE network_id = networks.id AND interface_id IS NULL ORDER BY family(prefix)) AS "prefixes!: Vec<IpNet>",
            version, created_at, updated_at
        FROM networks WHERE id = $1
        "#,
        id.0,
    )
    .fetch_optional(db)
    .await
}

pub async fn list(db: impl PgExecutor<'_>, span: Span) -> Result<Vec<Network>, sqlx::Error> {
    sqlx::query_as!(
        Network,
        r#"
        SELECT id AS "id: NetworkId", name, domain_suffix, dns AS "dns: Vec<IpNet>", mtu, keepalive_s,
            ARRAY(SELECT prefix FROM address_ranges
                  WHERE network_id = networks.id AND interface_id IS NULL ORDER BY family(prefix)) AS "prefixes!: Vec<IpNet>",
            version, created_at, updated_at
        FROM networks WHERE id > $1 ORDER BY id LIMIT $2
        "#,
        span.after,
        span.limit,
    )
    .fetch_all(db)
    .await
}

pub async fn holdings(
    db: impl PgExecutor<'_>,
    networks: &[NetworkId],
) -> Result<Vec<Holding>, sqlx::Error> {
    let ids: Vec<i64> = networks.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Holding,
        r#"
        SELECT id AS "network: NetworkId",
            (SELECT count(*) FROM peers WHERE network_id = networks.id) AS "peers!",
            (SELECT count(*) FROM interfaces WHERE network_id = networks.id) AS "interfaces!"
        FROM networks WHERE id = ANY($1) ORDER BY id
        "#,
        &ids,
    )
    .fetch_all(db)
    .await
}

pub async fn resolve(
    db: impl PgExecutor<'_>,
    network: &Reference,
) -> Result<Option<NetworkId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT id AS "id: NetworkId" FROM networks WHERE id = $1 OR name = $2"#,
        network.id(),
        network.name(),
    )
    .fetch_optional(db)
    .await
}

/// Those that hold peers and that no enabled node would serve without these interfaces, by name.
pub async fn served_last_by(
    db: impl PgExecutor<'_>,
    interfaces: &[InterfaceId],
) -> Result<Vec<String>, sqlx::Error> {
    let ids: Vec<i64> = interfaces.iter().map(|id| id.0).collect();
    sqlx::query_scalar!(
        r#"
        SELECT name FROM networks
        WHERE id IN (SELECT network_id FROM interfaces WHERE id = ANY($1))
            AND EXISTS (SELECT FROM peers WHERE network_id = networks.id)
            AND NOT EXISTS (
                SELECT FROM interfaces JOIN nodes ON nodes.id = node_id
                WHERE network_id = networks.id AND enabled AND interfaces.id <> ALL($1)
            )
        ORDER BY name
        "#,
        &ids,
    )
    .fetch_all(db)
    .await
}

/// Takes the locks of several networks, in the order in which they are always taken. As [`lock`] does.
pub async fn lock_all(db: impl PgExecutor<'_>, ids: &[NetworkId]) -> Result<(), sqlx::Error> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    sqlx::query!(
        "SELECT id FROM networks WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
        &ids
    )
    .fetch_all(db)
    .await
    .map(|_| ())
}

/// Takes the lock under which addresses of a network are given out, and tells whether it exists.
///
/// Not FOR UPDATE: an interface that is written twice in one transaction has its network looked up by its foreign key
/// once more, and who takes peers off it, and holds no network, would wait for whoever holds this and waits for the
/// interface.
pub async fn lock(db: &mut PgConnection, id: NetworkId) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "SELECT id FROM networks WHERE id = $1 FOR NO KEY UPDATE",
        id.0
    )
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

/// Replaces what is given and counts the version up.
pub async fn update(
    db: impl PgExecutor<'_>,
    id: NetworkId,
    changes: &Changes,
) -> Result<(), InsertError> {
    let dns: Option<Vec<IpNet>> = changes
        .dns
        .as_ref()
        .map(|dns| dns.iter().copied().map(IpNet::from).collect());
    sqlx::query!(
        r#"
        UPDATE networks SET
            name = coalesce($2, name),
            domain_suffix = coalesce($3, domain_suffix),
            dns = coalesce($4, dns),
            mtu = CASE WHEN $5 THEN $6 ELSE mtu END,
            keepalive_s = coalesce($7, keepalive_s),
            version = version + 1,
            updated_at = now()
        WHERE id = $1
        "#,
        id.0,
        changes.name.as_ref().map(|name| name.as_str()),
        changes.domain_suffix.as_ref().map(|name| name.as_str()),
        dns.as_deref(),
        changes.mtu.is_some(),
        changes.mtu.flatten().map(i32::from),
        changes.keepalive_s.map(i32::from),
    )
    .execute(db)
    .await
    .map(|_| ())
    .map_err(name_taken)
}

pub async fn delete(db: impl PgExecutor<'_>, id: NetworkId) -> Result<(), DeleteError> {
    sqlx::query!("DELETE FROM networks WHERE id = $1", id.0)
        .execute(db)
        .await
        .map(|_| ())
        .map_err(|err| match super::violated(&err) {
            Some("interfaces_network" | "peers_network") => DeleteError::InUse,
            _ => DeleteError::Db(err),
        })
}

fn name_taken(err: sqlx::Error) -> InsertError {
    match super::violated(&err) {
        Some("networks_name_key") => InsertError::NameTaken,
        _ => InsertError::Db(err),
    }
}
