//! Where the data may lie and whose it may be.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::Command;

use controller::database::DatabaseError;
use sqlx::PgPool;

use super::holder::Holder;
use super::{as_user, cluster, is_root, open, write};
use crate::stage::{self, folder};

#[tokio::test]
async fn no_path_is_too_long_for_the_socket() {
    let folder = folder();
    let deep = folder.path().join("d".repeat(120)).join("e".repeat(120));

    let database = open(&deep).await.unwrap();

    write(&database.pool, "deep down").await;
    database.close().await;
}

/// As root, every test here is below a folder that only root enters; this one says so.
#[tokio::test]
async fn root_may_keep_the_data_where_nobody_else_can_go() {
    if !is_root() {
        println!("skipped: only root runs Postgres as another user");
        return;
    }
    let home = folder();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let data_dir = home.path().join("checkout/data");

    let database = open(&data_dir).await.unwrap();

    write(&database.pool, "at home").await;
    assert_ne!(fs::metadata(cluster(&data_dir)).unwrap().uid(), 0);
    database.close().await;
}

#[tokio::test]
async fn an_ordinary_user_has_a_database_too() {
    if !is_root() {
        println!("skipped: all tests here are an ordinary user's already");
        return;
    }
    let folder = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("tests");
    // By another program: what this one writes is open for a moment in all that it starts meanwhile, and not to be run.
    let copied = Command::new("cp")
        .arg(std::env::current_exe().unwrap())
        .arg(&program)
        .status();
    assert!(copied.unwrap().success());
    let data_dir = folder.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    chown(&data_dir, Some(65534), Some(65534)).unwrap();

    let mut holder = Holder::run(as_user(65534, &program), &data_dir);

    holder.wait().unwrap();
    let url = stage::address(&data_dir, "wgfleet", "wgfleet");
    write(&PgPool::connect(&url).await.unwrap(), "mine").await;
    assert_eq!(fs::metadata(cluster(&data_dir)).unwrap().uid(), 65534);
    holder.close();
}

#[tokio::test]
async fn a_folder_of_another_user_is_refused_and_left_as_it_is() {
    if !is_root() {
        println!("skipped: only root can give files away");
        return;
    }
    let folder = folder();
    let postgres = folder.path().join("postgres");
    fs::create_dir(&postgres).unwrap();
    fs::write(postgres.join("something"), "of root").unwrap();

    let err = open(folder.path()).await.unwrap_err();

    assert!(
        matches!(err, DatabaseError::Owner { owner: 0, .. }),
        "{err}"
    );
    assert_eq!(fs::metadata(&postgres).unwrap().uid(), 0);
    assert_eq!(fs::read_dir(&postgres).unwrap().count(), 1);
}
