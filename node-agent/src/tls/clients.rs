//! Verifies the certificates of clients by the authority that was read last.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

pub(super) struct LatestAuthority(ArcSwap<Arc<dyn ClientCertVerifier>>);

impl LatestAuthority {
    pub(super) fn new(verifier: Arc<dyn ClientCertVerifier>) -> Self {
        Self(ArcSwap::from_pointee(verifier))
    }

    pub(super) fn replace(&self, verifier: Arc<dyn ClientCertVerifier>) {
        self.0.store(Arc::new(verifier));
    }
}

impl fmt::Debug for LatestAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LatestAuthority")
    }
}

impl ClientCertVerifier for LatestAuthority {
    /// Names no authority: the names would have to outlive their replacement. A client with one
    /// certificate sends it all the same.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.0
            .load()
            .verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.load().verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.load().verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.load().supported_verify_schemes()
    }
}
