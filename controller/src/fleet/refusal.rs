//! What stands between a wish and its doing: a refusal with its reason, or a fault.
//!
//! The faces (`api`, `cli`) tell refusals apart by kind and code only, so one type serves them all.

use serde_json::Value;

use super::users::HashingError;
use crate::agent::AgentError;
use crate::keyring::{KeyringError, OpenError};

/// What kind of answer a refusal is, whichever face gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Well-formed and yet wrong.
    Invalid,
    /// Clashes with what is.
    Conflict,
    Missing,
    /// The caller looked at an older version.
    Stale,
    Forbidden,
    /// Withheld until a person lifts it.
    Locked,
    /// A node, whom this depends on, is not to be had.
    Upstream,
}

/// A wish that is not granted. Its text names the object and may be shown to whoever asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    pub kind: Kind,
    /// One word for programs.
    pub code: &'static str,
    pub text: String,
    /// What a program may want to know besides.
    pub details: Option<Value>,
}

impl Refusal {
    pub fn new(kind: Kind, code: &'static str, text: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            text: text.into(),
            details: None,
        }
    }

    pub fn invalid(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, code, text)
    }

    pub fn conflict(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, code, text)
    }

    /// Nothing has this name or id: `missing("network", 7)`.
    pub fn missing(what: &str, which: impl std::fmt::Display) -> Self {
        Self::new(
            Kind::Missing,
            "not_found",
            format!("there is no {what} {which}"),
        )
    }

    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }
}

#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("database")]
    Db(#[from] sqlx::Error),
    #[error("key ring")]
    Keyring(#[from] KeyringError),
    #[error("{0} in the database is not what this program writes")]
    Corrupt(&'static str),
    #[error("a value cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("a node's agent")]
    Agent(#[from] AgentError),
    #[error("a sealed value")]
    Open(#[from] OpenError),
    #[error("a password")]
    Hashing(#[from] HashingError),
}

pub type Result<T, E = FleetError> = std::result::Result<T, E>;
