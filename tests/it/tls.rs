//! HTTPS as a client meets it: whose certificate it is shown, when a new one, and whether it must show
//! its own. And plain HTTP, which is for this machine alone unless somebody insists.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::bed::{
    Authority, Bed, Client, Host, Response, Setup, Started, TlsClient, Wire, key, parse, put, run,
    unprivileged,
};

/// An agent with a certificate of this authority, and with an authority for its clients if there is one.
fn serve(
    authority: &Authority,
    clients: Option<&Authority>,
    reload_s: u32,
) -> (Bed, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    crate::bed::give_away(folder.path());
    authority.issue("127.0.0.1").write(folder.path());
    let path = |name: &str| folder.path().join(name);
    let mut keys = format!(
        "[tls]\ncert_file = {:?}\nkey_file = {:?}\n",
        path("cert.pem"),
        path("key.pem")
    );
    if let Some(clients) = clients {
        let file = put(&path("clients.pem"), &clients.pem());
        keys.push_str(&format!("client_ca_file = {file:?}\n"));
    }
    let bed = Bed::with(Setup {
        program: true,
        keys,
        timing: format!("observe_s = 1\nwatch_ms = 50\nretry_ms = 50\ntls_reload_s = {reload_s}"),
        ..Setup::default()
    });
    (bed, folder)
}

fn get(bed: &Bed, tls: &TlsClient, client: &Client) -> std::io::Result<Response> {
    let draft = client.draft("GET", "/health", b"");
    let response = tls.exchange(bed.address(), &draft.bytes())?;
    Ok(client.judge(response, &draft))
}

fn is_served(bed: &Bed, tls: &TlsClient) -> bool {
    match get(bed, tls, &bed.client) {
        Ok(response) => {
            assert_eq!((response.status, response.verified), (200, Some(true)));
            true
        }
        Err(_) => false,
    }
}

#[test]
fn signed_requests_are_served_over_tls_and_unsigned_ones_no_more_than_without() {
    let authority = Authority::new();
    let (bed, _folder) = serve(&authority, None, 3600);
    let tls = TlsClient::new(&authority, None);

    assert!(is_served(&bed, &tls));
    let body = json!({ "public_key": key(1), "allowed_ips": ["10.0.1.1/32"] }).to_string();
    let mut draft = bed
        .client
        .draft("POST", &bed.path("/peers"), body.as_bytes());
    let good = draft.clone();
    draft.set("X-Signature", &"0".repeat(64));
    let refused = tls.exchange(bed.address(), &draft.bytes()).unwrap();
    assert_eq!(refused.code(), (401, "bad_signature".into()));
    assert!(
        bed.hand.peers().is_empty() || !bed.hand.peers().contains_key(&crate::bed::public_key(1))
    );

    let added = tls.exchange(bed.address(), &good.bytes()).unwrap();
    assert_eq!(bed.client.judge(added, &good).verified, Some(true));
    let replayed = tls.exchange(bed.address(), &good.bytes()).unwrap();
    assert_eq!(replayed.code(), (401, "replayed".into()));
    assert!(
        !is_served(&bed, &TlsClient::new(&Authority::new(), None)),
        "a client that trusts another authority"
    );
}

#[test]
fn plain_http_gets_no_answer_where_tls_is_spoken() {
    let (bed, _folder) = serve(&Authority::new(), None, 3600);
    for method in ["GET", "DELETE"] {
        let draft = bed.client.draft(method, "/health", b"");
        let mut wire = Wire::open(bed.address());
        wire.send(&draft.bytes());

        assert!(parse(&wire.rest()).is_none());
    }
}

#[test]
fn a_certificate_that_was_replaced_is_taken_over_and_a_broken_one_is_not() {
    let [old, new] = [Authority::new(), Authority::new()];
    let (bed, folder) = serve(&old, None, 1);
    let trusts = |authority| TlsClient::new(authority, None);
    assert!(is_served(&bed, &trusts(&old)));

    put(
        &folder.path().join("cert.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n",
    );
    std::thread::sleep(Duration::from_millis(1500));
    assert!(is_served(&bed, &trusts(&old)), "the one in use is kept");

    new.issue("127.0.0.1").write(folder.path());
    Bed::within(Duration::from_secs(5), "the new certificate", || {
        is_served(&bed, &trusts(&new))
    });
    assert!(!is_served(&bed, &trusts(&old)));
}

#[test]
fn a_hangup_has_the_files_read_at_once() {
    let [old, new] = [Authority::new(), Authority::new()];
    let (mut bed, folder) = serve(&old, None, 3600);
    new.issue("127.0.0.1").write(folder.path());
    assert!(!is_served(&bed, &TlsClient::new(&new, None)));

    run("kill", &["-HUP", &bed.pid().to_string()]);

    Bed::within(Duration::from_secs(5), "the new certificate", || {
        is_served(&bed, &TlsClient::new(&new, None))
    });
    let log = bed.stop();
    assert!(log.contains("took over the certificate"), "{log}");
    assert!(!log.contains("PRIVATE KEY"), "{log}");
}

#[test]
fn a_client_without_a_certificate_of_the_authority_is_turned_away() {
    let [server, clients, other] = [Authority::new(), Authority::new(), Authority::new()];
    let (bed, folder) = serve(&server, Some(&clients), 1);
    let with = |own| TlsClient::new(&server, own);

    assert!(!is_served(&bed, &with(None)), "without");
    let of_other = other.issue("controller");
    assert!(!is_served(&bed, &with(Some(&of_other))), "of another");
    let of_server = server.issue("controller");
    assert!(!is_served(&bed, &with(Some(&of_server))), "of the server's");
    let own = clients.issue("controller");
    assert!(is_served(&bed, &with(Some(&own))));
    let unsigned = Client {
        secret: protocol::signing::Secret::parse("another secret, of some other machine").unwrap(),
        ..bed.client.clone()
    };
    let refused = get(&bed, &with(Some(&own)), &unsigned).unwrap();
    assert_eq!(
        refused.code(),
        (401, "bad_signature".into()),
        "a certificate is no signature"
    );

    put(&folder.path().join("clients.pem"), &other.pem());
    Bed::within(Duration::from_secs(5), "the new authority", || {
        is_served(&bed, &with(Some(&of_other)))
    });
    assert!(!is_served(&bed, &with(Some(&own))), "of the one taken away");
}

#[test]
fn plain_http_beyond_loopback_is_refused_at_the_start() {
    let mut bed = Bed::with(Setup {
        program: true,
        keys: "allow_from = [\"127.0.0.0/8\"]".into(),
        ..Setup::default()
    });
    bed.stop();
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        bed.setup.listen = listen.into();
        bed.write_settings();
        for (subcommand, expected) in [("check", 1), ("run", 3)] {
            let mut command = unprivileged();
            command
                .arg(subcommand)
                .arg("--config")
                .arg(bed.settings_path());
            let (status, text) = match subcommand {
                "check" => {
                    let output = command.output().unwrap();
                    (
                        output.status.code(),
                        String::from_utf8(output.stdout).unwrap(),
                    )
                }
                _ => match Host::start(&mut command) {
                    Started::Serving(_) => panic!("it serves plain HTTP on {listen}"),
                    Started::Ended(status, log) => (status, log),
                },
            };

            assert_eq!(status, Some(expected), "{subcommand} {listen}: {text}");
            assert!(
                text.contains("config.toml:1: listen:") && text.contains("insecure_http"),
                "{text}"
            );
        }
    }
}

#[test]
fn plain_http_everywhere_is_served_and_warned_of_where_somebody_insists() {
    let mut bed = Bed::with(Setup {
        program: true,
        listen: "0.0.0.0:0".into(),
        keys: "insecure_http = true\nallow_from = [\"127.0.0.0/8\"]".into(),
        ..Setup::default()
    });
    assert_eq!(bed.client.get("/health").status, 200);

    for _ in 0..2 {
        let log = bed.stop();
        let warned = log
            .lines()
            .any(|line| line.contains("WARN") && line.contains("insecure_http"));
        assert!(warned, "{log}");
        bed.run();
    }
    assert!(
        fs::read_to_string(bed.settings_path())
            .unwrap()
            .contains("0.0.0.0")
    );
}
