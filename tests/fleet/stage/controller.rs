//! A controller: the product's own, in a thread of this process, on a port of its own, with short durations.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use controller::config::Config;
use controller::domain::reach::Reach;
use controller::domain::role::Scope;
use controller::fleet::live::Live;
use controller::fleet::{Fleet, Shared};
use controller::startup::Controller;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio_util::sync::CancellationToken;

use super::api::Api;
use super::postgres::{TestDb, fresh};

/// Everything that waits in the product waits less here.
pub(crate) const QUICK: &str = "
[poll]
every_ms = 200
timeout_ms = 200
placement_grace_s = 60
[apply]
lease_s = 3
timeout_ms = 2000
backoff_base_ms = 20
backoff_cap_ms = 300
tick_ms = 100
[addresses]
rest_s = 3600
[webhooks]
timeout_ms = 500
backoff_base_ms = 20
backoff_cap_ms = 200
";

pub(crate) struct Running {
    pub(crate) api: Api,
    pub(crate) base: String,
    pub(crate) fleet: Shared,
    pub(crate) db: Option<TestDb>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Running {
    /// On a database of its own.
    pub(crate) async fn start() -> Self {
        Self::with(QUICK).await
    }

    pub(crate) async fn with(sections: &str) -> Self {
        let db = fresh().await;
        let mut running = Self::on(&db.url, sections).await;
        running.db = Some(db);
        running
    }

    /// On a database that others may use too. The key ring's master key is the same for all of these.
    pub(crate) async fn on(url: &str, sections: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("master.key");
        std::fs::write(&key, MASTER_KEY).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&key, private).unwrap();
        let text = format!(
            "listen = \"127.0.0.1:0\"\ndata_dir = {:?}\nmaster_key_file = {key:?}\ndatabase_url = {url:?}\n{sections}",
            folder.path()
        );
        let config = Config::parse(Path::new("test.toml"), &text);
        let config = config.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let stop = CancellationToken::new();
        let (started, told) = mpsc::channel();
        let ends = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            actix_web::rt::System::with_tokio_rt(|| runtime).block_on(async {
                let controller = Controller::start(config, ends).await.unwrap();
                let begun = (controller.address, controller.fleet.clone());
                started.send(begun).unwrap();
                controller.run().await.unwrap();
            });
        });
        let begun = tokio::task::spawn_blocking(move || told.recv().unwrap());
        let (address, fleet) = begun.await.unwrap();
        let fleet = Arc::new(beside(&fleet, url));
        let base = format!("http://{address}");
        // Not over the controller's own pool: its connections would be served by a runtime that a test may block.
        let rows = PgPool::connect(url).await.unwrap();
        let api = Api::new(&base, &rows, &fleet.keyring, Scope::Admin).await;
        rows.close().await;
        Self {
            api,
            base,
            fleet,
            db: None,
            stop,
            thread: Some(thread),
            _folder: folder,
        }
    }

    /// Somebody else with a key of that scope.
    pub(crate) async fn caller(&self, scope: Scope) -> Api {
        Api::new(&self.base, self.rows(), &self.fleet.keyring, scope).await
    }

    /// Somebody whose key is limited to a pool or a network.
    pub(crate) async fn limited(&self, scope: Scope, reach: Reach) -> Api {
        Api::within(&self.base, self.rows(), &self.fleet.keyring, scope, reach).await
    }

    /// The one number that a query answers.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        let number = sqlx::query_scalar(query).fetch_one(self.rows());
        number.await.unwrap()
    }

    /// Makes of the rows what no call would.
    pub(crate) async fn sql(&self, statements: &'static str) {
        let done = sqlx::raw_sql(statements).execute(self.rows());
        done.await.unwrap();
    }

    /// Not the controller's own pool: its end waits for what was borrowed from that.
    pub(crate) fn rows(&self) -> &PgPool {
        let own = self.db.as_ref().map(|db| &db.pool);
        own.expect("a controller with a database of its own")
    }

    /// Ends it as SIGTERM would.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            tokio::task::spawn_blocking(move || thread.join().unwrap())
                .await
                .unwrap();
        }
    }
}

/// The same for the test, with connections of the test's own.
///
/// A connection hangs on the runtime that opened it. Were the controller to borrow one of the test's, it would wait
/// forever at its end: the test waits for that end, and its runtime stands still meanwhile.
fn beside(fleet: &Fleet, url: &str) -> Fleet {
    let pool = PgPoolOptions::new().max_connections(4).connect_lazy(url);
    Fleet {
        settings: fleet.settings.clone(),
        pool: pool.unwrap(),
        keyring: Arc::clone(&fleet.keyring),
        hasher: fleet.hasher.clone(),
        door: Arc::clone(&fleet.door),
        agents: fleet.agents.clone(),
        metrics: fleet.metrics.clone(),
        // Nobody listens at it.
        live: Live::default(),
        instance: fleet.instance.clone(),
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || std::thread::panicking());
        }
    }
}

pub(super) const MASTER_KEY: &str =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
