//! The controller's own Postgres: made at the first start, started and stopped with the controller.
//!
//! It listens on a Unix socket alone, in a folder that only its user enters, and asks for a password even
//! there. The controller works as the user `wgfleet`, who owns one database and nothing else; `postgres`
//! only makes that user and does upgrades. A cluster of the distribution is never touched.
//!
//! A cluster is made under another name and renamed when it is whole, so one that was interrupted is
//! made anew.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::binaries::{self, Binaries};
use super::child::{FOLDER, command, run};
use super::folder::{Folder, Password};
use super::supervisor::{self, Supervisor};
use super::{DatabaseError, Settings, connection};

/// Both the user and the database.
pub(super) const NAME: &str = "wgfleet";
const ADMINISTRATOR: &str = "postgres";
/// What the pool may leave for `psql`, the upgrade and Postgres' own reserve.
const SPARE_CONNECTIONS: u32 = 20;

#[derive(Debug)]
pub(super) struct Cluster {
    folder: Arc<Folder>,
    password: Password,
    server: Supervisor,
}

/// What a server is started with.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) folder: Arc<Folder>,
    pub(super) binaries: Binaries,
    /// Its name in the folder.
    pub(super) cluster: String,
    pub(super) settings: Vec<String>,
}

impl Cluster {
    /// Takes the folder, makes the cluster if there is none, and returns once the server answers.
    pub(super) async fn start(settings: &Settings) -> Result<Self, DatabaseError> {
        let copy = settings.clone();
        let (folder, binaries) = blocking(move || {
            let folder = Arc::new(Folder::take(&copy.data_dir, copy.start_timeout)?);
            let binaries = prepare(&folder, &copy)?;
            Ok((folder, binaries))
        })
        .await?;
        let cluster = binaries.major.to_string();
        Self::serve(folder, binaries, cluster, settings).await
    }

    /// Starts the server of a cluster that exists.
    pub(super) async fn serve(
        folder: Arc<Folder>,
        binaries: Binaries,
        cluster: String,
        settings: &Settings,
    ) -> Result<Self, DatabaseError> {
        folder.clear_marks(&cluster)?;
        let password = folder.password()?;
        let server = supervisor::start(Program {
            folder: Arc::clone(&folder),
            binaries,
            cluster,
            settings: server_settings(settings.max_connections),
        })?;
        let cluster = Self {
            folder,
            password,
            server,
        };
        match cluster.furnish(settings).await {
            Ok(()) => Ok(cluster),
            Err(why) => {
                cluster.stop().await;
                Err(why)
            }
        }
    }

    /// How the controller connects.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.options_of(NAME, NAME)
    }

    fn options_of(&self, user: &str, database: &str) -> PgConnectOptions {
        options(
            &self.folder.within_this_process(),
            &self.password,
            user,
            database,
        )
    }

    /// A client program of the administrator.
    pub(super) fn client(&self, program: &Path) -> Result<Command, DatabaseError> {
        let mut command = command(&self.folder, program)?;
        command
            .env("PGHOST", FOLDER)
            .env("PGPORT", "5432")
            .env("PGUSER", ADMINISTRATOR)
            .env("PGPASSWORD", self.password.reveal());
        Ok(command)
    }

    pub(super) async fn stop(self) {
        let Self { folder, server, .. } = self;
        if tokio::task::spawn_blocking(move || server.stop())
            .await
            .is_err()
        {
            tracing::error!("the private Postgres may not have stopped");
        }
        drop(folder);
    }

    /// Gives a new cluster what the controller needs in it; finds it there the next time.
    async fn furnish(&self, settings: &Settings) -> Result<(), DatabaseError> {
        let options = self.options_of(ADMINISTRATOR, ADMINISTRATOR);
        let mut connection = tokio::select! {
            connected = connection::wait(&options, settings.start_timeout) => connected?,
            said = self.server.ended() => return Err(DatabaseError::Ended { said }),
        };
        self.make_user_and_database(&mut connection)
            .await
            .map_err(DatabaseError::Furnish)?;
        connection.close().await.map_err(DatabaseError::Furnish)
    }

    async fn make_user_and_database(
        &self,
        connection: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        let (user, database): (bool, bool) = sqlx::query_as(
            r"
            SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1),
                   EXISTS (SELECT FROM pg_database WHERE datname = $1)
            ",
        )
        .bind(NAME)
        .fetch_one(&mut *connection)
        .await?;
        if !user {
            // Such a statement takes no parameters.
            let password = self.password.reveal();
            let make = format!("CREATE ROLE {NAME} LOGIN PASSWORD '{password}'");
            sqlx::query(AssertSqlSafe(make))
                .execute(&mut *connection)
                .await?;
        }
        if !database {
            let make = format!("CREATE DATABASE {NAME} OWNER {NAME}");
            sqlx::query(AssertSqlSafe(make)).execute(connection).await?;
        }
        Ok(())
    }
}

/// How any process connects to the server whose socket is in `folder`.
pub(super) fn options(
    folder: &Path,
    password: &Password,
    user: &str,
    database: &str,
) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(folder)
        .port(5432)
        .ssl_mode(PgSslMode::Disable)
        .username(user)
        .password(password.reveal())
        .database(database)
        .application_name(NAME)
}

/// Finds the programs for the folder's newest cluster, and makes one where there is none.
fn prepare(folder: &Folder, settings: &Settings) -> Result<Binaries, DatabaseError> {
    let installed = binaries::find(settings.postgres_bin_dir.as_deref())?;
    let Some(major) = folder.clusters()?.pop() else {
        let newest = installed.into_iter().next();
        let binaries = newest.ok_or(DatabaseError::NoPrograms)?;
        folder.password()?;
        make(folder, &binaries)?;
        folder.name_cluster(&unfinished(binaries.major), binaries.major)?;
        return Ok(binaries);
    };
    let fitting = of_major(&installed, major, folder)?;
    if let Some(newer) = installed.iter().find(|found| found.major > major) {
        tracing::info!(
            "PostgreSQL {} is installed; `wgfleet database upgrade` moves the database from {major} to it",
            newer.major
        );
    }
    Ok(fitting)
}

pub(super) fn of_major(
    installed: &[Binaries],
    major: u32,
    folder: &Folder,
) -> Result<Binaries, DatabaseError> {
    let fitting = installed.iter().find(|found| found.major == major);
    fitting.cloned().ok_or_else(|| DatabaseError::MajorMissing {
        folder: folder.path.join(major.to_string()),
        major,
        found: match installed {
            [] => "none".into(),
            some => some
                .iter()
                .map(|found| found.major.to_string())
                .collect::<Vec<_>>()
                .join(", "),
        },
    })
}

/// What a cluster is called while it does not count.
pub(super) fn unfinished(major: u32) -> String {
    format!("{major}.new")
}

/// Makes a whole cluster, still under its unfinished name.
pub(super) fn make(folder: &Folder, binaries: &Binaries) -> Result<(), DatabaseError> {
    let unfinished = unfinished(binaries.major);
    folder.clear(&unfinished)?;
    tracing::info!(
        "making a private PostgreSQL {} cluster in {}",
        binaries.major,
        folder.path.display()
    );
    let mut initdb = command(folder, &binaries.program("initdb"))?;
    initdb
        .args(["-D", &format!("{FOLDER}/{unfinished}")])
        .args(["-U", ADMINISTRATOR, "-A", "scram-sha-256"])
        .arg(format!("--pwfile={FOLDER}/password"))
        .args(["--locale=C", "-E", "UTF8", "--data-checksums"]);
    run(initdb, "initdb")
}

/// Sized for a controller: nobody replicates from it, and its rows fit into memory.
fn server_settings(max_connections: u32) -> Vec<String> {
    let connections = max_connections.saturating_add(SPARE_CONNECTIONS);
    [
        "listen_addresses=",
        "unix_socket_permissions=0700",
        "cluster_name=wgfleet",
        "shared_buffers=64MB",
        "wal_level=minimal",
        "max_wal_senders=0",
        "jit=off",
        // Refused rows are how the controller settles races: the log has only what concerns the server.
        "log_min_messages=log",
        "log_min_error_statement=panic",
        "log_checkpoints=off",
        "log_line_prefix=",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([format!("max_connections={connections}")])
    .collect()
}

/// The thread stays until the work is done, as the programs it starts need.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DatabaseError> + Send + 'static,
) -> Result<T, DatabaseError> {
    let interrupted = |err: tokio::task::JoinError| DatabaseError::Run {
        program: "the preparation of the private Postgres".into(),
        source: err.into(),
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(interrupted)?
}
