//! A certificate of the controller's own, for as long as nobody gives it a better one.
//!
//! It is good for 825 days: with more, Apple's browsers refuse it outright, and with fewer, people would
//! compare fingerprints more often than they must. It is made anew a month before its end, and when
//! the controller gets a name that it does not cover.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use url::Host;
use zeroize::Zeroizing;

use super::pair::{Name, Validity};
use super::{TlsError, read_validity};
use crate::config::{Config, Tls};

const VALID: TimeDelta = TimeDelta::days(825);
const RENEWED_BEFORE_END: TimeDelta = TimeDelta::days(30);

/// Where the certificate lies and whom it must name.
pub(super) struct Own {
    folder: PathBuf,
    tls: Tls,
    /// DNS names and addresses, as they are written.
    names: Vec<String>,
}

impl Own {
    pub(super) fn of(config: &Config) -> Self {
        let folder = config.data_dir.join("tls");
        Self {
            tls: Tls {
                cert_file: folder.join("cert.pem"),
                key_file: folder.join("key.pem"),
            },
            folder,
            names: names(config),
        }
    }

    pub(super) fn files(&self) -> &Tls {
        &self.tls
    }

    /// Makes certificate and key if there are none, or none that will do.
    pub(super) fn renew_if_due(&self, now: DateTime<Utc>) -> Result<(), TlsError> {
        match read_validity(&self.tls) {
            Ok(validity) if self.will_do(&validity, now) => Ok(()),
            // Cut off between its two files, or written over by somebody: nothing of value is lost.
            Ok(_) | Err(TlsError::Pair { .. }) => self.make(now),
            Err(TlsError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                self.make(now)
            }
            Err(other) => Err(other),
        }
    }

    fn will_do(&self, validity: &Validity, now: DateTime<Utc>) -> bool {
        let covers = |name: &String| {
            let wanted = match name.parse::<IpAddr>() {
                Ok(IpAddr::V4(address)) => Name::Address(address.octets().to_vec()),
                Ok(IpAddr::V6(address)) => Name::Address(address.octets().to_vec()),
                Err(_) => Name::Dns(name.clone()),
            };
            validity.names.contains(&wanted)
        };
        validity.not_before <= now
            && now + RENEWED_BEFORE_END < validity.not_after
            && self.names.iter().all(covers)
    }

    fn make(&self, now: DateTime<Utc>) -> Result<(), TlsError> {
        let key = KeyPair::generate().map_err(TlsError::Make)?;
        let certificate = self
            .params(now)?
            .self_signed(&key)
            .map_err(TlsError::Make)?;
        let written = |path: &Path, source| TlsError::Write {
            path: path.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(|source| written(&self.folder, source))?;
        // A stop between the two leaves a pair that does not match, which the next start replaces.
        let pem = Zeroizing::new(key.serialize_pem());
        for (path, text) in [
            (&self.tls.key_file, pem.as_str()),
            (&self.tls.cert_file, certificate.pem().as_str()),
        ] {
            replace(path, text.as_bytes()).map_err(|source| written(path, source))?;
        }
        tracing::info!(path = %self.tls.cert_file.display(), "made a certificate");
        Ok(())
    }

    fn params(&self, now: DateTime<Utc>) -> Result<CertificateParams, TlsError> {
        let mut params = CertificateParams::new(self.names.clone()).map_err(TlsError::Make)?;
        let narrow = |number: u32| u8::try_from(number).expect("months and days are below 32");
        let day =
            |at: DateTime<Utc>| date_time_ymd(at.year(), narrow(at.month()), narrow(at.day()));
        // A day of slack: the clocks of those who connect may be behind.
        params.not_before = day(now - TimeDelta::days(1));
        params.not_after = day(now - TimeDelta::days(1) + VALID);
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "wgfleet controller");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Ok(params)
    }
}

/// Everything that people may type to reach this controller.
fn names(config: &Config) -> Vec<String> {
    let mut names = vec![
        "localhost".to_owned(),
        Ipv4Addr::LOCALHOST.to_string(),
        Ipv6Addr::LOCALHOST.to_string(),
    ];
    let host = config.base_url.as_ref().and_then(|url| url.host());
    names.extend(host.map(|host| match host {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }));
    if !config.listen.ip().is_unspecified() {
        names.push(config.listen.ip().to_string());
    }
    let machine = rustix::system::uname();
    let machine = machine.nodename().to_string_lossy().to_ascii_lowercase();
    if is_dns_name(&machine) {
        names.push(machine);
    }
    names.sort();
    names.dedup();
    names
}

fn is_dns_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// Replaces a file that only the controller may read; a reader finds the old or the new one whole.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_added_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
