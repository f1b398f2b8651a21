//! All SQL, one file per table or tight group of tables. It reads and writes rows and decides nothing.
//!
//! Functions take whatever executes a query, so that the caller owns the transaction.
//! A refusal by a constraint keeps its name; [`violated`] reads it.

pub mod allocations;
pub mod api_keys;
pub mod audit;
pub mod configs;
pub mod counts;
pub mod data_keys;
pub mod deliveries;
pub mod events;
pub mod figures;
pub mod fleetwide;
pub mod idempotency;
pub mod interfaces;
pub mod networks;
pub mod node_secrets;
pub mod node_status;
pub mod nodes;
pub mod observations;
pub mod oidc_identities;
pub mod oidc_sessions;
pub mod passkeys;
pub mod peer_sessions;
pub mod peers;
pub mod placements;
pub mod plans;
pub mod pools;
pub mod ranges;
pub mod request_signatures;
pub mod reservations;
pub mod retired_keys;
pub mod samples;
pub mod search;
pub mod second_factors;
pub mod sessions;
pub mod setup_link;
pub mod sign_in_limits;
pub mod sign_in_steps;
pub mod status;
pub mod sync;
pub mod users;
pub mod webhooks;

/// A page of rows that are ordered by id: those after `after`, at most `limit`.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub after: i64,
    pub limit: i64,
}

/// A transaction that sees one moment and writes nothing.
pub async fn snapshot(pool: &sqlx::PgPool) -> Result<sqlx::PgTransaction<'static>, sqlx::Error> {
    pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
}

/// The name of the constraint that refused a statement, if that is what happened.
pub fn violated(err: &sqlx::Error) -> Option<&str> {
    match err {
        sqlx::Error::Database(refusal) => refusal.constraint(),
        _ => None,
    }
}

/// Whether the database answers.
pub async fn ping(db: impl sqlx::PgExecutor<'_>) -> Result<(), sqlx::Error> {
    sqlx::query_scalar!("SELECT 1 AS \"one!\"")
        .fetch_one(db)
        .await?;
    Ok(())
}

/// The pattern for ILIKE that finds `text` anywhere, with nothing in it that stands for anything else.
pub fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_search_for_stands_for_itself() {
        assert_eq!(containing("fra-1"), "%fra-1%");
        assert_eq!(containing(r"50%_\"), r"%50\%\_\\%");
    }
}
