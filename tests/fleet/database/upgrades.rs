//! Clusters of another major version of Postgres: refused, and moved.
//!
//! Where a second version is installed, or `WGFLEET_POSTGRES_BIN_DIR` names one, the move is made.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use controller::database::{self, DatabaseError, Settings};

use super::{cluster, notes, open, write};
use crate::stage::folder;

#[tokio::test]
async fn a_cluster_of_a_version_that_is_not_installed_is_refused_with_the_way_out() {
    let folder = folder();
    let database = open(folder.path()).await.unwrap();
    write(&database.pool, "kept").await;
    database.close().await;
    let right = cluster(folder.path());
    let wrong = right.with_file_name("14");
    fs::rename(&right, &wrong).unwrap();

    let err = open(folder.path()).await.unwrap_err();
    let upgrade = database::upgrade(&Settings::private(folder.path())).await;

    assert!(
        matches!(err, DatabaseError::MajorMissing { major: 14, .. }),
        "{err}"
    );
    let text = err.to_string();
    assert!(text.contains("postgresql-14"), "{text}");
    assert!(text.contains("wgfleet database upgrade"), "{text}");
    assert!(matches!(upgrade, Err(DatabaseError::MajorMissing { .. })));
    assert_eq!(cluster(folder.path()), wrong);
    fs::rename(&wrong, &right).unwrap();
    let database = open(folder.path()).await.unwrap();
    assert_eq!(notes(&database.pool).await, ["kept"]);
    database.close().await;
}

#[tokio::test]
async fn there_is_nothing_to_upgrade_without_a_cluster_or_on_a_named_server() {
    let folder = folder();

    let none = database::upgrade(&Settings::private(folder.path())).await;
    let named = database::upgrade(&Settings::at("postgres:///app")).await;

    assert!(matches!(none, Err(DatabaseError::NoCluster { .. })));
    assert!(matches!(named, Err(DatabaseError::NotPrivate)));
}

#[tokio::test]
async fn an_upgrade_takes_everything_along_and_keeps_the_old_cluster() {
    let Some((old, new)) = two_versions() else {
        println!(
            "skipped: no second version of Postgres here (WGFLEET_POSTGRES_BIN_DIR names one)"
        );
        return;
    };
    let folder = folder();
    let with = |programs: &Path| Settings {
        postgres_bin_dir: Some(programs.to_owned()),
        ..Settings::private(folder.path())
    };
    let database = database::open(&with(&old)).await.unwrap();
    write(&database.pool, "moved").await;
    let migrated = super::migrations(&database.pool).await;
    let refused = database::upgrade(&with(&new)).await;
    assert!(matches!(refused, Err(DatabaseError::Locked { .. })));
    database.close().await;
    let from = cluster(folder.path());

    let upgraded = database::upgrade(&with(&new)).await.unwrap();

    assert!(upgraded.to > upgraded.from);
    assert_eq!(upgraded.kept, from);
    assert!(from.join("PG_VERSION").exists());
    let database = database::open(&with(&new)).await.unwrap();
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::integer")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(version.unsigned_abs() / 10_000, upgraded.to);
    assert_eq!(notes(&database.pool).await, ["moved"]);
    assert_eq!(super::migrations(&database.pool).await, migrated);
    write(&database.pool, "written after").await;
    database.close().await;
    assert_eq!(
        names(folder.path()),
        [
            upgraded.from.to_string(),
            upgraded.to.to_string(),
            "password".into()
        ]
    );
}

#[tokio::test]
async fn an_upgrade_that_fails_leaves_the_old_cluster_in_use() {
    let Some((old, new)) = two_versions() else {
        println!(
            "skipped: no second version of Postgres here (WGFLEET_POSTGRES_BIN_DIR names one)"
        );
        return;
    };
    let folder = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let broken = folder.path().join("broken");
    fs::create_dir(&broken).unwrap();
    for program in ["postgres", "initdb", "pg_dump"] {
        symlink(new.join(program), broken.join(program)).unwrap();
    }
    symlink("/bin/false", broken.join("pg_restore")).unwrap();
    let data_dir = folder.path().join("data");
    let with = |programs: &Path| Settings {
        postgres_bin_dir: Some(programs.to_owned()),
        ..Settings::private(&data_dir)
    };
    let database = database::open(&with(&old)).await.unwrap();
    write(&database.pool, "kept").await;
    database.close().await;
    let before = names(&data_dir);

    let err = database::upgrade(&with(&broken)).await.unwrap_err();

    assert!(
        matches!(&err, DatabaseError::Failed { program, .. } if program == "pg_restore"),
        "{err}"
    );
    assert_eq!(names(&data_dir), before);
    let database = database::open(&with(&old)).await.unwrap();
    assert_eq!(notes(&database.pool).await, ["kept"]);
    database.close().await;
}

/// What lies in the folder of Postgres.
fn names(data_dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(data_dir.join("postgres")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The programs of an older and of a newer version.
fn two_versions() -> Option<(PathBuf, PathBuf)> {
    let mut installed: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path().join("bin"))
        .filter(|programs| programs.join("initdb").exists())
        .collect();
    installed.sort();
    let named = std::env::var_os("WGFLEET_POSTGRES_BIN_DIR").map(PathBuf::from);
    installed.extend(named);
    let newest = installed.pop()?;
    Some((installed.pop()?, newest))
}
