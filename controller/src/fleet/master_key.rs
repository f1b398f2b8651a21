//! Replacing the master key, and writing down that it was.

use std::path::Path;

use serde_json::json;
use sqlx::PgPool;

use super::Result;
use super::change::{Call, Change, NOTHING};
use crate::keyring;

/// Puts a fresh master key into the file; tells how many data keys lie under it.
///
/// The rotation is a transaction of its own, with files before and after it, so it is written down afterwards.
pub async fn rotate(pool: &PgPool, call: &Call, path: &Path) -> Result<usize> {
    let data_keys = keyring::rotate_master_file(pool, path).await?;
    let change = Change::begin(pool, call).await?;
    let after = json!({"data_keys": data_keys});
    change
        .finish("keys.rotate_master", "keys/master", NOTHING, Some(&after))
        .await?;
    Ok(data_keys)
}
