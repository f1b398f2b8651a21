//! Requests as a server sees them, and answers as a person does.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use protocol::signing::{RawHeaders, Secret, SignedHeaders, sign_response};
use serde_json::json;

use super::*;
use crate::config::Config;
use crate::tls;

const SECRET: &str = "7c1f09be5ad24836b0e2f9d41c85a763";

/// What arrived: the request line, the headers in lower case, the body.
struct Seen {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        let mut named = self.headers.iter().filter(|(header, _)| header == name);
        let (_, value) = named.next().unwrap_or_else(|| panic!("{name} is missing"));
        assert!(named.next().is_none(), "{name} is repeated");
        value
    }

    fn verifies(&self, method: &str, target: &str) -> bool {
        let [signature, timestamp, nonce, key_id] =
            ["x-signature", "x-timestamp", "x-nonce", "x-key-id"]
                .map(|name| [self.header(name).as_bytes()]);
        let raw = RawHeaders {
            signature: &signature,
            timestamp: &timestamp,
            nonce: &nonce,
            key_id: &key_id,
        };
        let secret = Secret::parse(SECRET).unwrap();
        let signed = SignedHeaders::parse(raw).unwrap();
        signed.verifies(&secret, method, target, &self.body)
    }
}

/// Reads one request and answers it.
fn answer(mut reader: BufReader<impl Read + Write>, answer: &Reply) -> Seen {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let seen = Seen {
        line: lines.remove(0),
        headers,
        body,
    };
    let text = answer.text(&seen);
    reader.get_mut().write_all(text.as_bytes()).unwrap();
    seen
}

/// What a server answers, and with which secret it signs that.
struct Reply {
    status: &'static str,
    body: &'static str,
    secret: Option<&'static str>,
}

impl Reply {
    fn text(&self, seen: &Seen) -> String {
        let Self { status, body, .. } = self;
        let length = body.len();
        let seal = self.secret.map_or(String::new(), |secret| {
            let request = Signature::parse(seen.header("x-signature").as_bytes()).unwrap();
            let (code, at) = (status[..3].parse().unwrap(), clock::now().timestamp());
            let secret = Secret::parse(secret).unwrap();
            let signature = sign_response(&secret, code, body.as_bytes(), at, &request);
            format!("X-Signature: {signature}\r\nX-Timestamp: {at}\r\n")
        });
        format!(
            "HTTP/1.1 {status}\r\nETag: \"7\"\r\n{seal}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
    }
}

/// A server that answers one request.
fn server(reply: Reply) -> (SocketAddr, JoinHandle<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        answer(BufReader::new(stream), &reply)
    });
    (address, seen)
}

/// An answer as a controller gives it.
fn http(status: &'static str, body: &'static str) -> Reply {
    Reply {
        status,
        body,
        secret: Some(SECRET),
    }
}

/// A file with a good key, in this folder.
fn credentials(folder: &Path) -> PathBuf {
    let path = folder.join("credentials");
    fs::write(
        &path,
        format!("key_id = \"ops-1\"\nsecret = \"{SECRET}\"\n"),
    )
    .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn arguments(folder: &Path, url: &str) -> ConnectionArguments {
    ConnectionArguments {
        url: url.parse().unwrap(),
        credentials: Some(credentials(folder)),
        ca_file: None,
        fingerprint: None,
        timeout: 20,
    }
}

fn get(target: &str) -> Call<'_> {
    Call {
        method: Method::GET,
        target,
        body: None,
        headers: &[],
    }
}

fn call(url: &str, call: &Call<'_>) -> Result<Answer, ConnectionError> {
    let folder = tempfile::tempdir().unwrap();
    Connection::open(&arguments(folder.path(), url))?.call(call)
}

#[test]
fn what_is_sent_verifies_at_the_other_end() {
    let (address, seen) = server(http("201 Created", "{\"id\":7}"));
    let target = "/api/v1/peers?x=%7C&y=a/../b";
    let body = json!({ "name": "laptop" });
    let headers = [("Idempotency-Key", "laptop-7".to_owned())];

    let answer = call(
        &format!("http://{address}"),
        &Call {
            method: Method::POST,
            target,
            body: Some(&body),
            headers: &headers,
        },
    )
    .unwrap();

    let seen = seen.join().unwrap();
    assert_eq!(seen.line, format!("POST {target} HTTP/1.1"));
    assert!(seen.verifies("POST", target));
    assert!(!seen.verifies("POST", "/api/v1/peers"));
    assert_eq!(seen.header("x-key-id"), "ops-1");
    assert_eq!(seen.header("idempotency-key"), "laptop-7");
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(
        (answer.status, answer.etag.as_deref()),
        (201, Some("\"7\""))
    );
    assert_eq!(answer.json().unwrap(), json!({ "id": 7 }));
}

#[test]
fn an_answer_without_a_body_is_null() {
    let (address, seen) = server(http("204 No Content", ""));

    let answer = call(&format!("http://{address}/"), &get("/x")).unwrap();

    assert!(seen.join().unwrap().verifies("GET", "/x"));
    assert_eq!(answer.json().unwrap(), Value::Null);
}

#[test]
fn a_refusal_is_a_sentence_and_a_redirect_is_not_followed() {
    let problem = r#"{"title":"conflict","detail":"a node with this name exists","code":"name_taken","type":"about:blank"}"#;
    for (status, body, sentence) in [
        (
            "409 Conflict",
            problem,
            "refused with status 409 (name_taken): conflict: a node with this name exists",
        ),
        (
            "502 Bad Gateway",
            "<html>",
            "refused with status 502: the answer does not say why",
        ),
        (
            "302 Found\r\nLocation: /elsewhere",
            "",
            "refused with status 302: the answer does not say why",
        ),
    ] {
        let (address, seen) = server(http(status, body));

        let refused = call(&format!("http://{address}"), &get("/x")).unwrap_err();

        assert_eq!(refused.to_string(), sentence);
        assert_eq!(refused.exit(), Exit::Failed);
        seen.join().unwrap();
    }
}

#[test]
fn only_a_signed_answer_says_that_something_was_done() {
    let answered = |status, secret| {
        let body = "{\"id\":7}";
        let (address, seen) = server(Reply {
            status,
            body,
            secret,
        });
        let answer = call(&format!("http://{address}"), &get("/x"));
        seen.join().unwrap();
        answer
            .map(|answer| answer.status)
            .map_err(|err| err.to_string())
    };
    let other = Some("of another controller, 32 bytes and more");

    assert_eq!(answered("200 OK", Some(SECRET)), Ok(200));
    for (status, secret) in [
        ("200 OK", None),
        ("200 OK", other),
        ("404 Not Found", other),
    ] {
        let said = answered(status, secret).unwrap_err();
        assert!(
            said.ends_with("whether anything was done is unknown"),
            "{said}"
        );
    }
    // Whom the controller does not believe it has no secret to sign for.
    let said = answered("401 Unauthorized", None).unwrap_err();
    assert!(said.starts_with("refused with status 401"), "{said}");
    assert!(said.ends_with("nobody signed that"), "{said}");
}

#[test]
fn an_answer_is_for_one_request_alone() {
    let (address, first) = server(http("200 OK", "true"));
    call(&format!("http://{address}"), &get("/x")).unwrap();
    let first = first.join().unwrap();

    // Somebody keeps a signed answer and gives it to the next who asks.
    let kept = http("200 OK", "true").text(&first);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let replays = thread::spawn(move || {
        let mut reader = BufReader::new(listener.accept().unwrap().0);
        reader.fill_buf().unwrap();
        reader.get_mut().write_all(kept.as_bytes()).unwrap();
        reader.read_to_end(&mut Vec::new()).unwrap();
    });
    let refused = call(&format!("http://{address}"), &get("/x")).unwrap_err();

    assert!(
        matches!(refused, ConnectionError::Unsigned { .. }),
        "{refused}"
    );
    replays.join().unwrap();
}

#[test]
fn nobody_there_is_told_apart_from_a_refusal() {
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();

    let failed = call(&format!("http://{address}"), &get("/x")).unwrap_err();

    assert_eq!(failed.exit(), Exit::Unreachable);
    assert_eq!(
        failed.to_string(),
        format!("http://{address}/ cannot be reached")
    );
}

#[test]
fn an_address_that_is_no_controller_s_is_refused() {
    for url in ["ftp://node", "http://node/panel", "http://node/?x=1"] {
        let failed = call(url, &get("/x")).unwrap_err();
        assert!(matches!(failed, ConnectionError::Url(_)), "{url}");
    }
    let failed = call("ftp://me:hunter2hunter2@node", &get("/x")).unwrap_err();
    assert!(!failed.to_string().contains("hunter2"), "{failed}");
}

/// A server with a certificate of its own that answers one request, if the handshake succeeds.
fn tls_server(folder: &Path) -> (SocketAddr, Fingerprint, JoinHandle<()>) {
    let text = format!("listen = \"0.0.0.0:1\"\ndata_dir = {folder:?}\n");
    let config = Config::parse(Path::new("/c.toml"), &text).unwrap();
    let served = tls::prepare(&config, clock::now()).unwrap().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = Arc::new(served.config);
    let server = thread::spawn(move || {
        let (mut tcp, _) = listener.accept().unwrap();
        let mut tls = rustls::ServerConnection::new(config).unwrap();
        while tls.is_handshaking() {
            if tls.complete_io(&mut tcp).is_err() {
                return;
            }
        }
        let mut reader = BufReader::new(rustls::Stream::new(&mut tls, &mut tcp));
        // A client that refuses the certificate says so only after the handshake.
        if reader.fill_buf().is_ok() {
            answer(reader, &http("200 OK", "true"));
        }
    });
    (address, served.fingerprint, server)
}

#[test]
fn a_certificate_is_trusted_by_its_fingerprint_or_its_authority_and_not_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("tls/cert.pem");
    let attempt = |change: &dyn Fn(&mut ConnectionArguments, Fingerprint)| {
        let (address, fingerprint, server) = tls_server(folder.path());
        let mut arguments = arguments(folder.path(), &format!("https://{address}"));
        change(&mut arguments, fingerprint);
        let answer = Connection::open(&arguments).unwrap().call(&get("/x"));
        server.join().unwrap();
        answer.map(|answer| answer.status).map_err(|err| err.exit())
    };

    assert_eq!(attempt(&|_, _| {}), Err(Exit::Unreachable));
    assert_eq!(attempt(&|it, right| it.fingerprint = Some(right)), Ok(200));
    assert_eq!(
        attempt(&|it, _| it.fingerprint = Some(Fingerprint::of(b"another"))),
        Err(Exit::Unreachable)
    );
    assert_eq!(attempt(&|it, _| it.ca_file = Some(own.clone())), Ok(200));
}

#[test]
fn credentials_open_to_others_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = credentials(folder.path());
    assert!(Credentials::read(&path).is_ok());

    for mode in [0o640, 0o604, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let refused = Credentials::read(&path).unwrap_err().to_string();
        assert!(refused.contains("chmod it to 0600"), "{refused}");
    }
}

#[test]
fn mistakes_in_credentials_are_named_without_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = credentials(folder.path());
    fs::write(
        &path,
        "key_id = \"a b\"\nsecret = \"hunter2hunter2\"\ncolour = 1\n",
    )
    .unwrap();

    let refused = Credentials::read(&path).unwrap_err();

    let text = refused.to_string();
    for (line, key) in [(1, "key_id"), (2, "secret"), (3, "colour")] {
        assert!(
            text.contains(&format!("credentials:{line}: {key}:")),
            "{text}"
        );
    }
    assert!(!text.contains("hunter2") && !format!("{refused:?}").contains("hunter2"));
}
