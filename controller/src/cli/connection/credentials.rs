//! As whom a command asks: the id of an API key and its secret.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use protocol::signing::{self, Secret};
use settings::{Mistake, Mistakes, Section, Text, text};
use zeroize::Zeroizing;

use crate::config::{EnvironmentError, variable};

const KEY_ID_VARIABLE: &str = "WGFLEET_API_KEY_ID";
const SECRET_VARIABLE: &str = "WGFLEET_API_SECRET";

#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) key_id: String,
    pub(super) secret: Secret,
}

#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum CredentialsError {
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error("{KEY_ID_VARIABLE} and {SECRET_VARIABLE} belong together, and only {0} is set")]
    Half(&'static str),
    #[error("{KEY_ID_VARIABLE} {0}")]
    KeyId(String),
    #[error("{SECRET_VARIABLE} {0}")]
    Secret(String),
    #[error(
        "no API key: set {KEY_ID_VARIABLE} and {SECRET_VARIABLE}, or write key_id and secret to {}",
        path.display()
    )]
    Absent { path: PathBuf },
    #[error(
        "no API key: set {KEY_ID_VARIABLE} and {SECRET_VARIABLE}, or name a file with --credentials"
    )]
    NoHome,
    #[error("{} is open to others (mode {mode:03o}); chmod it to 0600", path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
}

impl Credentials {
    /// Takes the file that was named, else the environment, else the file in the home of the user.
    pub(super) fn find(named: Option<&Path>) -> Result<Self, CredentialsError> {
        if let Some(path) = named {
            return Self::read(path);
        }
        let secret = variable(SECRET_VARIABLE)?.map(Zeroizing::new);
        match (variable(KEY_ID_VARIABLE)?, secret) {
            (Some(key_id), Some(secret)) => {
                return Ok(Self {
                    key_id: parse_key_id(&key_id).map_err(CredentialsError::KeyId)?,
                    secret: parse_secret(&secret).map_err(CredentialsError::Secret)?,
                });
            }
            (Some(_), None) => return Err(CredentialsError::Half(KEY_ID_VARIABLE)),
            (None, Some(_)) => return Err(CredentialsError::Half(SECRET_VARIABLE)),
            (None, None) => {}
        }
        let path = default_path()?;
        match path.try_exists() {
            Ok(false) => Err(CredentialsError::Absent { path }),
            // Where it cannot be told, reading will say why.
            Ok(true) | Err(_) => Self::read(&path),
        }
    }

    pub(super) fn read(path: &Path) -> Result<Self, CredentialsError> {
        refuse_open(path)?;
        let source = Zeroizing::new(
            settings::read_settings(path).map_err(|mistake| Mistakes(vec![mistake]))?,
        );
        let whole = Text {
            file: path,
            text: &source,
        };
        let table = whole.parse().map_err(Mistakes)?;
        let mut section = Section::new(whole, "", table.get_ref());
        let key_id = section.take("key_id", |value| parse_key_id(text(value)?));
        let secret = section.take("secret", |value| parse_secret(text(value)?));
        section.require("key_id", 1);
        section.require("secret", 1);
        let mistakes: Vec<Mistake> = section.finish();
        match (key_id, secret) {
            (Some(key_id), Some(secret)) if mistakes.is_empty() => Ok(Self {
                key_id: key_id.value,
                secret: secret.value,
            }),
            _ => Err(Mistakes(mistakes).into()),
        }
    }
}

fn refuse_open(path: &Path) -> Result<(), CredentialsError> {
    let mode = match std::fs::metadata(path) {
        Ok(meta) => meta.permissions().mode() & 0o777,
        Err(err) => {
            return Err(CredentialsError::Mistakes(Mistakes(vec![Mistake {
                file: path.to_owned(),
                line: None,
                key: None,
                what: format!("cannot be read: {err}"),
            }])));
        }
    };
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(CredentialsError::Open {
            path: path.to_owned(),
            mode,
        }),
    }
}

fn default_path() -> Result<PathBuf, CredentialsError> {
    let folder = match (variable("XDG_CONFIG_HOME"), variable("HOME")) {
        (Ok(Some(folder)), _) => PathBuf::from(folder),
        (_, Ok(Some(home))) => Path::new(&home).join(".config"),
        _ => return Err(CredentialsError::NoHome),
    };
    Ok(folder.join("wgfleet/credentials"))
}

fn parse_key_id(text: &str) -> Result<String, String> {
    match signing::is_key_id(text) {
        true => Ok(text.to_owned()),
        false => Err("must be 1 to 64 of A-Z a-z 0-9 _ -".into()),
    }
}

fn parse_secret(text: &str) -> Result<Secret, String> {
    Secret::parse(text).map_err(|err| err.to_string())
}
