//! Secrets at rest: the master key wraps data keys, data keys seal values, and the database holds both
//! only wrapped and sealed.
//!
//! The master key can then change without touching a single sealed value, and a data key can be
//! followed by another one while the old one still opens what it sealed. Every value is bound to its
//! [`Place`]. A backup of the database without the master key opens nothing.
//!
//! What this does not do: hide secrets from whoever controls the running controller, which must be
//! able to open them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sqlx::PgPool;
use zeroize::Zeroizing;

use crate::db::data_keys::{self, DataKeyRow, Lock};
use crate::domain::ids::DataKeyId;
use crate::random;

mod cipher;
mod master;
mod place;
mod rotation;
mod source;

use cipher::KeyBytes;
pub use master::{MasterKey, MasterKeyError};
pub use place::{Column, Place};
pub use rotation::{rotate_master, rotate_master_file};
pub use source::{MASTER_KEY_VARIABLE, MasterSource, SourceError};

const SEAL: &str = "seal";
const FINGERPRINT: &str = "fingerprint";

#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("cannot read or write the data keys")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("the data keys are wrapped by the master key {wanted}, and there is no master key")]
    NoMaster { wanted: String },
    #[error("the data keys are wrapped by the master key {wanted}, and the one given is {given}")]
    OtherMaster { wanted: String, given: String },
    #[error("data key {0} does not unwrap: its row was changed")]
    Damaged(DataKeyId),
    #[error("there is no current data key to {0} with")]
    Incomplete(&'static str),
}

/// Why a sealed value stays closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Made by another controller since the keys were read; [`Keyring::refresh`] reads them again.
    #[error("data key {0} is not known here")]
    UnknownKey(DataKeyId),
    #[error("the value sealed for {0} does not open: it was changed, or belongs elsewhere")]
    NotOpened(Place),
}

/// A value as it is stored, and the data key that opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub bytes: Vec<u8>,
    pub data_key_id: DataKeyId,
}

pub struct Keyring {
    source: MasterSource,
    keys: ArcSwap<Keys>,
}

impl Keyring {
    /// Unwraps the data keys. At the very first start it makes them, and the master key's file with them.
    pub async fn open(pool: &PgPool, source: MasterSource) -> Result<Self, KeyringError> {
        let mut lock = Lock::acquire(pool).await?;
        if data_keys::list(lock.connection()).await?.is_empty() {
            rotation::make_first_keys(&mut lock, &source).await?;
        }
        let keys = Keys::read(&mut lock, &source).await?;
        lock.release().await?;
        Ok(Self {
            source,
            keys: ArcSwap::from_pointee(keys),
        })
    }

    pub fn seal(&self, place: &Place, plain: &[u8]) -> Sealed {
        let keys = self.keys.load();
        let bound_to = place.bound_to(keys.seal.0);
        let key = keys.seal.1.for_column(place.column());
        Sealed {
            bytes: cipher::seal(&key, random::bytes(), &bound_to, plain),
            data_key_id: keys.seal.0,
        }
    }

    pub fn open_sealed(
        &self,
        place: &Place,
        bytes: &[u8],
        data_key_id: DataKeyId,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let keys = self.keys.load();
        let key = keys
            .sealing
            .get(&data_key_id)
            .ok_or(OpenError::UnknownKey(data_key_id))?
            .for_column(place.column());
        cipher::open(&key, &place.bound_to(data_key_id), bytes)
            .map_err(|_| OpenError::NotOpened(place.clone()))
    }

    /// A keyed hash: equal for equal secrets, and it tells nothing to whoever has only the database.
    pub fn fingerprint(&self, secret: &[u8]) -> [u8; 32] {
        let keys = self.keys.load();
        let mut mac = Hmac::<Sha256>::new_from_slice(keys.fingerprint.as_slice())
            .expect("HMAC takes a key of any length");
        mac.update(secret);
        mac.finalize().into_bytes().into()
    }

    /// A key for one use, the same on every controller and after every start: to sign what browsers bring back.
    pub fn key_for(&self, use_of_it: &str) -> Zeroizing<[u8; 32]> {
        let keys = self.keys.load();
        cipher::derive(&keys.fingerprint, &format!("wgfleet-use-1|{use_of_it}"))
    }

    /// Learns the data keys that other controllers or commands made since. Changes nothing.
    pub async fn refresh(&self, pool: &PgPool) -> Result<(), KeyringError> {
        let rows = data_keys::list(pool).await?;
        if self.keys.load().are(&rows) {
            return Ok(());
        }
        let mut lock = Lock::acquire(pool).await?;
        let keys = Keys::read(&mut lock, &self.source).await?;
        lock.release().await?;
        self.keys.store(Arc::new(keys));
        Ok(())
    }

    /// Seals with a new data key from now on. The one before only opens what it sealed.
    pub async fn rotate_data_key(&self, pool: &PgPool) -> Result<DataKeyId, KeyringError> {
        let mut lock = Lock::acquire(pool).await?;
        let id = rotation::follow_data_key(&mut lock, &self.source).await?;
        let keys = Keys::read(&mut lock, &self.source).await?;
        lock.release().await?;
        self.keys.store(Arc::new(keys));
        Ok(id)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring(*** sealing with {})", self.keys.load().seal.0)
    }
}

#[derive(Clone)]
struct DataKey(KeyBytes);

impl DataKey {
    fn for_column(&self, column: Column) -> KeyBytes {
        cipher::derive(&self.0, &format!("wgfleet-seal-1|{}", column.name()))
    }
}

/// The data keys, unwrapped.
struct Keys {
    sealing: HashMap<DataKeyId, DataKey>,
    seal: (DataKeyId, DataKey),
    fingerprint: KeyBytes,
}

impl Keys {
    /// The lock keeps rows and master key file from changing between the reading of the two.
    async fn read(lock: &mut Lock, source: &MasterSource) -> Result<Self, KeyringError> {
        let rows = data_keys::list(lock.connection()).await?;
        Self::unwrap(&rows, &source.candidates()?)
    }

    fn unwrap(rows: &[DataKeyRow], candidates: &[MasterKey]) -> Result<Self, KeyringError> {
        let mut sealing = HashMap::new();
        let mut seal = None;
        let mut fingerprint = None;
        for row in rows {
            let bytes = unwrap(row, candidates)?;
            if row.purpose == SEAL {
                let key = DataKey(bytes);
                if row.current {
                    seal = Some((row.id, key.clone()));
                }
                sealing.insert(row.id, key);
            } else if row.current {
                fingerprint = Some(cipher::derive(&bytes, "wgfleet-fingerprint-1"));
            }
        }
        Ok(Self {
            sealing,
            seal: seal.ok_or(KeyringError::Incomplete(SEAL))?,
            fingerprint: fingerprint.ok_or(KeyringError::Incomplete(FINGERPRINT))?,
        })
    }

    fn are(&self, rows: &[DataKeyRow]) -> bool {
        let mut sealing = rows.iter().filter(|row| row.purpose == SEAL);
        sealing
            .all(|row| self.sealing.contains_key(&row.id) && row.current == (row.id == self.seal.0))
    }
}

fn unwrap(row: &DataKeyRow, candidates: &[MasterKey]) -> Result<KeyBytes, KeyringError> {
    find(&row.master_id, candidates)?
        .unwrap(&row.purpose, &row.wrapped)
        .map_err(|_| KeyringError::Damaged(row.id))
}

/// The key that rows are wrapped by, among those that may be it.
fn find<'a>(wanted: &str, candidates: &'a [MasterKey]) -> Result<&'a MasterKey, KeyringError> {
    if let Some(found) = candidates.iter().find(|key| key.id() == wanted) {
        return Ok(found);
    }
    let wanted = wanted.to_owned();
    Err(match candidates.first() {
        None => KeyringError::NoMaster { wanted },
        Some(given) => KeyringError::OtherMaster {
            wanted,
            given: given.id(),
        },
    })
}

#[cfg(test)]
mod tests;
