//! Why a command failed. What it found out by design, such as mistakes in a file, is no failure.

use std::io;
use std::path::PathBuf;

use super::connection::ConnectionError;
use super::exit::Exit;
use crate::config::{EnvironmentError, Mistakes};
use crate::database::DatabaseError;
use crate::fleet::FleetError;
use crate::fleet::users::HashingError;
use crate::keyring::KeyringError;
use crate::qr::TooLong;
use crate::startup::StartError;

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error("there is no setting {0:?}; all of them: wgfleet config example")]
    NoSetting(String),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error("{} cannot be read", path.display())]
    Body { path: PathBuf, source: io::Error },
    #[error("{} cannot be written", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} holds no JSON of the right form", path.display())]
    BodyJson {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("there is nothing called {which} among the {what}")]
    Unknown { what: &'static str, which: String },
    #[error("{which} is the name of several {what}; say which by its id: {}", ids.join(", "))]
    Several {
        what: &'static str,
        which: String,
        ids: Vec<String>,
    },
    #[error("the controller gave {0} in a form that this version does not know")]
    Shape(&'static str),
    /// A name, and what is wrong with it.
    #[error("{0} {1}")]
    Given(String, String),
    #[error(
        "peer {row} has no public key, so it gets a key pair that is shown once: say where to with --configs FOLDER or --json"
    )]
    KeyLost { row: usize },
    #[error("the first {made} peers were made and the others were not")]
    Midway { made: usize, source: Box<Failure> },
    #[error(
        "the master key comes from the environment: change it there, where this command cannot"
    )]
    MasterKeyGiven,
    #[error(transparent)]
    Picture(#[from] TooLong),
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
    #[error("the answer cannot be put into JSON")]
    Json(#[from] serde_json::Error),
    #[error("no runtime for the network")]
    Runtime(#[source] io::Error),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("the key ring")]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Fleet(#[from] FleetError),
    #[error(transparent)]
    Hashing(#[from] HashingError),
}

impl Failure {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Connection(err) => err.exit(),
            _ => Exit::Failed,
        }
    }
}
