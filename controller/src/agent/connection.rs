//! The pool of connections, and whom it trusts. Files are read once, at start.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::tls::{Certificate, Identity};
use reqwest::{Client, ClientBuilder, redirect};
use zeroize::Zeroizing;

use super::error::Source;
use crate::authorities;

/// Shorter than agents keep a connection that nobody uses (75 s), so that none is used that they
/// are about to close, and longer than the time between two polls.
const IDLE: Duration = Duration::from_secs(60);

/// Whom to believe beside the authorities that this machine trusts, and what to show those who ask.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// PEM certificates of the fleet's own authority.
    pub fleet_ca_file: Option<PathBuf>,
    /// PEM of our own certificate chain and of its key, in one file or in two.
    pub client_cert_file: Option<PathBuf>,
    pub client_key_file: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("{} cannot be read", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} holds no readable certificate", path.display())]
    Authority { path: PathBuf, source: Source },
    #[error("{} holds no certificate", path.display())]
    NoAuthority { path: PathBuf },
    #[error("{} holds no certificate with its key", path.display())]
    Identity { path: PathBuf, source: Source },
    #[error("a client key is named without a certificate")]
    KeyAlone,
    #[error("the client of the agents cannot be set up")]
    Client(#[source] Source),
}

pub(super) fn client(tls: &Tls) -> Result<Client, SetupError> {
    let authorities = authorities(tls)?;
    let identity = identity(tls)?;
    let builder = || match identity.clone() {
        Some(identity) => plain().identity(identity),
        None => plain(),
    };
    authorities::client("agents", builder, &authorities)
        .map_err(|err| SetupError::Client(err.into()))
}

fn plain() -> ClientBuilder {
    Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .http1_only()
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("wgfleet/", env!("CARGO_PKG_VERSION")))
}

fn authorities(tls: &Tls) -> Result<Vec<Certificate>, SetupError> {
    let Some(path) = &tls.fleet_ca_file else {
        return Ok(Vec::new());
    };
    let certificates =
        Certificate::from_pem_bundle(&read(path)?).map_err(|err| SetupError::Authority {
            path: path.clone(),
            source: err.into(),
        })?;
    if certificates.is_empty() {
        return Err(SetupError::NoAuthority { path: path.clone() });
    }
    Ok(certificates)
}

fn identity(tls: &Tls) -> Result<Option<Identity>, SetupError> {
    let Some(path) = &tls.client_cert_file else {
        return match tls.client_key_file {
            Some(_) => Err(SetupError::KeyAlone),
            None => Ok(None),
        };
    };
    let mut pem = read(path)?;
    if let Some(key) = &tls.client_key_file {
        pem.push(b'\n');
        pem.extend_from_slice(&read(key)?);
    }
    let identity = Identity::from_pem(&pem).map_err(|err| SetupError::Identity {
        path: path.clone(),
        source: err.into(),
    })?;
    Ok(Some(identity))
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, SetupError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Zeroizing::new(bytes)),
        Err(source) => Err(SetupError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}
