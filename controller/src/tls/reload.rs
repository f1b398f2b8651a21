//! Notices that the files changed and puts their content in place of what is served.

use std::error::Error;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use super::self_signed::Own;
use super::{Fingerprint, TlsError, Validity, pair};
use crate::clock;
use crate::config::Tls;

/// The certificate that was read last.
#[derive(Debug)]
struct LatestPair(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for LatestPair {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// Keeps what is served as the files are, for as long as it runs.
pub struct Watcher {
    pub(super) reloader: Reloader,
    own: Option<Own>,
    every: Duration,
}

impl Watcher {
    pub(super) fn new(reloader: Reloader, own: Option<Own>, every: Duration) -> Self {
        Self {
            reloader,
            own,
            every,
        }
    }

    /// Looks from time to time, and at once on SIGHUP. It ends only where the signal cannot be heard.
    pub async fn run(mut self) -> io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut ticks = tokio::time::interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_asked = tokio::select! {
                _ = ticks.tick() => false,
                heard = hangup.recv() => heard.is_some(),
            };
            self.look(is_asked);
        }
    }

    fn look(&mut self, is_asked: bool) {
        if let Some(own) = &self.own
            && let Err(err) = own.renew_if_due(clock::now())
        {
            tracing::error!(
                error = &err as &dyn Error,
                "cannot renew the certificate; the old one goes on being served"
            );
        }
        let looked = match is_asked {
            true => self.reloader.reload().map(|()| true),
            false => self.reloader.check(),
        };
        match looked.and_then(|changed| changed.then(|| self.reloader.describe()).transpose()) {
            Ok(None) => {}
            Ok(Some((fingerprint, validity))) => tracing::info!(
                %fingerprint,
                not_after = %validity.not_after,
                "took the certificate over"
            ),
            Err(err) => tracing::error!(
                error = &err as &dyn Error,
                "cannot take the certificate over; the old one goes on being served"
            ),
        }
    }
}

pub(super) struct Reloader {
    tls: Tls,
    provider: Arc<CryptoProvider>,
    pair: Arc<LatestPair>,
    /// Of both files, as they were when last read, readable or not.
    seen: [Option<Stamp>; 2],
}

impl Reloader {
    pub(super) fn new(tls: Tls, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let seen = stamps(&tls);
        let pair = pair::read_pair(&tls, &provider)?;
        Ok(Self {
            tls,
            provider,
            pair: Arc::new(LatestPair(ArcSwap::from_pointee(pair))),
            seen,
        })
    }

    pub(super) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        let pair: Arc<LatestPair> = Arc::clone(&self.pair);
        pair
    }

    /// Describes what is served now.
    pub(super) fn describe(&self) -> Result<(Fingerprint, Validity), TlsError> {
        let pair = self.pair.0.load();
        let validity = pair::validity(&pair, &self.tls.cert_file)?;
        let leaf = pair.cert.first().ok_or_else(|| TlsError::NoCertificate {
            path: self.tls.cert_file.clone(),
        })?;
        Ok((Fingerprint::of(leaf), validity))
    }

    /// Reads the files anew if one changed since they were last read, and tells whether it did.
    ///
    /// A change that cannot be used is an error once, not at every look.
    pub(super) fn check(&mut self) -> Result<bool, TlsError> {
        if stamps(&self.tls) == self.seen {
            return Ok(false);
        }
        self.reload()?;
        Ok(true)
    }

    /// Reads the files anew. On an error, what was served before goes on being served.
    pub(super) fn reload(&mut self) -> Result<(), TlsError> {
        // Before reading: what changes meanwhile is then seen at the next look.
        self.seen = stamps(&self.tls);
        let pair = pair::read_pair(&self.tls, &self.provider)?;
        self.pair.0.store(Arc::new(pair));
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

fn stamps(tls: &Tls) -> [Option<Stamp>; 2] {
    [stamp(&tls.cert_file), stamp(&tls.key_file)]
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
