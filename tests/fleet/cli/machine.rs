//! Commands that work on the database and the files themselves, beside a controller that runs or without one.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use super::{all, out, run};
use crate::cli_config::program;
use crate::stage::{folder, fresh};

/// Settings in a folder of their own, on a database of somebody's or, without one, on a private cluster.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(url: Option<&str>) -> Self {
        let folder = folder();
        let url = url.map_or(String::new(), |url| format!("database_url = {url:?}\n"));
        let data = folder.path().join("data");
        let text = format!("listen = \"127.0.0.1:0\"\ndata_dir = {data:?}\n{url}");
        std::fs::write(folder.path().join("config.toml"), text).unwrap();
        Self { folder }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let config = self.config();
        let path = std::env::var("PATH").unwrap();
        run(
            &[arguments, &["--config", config.to_str().unwrap()]].concat(),
            &[("USER", "eva"), ("PATH", &path)],
        )
    }

    #[track_caller]
    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        out(&output)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// A controller in a process of its own, ended with SIGTERM.
struct Serving(Child);

impl Serving {
    fn start(place: &Place) -> Self {
        let log = std::fs::File::create(place.folder.path().join("log")).unwrap();
        let child = std::process::Command::new(program())
            .args(["serve", "--config"])
            .arg(place.config())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let serving = Self(child);
        let deadline = Instant::now() + Duration::from_secs(60);
        while !log_of(place.folder.path()).contains("serving on") {
            assert!(Instant::now() < deadline, "{}", log_of(place.folder.path()));
            std::thread::sleep(Duration::from_millis(50));
        }
        serving
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let id = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        self.0.wait().unwrap();
    }
}

fn log_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap()
}

/// The address in the line that the controller logs.
fn address(folder: &Path) -> String {
    let log = log_of(folder);
    let rest = log.split("serving on ").nth(1).unwrap();
    let end = rest.find(|c: char| c.is_whitespace() || c == '"' || c == '\u{1b}');
    rest[..end.unwrap_or(rest.len())].to_owned()
}

#[tokio::test]
async fn an_administrator_is_made_with_a_password_and_written_down() {
    let db = fresh().await;
    let place = Place::new(Some(&db.url));
    let password = place.file("password", "a fine long phrase\n");
    let create = |more: &[&str]| {
        place.run(
            &[
                &["admin", "create", "Ada", "--password-file", &password],
                more,
            ]
            .concat(),
        )
    };

    let made = create(&["--email", "ada@example.org"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    assert_eq!(out(&made), "ada is an administrator\n");
    let again = create(&[]);
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    assert!(
        all(&again).contains("a user with this name exists"),
        "{again:?}"
    );

    let (role, hash): (String, String) = sqlx::query_as("SELECT role, password_hash FROM users")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(role, "admin");
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    let rows: Vec<(String, String, String, String)> =
        sqlx::query_as("SELECT actor_kind, actor, action, after FROM audit_log")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    let [(kind, actor, action, after)] = &rows[..] else {
        panic!("{rows:?}");
    };
    assert_eq!([kind, actor, action], ["cli", "eva", "user.create"]);
    assert!(
        !after.contains("argon2") && after.contains("\"password_set\":true"),
        "{after}"
    );
}

#[tokio::test]
async fn a_password_that_is_guessed_first_makes_nobody() {
    let db = fresh().await;
    let place = Place::new(Some(&db.url));
    let password = place.file("password", "password1234");

    let refused = place.run(&["admin", "create", "ada", "--password-file", &password]);

    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(
        all(&refused).contains("among the first that a guesser tries"),
        "{refused:?}"
    );
    assert!(!all(&refused).contains("password1234"), "{refused:?}");
    let users: i64 = sqlx::query_scalar("SELECT count(*) FROM users")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(users, 0);
}

#[test]
fn the_first_key_is_made_before_and_beside_the_controller_on_its_private_database() {
    let place = Place::new(None);
    let create = ["api-keys", "create", "first", "--scope", "admin", "--local"];

    let before = place.text(&create);
    let serving = Serving::start(&place);
    let beside = place.text(&create);

    let url = address(place.folder.path());
    for (name, credentials) in [("before", before), ("beside", beside)] {
        let file = place.file(name, &credentials);
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        let me = ["api", "GET", "/api/v1/me", "--credentials", &file];
        let output = run(&me, &[("WGFLEET_URL", &url)]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(out(&output).contains("\"first\""), "{output:?}");
    }
    let refused = place.run(&["database", "upgrade"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(
        all(&refused).contains("another controller runs"),
        "{refused:?}"
    );
    drop(serving);
}

#[tokio::test]
async fn the_master_key_is_replaced_and_what_lay_under_it_still_opens() {
    let db = fresh().await;
    let place = Place::new(Some(&db.url));
    let credentials = place.text(&["api-keys", "create", "first", "--scope", "admin", "--local"]);
    let key_file = place.folder.path().join("data/master.key");
    let before = std::fs::read_to_string(&key_file).unwrap();

    let said = place.text(&["keys", "rotate-master"]);

    assert!(said.contains("2 data keys"), "{said}");
    let after = std::fs::read_to_string(&key_file).unwrap();
    assert_ne!(after, before);
    assert!(!said.contains(after.trim()), "{said}");
    let serving = Serving::start(&place);
    let file = place.file("credentials", &credentials);
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let me = ["api", "GET", "/api/v1/me", "--credentials", &file];
    let output = run(&me, &[("WGFLEET_URL", &address(place.folder.path()))]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let rotations: i64 =
        sqlx::query_scalar("SELECT count(*) FROM audit_log WHERE action = 'keys.rotate_master'")
            .fetch_one(&db.pool)
            .await
            .unwrap();
    assert_eq!(rotations, 1);
    drop(serving);
}

#[test]
fn a_password_comes_from_stdin_where_no_file_is_named() {
    let place = Place::new(Some("postgres://nobody@127.0.0.1:1/nowhere"));
    let mut child = std::process::Command::new(program())
        .args(["admin", "create", "ada", "--config"])
        .arg(place.config())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();

    child.stdin.take().unwrap().write_all(b"short\n").unwrap();

    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        all(&output).contains("fewer than 12 characters"),
        "{output:?}"
    );
}

/// The link that the controller printed, once it is there.
fn setup_link(place: &Place) -> String {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let log = log_of(place.folder.path());
        if let Some((_, rest)) = log.split_once("No administrator yet. Make one, once, at:\n  ")
            && let Some((link, _)) = rest.split_once('\n')
        {
            return link.to_owned();
        }
        assert!(Instant::now() < deadline, "{log}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn a_link_is_printed_at_each_start_until_there_is_an_administrator() {
    let db = fresh().await;
    let place = Place::new(Some(&db.url));
    let rows = "SELECT count(*) FROM setup_link";

    let first = Serving::start(&place);
    let link = setup_link(&place);
    assert!(link.starts_with(&address(place.folder.path())), "{link}");
    drop(first);
    let second = Serving::start(&place);
    assert_ne!(setup_link(&place), link);
    drop(second);
    let password = place.file("password", "a fine long phrase\n");
    place.text(&["admin", "create", "ada", "--password-file", &password]);
    let third = Serving::start(&place);

    let left: i64 = sqlx::query_scalar(rows).fetch_one(&db.pool).await.unwrap();
    assert_eq!(left, 0);
    assert!(!log_of(place.folder.path()).contains("No administrator yet"));
    drop(third);
}

#[tokio::test]
async fn somebody_who_lost_everything_is_let_back_in_and_it_is_written_down() {
    let db = fresh().await;
    let place = Place::new(Some(&db.url));
    let password = place.file("password", "a fine long phrase\n");
    let other = place.file("other", "another long phrase\n");
    place.text(&["admin", "create", "ada", "--password-file", &password]);
    let hash = async || -> String {
        let hash = sqlx::query_scalar("SELECT password_hash FROM users");
        hash.fetch_one(&db.pool).await.unwrap()
    };
    let before = hash().await;

    let nobody = place.run(&["admin", "recover", "eva", "--password-file", &other]);
    assert_eq!(nobody.status.code(), Some(1), "{nobody:?}");
    assert_eq!(hash().await, before);
    let said = place.text(&["admin", "recover", "Ada", "--password-file", &other]);

    assert!(said.contains("ada has a new password"), "{said}");
    assert_ne!(hash().await, before);
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT actor, action FROM audit_log ORDER BY seq DESC LIMIT 1")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    assert_eq!(rows, [("eva".to_owned(), "user.recover".to_owned())]);
}
