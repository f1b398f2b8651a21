//! Brings the schema to the program's own version, one controller at a time.

use std::time::Duration;

use sqlx::PgConnection;
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::DatabaseError;

const LOCK_NOT_AVAILABLE: &str = "55P03";

/// `limit` bounds every wait for a lock: that of another controller's migrations, and those of a table.
/// The work itself may take as long as it takes.
pub(super) async fn run(options: PgConnectOptions, limit: Duration) -> Result<(), DatabaseError> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .after_connect(move |connection, _| Box::pin(bound_waits(connection, limit)))
        .connect_lazy_with(options);
    let migrated = crate::MIGRATOR.run(&pool).await;
    // The lock is the session's: it must not outlive a failure.
    pool.close().await;
    migrated.map_err(|err| explain(err, limit))
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
