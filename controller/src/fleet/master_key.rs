//! Replacing the master key, and writing down that it was: neither is there without the other.

use std::path::Path;

use serde_json::json;
use sqlx::PgPool;

use super::change::NOTHING;
use super::{Result, audit};
use crate::domain::actor::Actor;
use crate::{clock, keyring};

/// Puts a fresh master key into the file; tells how many data keys lie under it.
pub async fn rotate(pool: &PgPool, actor: &Actor, path: &Path) -> Result<usize> {
    keyring::rotate_master_file(pool, path, async |db, data_keys| {
        let after = json!({"data_keys": data_keys});
        let (action, object) = ("keys.rotate_master", "keys/master");
        let entry = audit::done(actor, action, object, NOTHING, Some(&after), clock::now())?;
        audit::append(db, &entry).await
    })
    .await
}
