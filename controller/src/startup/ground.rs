//! What the server and the commands at the machine both stand on: which database, and the key ring of it.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;

use sqlx::PgPool;

use super::StartError;
use crate::config::{Config, MasterKey};
use crate::database;
use crate::keyring::{self, Keyring, MasterSource};

pub(crate) fn database_settings(config: &Config) -> database::Settings {
    database::Settings {
        url: config
            .database_url
            .as_ref()
            .map(|url| url.reveal().to_owned()),
        data_dir: config.data_dir.clone(),
        postgres_bin_dir: config.postgres_bin_dir.clone(),
        max_connections: config.database_connections,
        ..database::Settings::private(&config.data_dir)
    }
}

/// Opens the key ring, whose first key is made in the data folder unless it lies elsewhere.
pub(crate) async fn open_keyring(config: &Config, pool: &PgPool) -> Result<Keyring, StartError> {
    let source = master_source(config)?;
    if let MasterKey::Own(_) = config.master_key {
        let mut folder = DirBuilder::new();
        let made = folder.recursive(true).mode(0o700).create(&config.data_dir);
        made.map_err(|source| StartError::DataDir {
            path: config.data_dir.clone(),
            source,
        })?;
    }
    Ok(Keyring::open(pool, source).await?)
}

fn master_source(config: &Config) -> Result<MasterSource, StartError> {
    Ok(match &config.master_key {
        MasterKey::Given(secret) => {
            MasterSource::Given(keyring::MasterKey::parse(secret.reveal())?)
        }
        MasterKey::File(path) | MasterKey::Own(path) => MasterSource::File(path.clone()),
    })
}
