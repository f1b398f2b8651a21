//! Controllers and servers that end as they should not, and what the next start makes of it.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::PgPool;

use super::holder::Holder;
use super::{as_user, cluster, is_root, notes, open, postmaster, wait_until_deserted, write};
use crate::stage::{self, folder};

#[tokio::test]
async fn a_database_that_is_not_closed_stops_all_the_same() {
    let folder = folder();
    let database = open(folder.path()).await.unwrap();

    drop(database);

    wait_until_deserted(folder.path());
    assert!(!cluster(folder.path()).join("postmaster.pid").exists());
}

#[tokio::test]
async fn a_killed_controller_takes_its_postgres_along_and_the_next_finds_all() {
    let folder = folder();
    open(folder.path()).await.unwrap().close().await;
    let mut holder = Holder::start(folder.path());
    holder.wait().unwrap();
    let url = stage::address(folder.path(), "wgfleet", "wgfleet");
    let pool = PgPool::connect(&url).await.unwrap();
    write(&pool, "committed").await;

    holder.kill();

    // No pause: the next one waits for the Postgres that is ending.
    let database = open(folder.path()).await.unwrap();
    assert_eq!(notes(&database.pool).await, ["committed"]);
    database.close().await;
    wait_until_deserted(folder.path());
}

#[tokio::test]
async fn after_controller_and_postgres_were_both_killed_the_next_one_recovers() {
    let folder = folder();
    let mut holder = Holder::start(folder.path());
    holder.wait().unwrap();
    let url = stage::address(folder.path(), "wgfleet", "wgfleet");
    let pool = PgPool::connect(&url).await.unwrap();
    write(&pool, "committed").await;
    let postmaster = postmaster(folder.path());

    kill(Signal::STOP, &postmaster);
    holder.kill();
    kill(Signal::KILL, &postmaster);

    let database = open(folder.path()).await.unwrap();
    assert_eq!(notes(&database.pool).await, ["committed"]);
    database.close().await;
}

fn kill(signal: Signal, pid: &str) {
    let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[tokio::test]
async fn a_first_start_that_was_interrupted_is_begun_anew() {
    let folder = folder();
    let postgres = folder.path().join("postgres");
    let holder = Holder::start(folder.path());
    let is_half_made = || {
        fs::read_dir(&postgres).is_ok_and(|mut entries| {
            entries.any(|entry| entry.is_ok_and(|it| it.path().join("base").exists()))
        })
    };
    while !is_half_made() {
        std::thread::sleep(Duration::from_millis(1));
    }
    holder.kill();

    let database = open(folder.path()).await.unwrap();

    write(&database.pool, "after").await;
    database.close().await;
    assert!(cluster(folder.path()).join("PG_VERSION").exists());
}

#[tokio::test]
async fn a_postgres_that_dies_is_started_again() {
    let folder = folder();
    let database = open(folder.path()).await.unwrap();
    write(&database.pool, "before").await;

    let started = "SELECT pg_postmaster_start_time()::text";
    let first: String = sqlx::query_scalar(started)
        .fetch_one(&database.pool)
        .await
        .unwrap();

    kill(Signal::KILL, &postmaster(folder.path()));

    // A session of the one that was killed may still answer for a moment.
    let deadline = Instant::now() + Duration::from_secs(20);
    while sqlx::query_scalar::<_, String>(started)
        .fetch_one(&database.pool)
        .await
        .map_or(true, |now| now == first)
    {
        assert!(Instant::now() < deadline, "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(notes(&database.pool).await, ["before"]);
    database.close().await;
    wait_until_deserted(folder.path());
}

#[tokio::test]
async fn a_mark_that_names_some_other_living_process_does_not_prevent_the_start() {
    let folder = folder();
    open(folder.path()).await.unwrap().close().await;
    let cluster = cluster(folder.path());
    let owner = fs::metadata(&cluster).unwrap().uid();
    let mut bystander = match is_root() {
        true => as_user(owner, Path::new("sleep")),
        false => Command::new("sleep"),
    }
    .arg("60")
    .spawn()
    .unwrap();
    let mark = cluster.join("postmaster.pid");
    fs::write(&mark, format!("{}\n/somewhere\n", bystander.id())).unwrap();
    chown(&mark, Some(owner), None).unwrap();
    fs::write(
        folder.path().join("postgres/.s.PGSQL.5432.lock"),
        bystander.id().to_string(),
    )
    .unwrap();

    let started = open(folder.path()).await;

    started.unwrap().close().await;
    assert!(bystander.try_wait().unwrap().is_none(), "it was ended");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}
