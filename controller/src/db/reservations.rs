//! `reserved_ranges`: prefixes that nobody gets.

use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::{NetworkId, ReservationId};

#[derive(Debug, Clone)]
pub struct Reservation {
    pub id: ReservationId,
    pub prefix: IpNet,
    pub reason: String,
}

#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    #[error("overlaps another reservation")]
    Overlap,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

pub async fn of_network(
    db: impl PgExecutor<'_>,
    network: NetworkId,
) -> Result<Vec<Reservation>, sqlx::Error> {
    sqlx::query_as!(
        Reservation,
        r#"
        SELECT id AS "id: ReservationId", prefix AS "prefix: IpNet", reason
        FROM reserved_ranges WHERE network_id = $1 ORDER BY prefix
        "#,
        network.0,
    )
    .fetch_all(db)
    .await
}

pub async fn insert(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    prefix: IpNet,
    reason: &str,
) -> Result<ReservationId, InsertError> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO reserved_ranges (network_id, prefix, reason) VALUES ($1, $2, $3)
        RETURNING id AS "id: ReservationId"
        "#,
        network.0,
        prefix,
        reason,
    )
    .fetch_one(db)
    .await
    .map_err(|err| match super::violated(&err) {
        Some("reserved_ranges_no_overlap") => InsertError::Overlap,
        _ => InsertError::Db(err),
    })
}

/// Ends a reservation and tells what it was; none where the network has no such.
pub async fn delete(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    id: ReservationId,
) -> Result<Option<Reservation>, sqlx::Error> {
    sqlx::query_as!(
        Reservation,
        r#"
        DELETE FROM reserved_ranges WHERE network_id = $1 AND id = $2
        RETURNING id AS "id: ReservationId", prefix AS "prefix: IpNet", reason
        "#,
        network.0,
        id.0,
    )
    .fetch_optional(db)
    .await
}

/// Ends the reservations of a network that lie in none of these prefixes.
pub async fn delete_outside(
    db: impl PgExecutor<'_>,
    network: NetworkId,
    prefixes: &[IpNet],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        DELETE FROM reserved_ranges
        WHERE network_id = $1 AND NOT EXISTS (SELECT FROM unnest($2::cidr[]) AS given (own) WHERE prefix <<= own)
        "#,
        network.0,
        prefixes,
    )
    .execute(db)
    .await
    .map(|_| ())
}
