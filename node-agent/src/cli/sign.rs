//! `sign`: header lines for a request made by hand.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use protocol::signing::{self, Request, Secret};
use protocol::target;

use super::{Failure, SettingsFile, secret_variable};
use crate::config::Config;

/// Print the header lines that sign one request, for curl to send
///
/// The secret comes from the variable WGFLEET_AGENT_SECRET, else from the secret_file of the settings.
/// After a rotation the file holds the secret no more: set the variable.
///
/// Path and query are signed exactly as written in the URL, and must be sent so: curl needs
/// --path-as-is where they hold dots. A signature is good for five minutes; one without a nonce is the
/// same for equal requests within one second, and a write is accepted only once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  wgfleet-agent sign GET http://127.0.0.1:8080/health | curl -H @- http://127.0.0.1:8080/health
  wgfleet-agent sign POST --nonce --body-file peer.json http://127.0.0.1:8080/wg/wg0/peers")]
pub(super) struct Arguments {
    /// GET, HEAD, POST, PUT, PATCH or DELETE
    #[arg(value_parser = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])]
    method: String,
    /// The whole URL, or only its path with query
    #[arg(value_parser = parse_target)]
    url: Target,
    /// The body of the request
    #[arg(long, value_name = "TEXT", conflicts_with = "body_file")]
    body: Option<String>,
    /// A file that is the body of the request; - is stdin
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// Sign with a fresh nonce
    #[arg(long)]
    nonce: bool,
    /// Name the secret by its id
    #[arg(long, value_name = "ID", value_parser = parse_key_id)]
    key_id: Option<String>,
    #[command(flatten)]
    settings: SettingsFile,
}

/// The part of a URL that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target(String);

pub(super) fn run(arguments: &Arguments, now: i64, out: &mut dyn Write) -> Result<u8, Failure> {
    let secret = read_secret(&arguments.settings.path, secret_variable()?)?;
    let body = read_body(arguments)?;
    let nonce = match arguments.nonce {
        true => Some(fresh_nonce()?),
        false => None,
    };
    write_headers(arguments, &secret, &body, now, nonce.as_deref(), out)?;
    Ok(0)
}

fn write_headers(
    arguments: &Arguments,
    secret: &Secret,
    body: &[u8],
    now: i64,
    nonce: Option<&str>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let timestamp = now.to_string();
    let request = Request {
        method: &arguments.method,
        target: &arguments.url.0,
        body,
        timestamp: &timestamp,
        nonce,
    };
    writeln!(out, "X-Timestamp: {timestamp}")?;
    writeln!(out, "X-Signature: {}", request.sign(secret))?;
    if let Some(nonce) = nonce {
        writeln!(out, "X-Nonce: {nonce}")?;
    }
    if let Some(id) = &arguments.key_id {
        writeln!(out, "X-Key-Id: {id}")?;
    }
    Ok(())
}

fn read_secret(settings: &Path, variable: Option<String>) -> Result<Secret, Failure> {
    match variable {
        Some(text) => Secret::parse(&text).map_err(Failure::Secret),
        None => Config::load(settings)
            .map_err(Failure::Mistakes)?
            .read_secret(None)
            .map_err(Failure::Mistake),
    }
}

fn read_body(arguments: &Arguments) -> Result<Vec<u8>, Failure> {
    let Some(path) = &arguments.body_file else {
        let text = arguments.body.as_ref();
        return Ok(text.map_or_else(Vec::new, |text| text.clone().into_bytes()));
    };
    let read = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map_err(|source| Failure::Body {
        path: path.clone(),
        source,
    })
}

fn fresh_nonce() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Failure::Random)?;
    Ok(hex::encode(bytes))
}

/// Cuts scheme and host off. What is left is not touched: it is signed as it is sent.
fn parse_target(url: &str) -> Result<Target, String> {
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains('#') {
        return Err("a URL to sign is ASCII without blanks and #".into());
    }
    let target = match url.split_once("://") {
        Some(("http" | "https", rest)) => match rest.find(['/', '?']) {
            Some(at) if rest[at..].starts_with('/') => rest[at..].to_owned(),
            Some(at) => format!("/{}", &rest[at..]),
            None => "/".to_owned(),
        },
        _ => url.to_owned(),
    };
    match target::check(&target) {
        Ok(()) => Ok(Target(target)),
        Err(err) => Err(err.to_string()),
    }
}

fn parse_key_id(text: &str) -> Result<String, String> {
    match signing::is_key_id(text) {
        true => Ok(text.to_owned()),
        false => Err("a key id is 1 to 64 of A-Z a-z 0-9 _ -".into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocol::signing::{RawHeaders, SignedHeaders};

    use super::*;

    const GOOD: &str = "7c1f09be5ad24836b0e2f9d41c85a763";

    fn arguments(method: &str, url: &str, key_id: Option<&str>) -> Arguments {
        Arguments {
            method: method.into(),
            url: parse_target(url).unwrap(),
            body: None,
            body_file: None,
            nonce: false,
            key_id: key_id.map(str::to_owned),
            settings: SettingsFile {
                path: "/nowhere".into(),
            },
        }
    }

    /// The header lines, as name and value.
    fn headers(arguments: &Arguments, body: &[u8], nonce: Option<&str>) -> Vec<(String, String)> {
        let secret = Secret::parse(GOOD).unwrap();
        let mut out = Vec::new();
        write_headers(arguments, &secret, body, 1_700_000_000, nonce, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines = text.lines().map(|line| line.split_once(": ").unwrap());
        lines
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn what_is_printed_verifies() {
        let secret = Secret::parse(GOOD).unwrap();
        let nonce = fresh_nonce().unwrap();
        for nonce in [None, Some(nonce.as_str())] {
            let arguments = arguments(
                "POST",
                "https://node:8080/wg/wg0/peers?x=%7C",
                Some("initial"),
            );

            let headers = headers(&arguments, b"{}", nonce);

            let values = |name: &str| -> Vec<Vec<u8>> {
                let named = headers.iter().filter(|(header, _)| header == name);
                named.map(|(_, value)| value.clone().into_bytes()).collect()
            };
            let all = ["X-Signature", "X-Timestamp", "X-Nonce", "X-Key-Id"].map(values);
            let [signature, timestamp, nonce, key_id] = all
                .each_ref()
                .map(|values| values.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let raw = RawHeaders {
                signature: &signature,
                timestamp: &timestamp,
                nonce: &nonce,
                key_id: &key_id,
            };
            let signed = SignedHeaders::parse(raw).unwrap();
            assert!(signed.verifies(&secret, "POST", "/wg/wg0/peers?x=%7C", b"{}"));
            assert_eq!(signed.key_id.as_deref(), Some("initial"));
        }
    }

    #[test]
    fn the_target_is_what_stands_behind_the_host() {
        let target = |url: &str| parse_target(url).map(|target| target.0);

        assert_eq!(
            target("http://node:8080/a/../b?c=/d"),
            Ok("/a/../b?c=/d".into())
        );
        assert_eq!(target("https://node"), Ok("/".into()));
        assert_eq!(target("https://node?x=1"), Ok("/?x=1".into()));
        assert_eq!(target("/health"), Ok("/health".into()));
        assert_eq!(target("/a?u=http://x/y"), Ok("/a?u=http://x/y".into()));
        for refused in [
            "health",
            "ftp://node/x",
            "http://node/a|b",
            "/a b",
            "/a#b",
            "/é",
            "",
        ] {
            assert!(target(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_body_is_taken_byte_for_byte() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"{ \"a\": 1 }\r\n\xff").unwrap();
        let mut with_file = arguments("POST", "/x", None);
        with_file.body_file = Some(file.path().to_owned());

        assert_eq!(read_body(&with_file).unwrap(), b"{ \"a\": 1 }\r\n\xff");
        assert!(read_body(&arguments("GET", "/x", None)).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_a_target_or_a_refusal(url in ".{0,40}") {
            if let Ok(Target(target)) = parse_target(&url) {
                prop_assert!(target.starts_with('/') && url.ends_with(target.trim_start_matches('/')));
            }
        }
    }
}
