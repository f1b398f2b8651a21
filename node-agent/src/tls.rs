//! HTTPS: certificate and key from files, taken over anew whenever the files change.
//!
//! What is being served stays until something better was read whole: a pair that does not match, a
//! file cut short or gone is an error for the log and nothing else. The authority of the clients is
//! replaced in the same step, so that one taken out of the file is really out. For the same reason no
//! session is resumed: a resumed session would not show its certificate again.

mod clients;
mod reload;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use crate::config::Tls;

pub(crate) use reload::Reloader;

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{} cannot be read", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} holds no readable PEM", path.display())]
    Pem { path: PathBuf, source: pem::Error },
    #[error("{} holds no certificate", path.display())]
    NoCertificate { path: PathBuf },
    #[error("{} and {} cannot be used together", cert.display(), key.display())]
    Pair {
        cert: PathBuf,
        key: PathBuf,
        source: rustls::Error,
    },
    #[error("{} holds an unusable certificate", path.display())]
    Authority {
        path: PathBuf,
        source: rustls::Error,
    },
    #[error("{} cannot serve to verify clients", path.display())]
    Clients {
        path: PathBuf,
        source: VerifierBuilderError,
    },
    #[error("the TLS versions cannot be set up")]
    Versions(#[source] rustls::Error),
}

/// Reads the files and makes of them what the server needs. The reloader replaces their content in it.
pub(crate) fn server_config(tls: &Tls) -> Result<(ServerConfig, Reloader), TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let (reloader, resolver) = Reloader::new(tls.clone(), Arc::clone(&provider))?;
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Versions)?;
    let builder = match reloader.verifier() {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok((config, reloader))
}

/// The folders that must stay readable for the files to be read anew: each file's own, and that of the
/// file behind a link, as with `live/` and `archive/` of certbot.
pub(crate) fn paths(tls: &Tls) -> Result<Vec<PathBuf>, TlsError> {
    let mut folders = Vec::new();
    for path in files(tls) {
        let real = path.canonicalize().map_err(|source| TlsError::Read {
            path: path.to_owned(),
            source,
        })?;
        folders.extend(path.parent().map(Path::to_owned));
        folders.extend(real.parent().map(Path::to_owned));
    }
    folders.sort();
    folders.dedup();
    Ok(folders)
}

fn files(tls: &Tls) -> impl Iterator<Item = &Path> {
    let both = [tls.cert_file.as_path(), tls.key_file.as_path()];
    both.into_iter().chain(tls.client_ca_file.as_deref())
}

/// What one reading of all files gave.
struct Material {
    pair: CertifiedKey,
    clients: Option<Arc<dyn ClientCertVerifier>>,
}

fn read_material(tls: &Tls, provider: &Arc<CryptoProvider>) -> Result<Material, TlsError> {
    Ok(Material {
        pair: read_pair(tls, provider)?,
        clients: match &tls.client_ca_file {
            Some(path) => Some(read_authority(path, provider)?),
            None => None,
        },
    })
}

fn read_pair(tls: &Tls, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = read_certificates(&tls.cert_file)?;
    let key =
        PrivateKeyDer::from_pem_slice(&read(&tls.key_file)?).map_err(|source| TlsError::Pem {
            path: tls.key_file.clone(),
            source,
        })?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| TlsError::Pair {
        cert: tls.cert_file.clone(),
        key: tls.key_file.clone(),
        source,
    })
}

fn read_authority(
    path: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in read_certificates(path)? {
        roots
            .add(certificate)
            .map_err(|source| TlsError::Authority {
                path: path.to_owned(),
                source,
            })?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|source| TlsError::Clients {
            path: path.to_owned(),
            source,
        })
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(path)?;
    let certificates: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&bytes).collect();
    let certificates = certificates.map_err(|source| TlsError::Pem {
        path: path.to_owned(),
        source,
    })?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate {
            path: path.to_owned(),
        });
    }
    Ok(certificates)
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Zeroizing::new(bytes)),
        Err(source) => Err(TlsError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests;
