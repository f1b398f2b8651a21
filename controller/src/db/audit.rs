//! `audit_log` and `audit_head`: a chain that only grows.

use chrono::{DateTime, Utc};
use futures_util::Stream;
use ipnet::IpNet;
use sqlx::{PgConnection, PgExecutor};

use super::Span;
use crate::domain::audit::{Entry, Hash, Head, Outcome, StoredRow};

/// Which rows are wanted; all of it must fit.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    pub actor: Option<&'a str>,
    /// The action, or how it begins.
    pub action: Option<&'a str>,
    pub object: Option<&'a str>,
    pub outcome: Option<Outcome>,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

/// Reads the end of the chain and holds it until the transaction ends.
pub async fn lock_head(db: &mut PgConnection) -> Result<Head, sqlx::Error> {
    let head = sqlx::query!("SELECT seq, hash FROM audit_head FOR UPDATE")
        .fetch_one(db)
        .await?;
    end(head.seq, &head.hash)
}

/// Reads the end of the chain as it is recorded.
pub async fn head(db: impl PgExecutor<'_>) -> Result<Head, sqlx::Error> {
    let head = sqlx::query!("SELECT seq, hash FROM audit_head")
        .fetch_one(db)
        .await?;
    end(head.seq, &head.hash)
}

/// Every row in order, as it comes from the database: the log may be larger than memory.
pub fn rows(db: &mut PgConnection) -> impl Stream<Item = Result<StoredRow, sqlx::Error>> {
    sqlx::query_as!(
        StoredRow,
        r#"
        SELECT seq, at, actor, actor_kind, ip AS "ip: IpNet", request_id, action, object, outcome,
               before, after, prev_hash, hash
        FROM audit_log
        ORDER BY seq
        "#,
    )
    .fetch(db)
}

/// The rows after a place in the chain, in order.
pub async fn part(db: impl PgExecutor<'_>, span: Span) -> Result<Vec<StoredRow>, sqlx::Error> {
    sqlx::query_as!(
        StoredRow,
        r#"
        SELECT seq, at, actor, actor_kind, ip AS "ip: IpNet", request_id, action, object, outcome,
               before, after, prev_hash, hash
        FROM audit_log
        WHERE seq > $1
        ORDER BY seq
        LIMIT $2
        "#,
        span.after,
        span.limit,
    )
    .fetch_all(db)
    .await
}

/// One page, the newest first.
pub async fn list(
    db: impl PgExecutor<'_>,
    filter: &Filter<'_>,
    span: Span,
) -> Result<Vec<StoredRow>, sqlx::Error> {
    sqlx::query_as!(
        StoredRow,
        r#"
        SELECT seq, at, actor, actor_kind, ip AS "ip: IpNet", request_id, action, object, outcome,
               before, after, prev_hash, hash
        FROM audit_log
        WHERE ($1::bigint = 0 OR seq < $1)
          AND ($3::text IS NULL OR actor = $3)
          AND ($4::text IS NULL OR starts_with(action, $4))
          AND ($5::text IS NULL OR object = $5)
          AND ($6::text IS NULL OR outcome = $6)
          AND ($7::timestamptz IS NULL OR at >= $7)
          AND ($8::timestamptz IS NULL OR at < $8)
        ORDER BY seq DESC
        LIMIT $2
        "#,
        span.after,
        span.limit,
        filter.actor,
        filter.action,
        filter.object,
        filter.outcome.map(Outcome::as_str),
        filter.from,
        filter.until,
    )
    .fetch_all(db)
    .await
}

/// The newest rows about any of these objects.
pub async fn of_objects(
    db: impl PgExecutor<'_>,
    objects: &[String],
    limit: i64,
) -> Result<Vec<StoredRow>, sqlx::Error> {
    sqlx::query_as!(
        StoredRow,
        r#"
        SELECT seq, at, actor, actor_kind, ip AS "ip: IpNet", request_id, action, object, outcome,
               before, after, prev_hash, hash
        FROM audit_log
        WHERE object = ANY($1)
        ORDER BY seq DESC
        LIMIT $2
        "#,
        objects,
        limit,
    )
    .fetch_all(db)
    .await
}

/// Adds the row that `head` describes, and moves the end of the chain to it.
pub async fn append(
    db: &mut PgConnection,
    entry: &Entry,
    before: &Head,
    head: &Head,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        WITH moved AS (UPDATE audit_head SET seq = $1, hash = $13)
        INSERT INTO audit_log
            (seq, at, actor, actor_kind, ip, request_id, action, object, outcome, before, after, prev_hash, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        "#,
        head.seq,
        entry.at,
        entry.actor,
        entry.actor_kind.as_str(),
        entry.ip.map(IpNet::from),
        entry.request_id,
        entry.action,
        entry.object,
        entry.outcome.as_str(),
        entry.before,
        entry.after,
        before.hash.as_bytes(),
        head.hash.as_bytes(),
    )
    .execute(db)
    .await?;
    Ok(())
}

fn end(seq: i64, hash: &[u8]) -> Result<Head, sqlx::Error> {
    let hash = Hash::from_slice(hash)
        .ok_or_else(|| sqlx::Error::Decode("the hash in audit_head is not 32 bytes long".into()))?;
    Ok(Head { seq, hash })
}
