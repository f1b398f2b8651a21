//! Real handshakes, in memory.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A leaf certificate for `name` and its key, both PEM.
fn leaf(authority: &Authority, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn write_pair(folder: &Path, pair: &(String, String)) -> Tls {
    let tls = Tls {
        cert_file: folder.join("cert.pem"),
        key_file: folder.join("key.pem"),
        client_ca_file: None,
    };
    std::fs::write(&tls.cert_file, &pair.0).unwrap();
    std::fs::write(&tls.key_file, &pair.1).unwrap();
    tls
}

fn client(trusted: &Authority, own: Option<&(String, String)>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let Some((cert, key)) = own else {
        return builder.with_no_client_auth();
    };
    let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    builder.with_client_auth_cert(chain, key).unwrap()
}

/// Shakes hands and carries one byte from server to client.
fn meet(server: &ServerConfig, client: ClientConfig, name: &str) -> Result<(), rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut server = ServerConnection::new(Arc::new(server.clone()))?;
    let mut client = ClientConnection::new(Arc::new(client), name)?;
    std::io::Write::write_all(&mut server.writer(), b"x").unwrap();
    for _ in 0..10 {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets()?;
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
    }
    let mut byte = [0];
    match std::io::Read::read(&mut client.reader(), &mut byte) {
        Ok(1) if !server.is_handshaking() => Ok(()),
        _ => Err(rustls::Error::HandshakeNotComplete),
    }
}

#[test]
fn a_client_that_trusts_the_authority_gets_through() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (authority(), authority());
    let (config, _) = server_config(&write_pair(folder.path(), &leaf(&ours, "node"))).unwrap();

    assert_eq!(meet(&config, client(&ours, None), "node"), Ok(()));
    assert!(meet(&config, client(&ours, None), "other").is_err());
    assert!(meet(&config, client(&other, None), "node").is_err());
}

#[test]
fn a_new_pair_is_served_after_the_next_look_by_the_same_server() {
    let folder = tempfile::tempdir().unwrap();
    let ours = authority();
    let tls = write_pair(folder.path(), &leaf(&ours, "old"));
    let (config, mut reloader) = server_config(&tls).unwrap();
    assert!(!reloader.check().unwrap());

    write_pair(folder.path(), &leaf(&ours, "new"));

    assert_eq!(meet(&config, client(&ours, None), "old"), Ok(()));
    assert!(reloader.check().unwrap());
    assert_eq!(meet(&config, client(&ours, None), "new"), Ok(()));
    assert!(meet(&config, client(&ours, None), "old").is_err());
    assert!(!reloader.check().unwrap());
}

#[test]
fn a_bad_pair_is_reported_once_and_the_old_one_kept() {
    let folder = tempfile::tempdir().unwrap();
    let ours = authority();
    let tls = write_pair(folder.path(), &leaf(&ours, "node"));
    let (config, mut reloader) = server_config(&tls).unwrap();

    // The certificate arrives before its key, as with every tool that writes two files.
    let next = leaf(&ours, "next");
    std::fs::write(&tls.cert_file, &next.0).unwrap();

    assert!(matches!(reloader.check(), Err(TlsError::Pair { .. })));
    assert!(!reloader.check().unwrap());
    assert!(matches!(reloader.reload(), Err(TlsError::Pair { .. })));
    assert_eq!(meet(&config, client(&ours, None), "node"), Ok(()));

    std::fs::remove_file(&tls.key_file).unwrap();
    assert!(matches!(reloader.check(), Err(TlsError::Read { .. })));
    std::fs::write(&tls.key_file, "").unwrap();
    assert!(matches!(reloader.check(), Err(TlsError::Pem { .. })));
    assert_eq!(meet(&config, client(&ours, None), "node"), Ok(()));

    std::fs::write(&tls.key_file, &next.1).unwrap();
    assert!(reloader.check().unwrap());
    assert_eq!(meet(&config, client(&ours, None), "next"), Ok(()));
}

#[test]
fn with_an_authority_of_clients_those_without_its_certificate_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, clients, strangers) = (authority(), authority(), authority());
    let mut tls = write_pair(folder.path(), &leaf(&ours, "node"));
    let file = folder.path().join("clients.pem");
    std::fs::write(&file, clients.pem()).unwrap();
    tls.client_ca_file = Some(file.clone());
    let (config, mut reloader) = server_config(&tls).unwrap();
    let known = leaf(&clients, "controller");
    let stranger = leaf(&strangers, "controller");

    assert_eq!(meet(&config, client(&ours, Some(&known)), "node"), Ok(()));
    assert!(meet(&config, client(&ours, Some(&stranger)), "node").is_err());
    assert!(meet(&config, client(&ours, None), "node").is_err());

    std::fs::write(&file, strangers.pem()).unwrap();
    assert!(reloader.check().unwrap());
    assert!(meet(&config, client(&ours, Some(&known)), "node").is_err());
    assert_eq!(
        meet(&config, client(&ours, Some(&stranger)), "node"),
        Ok(())
    );
}

#[test]
fn a_mismatch_at_start_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ours = authority();
    let (cert, _) = leaf(&ours, "node");
    let (_, key) = leaf(&ours, "node");
    let tls = write_pair(folder.path(), &(cert, key));

    assert!(matches!(server_config(&tls), Err(TlsError::Pair { .. })));
    std::fs::write(&tls.cert_file, "no certificate here").unwrap();
    assert!(matches!(
        server_config(&tls),
        Err(TlsError::NoCertificate { .. })
    ));
}

#[test]
fn the_folders_of_links_and_of_what_they_lead_to_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().canonicalize().unwrap();
    let (live, archive) = (real.join("live"), real.join("archive"));
    std::fs::create_dir(&live).unwrap();
    std::fs::create_dir(&archive).unwrap();
    let tls = write_pair(&archive, &leaf(&authority(), "node"));
    let link = live.join("cert.pem");
    std::os::unix::fs::symlink(&tls.cert_file, &link).unwrap();

    let named = paths(&Tls {
        cert_file: link,
        ..tls
    });

    assert_eq!(named.unwrap(), [archive, live]);
}
