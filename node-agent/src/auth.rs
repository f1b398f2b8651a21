//! Who is asking: the MAC first, in constant time, then the age, then whether it was seen before.
//!
//! What verifies is remembered before it acts. The caller of a request that does not verify learns
//! a code and nothing else; the log has the address.

use std::sync::{Mutex, PoisonError, RwLock};

use protocol::signing::{Rejection, Secret, Signature, SignedHeaders};

use crate::replay::Replay;

pub(crate) mod ring;

pub(crate) use ring::{Ring, RingError, Role, RotationError};

/// A request whose signature verified.
#[derive(Clone)]
pub(crate) struct Caller {
    pub secret: Secret,
    pub role: Role,
    pub timestamp: i64,
    pub signature: Signature,
}

/// A request that may not act. With a signer its answer is signed: only age or repetition spoke against it.
pub(crate) struct Rejected {
    pub rejection: Rejection,
    pub signer: Option<Caller>,
    pub not_before: Option<i64>,
}

pub(crate) struct Auth {
    ring: RwLock<Ring>,
    replay: Mutex<Replay>,
    window_s: i64,
}

/// The parts of a request that its signature covers.
#[derive(Clone, Copy)]
pub(crate) struct Covered<'a> {
    pub method: &'a str,
    pub target: &'a str,
    pub body: &'a [u8],
    /// The id of the secret whose activation this request asks for, if it does.
    pub activates: Option<&'a str>,
}

impl Auth {
    pub(crate) fn new(ring: Ring, replay: Replay, window_s: i64) -> Self {
        Self {
            ring: RwLock::new(ring),
            replay: Mutex::new(replay),
            window_s,
        }
    }

    pub(crate) fn authenticate(
        &self,
        headers: &SignedHeaders,
        covered: Covered<'_>,
        now: i64,
    ) -> Result<Caller, Rejected> {
        let caller = self
            .verify(headers, covered, now)
            .map_err(|rejection| Rejected {
                rejection,
                signer: None,
                not_before: None,
            })?;
        let rejected = |rejection, not_before| Rejected {
            rejection,
            signer: Some(caller.clone()),
            not_before,
        };
        if !headers.is_fresh(now, self.window_s) {
            return Err(rejected(Rejection::StaleTimestamp, None));
        }
        if !matches!(covered.method, "GET" | "HEAD") {
            let mut replay = self.replay.lock().unwrap_or_else(PoisonError::into_inner);
            replay
                .record(&headers.signature, headers.timestamp, now)
                .map_err(|rejection| {
                    let floor =
                        matches!(rejection, Rejection::BeforeRestart).then(|| replay.not_before());
                    rejected(rejection, floor)
                })?;
        }
        Ok(caller)
    }

    fn verify(
        &self,
        headers: &SignedHeaders,
        covered: Covered<'_>,
        now: i64,
    ) -> Result<Caller, Rejection> {
        let candidates = self.with_ring(|ring| ring.candidates(headers.key_id.as_deref(), now));
        let mut candidates = candidates
            .into_iter()
            .filter(|(role, id, _)| *role != Role::Next || covered.activates == Some(id))
            .peekable();
        if candidates.peek().is_none() {
            return Err(Rejection::UnknownKey);
        }
        candidates
            .find(|(_, _, secret)| {
                headers.verifies(secret, covered.method, covered.target, covered.body)
            })
            .map(|(role, _, secret)| Caller {
                secret,
                role,
                timestamp: headers.timestamp,
                signature: headers.signature,
            })
            .ok_or(Rejection::BadSignature)
    }

    fn with_ring<T>(&self, read: impl FnOnce(&Ring) -> T) -> T {
        read(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the ring. Blocks until the disk has it.
    pub(crate) fn change_ring<T>(&self, change: impl FnOnce(&mut Ring) -> T) -> T {
        change(&mut self.ring.write().unwrap_or_else(PoisonError::into_inner))
    }
}
