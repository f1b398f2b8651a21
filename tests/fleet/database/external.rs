//! A server that somebody else runs, and the migrations on it.

use std::time::{Duration, Instant};

use controller::database::{self, DatabaseError, Settings};
use sqlx::migrate::Migrate;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::stage::{self, Own, Served};

#[tokio::test]
async fn a_fresh_database_is_migrated_and_each_is_its_own() {
    let (one, other) = tokio::join!(stage::fresh(), stage::fresh());

    super::write(&one.pool, "one").await;
    super::write(&other.pool, "other").await;

    assert_eq!(super::notes(&one.pool).await, ["one"]);
    assert_eq!(super::notes(&other.pool).await, ["other"]);
    let opened = database::open(&Settings::at(&one.url)).await.unwrap();
    assert!(!opened.is_private());
    opened.close().await;
}

#[tokio::test]
async fn a_server_that_is_not_up_yet_is_waited_for() {
    let mut own = Own::start().await;
    own.stop().await;
    let settings = Settings::at(own.url());

    let opened = tokio::spawn(async move { database::open(&settings).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!opened.is_finished());
    own.start_again().await;

    opened.await.unwrap().unwrap().close().await;
    own.stop().await;
}

#[tokio::test]
async fn a_server_that_stays_away_is_given_up_by_name() {
    let mut own = Own::start().await;
    own.stop().await;
    let started = Instant::now();

    let err = database::open(&Settings {
        start_timeout: Duration::from_secs(1),
        ..Settings::at(own.url())
    })
    .await
    .unwrap_err();

    assert!(matches!(err, DatabaseError::Silent { .. }), "{err}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_user_who_may_not_create_the_extensions_is_told_and_nothing_is_made() {
    let own = Own::start().await;
    let guest = format!("CREATE ROLE guest LOGIN PASSWORD '{}'", own.password());
    own.administer(&guest).await;
    own.administer("CREATE DATABASE theirs").await;
    let url = own.url_of("guest", "theirs");

    let err = database::open(&Settings::at(&url)).await.unwrap_err();

    assert!(
        matches!(&err, DatabaseError::ExtensionForbidden { name } if name == "btree_gist"),
        "{err}"
    );
    let mut connection = PgConnection::connect(&url).await.unwrap();
    assert_eq!(tables(&mut connection).await, 0);
}

#[tokio::test]
async fn a_schema_of_a_newer_program_is_refused_and_stays() {
    let db = stage::fresh().await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (99990101000000, 'of tomorrow', true, '', 0)",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let before = super::migrations(&db.pool).await;

    let err = database::open(&Settings::at(&db.url)).await.unwrap_err();

    assert!(
        matches!(
            err,
            DatabaseError::Newer {
                version: 99_990_101_000_000
            }
        ),
        "{err}"
    );
    assert_eq!(super::migrations(&db.pool).await, before);
}

#[tokio::test]
async fn a_schema_of_another_build_is_refused_and_stays() {
    let db = stage::fresh().await;
    let (missing, other) = (
        "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
        "UPDATE _sqlx_migrations SET checksum = 'of another build' WHERE description = 'networks'",
    );
    for statement in [missing, other] {
        sqlx::query(statement).execute(&db.pool).await.unwrap();
    }
    let before = super::migrations(&db.pool).await;

    let err = database::open(&Settings::at(&db.url)).await.unwrap_err();

    assert!(matches!(err, DatabaseError::Differs { .. }), "{err}");
    assert_eq!(super::migrations(&db.pool).await, before);
}

#[tokio::test]
async fn another_controllers_migrations_are_waited_for_in_bounded_time() {
    let db = stage::fresh().await;
    let settings = Settings {
        start_timeout: Duration::from_secs(1),
        ..Settings::at(&db.url)
    };
    let mut other = PgConnection::connect(&db.url).await.unwrap();
    other.lock().await.unwrap();

    let err = database::open(&settings).await.unwrap_err();

    assert!(matches!(err, DatabaseError::MigrationsBusy { .. }), "{err}");
    other.close().await.unwrap();
    database::open(&settings).await.unwrap().close().await;
}

#[tokio::test]
async fn a_slow_migration_is_logged_by_its_name_and_not_by_its_text() {
    let own = Own::start().await;
    own.administer("CREATE DATABASE slow OWNER wgfleet").await;
    let url = own.url_of("wgfleet", "slow");
    for extension in ["btree_gist", "pg_trgm"] {
        let extension = format!("CREATE EXTENSION {extension}");
        let options: PgConnectOptions = own.url_of("postgres", "slow").parse().unwrap();
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(extension))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }
    // Somebody else makes a table of that name, and takes it back.
    let mut other = PgConnection::connect(&url).await.unwrap();
    let mut makes = other.begin().await.unwrap();
    sqlx::query("CREATE TABLE networks ()")
        .execute(&mut *makes)
        .await
        .unwrap();

    let starts = {
        let url = url.clone();
        tokio::spawn(async move { Served::start(&url, "").await })
    };
    while sqlx::query_scalar::<_, i64>("SELECT count(*) FROM pg_locks WHERE NOT granted")
        .fetch_one(&mut *makes)
        .await
        .unwrap()
        == 0
    {
        assert!(!starts.is_finished(), "nothing waits for the table");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Longer than the library finds slow.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    makes.rollback().await.unwrap();
    let log = starts.await.unwrap().kill();

    for migration in controller::MIGRATOR.iter() {
        let name = format!(
            "applied migration {} {}",
            migration.version, migration.description
        );
        assert_eq!(log.matches(&name).count(), 1, "{log}");
    }
    let line = log.lines().find(|line| line.contains(" networks in "));
    let (_, rest) = line.unwrap().split_once("duration_ms=").unwrap();
    let took: u64 = rest.split(' ').next().unwrap().parse().unwrap();
    assert!((1000..60_000).contains(&took), "{log}");
    assert!(!log.contains("CREATE TABLE"), "{log}");
    other.close().await.unwrap();
}

async fn tables(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        .fetch_one(connection)
        .await
        .unwrap()
}
