//! Real handshakes, in memory, with real files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chrono::TimeDelta;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};

use super::*;

const NOW: DateTime<Utc> = DateTime::from_timestamp(1_790_000_000, 0).unwrap();

/// Settings that listen beyond loopback, so that HTTPS is spoken.
fn config(folder: &Path, more: &str) -> Config {
    let text = format!("listen = \"192.0.2.7:8000\"\ndata_dir = {folder:?}\n{more}");
    Config::parse(Path::new("/c.toml"), &text).unwrap()
}

fn pair(folder: &Path, name: &str) -> Tls {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let tls = Tls {
        cert_file: folder.join(format!("{name}.cert")),
        key_file: folder.join(format!("{name}.key")),
    };
    fs::write(&tls.cert_file, certificate.pem()).unwrap();
    fs::write(&tls.key_file, key.serialize_pem()).unwrap();
    tls
}

/// Shakes hands as `name` with a client that trusts only the certificate in this file.
fn meet(server: &ServerConfig, trusted: &Path, name: &str) -> Result<Vec<u8>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let pem = fs::read(trusted).unwrap();
    roots
        .add(CertificateDer::from_pem_slice(&pem).unwrap())
        .unwrap();
    let mut client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut server = ServerConnection::new(Arc::new(server.clone()))?;
    let mut client = ClientConnection::new(Arc::new(client), name)?;
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
    assert!(!client.is_handshaking());
    Ok(client.alpn_protocol().unwrap().to_vec())
}

#[test]
fn plain_http_needs_no_certificate_and_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "trusted_proxies = [\"192.0.2.1\"]\n");

    assert!(prepare(&config, NOW).unwrap().is_none());

    assert!(!folder.path().join("tls").exists());
}

#[test]
fn a_certificate_is_made_once_and_kept_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "");

    let first = prepare(&config, NOW).unwrap().unwrap();
    let second = prepare(&config, NOW + TimeDelta::days(700))
        .unwrap()
        .unwrap();

    assert_eq!(first.fingerprint, second.fingerprint);
    let mode = |path: &str| {
        let meta = fs::metadata(folder.path().join(path)).unwrap();
        meta.permissions().mode() & 0o777
    };
    assert_eq!(
        ["tls", "tls/key.pem", "tls/cert.pem"].map(mode),
        [0o700, 0o600, 0o600]
    );
    let days = (first.validity.not_after - first.validity.not_before).num_days();
    assert_eq!(days, 825);
}

#[test]
fn a_certificate_of_our_own_names_all_ways_to_us_and_offers_http_1_1() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "base_url = \"https://vpn.example.org\"\n");

    let served = prepare(&config, NOW).unwrap().unwrap();

    let trusted = folder.path().join("tls/cert.pem");
    for name in [
        "localhost",
        "127.0.0.1",
        "::1",
        "vpn.example.org",
        "192.0.2.7",
    ] {
        assert_eq!(
            meet(&served.config, &trusted, name),
            Ok(b"http/1.1".to_vec()),
            "{name}"
        );
    }
    assert!(meet(&served.config, &trusted, "other.example.org").is_err());
}

#[test]
fn a_certificate_near_its_end_or_without_our_name_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let fingerprint = |more: &str, now| {
        let served = prepare(&config(folder.path(), more), now).unwrap().unwrap();
        served.fingerprint
    };

    let first = fingerprint("", NOW);
    let renewed = fingerprint("", NOW + TimeDelta::days(800));
    assert_ne!(first, renewed);
    let named = "base_url = \"https://vpn.example.org\"\n";
    let covering = fingerprint(named, NOW + TimeDelta::days(801));
    assert_ne!(renewed, covering);
    // A name too many does no harm.
    assert_eq!(covering, fingerprint("", NOW + TimeDelta::days(802)));
}

#[test]
fn a_stop_between_the_two_files_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "");
    prepare(&config, NOW).unwrap().unwrap();
    let other = pair(folder.path(), "other");
    fs::copy(other.key_file, folder.path().join("tls/key.pem")).unwrap();

    assert!(prepare(&config, NOW).is_ok());

    fs::remove_file(folder.path().join("tls/cert.pem")).unwrap();
    assert!(prepare(&config, NOW).is_ok());
}

#[test]
fn replaced_files_are_served_and_bad_ones_are_an_error_once() {
    let folder = tempfile::tempdir().unwrap();
    let (tls, next) = (pair(folder.path(), "a.test"), pair(folder.path(), "b.test"));
    let trusted = [&tls, &next].map(|pair| {
        let copy = pair.cert_file.with_extension("trusted");
        fs::copy(&pair.cert_file, &copy).unwrap();
        copy
    });
    let served = serve(tls.clone(), None, std::time::Duration::from_secs(1)).unwrap();
    let mut reloader = served.watcher.reloader;
    assert!(meet(&served.config, &trusted[0], "a.test").is_ok());
    assert!(!reloader.check().unwrap());

    fs::copy(&next.cert_file, &tls.cert_file).unwrap();
    assert!(matches!(reloader.check(), Err(TlsError::Pair { .. })));
    assert!(!reloader.check().unwrap());
    assert!(meet(&served.config, &trusted[0], "a.test").is_ok());

    fs::remove_file(&tls.key_file).unwrap();
    assert!(matches!(reloader.check(), Err(TlsError::Read { .. })));
    fs::write(&tls.key_file, "").unwrap();
    assert!(matches!(reloader.check(), Err(TlsError::Pem { .. })));
    assert!(meet(&served.config, &trusted[0], "a.test").is_ok());

    fs::copy(&next.key_file, &tls.key_file).unwrap();
    assert!(reloader.check().unwrap());
    assert!(meet(&served.config, &trusted[1], "b.test").is_ok());
    assert_ne!(reloader.describe().unwrap().0, served.fingerprint);
}

#[test]
fn files_that_are_no_pair_are_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls {
        key_file: pair(folder.path(), "b").key_file,
        ..pair(folder.path(), "a")
    };

    assert!(matches!(read_validity(&tls), Err(TlsError::Pair { .. })));
    fs::write(&tls.cert_file, "no certificate here").unwrap();
    assert!(matches!(
        read_validity(&tls),
        Err(TlsError::NoCertificate { .. })
    ));
}

#[tokio::test]
async fn a_watcher_takes_replaced_files_over_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (tls, next) = (pair(folder.path(), "a.test"), pair(folder.path(), "b.test"));
    let every = std::time::Duration::from_millis(10);
    let served = serve(tls.clone(), None, every).unwrap();
    let watching = tokio::spawn(served.watcher.run());

    fs::copy(&next.cert_file, &tls.cert_file).unwrap();
    fs::copy(&next.key_file, &tls.key_file).unwrap();

    let taken_over = async {
        while meet(&served.config, &next.cert_file, "b.test").is_err() {
            tokio::time::sleep(every).await;
        }
    };
    let patience = std::time::Duration::from_secs(20);
    tokio::time::timeout(patience, taken_over).await.unwrap();
    watching.abort();
}

#[tokio::test]
async fn a_hangup_makes_the_watcher_look_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (tls, next) = (pair(folder.path(), "a.test"), pair(folder.path(), "b.test"));
    let served = serve(tls.clone(), None, std::time::Duration::from_secs(3600)).unwrap();
    // From here on a hangup does not end this process, whether the watcher listens yet or not.
    let hangup = tokio::signal::unix::SignalKind::hangup();
    let listening = tokio::signal::unix::signal(hangup).unwrap();
    let watching = tokio::spawn(served.watcher.run());
    // The first look comes at once; only a later one can find the new files.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    fs::copy(&next.cert_file, &tls.cert_file).unwrap();
    fs::copy(&next.key_file, &tls.key_file).unwrap();

    let taken_over = async {
        while meet(&served.config, &next.cert_file, "b.test").is_err() {
            let own = rustix::process::getpid();
            rustix::process::kill_process(own, rustix::process::Signal::HUP).unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let patience = std::time::Duration::from_secs(20);
    tokio::time::timeout(patience, taken_over).await.unwrap();
    watching.abort();
    drop(listening);
}
