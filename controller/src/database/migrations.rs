//! Brings the schema to the program's own version, one controller at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration};
use sqlx::{Connection, PgConnection};

use super::DatabaseError;

/// Where what was applied is written down: the library's name for it, which is not to be changed.
const APPLIED: &str = "_sqlx_migrations";

const LOCK_NOT_AVAILABLE: &str = "55P03";

/// `limit` bounds every wait for a lock: that of another controller's migrations, and those of a table.
/// The work itself may take as long as it takes.
pub(super) async fn run(
    mut connection: PgConnection,
    limit: Duration,
) -> Result<(), DatabaseError> {
    let migrated = migrate(&mut connection, limit).await;
    // The lock is the session's: it must not outlive a failure.
    let closed = connection.close().await;
    migrated.map_err(|err| explain(err, limit))?;
    closed.map_err(DatabaseError::Ask)
}

/// Applies what is missing, one by one, so that each is named with the time it took.
async fn migrate(connection: &mut PgConnection, limit: Duration) -> Result<(), MigrateError> {
    bound_waits(connection, limit).await?;
    connection.lock().await?;
    connection.ensure_migrations_table(APPLIED).await?;
    if let Some(version) = connection.dirty_version(APPLIED).await? {
        return Err(MigrateError::Dirty(version));
    }
    let applied = connection.list_applied_migrations(APPLIED).await?;
    for migration in missing(&applied)? {
        let took = connection.apply(APPLIED, migration).await?;
        let (version, name) = (migration.version, &*migration.description);
        let duration_ms = took.as_millis();
        tracing::info!(
            version,
            name,
            duration_ms,
            "applied migration {version} {name} in {duration_ms} ms"
        );
    }
    connection.unlock().await
}

/// What this program knows and the database has not; an error where the database has what this program does not know.
fn missing(applied: &[AppliedMigration]) -> Result<Vec<&'static Migration>, MigrateError> {
    let mut missing: BTreeMap<i64, &Migration> = crate::MIGRATOR
        .iter()
        .map(|migration| (migration.version, migration))
        .collect();
    for one in applied {
        match missing.remove(&one.version) {
            None => return Err(MigrateError::VersionMissing(one.version)),
            Some(known) if known.checksum != one.checksum => {
                return Err(MigrateError::VersionMismatch(one.version));
            }
            Some(_) => {}
        }
    }
    Ok(missing.into_values().collect())
}

async fn bound_waits(connection: &mut PgConnection, limit: Duration) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT set_config('lock_timeout', $1, false)")
        .bind(limit.as_millis().to_string())
        .execute(connection)
        .await?;
    Ok(())
}

fn explain(err: MigrateError, limit: Duration) -> DatabaseError {
    match err {
        MigrateError::VersionMissing(version) => DatabaseError::Newer { version },
        MigrateError::VersionMismatch(version) => DatabaseError::Differs { version },
        MigrateError::Execute(source) if is_lock_timeout(&source) => {
            DatabaseError::MigrationsBusy {
                waited_s: limit.as_secs(),
                source,
            }
        }
        other => DatabaseError::Migrate(other),
    }
}

fn is_lock_timeout(err: &sqlx::Error) -> bool {
    err.as_database_error()
        .is_some_and(|refusal| refusal.code().as_deref() == Some(LOCK_NOT_AVAILABLE))
}
