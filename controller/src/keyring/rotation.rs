//! Making keys and replacing them, safe at whatever moment the machine stops.
//!
//! The new master key is on disk, beside the old one, before any row is wrapped by it; all rows change
//! in one transaction; only then does the new file take the old one's place. In between, whichever of
//! the two files the rows were wrapped by opens them. Whoever replaces a key may write down in that transaction that
//! it was done.

use std::path::Path;

use sqlx::{Connection, PgConnection, PgPool};
use zeroize::Zeroizing;

use super::master::MasterKey;
use super::source::{self, MasterSource};
use super::{FINGERPRINT, KeyringError, SEAL, find, unwrap};
use crate::db::data_keys::{self, DataKeyRow, Lock};
use crate::domain::ids::DataKeyId;
use crate::random;

/// Wraps all data keys by `new` instead of `old`; returns how many there are.
///
/// For a master key that the environment gives: whoever calls this keeps the new one.
pub async fn rotate_master(
    pool: &PgPool,
    old: &MasterKey,
    new: &MasterKey,
) -> Result<usize, KeyringError> {
    let mut lock = Lock::acquire(pool).await?;
    let rows = data_keys::list(lock.connection()).await?;
    let mut transaction = lock.connection().begin().await?;
    rewrap(&mut transaction, &rows, old, new).await?;
    transaction.commit().await?;
    lock.release().await?;
    Ok(rows.len())
}

/// Puts a fresh master key in the place of the one in the file at `path`; returns how many data keys lie under it.
///
/// A change that was cut off before is brought to its end first. `note` is given that number, to write down in the
/// same transaction what is done; where it fails, nothing is.
pub async fn rotate_master_file<E>(
    pool: &PgPool,
    path: &Path,
    note: impl AsyncFnOnce(&mut PgConnection, usize) -> Result<(), E>,
) -> Result<usize, E>
where
    E: From<KeyringError> + From<sqlx::Error>,
{
    let mut lock = Lock::acquire(pool).await?;
    let rows = data_keys::list(lock.connection()).await?;
    let (old, new) = prepare(&rows, path)?;
    let mut transaction = lock.connection().begin().await?;
    rewrap(&mut transaction, &rows, &old, &new).await?;
    note(&mut transaction, rows.len()).await?;
    transaction.commit().await?;
    install(path)?;
    lock.release().await?;
    Ok(rows.len())
}

/// Finds the key that holds, and puts the one that is to follow it beside it.
fn prepare(rows: &[DataKeyRow], path: &Path) -> Result<(MasterKey, MasterKey), KeyringError> {
    let old = settle(rows, path)?;
    let new = MasterKey::from_random(random::bytes());
    source::write(&source::next(path), &new)?;
    Ok((old, new))
}

fn install(path: &Path) -> Result<(), KeyringError> {
    Ok(source::rename(&source::next(path), path)?)
}

/// Finds the key that holds, and has it stand in its own place.
fn settle(rows: &[DataKeyRow], path: &Path) -> Result<MasterKey, KeyringError> {
    let wanted = &rows
        .first()
        .ok_or(KeyringError::Incomplete(SEAL))?
        .master_id;
    let next = source::next(path);
    match source::read(&next)? {
        Some(key) if key.id() == *wanted => {
            source::rename(&next, path)?;
            Ok(key)
        }
        _ => {
            let current = source::read(path)?;
            find(wanted, current.as_slice()).cloned()
        }
    }
}

async fn rewrap(
    db: &mut PgConnection,
    rows: &[DataKeyRow],
    old: &MasterKey,
    new: &MasterKey,
) -> Result<(), KeyringError> {
    let candidates = std::slice::from_ref(old);
    for row in rows {
        let key = unwrap(row, candidates)?;
        let wrapped = new.wrap(&row.purpose, random::bytes(), &key);
        data_keys::rewrap(&mut *db, row.id, &new.id(), &wrapped).await?;
    }
    Ok(())
}

/// Makes the first data key of each purpose, and the master key's file where there is none.
pub(super) async fn make_first_keys(
    lock: &mut Lock,
    source: &MasterSource,
) -> Result<(), KeyringError> {
    let master = match (source.candidates()?.into_iter().next(), source) {
        (Some(key), _) => key,
        (None, MasterSource::Given(key)) => key.clone(),
        (None, MasterSource::File(path)) => {
            let key = MasterKey::from_random(random::bytes());
            source::write(path, &key)?;
            key
        }
    };
    let mut transaction = lock.connection().begin().await?;
    for purpose in [SEAL, FINGERPRINT] {
        let wrapped = fresh_data_key(&master, purpose);
        data_keys::insert(&mut *transaction, purpose, &master.id(), &wrapped).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Has a new data key follow the current one.
pub(super) async fn follow_data_key(
    lock: &mut Lock,
    source: &MasterSource,
) -> Result<DataKeyId, KeyringError> {
    let rows = data_keys::list(lock.connection()).await?;
    let wanted = &rows
        .first()
        .ok_or(KeyringError::Incomplete(SEAL))?
        .master_id;
    let candidates = source.candidates()?;
    let master = find(wanted, &candidates)?;
    let wrapped = fresh_data_key(master, SEAL);
    let mut transaction = lock.connection().begin().await?;
    data_keys::retire(&mut *transaction, SEAL).await?;
    let id = data_keys::insert(&mut *transaction, SEAL, wanted, &wrapped).await?;
    transaction.commit().await?;
    Ok(id)
}

fn fresh_data_key(master: &MasterKey, purpose: &str) -> Vec<u8> {
    master.wrap(purpose, random::bytes(), &Zeroizing::new(random::bytes()))
}
