//! What commands stand on that work at the machine itself: the settings, the database, the key ring.
//!
//! Whoever may read the controller's settings and its data may do this; nobody else is asked. While a controller
//! runs, its private Postgres is used; else it is started for the command and stopped afterwards.

use tokio::runtime::Runtime;

use super::Failure;
use super::config::SettingsArguments;
use crate::config::Config;
use crate::database::{self, Database};
use crate::domain::actor::{Actor, ActorKind};
use crate::keyring::Keyring;
use crate::startup;

/// As whom these commands are written down, unless they say more.
pub(super) const NAME: &str = "cli";

pub(super) struct Local {
    pub(super) config: Config,
    runtime: Runtime,
}

/// The database, open.
pub(super) struct Ground<'a> {
    pub(super) config: &'a Config,
    pub(super) database: Database,
}

impl Local {
    pub(super) fn load(settings: &SettingsArguments) -> Result<Self, Failure> {
        let loaded = Config::load(&settings.sources()?)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(Failure::Runtime)?;
        Ok(Self {
            config: loaded.config,
            runtime,
        })
    }

    /// Does something with the database, and leaves it as it was found: running or not.
    pub(super) fn run<T>(
        &self,
        work: impl AsyncFnOnce(&Ground<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.runtime.block_on(async {
            let settings = startup::database_settings(&self.config);
            let ground = Ground {
                config: &self.config,
                database: database::join(&settings).await?,
            };
            let done = work(&ground).await;
            ground.database.close().await;
            done
        })
    }

    /// Does something that needs the database stopped.
    pub(super) fn run_beside<T>(
        &self,
        work: impl AsyncFnOnce(&database::Settings) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let settings = startup::database_settings(&self.config);
        self.runtime.block_on(work(&settings))
    }
}

impl Ground<'_> {
    pub(super) async fn keyring(&self) -> Result<Keyring, Failure> {
        Ok(startup::open_keyring(self.config, &self.database.pool).await?)
    }
}

/// As whom changes at the machine are written down: the user of the machine, where that can be told.
pub(super) fn actor() -> Actor {
    let person = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    Actor {
        kind: ActorKind::Cli,
        name: person.unwrap_or_else(|_| NAME.into()),
        ip: None,
        request_id: None,
    }
}
