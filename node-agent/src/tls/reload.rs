//! Notices that the files changed and puts their content in place of what is served.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::clients::LatestAuthority;
use super::{TlsError, files, read_material};
use crate::config::Tls;

/// The certificate that was read last.
#[derive(Debug)]
pub(super) struct LatestPair(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for LatestPair {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

pub(crate) struct Reloader {
    tls: Tls,
    provider: Arc<CryptoProvider>,
    pair: Arc<LatestPair>,
    clients: Option<Arc<LatestAuthority>>,
    /// Of all files, as they were when last read, readable or not.
    seen: Vec<Option<Stamp>>,
}

impl Reloader {
    pub(super) fn new(
        tls: Tls,
        provider: Arc<CryptoProvider>,
    ) -> Result<(Self, Arc<LatestPair>), TlsError> {
        let seen = stamps(&tls);
        let material = read_material(&tls, &provider)?;
        let pair = Arc::new(LatestPair(ArcSwap::from_pointee(material.pair)));
        let reloader = Self {
            pair: Arc::clone(&pair),
            clients: material
                .clients
                .map(|verifier| Arc::new(LatestAuthority::new(verifier))),
            tls,
            provider,
            seen,
        };
        Ok((reloader, pair))
    }

    pub(super) fn verifier(&self) -> Option<Arc<dyn ClientCertVerifier>> {
        let clients = Arc::clone(self.clients.as_ref()?);
        Some(clients)
    }

    /// Reads the files anew if one changed since they were last read, and tells whether it did.
    ///
    /// A change that cannot be used is an error once, not at every look.
    pub(crate) fn check(&mut self) -> Result<bool, TlsError> {
        if stamps(&self.tls) == self.seen {
            return Ok(false);
        }
        self.reload()?;
        Ok(true)
    }

    /// Reads the files anew. On an error, what was served before goes on being served.
    pub(crate) fn reload(&mut self) -> Result<(), TlsError> {
        // Before reading: what changes meanwhile is then seen at the next look.
        self.seen = stamps(&self.tls);
        let material = read_material(&self.tls, &self.provider)?;
        if let (Some(clients), Some(verifier)) = (&self.clients, material.clients) {
            clients.replace(verifier);
        }
        self.pair.0.store(Arc::new(material.pair));
        Ok(())
    }
}

/// What shows that a file is not the one it was.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

fn stamps(tls: &Tls) -> Vec<Option<Stamp>> {
    files(tls).map(stamp).collect()
}

/// `None` for a file that cannot be looked at; reading it will say why.
fn stamp(path: &Path) -> Option<Stamp> {
    let Ok(meta) = std::fs::metadata(path) else {
        return None;
    };
    Some(Stamp {
        device: meta.dev(),
        inode: meta.ino(),
        size: meta.size(),
        modified: (meta.mtime(), meta.mtime_nsec()),
        changed: (meta.ctime(), meta.ctime_nsec()),
    })
}
