//! The controller's own Postgres: made, found again, killed, refused, upgraded; and somebody else's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use controller::database::{self, Database, DatabaseError, Settings};
use sqlx::PgPool;

mod deaths;
mod external;
mod holder;
mod places;
mod upgrades;

use holder::Holder;

use crate::stage::{self, folder};

async fn open(data_dir: &Path) -> Result<Database, DatabaseError> {
    database::open(&Settings::private(data_dir)).await
}

async fn write(pool: &PgPool, text: &str) {
    sqlx::query("CREATE TABLE IF NOT EXISTS notes (text TEXT)")
        .execute(pool)
        .await
        .unwrap();
    sqlx::query("INSERT INTO notes VALUES ($1)")
        .bind(text)
        .execute(pool)
        .await
        .unwrap();
}

async fn notes(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("SELECT text FROM notes ORDER BY text")
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn migrations(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations WHERE success")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// The name of the cluster in the folder.
fn cluster(data_dir: &Path) -> PathBuf {
    let entries = fs::read_dir(data_dir.join("postgres")).unwrap();
    let mut clusters = entries.map(|entry| entry.unwrap().path()).filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.bytes().all(|byte| byte.is_ascii_digit())
    });
    let cluster = clusters.next().unwrap();
    assert_eq!(clusters.next(), None);
    cluster
}

fn postmaster(data_dir: &Path) -> String {
    let mark = fs::read_to_string(cluster(data_dir).join("postmaster.pid")).unwrap();
    mark.lines().next().unwrap().to_owned()
}

/// Waits until no process works in the folder any more.
fn wait_until_deserted(data_dir: &Path) {
    let folder = fs::File::open(data_dir.join("postgres")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while folder.try_lock().is_err() {
        assert!(Instant::now() < deadline, "something still works in there");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn as_user(uid: u32, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args([
            "--reuid",
            &uid.to_string(),
            "--regid",
            &uid.to_string(),
            "--clear-groups",
        ])
        .arg(program)
        .current_dir("/")
        .stderr(Stdio::inherit());
    command
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_first_start_makes_a_migrated_database_that_is_nobody_elses() {
    let folder = folder();

    let database = open(folder.path()).await.unwrap();

    assert!(database.is_private());
    let expected = i64::try_from(controller::MIGRATOR.iter().count()).unwrap();
    assert_eq!(migrations(&database.pool).await, expected);
    let (superuser, listens, user): (bool, String, String) = sqlx::query_as(
        "SELECT rolsuper, current_setting('listen_addresses'), current_user::text
         FROM pg_roles WHERE rolname = current_user",
    )
    .fetch_one(&database.pool)
    .await
    .unwrap();
    assert_eq!(
        (superuser, listens.as_str(), user.as_str()),
        (false, "", "wgfleet")
    );
    let postgres = folder.path().join("postgres");
    let password = fs::read_to_string(postgres.join("password")).unwrap();
    assert!(!format!("{database:?}").contains(&password));
    assert_eq!(mode(&postgres), 0o700);
    assert_eq!(mode(&postgres.join("password")), 0o600);
    assert_eq!(mode(&cluster(folder.path())), 0o700);
    database.close().await;
}

#[tokio::test]
async fn the_private_database_asks_for_its_password() {
    let folder = folder();
    let database = open(folder.path()).await.unwrap();
    let socket = folder.path().join("postgres");
    let password = fs::read_to_string(socket.join("password")).unwrap();
    let url = stage::address(folder.path(), "wgfleet", "wgfleet");

    let right = database::open(&Settings::at(&url)).await;
    let wrong = database::open(&Settings::at(url.replace(&password, "guess"))).await;

    right.unwrap().close().await;
    let err = wrong.unwrap_err();
    assert!(matches!(err, DatabaseError::Refused { .. }), "{err}");
    assert!(!format!("{err:?}").contains("guess"), "{err:?}");
    database.close().await;
}

#[tokio::test]
async fn a_restart_finds_what_was_written_before() {
    let folder = folder();
    let database = open(folder.path()).await.unwrap();
    write(&database.pool, "before").await;
    database.close().await;
    wait_until_deserted(folder.path());

    let database = open(folder.path()).await.unwrap();

    assert_eq!(notes(&database.pool).await, ["before"]);
    database.close().await;
}

#[tokio::test]
async fn a_second_controller_is_refused_soon_and_the_first_not_disturbed() {
    let folder = folder();
    let mut first = Holder::start(folder.path());
    first.wait().unwrap();
    let postmaster_before = postmaster(folder.path());
    let asked = Instant::now();

    let err = open(folder.path()).await.unwrap_err();

    assert!(asked.elapsed() < Duration::from_secs(2));
    assert!(matches!(err, DatabaseError::Locked { .. }), "{err}");
    assert!(err.to_string().contains(folder.path().to_str().unwrap()));
    assert_eq!(postmaster(folder.path()), postmaster_before);
    let url = stage::address(folder.path(), "wgfleet", "wgfleet");
    write(&PgPool::connect(&url).await.unwrap(), "still there").await;
    first.close();
}

#[tokio::test]
async fn of_two_first_starts_at_once_exactly_one_wins() {
    let folder = folder();

    let (one, other) = tokio::join!(open(folder.path()), open(folder.path()));

    let (winner, loser) = match (one, other) {
        (Ok(winner), Err(loser)) | (Err(loser), Ok(winner)) => (winner, loser),
        both => panic!("{both:?}"),
    };
    assert!(matches!(loser, DatabaseError::Locked { .. }), "{loser}");
    write(&winner.pool, "won").await;
    winner.close().await;
}

#[tokio::test]
async fn a_cluster_whose_password_is_lost_is_refused_and_not_made_anew() {
    let folder = folder();
    open(folder.path()).await.unwrap().close().await;
    let password = folder.path().join("postgres/password");
    let kept = fs::read(&password).unwrap();
    fs::remove_file(&password).unwrap();

    let err = open(folder.path()).await.unwrap_err();

    assert!(err.to_string().contains("password"), "{err}");
    assert!(!password.exists());
    wait_until_deserted(folder.path());
    fs::write(&password, kept).unwrap();
    open(folder.path()).await.unwrap().close().await;
}
