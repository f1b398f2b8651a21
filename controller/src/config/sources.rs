//! What overrides the file: the command line first, then the environment.

use std::env::{self, VarError};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::DEFAULT_PATH;
use super::keys::GROUPS;

pub(super) const CONFIG_VARIABLE: &str = "WGFLEET_CONFIG";
pub(super) const MASTER_KEY_VARIABLE: &str = "WGFLEET_MASTER_KEY";

/// Where settings come from besides the defaults.
#[derive(Default)]
pub struct Sources {
    /// Named by a person: then it must exist.
    pub file: Option<PathBuf>,
    /// The first for a key counts.
    pub overrides: Vec<Override>,
    pub master_key: Option<Zeroizing<String>>,
}

/// One value from outside the file.
#[derive(Clone, PartialEq, Eq)]
pub struct Override {
    /// With its table, as in `tls.cert_file`.
    pub key: String,
    pub text: String,
    /// What a person would change: `--listen` or `DATABASE_URL`.
    pub origin: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    #[error("{0} is not UTF-8 text")]
    Text(String),
    /// A variable meant to carry something and carrying nothing is a broken deployment, and taking it
    /// for absent would start the controller on an empty database of its own.
    #[error("{0} is set and empty; unset it or give it a value")]
    Empty(String),
}

impl Sources {
    /// The settings file, whether it was named or not.
    pub fn path(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new(DEFAULT_PATH))
    }

    /// Reads the environment. What the command line says goes before it.
    pub fn from_environment(
        file: Option<PathBuf>,
        flags: Vec<Override>,
    ) -> Result<Self, EnvironmentError> {
        let mut overrides = flags;
        for group in GROUPS {
            for key in group.keys {
                let Some(name) = key.variable else { continue };
                if let Some(text) = variable(name)? {
                    overrides.push(Override {
                        key: group.full_name(key),
                        text,
                        origin: name.to_owned(),
                    });
                }
            }
        }
        let named = match file {
            Some(file) => Some(file),
            None => variable(CONFIG_VARIABLE)?.map(PathBuf::from),
        };
        Ok(Self {
            file: named,
            overrides,
            master_key: variable(MASTER_KEY_VARIABLE)?.map(Zeroizing::new),
        })
    }
}

/// Reads an environment variable that may be absent, and if not must be of use.
pub fn variable(name: &str) -> Result<Option<String>, EnvironmentError> {
    match env::var(name) {
        Ok(text) if text.is_empty() => Err(EnvironmentError::Empty(name.to_owned())),
        Ok(text) => Ok(Some(text)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(EnvironmentError::Text(name.to_owned())),
    }
}
