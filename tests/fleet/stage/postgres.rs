//! Postgres for tests: one private cluster for all of a process, and a database of its own per test.
//!
//! The cluster is the product's own, so the tests start it as the controller does. Its databases are
//! clones of one that is migrated. It ends with the test process, however that ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use controller::database::{self, Database, Settings};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgPool};
use tokio::runtime::Runtime;

use super::folder;

/// Enough for every test of a process at once.
const CONNECTIONS: u32 = 300;
const TEMPLATE: &str = "migrated";

/// A migrated database that no other test sees. Gone when dropped.
pub(crate) struct TestDb {
    pub(crate) pool: PgPool,
    /// For a controller that is another process, whatever its user.
    pub(crate) url: String,
    name: String,
}

pub(crate) async fn fresh() -> TestDb {
    tokio::task::spawn_blocking(Shared::get).await.unwrap();
    TestDb::clone_of(TEMPLATE).await
}

impl TestDb {
    /// Another database that is as this one is now. Whoever is connected to this one is thrown out.
    pub(crate) async fn copy(&self) -> Self {
        let shared = Shared::get();
        let name = &self.name;
        let throw_out = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname =";
        shared.administer(format!("{throw_out} '{name}'")).await;
        Self::clone_of(name).await
    }

    async fn clone_of(template: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let shared = Shared::get();
        let clone =
            format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy OWNER wgfleet");
        shared.administer(clone).await;
        let url = address(&shared.data_dir, "wgfleet", &name);
        Self {
            pool: PgPoolOptions::new()
                .max_connections(10)
                .connect_lazy(&url)
                .unwrap(),
            url,
            name,
        }
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let shared = Shared::get();
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        shared.runtime.spawn(shared.administer(drop));
    }
}

struct Shared {
    /// Its connections outlive the runtime of any test.
    runtime: Runtime,
    administrator: PgPool,
    data_dir: PathBuf,
    /// Held, not used.
    _database: Database,
}

impl Shared {
    fn get() -> &'static Self {
        static SHARED: OnceLock<Shared> = OnceLock::new();
        SHARED.get_or_init(|| std::thread::spawn(Self::start).join().unwrap())
    }

    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let data_dir = folder().keep();
        let (database, administrator) = runtime.block_on(Self::make(&data_dir));
        Self {
            runtime,
            administrator,
            data_dir,
            _database: database,
        }
    }

    async fn make(data_dir: &Path) -> (Database, PgPool) {
        let database = database::open(&Settings {
            max_connections: CONNECTIONS,
            ..Settings::private(data_dir)
        })
        .await
        .unwrap();
        open_to_all(data_dir);
        // A template must have no connections.
        database.pool.close().await;
        let administrator = PgPoolOptions::new()
            .max_connections(4)
            .connect(&address(data_dir, "postgres", "postgres"))
            .await
            .unwrap();
        for statement in [
            // Nothing here has to survive.
            "ALTER SYSTEM SET fsync = off",
            "ALTER SYSTEM SET full_page_writes = off",
            "SELECT pg_reload_conf()",
            "ALTER DATABASE wgfleet RENAME TO migrated",
        ] {
            sqlx::query(statement)
                .execute(&administrator)
                .await
                .unwrap();
        }
        (database, administrator)
    }

    /// Runs a statement on the cluster's own runtime.
    fn administer(&self, statement: String) -> impl Future<Output = ()> + Send + use<> {
        let administrator = self.administrator.clone();
        let done = self.runtime.spawn(async move {
            sqlx::query(AssertSqlSafe(statement))
                .execute(&administrator)
                .await
                .unwrap();
        });
        async move { done.await.unwrap() }
    }
}

/// A cluster of one test's own, to be stopped and started while a controller uses it.
pub(crate) struct Own {
    folder: tempfile::TempDir,
    database: Option<Database>,
}

impl Own {
    pub(crate) async fn start() -> Self {
        let mut own = Self {
            folder: folder(),
            database: None,
        };
        own.start_again().await;
        own
    }

    /// The same before and after a stop.
    pub(crate) fn url(&self) -> String {
        self.url_of("wgfleet", "wgfleet")
    }

    pub(crate) fn url_of(&self, user: &str, database: &str) -> String {
        address(self.folder.path(), user, database)
    }

    pub(crate) async fn stop(&mut self) {
        self.database.take().unwrap().close().await;
    }

    pub(crate) async fn start_again(&mut self) {
        assert!(self.database.is_none(), "it runs");
        let settings = Settings::private(self.folder.path());
        self.database = Some(database::open(&settings).await.unwrap());
        open_to_all(self.folder.path());
    }

    /// That of all users of the cluster.
    pub(crate) fn password(&self) -> String {
        password(self.folder.path())
    }

    /// One statement as the user who may everything.
    pub(crate) async fn administer(&self, statement: &str) {
        let options: PgConnectOptions = self.url_of("postgres", "postgres").parse().unwrap();
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }
}

/// How another process reaches a cluster.
pub(crate) fn address(data_dir: &Path, user: &str, database: &str) -> String {
    let folder = data_dir.join("postgres");
    let password = password(data_dir);
    let host = folder.to_str().unwrap();
    format!("postgres:///{database}?host={host}&user={user}&password={password}")
}

fn password(data_dir: &Path) -> String {
    fs::read_to_string(data_dir.join("postgres/password")).unwrap()
}

/// A controller under test may run as any user; the password still guards the cluster.
fn open_to_all(data_dir: &Path) {
    let folder = data_dir.join("postgres");
    allow(data_dir, 0o711);
    allow(&folder, 0o711);
    allow(&folder.join(".s.PGSQL.5432"), 0o777);
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
