//! The secrets that a node obeys, and their change without a moment in which none works.
//!
//! At most three: `active` verifies everything; `next` verifies nothing but its own activation;
//! `retiring` still verifies for a while what was on its way when it was replaced. All are on disk,
//! replaced in one step, so that a crash between any two steps leaves one that both sides hold.
//!
//! The secret in the configuration only seeds the ring. Its hash is kept: the same seed again
//! changes nothing, another one replaces the whole ring, which is how an operator at the machine
//! takes a stolen node back.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use protocol::rotation::{self, Exchange};
use protocol::signing::{Secret, is_key_id};
use protocol::{PrivateKey, PublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::private_file::replace;

const FILE: &str = "secrets.json";
const INITIAL: &str = "initial";

#[derive(Debug, thiserror::Error)]
pub enum RingError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is damaged; remove it to begin again with the configured secret")]
    Damaged { path: PathBuf },
    #[error("cannot write {path}")]
    Write { path: PathBuf, source: io::Error },
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RotationError {
    #[error("a key id is 1 to 64 of A-Z a-z 0-9 _ -")]
    BadId,
    #[error("the secret {0} exists with another key")]
    Exists(String),
    #[error("the secret {0} is not known")]
    Unknown(String),
    #[error("the secret {0} is the active one")]
    Active(String),
    #[error("the public key is of low order and shares no secret")]
    LowOrder,
    #[error(transparent)]
    Disk(#[from] RingError),
}

/// What a secret may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Active,
    Next,
    Retiring,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    id: String,
    #[serde(with = "secret_text")]
    secret: Secret,
    /// The exchange it came from, so that the same question gets the same answer.
    controller_key: Option<PublicKey>,
    agent_key: Option<PublicKey>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Secrets {
    seed: String,
    active: Entry,
    next: Option<Entry>,
    retiring: Option<Entry>,
    retiring_until: i64,
    /// The highest timestamp of a request that changed this file.
    latest_request: i64,
}

pub(crate) struct Ring {
    path: PathBuf,
    secrets: Secrets,
    retiring_s: i64,
}

impl Ring {
    /// Reads the ring, or begins one with the configured secret.
    pub(crate) fn open(
        state_dir: &Path,
        seed: &Secret,
        retiring_s: i64,
    ) -> Result<Self, RingError> {
        let path = state_dir.join(FILE);
        let sum = hex::encode(Sha256::digest(seed.reveal()));
        let kept = match fs::read(&path) {
            Ok(text) => {
                let damaged = |_| RingError::Damaged { path: path.clone() };
                Some(serde_json::from_slice::<Secrets>(&text).map_err(damaged)?)
            }
            Err(err) if err.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(RingError::Read { path, source }),
        };
        if let Some(secrets) = kept.as_ref().filter(|secrets| secrets.seed == sum) {
            let secrets = secrets.clone();
            return Ok(Self {
                path,
                secrets,
                retiring_s,
            });
        }
        let secrets = Secrets {
            seed: sum,
            active: Entry {
                id: INITIAL.into(),
                secret: seed.clone(),
                controller_key: None,
                agent_key: None,
            },
            next: None,
            retiring: None,
            retiring_until: 0,
            latest_request: kept.map_or(0, |secrets| secrets.latest_request),
        };
        let mut ring = Self {
            path,
            secrets: secrets.clone(),
            retiring_s,
        };
        ring.store(secrets)?;
        Ok(ring)
    }

    pub(crate) fn latest_request(&self) -> i64 {
        self.secrets.latest_request
    }

    /// The secrets that a request may have been signed with, the likeliest first.
    pub(crate) fn candidates(&self, key_id: Option<&str>, now: i64) -> Vec<(Role, String, Secret)> {
        let retiring = self
            .secrets
            .retiring
            .as_ref()
            .filter(|_| now < self.secrets.retiring_until);
        let all = [
            (Role::Active, Some(&self.secrets.active)),
            (Role::Retiring, retiring),
            (Role::Next, self.secrets.next.as_ref()),
        ];
        all.into_iter()
            .filter_map(|(role, entry)| Some((role, entry?)))
            .filter(|(role, entry)| match key_id {
                Some(id) => entry.id == id,
                None => *role != Role::Next,
            })
            .map(|(role, entry)| (role, entry.id.clone(), entry.secret.clone()))
            .collect()
    }

    /// Takes the controller's half of an exchange and gives the agent's.
    pub(crate) fn exchange(
        &mut self,
        id: &str,
        controller: &PublicKey,
        verifying: &Secret,
        random: [u8; 32],
        request: i64,
    ) -> Result<PublicKey, RotationError> {
        if !is_key_id(id) {
            return Err(RotationError::BadId);
        }
        if let Some(known) = self.find(id) {
            return match known.agent_key {
                Some(agent_key) if known.controller_key == Some(*controller) => Ok(agent_key),
                _ => Err(RotationError::Exists(id.into())),
            };
        }
        let private = PrivateKey::from_random(random);
        let agent = private.public_key();
        let exchange = Exchange {
            id,
            controller: *controller,
            agent,
        };
        let secret = rotation::derive(&exchange, &private, controller, verifying)
            .map_err(|_| RotationError::LowOrder)?;
        let mut secrets = self.secrets.clone();
        secrets.next = Some(Entry {
            id: id.into(),
            secret,
            controller_key: Some(*controller),
            agent_key: Some(agent),
        });
        self.store_at(secrets, request)?;
        Ok(agent)
    }

    /// Makes `next` active. Asking again for what is active already is success.
    pub(crate) fn activate(
        &mut self,
        id: &str,
        now: i64,
        request: i64,
    ) -> Result<(), RotationError> {
        if self.secrets.active.id == id {
            return Ok(());
        }
        let mut secrets = self.secrets.clone();
        match secrets.next.take() {
            Some(next) if next.id == id => {
                secrets.retiring = Some(std::mem::replace(&mut secrets.active, next));
                secrets.retiring_until = now.saturating_add(self.retiring_s);
                Ok(self.store_at(secrets, request)?)
            }
            _ => Err(RotationError::Unknown(id.into())),
        }
    }

    /// Forgets a secret that is not the active one. Forgetting an unknown one is success.
    pub(crate) fn remove(&mut self, id: &str, request: i64) -> Result<(), RotationError> {
        if self.secrets.active.id == id {
            return Err(RotationError::Active(id.into()));
        }
        let mut secrets = self.secrets.clone();
        secrets.next = secrets.next.filter(|entry| entry.id != id);
        secrets.retiring = secrets.retiring.filter(|entry| entry.id != id);
        Ok(self.store_at(secrets, request)?)
    }

    /// Forgets a retiring secret whose time is over, on disk too.
    pub(crate) fn prune(&mut self, now: i64) -> Result<(), RingError> {
        if self.secrets.retiring.is_none() || now < self.secrets.retiring_until {
            return Ok(());
        }
        let mut secrets = self.secrets.clone();
        secrets.retiring = None;
        self.store(secrets)
    }

    fn find(&self, id: &str) -> Option<&Entry> {
        let secrets = &self.secrets;
        let all = [
            Some(&secrets.active),
            secrets.next.as_ref(),
            secrets.retiring.as_ref(),
        ];
        all.into_iter().flatten().find(|entry| entry.id == id)
    }

    fn store_at(&mut self, mut secrets: Secrets, request: i64) -> Result<(), RingError> {
        secrets.latest_request = secrets.latest_request.max(request);
        self.store(secrets)
    }

    /// Writes first and believes it then: what is not on disk does not verify.
    fn store(&mut self, secrets: Secrets) -> Result<(), RingError> {
        let text = serde_json::to_vec(&secrets).map_err(io::Error::other);
        let written = text.and_then(|text| replace(&self.path, |file| file.write_all(&text)));
        written.map_err(|source| RingError::Write {
            path: self.path.clone(),
            source,
        })?;
        self.secrets = secrets;
        Ok(())
    }
}

/// A secret as text, for this file alone.
mod secret_text {
    use protocol::signing::Secret;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(
        secret: &Secret,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Secret, D::Error> {
        let text = String::deserialize(deserializer)?;
        Secret::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
