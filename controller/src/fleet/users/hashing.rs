//! Argon2id, away from the threads that serve, and never so many at once that memory runs out.

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::domain::password::Password;
use crate::random;

/// What OWASP recommends: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// At 19 MiB each.
const AT_ONCE: usize = 4;

/// A PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    #[error("the controller is stopping")]
    Stopping,
    #[error("cannot hash a password")]
    Hash(#[from] argon2::password_hash::Error),
    #[error("the password hash of this user is not a PHC string")]
    Stored(#[source] phc::Error),
}

#[derive(Clone)]
pub struct Hasher {
    permits: Arc<Semaphore>,
    argon2: Argon2<'static>,
    /// Verified against where there is no user, so that the answer takes as long.
    nobody: Arc<str>,
}

impl Hasher {
    pub fn new() -> Result<Self, HashingError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
            .expect("these are within what Argon2 takes");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = hash(&argon2, &random::bytes::<32>())?;
        Ok(Self {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            argon2,
            nobody: nobody.into(),
        })
    }

    pub async fn hash(&self, password: Password) -> Result<PasswordHash, HashingError> {
        self.away(move |argon2| hash(argon2, password.as_bytes()).map(PasswordHash))
            .await
    }

    /// Tells whether `attempt` is the password. Without a hash it is not, and that takes as long to say.
    pub async fn verify(
        &self,
        stored: Option<String>,
        attempt: Zeroizing<String>,
    ) -> Result<bool, HashingError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.to_string());
        self.away(move |argon2| {
            let stored = phc::PasswordHash::new(&stored).map_err(HashingError::Stored)?;
            match argon2.verify_password(attempt.as_bytes(), &stored) {
                Ok(()) => Ok(known),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(err) => Err(err.into()),
            }
        })
        .await
    }

    async fn away<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'_>) -> Result<T, HashingError> + Send + 'static,
    ) -> Result<T, HashingError> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| HashingError::Stopping)?;
        let argon2 = self.argon2.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&argon2);
            drop(permit);
            done
        });
        done.await.map_err(|_| HashingError::Stopping)?
    }
}

fn hash(argon2: &Argon2<'_>, password: &[u8]) -> Result<String, HashingError> {
    let salt = random::bytes::<16>();
    let hash: phc::PasswordHash = argon2.hash_password_with_salt(password, &salt)?;
    Ok(hash.to_string())
}

impl PasswordHash {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::UserName;

    const CHOSEN: &str = "a fine long phrase";

    fn attempt(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    async fn hashed(hasher: &Hasher) -> PasswordHash {
        let name = UserName::parse("ada").unwrap();
        let password = Password::choose(CHOSEN, &name).unwrap();
        hasher.hash(password).await.unwrap()
    }

    #[tokio::test]
    async fn a_password_verifies_and_no_other_text_does() {
        let hasher = Hasher::new().unwrap();
        let stored = hashed(&hasher).await;
        let verify = |text| hasher.verify(Some(stored.as_str().to_owned()), attempt(text));

        assert!(verify(CHOSEN).await.unwrap());
        for text in ["", "a fine long phrase ", "A fine long phrase"] {
            assert!(!verify(text).await.unwrap(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_hash_names_its_parameters_and_no_two_are_equal() {
        let hasher = Hasher::new().unwrap();
        let [one, two] = [hashed(&hasher).await, hashed(&hasher).await];

        let stored = one.as_str();

        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        assert_ne!(one, two);
        assert_eq!(format!("{one:?}"), "PasswordHash(***)");
    }

    #[tokio::test]
    async fn nobody_has_a_password() {
        let hasher = Hasher::new().unwrap();

        assert!(!hasher.verify(None, attempt(CHOSEN)).await.unwrap());
    }

    #[tokio::test]
    async fn a_hash_that_cannot_be_read_is_an_error_and_no_refusal() {
        let hasher = Hasher::new().unwrap();

        let read = hasher.verify(Some("$argon2id$".to_owned()), attempt(CHOSEN));

        assert!(matches!(read.await, Err(HashingError::Stored(_))));
    }
}
