//! `interfaces` and how far they are (`interface_sync`).

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::{PgConnection, PgExecutor};

use super::Span;
use crate::domain::ids::{InterfaceId, NetworkId, NodeId, PoolId};
use crate::domain::interface::{Changes, NewInterface};

/// An interface: what people said of it, what it should hold, and what was last seen of it.
#[derive(Debug, Clone)]
pub struct Interface {
    pub id: InterfaceId,
    pub node_id: NodeId,
    pub node_name: String,
    pub node_enabled: bool,
    pub network_id: NetworkId,
    pub network_name: String,
    pub name: String,
    pub endpoint_host: String,
    pub endpoint_port: i32,
    pub drift_policy: String,
    pub public_key: Option<String>,
    /// Its key before a change that nobody has acknowledged yet, and when that was seen.
    pub former_public_key: Option<String>,
    pub key_changed_at: Option<DateTime<Utc>>,
    /// One or none of each family, IPv4 first.
    pub ip_pools: Vec<IpNet>,
    /// Its own addresses, likewise.
    pub addresses: Vec<IpNet>,
    /// How many placements it holds.
    pub peers: i32,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub desired_generation: i64,
    pub desired_at: DateTime<Utc>,
    pub applied_generation: i64,
    pub applied_at: Option<DateTime<Utc>>,
    pub attempts: i32,
    pub problem: Option<String>,
    pub problem_text: Option<String>,
    pub problem_at: Option<DateTime<Utc>>,
    pub link: Option<String>,
    pub observed_generation: Option<i64>,
    pub observed_digest: Option<String>,
    pub observed_peers: Option<i32>,
    pub observed_at: Option<DateTime<Utc>>,
    pub unknown_peers: i32,
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the node has an interface with this name")]
    NameTaken,
    #[error("the node is gone")]
    NoNode,
    #[error("the network is gone")]
    NoNetwork,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    #[error("peers are placed on it")]
    InUse,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

macro_rules! select {
    ($rest:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Interface,
            r#"
            SELECT interfaces.id AS "id: InterfaceId", interfaces.node_id AS "node_id: NodeId",
                nodes.name AS node_name, nodes.enabled AS node_enabled, interfaces.network_id AS "network_id: NetworkId",
                networks.name AS network_name, interfaces.name, endpoint_host, endpoint_port, drift_policy, public_key,
                former_public_key, key_changed_at,
                ARRAY(SELECT prefix FROM address_ranges
                      WHERE interface_id = interfaces.id ORDER BY family(prefix)) AS "ip_pools!: Vec<IpNet>",
                ARRAY(SELECT address FROM ip_allocations
                      WHERE interface_id = interfaces.id ORDER BY address) AS "addresses!: Vec<IpNet>",
                placed AS peers, interfaces.version, interfaces.created_at, interfaces.updated_at,
                desired_generation, desired_at, applied_generation, applied_at, attempts, problem, problem_text,
                problem_at, link, observed_generation, observed_digest, observed_peers, observed_at, unknown_peers
            FROM interfaces
                JOIN interface_sync ON interface_sync.interface_id = interfaces.id
                JOIN nodes ON nodes.id = interfaces.node_id
                JOIN networks ON networks.id = interfaces.network_id
            "# + $rest
            $(, $argument)*
        )
    };
}

pub async fn find(
    db: impl PgExecutor<'_>,
    id: InterfaceId,
) -> Result<Option<Interface>, sqlx::Error> {
    select!("WHERE interfaces.id = $1", id.0)
        .fetch_optional(db)
        .await
}

/// Those of one node, or of one network, or of both at once; none is any.
pub async fn list(
    db: impl PgExecutor<'_>,
    node: Option<NodeId>,
    network: Option<NetworkId>,
    pool: Option<PoolId>,
    span: Span,
) -> Result<Vec<Interface>, sqlx::Error> {
    select!(
        r#"
        WHERE interfaces.id > $1
            AND ($3::bigint IS NULL OR interfaces.node_id = $3)
            AND ($4::bigint IS NULL OR interfaces.network_id = $4)
            AND ($5::bigint IS NULL OR EXISTS (
                SELECT FROM pool_members WHERE pool_members.node_id = interfaces.node_id AND pool_id = $5))
        ORDER BY interfaces.id LIMIT $2
        "#,
        span.after,
        span.limit,
        node.map(|id| id.0),
        network.map(|id| id.0),
        pool.map(|id| id.0),
    )
    .fetch_all(db)
    .await
}

/// All of these nodes, node by node.
pub async fn of_nodes(
    db: impl PgExecutor<'_>,
    nodes: &[NodeId],
) -> Result<Vec<Interface>, sqlx::Error> {
    let ids: Vec<i64> = nodes.iter().map(|id| id.0).collect();
    select!(
        "WHERE interfaces.node_id = ANY($1) ORDER BY interfaces.node_id, interfaces.id",
        &ids
    )
    .fetch_all(db)
    .await
}

/// Adds an interface that holds nothing and of which nothing was seen.
pub async fn insert(
    db: &mut PgConnection,
    node: NodeId,
    network: NetworkId,
    interface: &NewInterface,
) -> Result<InterfaceId, WriteError> {
    let id = sqlx::query_scalar!(
        r#"
        INSERT INTO interfaces (node_id, network_id, name, endpoint_host, endpoint_port, drift_policy)
        VALUES ($1, $2, $3, $4, $5, $6)
        RETURNING id AS "id: InterfaceId"
        "#,
        node.0,
        network.0,
        interface.name.as_str(),
        interface.endpoint.host().to_string(),
        i32::from(interface.endpoint.port()),
        interface.drift_policy.as_str(),
    )
    .fetch_one(&mut *db)
    .await
    .map_err(refused)?;
    sqlx::query!(
        "INSERT INTO interface_sync (interface_id) VALUES ($1)",
        id.0
    )
    .execute(db)
    .await
    .map_err(WriteError::Db)?;
    Ok(id)
}

/// Replaces what is given and counts the version up. Pools and addresses are kept elsewhere.
pub async fn update(
    db: impl PgExecutor<'_>,
    id: InterfaceId,
    network: NetworkId,
    changes: &Changes,
) -> Result<(), WriteError> {
    sqlx::query!(
        r#"
        UPDATE interfaces SET
            network_id = $2,
            name = coalesce($3, name),
            endpoint_host = coalesce($4, endpoint_host),
            endpoint_port = coalesce($5, endpoint_port),
            drift_policy = coalesce($6, drift_policy),
            version = version + 1,
            updated_at = now()
        WHERE id = $1
        "#,
        id.0,
        network.0,
        changes.name.as_ref().map(|name| name.as_str()),
        changes
            .endpoint
            .as_ref()
            .map(|endpoint| endpoint.host().to_string()),
        changes
            .endpoint
            .as_ref()
            .map(|endpoint| i32::from(endpoint.port())),
        changes.drift_policy.map(|policy| policy.as_str()),
    )
    .execute(db)
    .await
    .map(|_| ())
    .map_err(refused)
}

/// Forgets what was learned of the device that an interface was.
pub async fn forget(db: &mut PgConnection, id: InterfaceId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE interfaces SET public_key = NULL, former_public_key = NULL, key_changed_at = NULL WHERE id = $1",
        id.0
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("DELETE FROM interface_sync WHERE interface_id = $1", id.0)
        .execute(&mut *db)
        .await?;
    sqlx::query!("DELETE FROM observations WHERE interface_id = $1", id.0)
        .execute(&mut *db)
        .await?;
    sqlx::query!(
        "INSERT INTO interface_sync (interface_id) VALUES ($1)",
        id.0
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes the lock under which peers are placed on an interface.
pub async fn lock(db: impl PgExecutor<'_>, id: InterfaceId) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT id FROM interfaces WHERE id = $1 FOR UPDATE", id.0)
        .fetch_optional(db)
        .await
        .map(|_| ())
}

/// The same for all interfaces of a node, in the order in which they are always locked.
pub async fn lock_of_node(db: impl PgExecutor<'_>, node: NodeId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "SELECT id FROM interfaces WHERE node_id = $1 ORDER BY id FOR UPDATE",
        node.0
    )
    .fetch_all(db)
    .await
    .map(|_| ())
}

pub async fn delete(db: impl PgExecutor<'_>, id: InterfaceId) -> Result<(), DeleteError> {
    sqlx::query!("DELETE FROM interfaces WHERE id = $1", id.0)
        .execute(db)
        .await
        .map(|_| ())
        .map_err(|err| match super::violated(&err) {
            Some("placements_interface") => DeleteError::InUse,
            _ => DeleteError::Db(err),
        })
}

/// Raises the desired generation of interfaces, in the order in which their rows are always locked, and tells the
/// new generations.
pub async fn raise(
    db: impl PgExecutor<'_>,
    interfaces: &[InterfaceId],
) -> Result<Vec<(InterfaceId, i64)>, sqlx::Error> {
    let ids: Vec<i64> = interfaces.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"
        WITH held AS (SELECT id FROM interfaces WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE)
        UPDATE interfaces SET desired_generation = desired_generation + 1, desired_at = now()
        FROM held WHERE interfaces.id = held.id
        RETURNING interfaces.id AS "id: InterfaceId", desired_generation
        "#,
        &ids,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id, row.desired_generation))
        .collect())
}

/// Somebody is to be locked out of these: they go before all others, at once.
pub async fn hurry(db: impl PgExecutor<'_>, interfaces: &[InterfaceId]) -> Result<(), sqlx::Error> {
    let ids: Vec<i64> = interfaces.iter().map(|id| id.0).collect();
    sqlx::query!(
        "UPDATE interface_sync SET urgent = true, next_attempt_at = now() WHERE interface_id = ANY($1)",
        &ids,
    )
    .execute(db)
    .await?;
    Ok(())
}

fn refused(err: sqlx::Error) -> WriteError {
    match super::violated(&err) {
        Some("interfaces_name_key") => WriteError::NameTaken,
        Some("interfaces_node") => WriteError::NoNode,
        Some("interfaces_network") => WriteError::NoNetwork,
        _ => WriteError::Db(err),
    }
}

/// Forgets that an interface had another key before.
pub async fn acknowledge_key(db: impl PgExecutor<'_>, id: InterfaceId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE interfaces SET former_public_key = NULL, key_changed_at = NULL, version = version + 1, updated_at = now()
        WHERE id = $1
        "#,
        id.0,
    )
    .execute(db)
    .await
    .map(|_| ())
}

/// Books the keys that interfaces were seen to have; tells which had another one before, and keeps in mind that they
/// had.
pub async fn learn_keys(
    db: impl PgExecutor<'_>,
    keys: &[(InterfaceId, String)],
) -> Result<Vec<InterfaceId>, sqlx::Error> {
    let ids: Vec<i64> = keys.iter().map(|one| one.0.0).collect();
    let names: Vec<&str> = keys.iter().map(|one| one.1.as_str()).collect();
    let rows = sqlx::query!(
        r#"
        WITH held AS (
            SELECT id, public_key AS before, given.key FROM interfaces
            JOIN unnest($1::bigint[], $2::text[]) AS given (id, key) USING (id)
            WHERE public_key IS DISTINCT FROM given.key ORDER BY id FOR NO KEY UPDATE OF interfaces
        )
        UPDATE interfaces SET public_key = held.key,
            former_public_key = coalesce(former_public_key, held.before),
            key_changed_at = CASE WHEN held.before IS NULL THEN key_changed_at ELSE now() END
        FROM held WHERE interfaces.id = held.id
        RETURNING interfaces.id AS "id: InterfaceId", held.before
        "#,
        &ids,
        &names as &[&str],
    )
    .fetch_all(db)
    .await?;
    let changed = rows.into_iter().filter(|row| row.before.is_some());
    Ok(changed.map(|row| row.id).collect())
}
