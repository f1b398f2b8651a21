//! What polls see of interfaces: read before, booked after.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::domain::ids::{InterfaceId, NetworkId, NodeId};

/// An interface about to be asked after, and what was known of it.
#[derive(Debug, Clone)]
pub struct Watched {
    pub id: InterfaceId,
    pub node: NodeId,
    pub network: NetworkId,
    pub name: String,
    pub public_key: Option<String>,
    pub desired_generation: i64,
    pub applied_generation: i64,
    pub link: Option<String>,
    pub observed_generation: Option<i64>,
    pub observed_digest: Option<String>,
    pub observed_peers: Option<i32>,
    pub observed_at: Option<DateTime<Utc>>,
    pub cursor: Option<String>,
    pub booted_at: Option<DateTime<Utc>>,
    pub config_at: Option<DateTime<Utc>>,
}

/// All interfaces of these nodes.
pub async fn watched(
    db: impl PgExecutor<'_>,
    nodes: &[NodeId],
) -> Result<Vec<Watched>, sqlx::Error> {
    let ids: Vec<i64> = nodes.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Watched,
        r#"
        SELECT id AS "id: InterfaceId", node_id AS "node: NodeId", network_id AS "network: NetworkId", name, public_key,
            desired_generation, applied_generation, link, observed_generation, observed_digest, observed_peers,
            observed_at, cursor, booted_at, config_at
        FROM interfaces JOIN interface_sync ON interface_id = id
        WHERE node_id = ANY($1) ORDER BY node_id, id
        "#,
        &ids,
    )
    .fetch_all(db)
    .await
}

/// An interface whose evidence is about to be booked, as it is now.
#[derive(Debug, Clone)]
pub struct Held {
    pub id: InterfaceId,
    pub desired_generation: i64,
    pub applied_generation: i64,
    pub expected_generation: Option<i64>,
    pub expected_digest: Option<String>,
    pub settled_generation: Option<i64>,
    pub settled_digest: Option<String>,
}

/// Holds the rows of these interfaces, of those that still are what was asked after: (id, network, name).
pub async fn hold(
    db: impl PgExecutor<'_>,
    interfaces: &[(InterfaceId, NetworkId, &str)],
) -> Result<Vec<Held>, sqlx::Error> {
    let ids: Vec<i64> = interfaces.iter().map(|one| one.0.0).collect();
    let networks: Vec<i64> = interfaces.iter().map(|one| one.1.0).collect();
    let names: Vec<String> = interfaces.iter().map(|one| one.2.to_owned()).collect();
    sqlx::query_as!(
        Held,
        r#"
        SELECT interfaces.id AS "id: InterfaceId", desired_generation, applied_generation, expected_generation,
            expected_digest, settled_generation, settled_digest
        FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS given (id, network_id, name)
        JOIN interfaces ON interfaces.id = given.id
            AND interfaces.network_id = given.network_id AND interfaces.name = given.name
        JOIN interface_sync ON interface_id = interfaces.id
        ORDER BY interfaces.id FOR NO KEY UPDATE OF interface_sync
        "#,
        &ids,
        &networks,
        &names,
    )
    .fetch_all(db)
    .await
}

/// What a poll saw of an interface. What was not seen leaves what was known.
#[derive(Debug, Clone)]
pub struct Sight {
    pub interface: InterfaceId,
    pub link: Option<&'static str>,
    pub standing: Option<Standing>,
    pub config_at: Option<DateTime<Utc>>,
}

/// Where an interface stood when its peers were read.
#[derive(Debug, Clone)]
pub struct Standing {
    pub generation: Option<i64>,
    pub digest: String,
    pub peers: Option<i32>,
    pub at: DateTime<Utc>,
    /// None: the agent gives none, and tells everything each time.
    pub cursor: Option<String>,
    pub booted_at: Option<DateTime<Utc>>,
}

/// Books what was seen of interfaces whose rows the caller holds.
pub async fn saw(db: impl PgExecutor<'_>, sights: &[Sight]) -> Result<(), sqlx::Error> {
    let standing = || sights.iter().map(|one| one.standing.as_ref());
    let ids: Vec<i64> = sights.iter().map(|one| one.interface.0).collect();
    let links: Vec<Option<&str>> = sights.iter().map(|one| one.link).collect();
    let configs: Vec<Option<DateTime<Utc>>> = sights.iter().map(|one| one.config_at).collect();
    let generations: Vec<Option<i64>> = standing().map(|one| one?.generation).collect();
    let digests: Vec<Option<&str>> = standing().map(|one| Some(one?.digest.as_str())).collect();
    let peers: Vec<Option<i32>> = standing().map(|one| one?.peers).collect();
    let times: Vec<Option<DateTime<Utc>>> = standing().map(|one| Some(one?.at)).collect();
    let cursors: Vec<Option<&str>> = standing().map(|one| one?.cursor.as_deref()).collect();
    let boots: Vec<Option<DateTime<Utc>>> = standing().map(|one| one?.booted_at).collect();
    sqlx::query!(
        r#"
        UPDATE interface_sync SET
            -- Whose peers were read is there, even if it is not told whether it is up.
            link = coalesce(given.link,
                CASE WHEN given.digest IS NULL OR interface_sync.link <> 'missing' THEN interface_sync.link END),
            config_at = coalesce(given.config_at, interface_sync.config_at),
            observed_generation = CASE WHEN given.digest IS NULL THEN observed_generation ELSE given.generation END,
            observed_digest = coalesce(given.digest, observed_digest),
            observed_peers = coalesce(given.peers, observed_peers),
            observed_at = coalesce(given.at, observed_at),
            cursor = coalesce(given.cursor, interface_sync.cursor),
            booted_at = coalesce(given.booted_at, interface_sync.booted_at),
            -- One that is as it should be holds nobody unknown any more; before the first generation it tells none.
            unknown_peers = CASE WHEN coalesce(given.generation, 0) = expected_generation
                AND given.digest = expected_digest THEN 0 ELSE unknown_peers END
        FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::bigint[], $5::text[], $6::int[],
                    $7::timestamptz[], $8::text[], $9::timestamptz[])
            AS given (id, link, config_at, generation, digest, peers, at, cursor, booted_at)
        WHERE interface_id = given.id
        "#,
        &ids,
        &links as &[Option<&str>],
        &configs as &[Option<DateTime<Utc>>],
        &generations as &[Option<i64>],
        &digests as &[Option<&str>],
        &peers as &[Option<i32>],
        &times as &[Option<DateTime<Utc>>],
        &cursors as &[Option<&str>],
        &boots as &[Option<DateTime<Utc>>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Remembers the digest that an interface should have at a generation.
pub async fn expect(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
    generation: i64,
    digest: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE interface_sync SET expected_generation = $2, expected_digest = $3,
            -- As above, where it was seen so before this was known.
            unknown_peers = CASE WHEN coalesce(observed_generation, 0) = $2 AND observed_digest = $3 THEN 0
                ELSE unknown_peers END
        WHERE interface_id = $1
          AND (expected_generation IS DISTINCT FROM $2 OR expected_digest IS DISTINCT FROM $3)
        "#,
        interface.0,
        generation,
        digest,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Shows that somebody else has an address of these interfaces, or no longer; another problem goes before.
pub async fn show_conflicts(
    db: impl PgExecutor<'_>,
    learned: &[(InterfaceId, Option<String>)],
) -> Result<(), sqlx::Error> {
    let ids: Vec<i64> = learned.iter().map(|one| one.0.0).collect();
    let texts: Vec<Option<&str>> = learned.iter().map(|one| one.1.as_deref()).collect();
    sqlx::query!(
        r#"
        UPDATE interface_sync SET problem_text = given.text,
            problem = CASE WHEN given.text IS NOT NULL THEN 'address_conflict' END,
            problem_at = CASE WHEN given.text IS NOT NULL THEN coalesce(problem_at, now()) END
        FROM unnest($1::bigint[], $2::text[]) AS given (id, text)
        WHERE interface_id = given.id AND coalesce(problem, 'address_conflict') = 'address_conflict'
          AND problem_text IS DISTINCT FROM given.text
        "#,
        &ids,
        &texts as &[Option<&str>],
    )
    .execute(db)
    .await?;
    Ok(())
}
