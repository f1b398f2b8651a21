//! Agents over TLS: whose certificates are believed, and what is shown to agents that ask for one.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use controller::agent::{AgentError, Clients, Settings, SetupError, Tls, Unreachable};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::{SECRET, clients, target};

/// The program, with a certificate; it asks for one where clients have an authority.
pub(crate) struct TlsNode {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl TlsNode {
    pub(crate) fn start(folder: &Path, clients_authority: Option<&Path>) -> Self {
        let path = |name: &str| folder.join(name);
        put(&path("secret"), SECRET);
        fs::create_dir(path("state")).unwrap();
        let asks =
            clients_authority.map_or(String::new(), |file| format!("client_ca_file = {file:?}\n"));
        let text = format!(
            "listen = \"127.0.0.1:0\"\nallow_root = true\nsecret_file = {:?}\nstate_dir = {:?}\n\
             [tls]\ncert_file = {:?}\nkey_file = {:?}\n{asks}\
             [[interface]]\nname = \"wg0\"\nbackend = \"memory\"\n",
            path("secret"),
            path("state"),
            path("cert.pem"),
            path("key.pem"),
        );
        put(&path("config.toml"), &text);
        let mut child = Command::new(program())
            .arg("run")
            .arg("--config")
            .arg(path("config.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let address = loop {
            let Some(line) = lines.next().transpose().unwrap() else {
                panic!("the agent ended before it served:\n{log}");
            };
            let found = line.split("serving listen=").nth(1);
            if let Some(address) = found.and_then(|rest| rest.split(' ').next()) {
                break address.parse().unwrap();
            }
            log.push_str(&line);
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }
}

impl Drop for TlsNode {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The program under test: named, or built beside these tests.
fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("WGFLEET_AGENT_BIN") {
        return path.into();
    }
    let tests = std::env::current_exe().unwrap();
    let built = tests.ancestors().nth(2).unwrap().join("wgfleet-agent");
    assert!(
        built.exists(),
        "{} is missing: cargo build --workspace",
        built.display()
    );
    built
}

pub(crate) fn put(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(path, private).unwrap();
}

pub(crate) fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Puts a certificate for a name and its key into a folder.
pub(crate) fn issue(authority: &CertifiedIssuer<'static, KeyPair>, name: &str, folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    put(&folder.join("cert.pem"), &certificate.pem());
    put(&folder.join("key.pem"), &key.serialize_pem());
}

fn with(tls: Tls) -> Clients {
    let settings = Settings {
        tls,
        ..Settings::default()
    };
    Clients::new(&settings).unwrap()
}

fn assert_no_tls<T: std::fmt::Debug>(result: Result<T, AgentError>) {
    let err = result.unwrap_err();
    let kind = Unreachable::Tls;
    assert!(
        matches!(&err, AgentError::Unreachable { kind: it, .. } if *it == kind),
        "{err:?}"
    );
}

#[tokio::test]
async fn an_agent_is_believed_whom_the_fleets_authority_vouches_for_and_no_other() {
    let (fleet, folder) = (authority(), tempfile::tempdir().unwrap());
    issue(&fleet, "127.0.0.1", folder.path());
    let ca = folder.path().join("ca.pem");
    put(&ca, &fleet.pem());
    let other = folder.path().join("other.pem");
    put(&other, &authority().pem());
    let node = TlsNode::start(folder.path(), None);
    let https = target(&format!("https://{}", node.address));
    let trusting = |file: &Path| {
        with(Tls {
            fleet_ca_file: Some(file.to_owned()),
            ..Tls::default()
        })
    };

    assert_eq!(
        trusting(&ca)
            .health(&https)
            .await
            .unwrap()
            .interfaces
            .unwrap()
            .len(),
        1
    );
    assert_no_tls(trusting(&other).health(&https).await);
    assert_no_tls(clients().health(&https).await);
    let by_name = target(&format!("https://localhost:{}", node.address.port()));
    assert_no_tls(trusting(&ca).health(&by_name).await);
    let http = target(&format!("http://{}", node.address));
    let plain = trusting(&ca).health(&http).await.unwrap_err();
    assert_eq!(plain.problem(), "unreachable");
}

#[tokio::test]
async fn an_agent_that_asks_for_a_certificate_is_shown_ours() {
    let (fleet, folder) = (authority(), tempfile::tempdir().unwrap());
    issue(&fleet, "127.0.0.1", folder.path());
    let ours = tempfile::tempdir().unwrap();
    issue(&fleet, "controller", ours.path());
    let ca = folder.path().join("ca.pem");
    put(&ca, &fleet.pem());
    let node = TlsNode::start(folder.path(), Some(&ca));
    let https = target(&format!("https://{}", node.address));
    let anonymous = Tls {
        fleet_ca_file: Some(ca),
        ..Tls::default()
    };
    let known = Tls {
        client_cert_file: Some(ours.path().join("cert.pem")),
        client_key_file: Some(ours.path().join("key.pem")),
        ..anonymous.clone()
    };

    assert_no_tls(with(anonymous).health(&https).await);
    assert_eq!(
        with(known)
            .health(&https)
            .await
            .unwrap()
            .interfaces
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn files_that_are_none_are_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    put(&path("empty"), "");
    put(&path("text"), "certificate");
    let setup = |tls: Tls| {
        let settings = Settings {
            tls,
            ..Settings::default()
        };
        Clients::new(&settings).err().unwrap()
    };
    let ca = |name: &str| Tls {
        fleet_ca_file: Some(path(name)),
        ..Tls::default()
    };
    let own = |name: &str| Tls {
        client_cert_file: Some(path(name)),
        ..Tls::default()
    };

    assert!(matches!(setup(ca("absent")), SetupError::Read { .. }));
    assert!(matches!(setup(ca("empty")), SetupError::NoAuthority { .. }));
    assert!(matches!(setup(ca("text")), SetupError::NoAuthority { .. }));
    assert!(matches!(setup(own("absent")), SetupError::Read { .. }));
    assert!(matches!(setup(own("text")), SetupError::Identity { .. }));
    let key_alone = Tls {
        client_key_file: Some(path("text")),
        ..Tls::default()
    };
    assert!(matches!(setup(key_alone), SetupError::KeyAlone));
}
