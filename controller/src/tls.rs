//! HTTPS: certificate and key from files, taken over anew whenever the files change.
//!
//! What is being served stays until something better was read whole: a pair that does not match, a
//! file cut short or gone is an error for the log and nothing else. Where nobody gave a certificate,
//! `self_signed` makes one. HTTP/1.1 alone is offered, because requests are signed for it.

mod fingerprint;
mod pair;
mod reload;
mod self_signed;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem;

use crate::config::{Config, Tls, Transport};

pub use fingerprint::{Fingerprint, FingerprintError};
pub use pair::{Standing, Validity, read_validity};
pub use reload::Watcher;

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{} cannot be read", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} cannot be written", path.display())]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} holds no readable PEM", path.display())]
    Pem { path: PathBuf, source: pem::Error },
    #[error("{} holds no certificate", path.display())]
    NoCertificate { path: PathBuf },
    #[error("{} holds a certificate that cannot be understood", path.display())]
    Certificate {
        path: PathBuf,
        source: x509_parser::nom::Err<x509_parser::error::X509Error>,
    },
    #[error("{} and {} cannot be used together", cert.display(), key.display())]
    Pair {
        cert: PathBuf,
        key: PathBuf,
        source: rustls::Error,
    },
    #[error("no certificate can be made")]
    Make(#[source] rcgen::Error),
    #[error("the TLS versions cannot be set up")]
    Versions(#[source] rustls::Error),
}

/// What a listener needs, and what has to run beside it.
pub struct Served {
    pub config: ServerConfig,
    /// Of the certificate served at first, for people to compare with what they are shown.
    pub fingerprint: Fingerprint,
    pub validity: Validity,
    pub watcher: Watcher,
}

/// Prepares what the listener serves with; `None` where it speaks plain HTTP.
pub fn prepare(config: &Config, now: DateTime<Utc>) -> Result<Option<Served>, TlsError> {
    let (tls, own) = match config.transport() {
        Transport::Plain => return Ok(None),
        Transport::Files(tls) => (tls, None),
        Transport::SelfSigned => {
            let own = self_signed::Own::of(config);
            own.renew_if_due(now)?;
            (own.files().clone(), Some(own))
        }
    };
    let served = serve(tls, own, config.tls_reload)?;
    tell(&served, now);
    Ok(Some(served))
}

/// Says at each start what people compare, and what they should know.
///
/// A certificate out of date is no reason not to start: the nodes need the controller all the same.
fn tell(served: &Served, now: DateTime<Utc>) {
    let (fingerprint, not_after) = (served.fingerprint, served.validity.not_after);
    tracing::info!(%fingerprint, %not_after, "HTTPS with the certificate {fingerprint}");
    match served.validity.standing(now) {
        Standing::Good => {}
        Standing::EndsSoon => tracing::warn!(%not_after, "the certificate ends soon"),
        Standing::NotYet | Standing::Over => {
            tracing::error!(%not_after, "the certificate is not good today; clients will refuse it");
        }
    }
}

fn serve(
    tls: Tls,
    own: Option<self_signed::Own>,
    every: std::time::Duration,
) -> Result<Served, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let reloader = reload::Reloader::new(tls, Arc::clone(&provider))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Versions)?
        .with_no_client_auth()
        .with_cert_resolver(reloader.resolver());
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let (fingerprint, validity) = reloader.describe()?;
    Ok(Served {
        config,
        fingerprint,
        validity,
        watcher: Watcher::new(reloader, own, every),
    })
}

#[cfg(test)]
mod tests;
