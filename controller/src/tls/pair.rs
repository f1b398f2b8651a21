//! Reads a certificate with its key, and what the certificate says of itself.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use zeroize::Zeroizing;

use super::TlsError;
use crate::config::Tls;

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validity {
    pub not_before: DateTime<Utc>,
    pub not_after: DateTime<Utc>,
    /// DNS names as written, addresses as their bytes in hex.
    pub(super) names: Vec<Name>,
}

/// A certificate is good for too short a time when it ends within this.
const SOON: TimeDelta = TimeDelta::days(14);

/// How a certificate stands at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    NotYet,
    Good,
    EndsSoon,
    Over,
}

impl Validity {
    pub fn standing(&self, now: DateTime<Utc>) -> Standing {
        match now {
            _ if now < self.not_before => Standing::NotYet,
            _ if self.not_after <= now => Standing::Over,
            _ if self.not_after - now < SOON => Standing::EndsSoon,
            _ => Standing::Good,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Dns(String),
    Address(Vec<u8>),
}

/// Reads a pair and tells until when it is good; an error where the two do not belong together.
pub fn read_validity(tls: &Tls) -> Result<Validity, TlsError> {
    let pair = read_pair(tls, &aws_lc_rs::default_provider())?;
    validity(&pair, &tls.cert_file)
}

pub(super) fn read_pair(tls: &Tls, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
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

pub(super) fn validity(pair: &CertifiedKey, path: &Path) -> Result<Validity, TlsError> {
    let no_certificate = || TlsError::NoCertificate {
        path: path.to_owned(),
    };
    let leaf = pair.cert.first().ok_or_else(no_certificate)?;
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(|source| TlsError::Certificate {
        path: path.to_owned(),
        source,
    })?;
    let validity = parsed.validity();
    Ok(Validity {
        not_before: time(validity.not_before).ok_or_else(no_certificate)?,
        not_after: time(validity.not_after).ok_or_else(no_certificate)?,
        names: names(&parsed),
    })
}

fn time(time: ASN1Time) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.timestamp(), 0)
}

fn names(certificate: &X509Certificate<'_>) -> Vec<Name> {
    // Only names that can be read count as there.
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let names = extension.value.general_names.iter();
    let known = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(Name::Dns((*name).to_owned())),
        GeneralName::IPAddress(bytes) => Some(Name::Address(bytes.to_vec())),
        _ => None,
    });
    known.collect()
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
