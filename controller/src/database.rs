//! Finds or starts Postgres, checks it, migrates it, and hands out the pool.
//!
//! With a URL it is somebody's server: it is waited for, judged (`requirements`) and used. Without one
//! it is the controller's own private cluster in the data directory (`cluster`), which lives and dies
//! with the controller.
//!
//! The few statements here are about the server itself and are not checked by the macros; what asks for
//! rows of the schema is in `db`. Nothing here knows a table.

mod account;
mod binaries;
mod child;
mod cluster;
mod connection;
mod error;
mod folder;
mod guest;
mod migrations;
mod requirements;
mod supervisor;
mod upgrade;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor, PgPool};

use cluster::Cluster;
use guest::Guest;

pub use error::DatabaseError;
pub use upgrade::{Upgraded, upgrade};

/// A request that waits this long for a connection is better refused.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(5);
/// A transaction in which nothing happens for this long is given up by the server: its controller's machine is gone,
/// and TCP would take hours to tell, with rows held all that time.
const FORSAKEN: &str = "SET idle_in_transaction_session_timeout = '60s'";
/// Somebody who still holds a connection after this is cut off.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// Which Postgres, and how.
#[derive(Clone)]
pub struct Settings {
    /// A server to use instead of a private one. May hold a password.
    pub url: Option<String>,
    /// The folder of the private cluster's folder.
    pub data_dir: PathBuf,
    /// Programs of Postgres to prefer over those of the distribution.
    pub postgres_bin_dir: Option<PathBuf>,
    pub max_connections: u32,
    /// How long a server, a predecessor or another's migration is waited for, each.
    pub start_timeout: Duration,
}

impl Settings {
    /// A private cluster in this folder.
    pub fn private(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            url: None,
            data_dir: data_dir.into(),
            postgres_bin_dir: None,
            max_connections: 20,
            start_timeout: Duration::from_secs(60),
        }
    }

    /// A server that somebody else runs.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: Some(url.into()),
            ..Self::private(PathBuf::new())
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("url", &self.url.as_ref().map(|_| "Secret(..)"))
            .field("data_dir", &self.data_dir)
            .field("postgres_bin_dir", &self.postgres_bin_dir)
            .field("max_connections", &self.max_connections)
            .field("start_timeout", &self.start_timeout)
            .finish()
    }
}

/// A checked and migrated database. Ends with `close`; where that is forgotten, a private Postgres still
/// stops, but nobody waits for it.
#[derive(Debug)]
pub struct Database {
    pub pool: PgPool,
    cluster: Option<Cluster>,
    /// Held while another process' cluster is used.
    _guest: Option<Guest>,
}

/// Comes back once the schema is the program's own.
pub async fn open(settings: &Settings) -> Result<Database, DatabaseError> {
    let Some(url) = &settings.url else {
        let cluster = Cluster::start(settings).await?;
        return match pool(&cluster.options(), settings).await {
            Ok(pool) => Ok(Database {
                pool,
                cluster: Some(cluster),
                _guest: None,
            }),
            Err(why) => {
                cluster.stop().await;
                Err(why)
            }
        };
    };
    Ok(Database {
        pool: pool(&connection::parse(url)?, settings).await?,
        cluster: None,
        _guest: None,
    })
}

/// For one command at the machine: opens the database, or goes to the private cluster of a controller that runs.
///
/// That one migrated its database as it wants it, so nothing is migrated there.
pub async fn join(settings: &Settings) -> Result<Database, DatabaseError> {
    let locked = match open(settings).await {
        Err(locked @ DatabaseError::Locked { .. }) => locked,
        opened => return opened,
    };
    let Some(guest) = Guest::of(&settings.data_dir)? else {
        return Err(locked);
    };
    let options = guest.options();
    let connection = connection::wait(&options, settings.start_timeout).await?;
    connection.close().await.map_err(DatabaseError::Ask)?;
    Ok(Database {
        pool: pool_of(&options, settings),
        cluster: None,
        _guest: Some(guest),
    })
}

impl Database {
    /// Tells whether this Postgres is the controller's own.
    pub fn is_private(&self) -> bool {
        self.cluster.is_some()
    }

    pub async fn close(self) {
        if tokio::time::timeout(CLOSE_LIMIT, self.pool.close())
            .await
            .is_err()
        {
            tracing::warn!("database connections are still in use; they are cut off");
        }
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }
}

/// Where the controller keeps what it must not lose, unless it is told otherwise.
pub fn default_data_dir() -> Result<PathBuf, DatabaseError> {
    data_dir_of(
        rustix::process::geteuid().is_root(),
        std::env::var_os("XDG_STATE_HOME").map(PathBuf::from),
        std::env::home_dir(),
    )
    .ok_or(DatabaseError::NoHome)
}

fn data_dir_of(root: bool, state: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    if root {
        return Some(PathBuf::from("/var/lib/wgfleet"));
    }
    // The XDG specification tells to ignore relative paths.
    state
        .filter(|state| state.is_absolute())
        .or_else(|| {
            home.filter(|home| home.is_absolute())
                .map(|home| home.join(".local/state"))
        })
        .map(|state| state.join("wgfleet"))
}

async fn pool(options: &PgConnectOptions, settings: &Settings) -> Result<PgPool, DatabaseError> {
    // A slow migration is logged by its name: the whole of its text is no line of a log.
    let quiet = options.clone().disable_statement_logging();
    let mut connection = connection::wait(&quiet, settings.start_timeout).await?;
    requirements::check(&mut connection).await?;
    migrations::run(connection, settings.start_timeout).await?;
    Ok(pool_of(options, settings))
}

fn pool_of(options: &PgConnectOptions, settings: &Settings) -> PgPool {
    PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(ACQUIRE_LIMIT)
        .after_connect(|connection, _| {
            Box::pin(async { connection.execute(FORSAKEN).await.map(|_| ()) })
        })
        .connect_lazy_with(options.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_does_not_show_in_debug_output() {
        let settings = Settings::at("postgres://app:hunter2@db.example.com/app");

        let text = format!("{settings:?}");

        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("Secret(..)"), "{text}");
    }

    #[test]
    fn data_lies_where_the_system_or_the_user_expects_it() {
        let dir = |root, state: Option<&str>, home: Option<&str>| {
            data_dir_of(root, state.map(PathBuf::from), home.map(PathBuf::from))
        };
        let path = |text: &str| Some(PathBuf::from(text));

        assert_eq!(
            dir(true, Some("/state"), Some("/root")),
            path("/var/lib/wgfleet")
        );
        assert_eq!(
            dir(false, Some("/state"), Some("/home/eva")),
            path("/state/wgfleet")
        );
        assert_eq!(
            dir(false, Some("state"), Some("/home/eva")),
            path("/home/eva/.local/state/wgfleet")
        );
        assert_eq!(
            dir(false, None, Some("/home/eva")),
            path("/home/eva/.local/state/wgfleet")
        );
        assert_eq!(dir(false, None, None), None);
    }
}
