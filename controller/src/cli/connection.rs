//! How a command reaches the API: where, as whom, and how an answer becomes a value or a sentence.
//!
//! Every request is signed as the contract has it, with a nonce, so that two equal commands within one
//! second are two. So is every answer to a request that verified, and nothing is believed to be done that
//! such an answer does not say. A redirect is not followed and no proxy of the environment is used: what is signed for
//! one server is no business of another. Nothing is tried twice; whoever calls knows whether it may be.

mod credentials;
mod pinned;
mod proof;

use std::path::PathBuf;
use std::time::Duration;

use protocol::signing::{Request, Signature};
use reqwest::{Certificate, Client, Method, redirect};
use serde::Deserialize;
use serde_json::Value;
use tokio::runtime::Runtime;
use url::Url;

use super::exit::Exit;
use crate::clock;
use crate::tls::Fingerprint;
use credentials::Credentials;
use proof::Proof;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the controller is and who is asking. The secret is never an argument: those are seen by
/// everybody on the machine.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectionArguments {
    /// Where the controller is reached
    #[arg(
        long,
        env = "WGFLEET_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8000"
    )]
    url: Url,
    /// Holds `key_id = "…"` and `secret = "…"`, mode 0600; without it WGFLEET_API_KEY_ID and
    /// WGFLEET_API_SECRET, else ~/.config/wgfleet/credentials
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// The authority of the controller's certificate, in PEM; without it, those this machine trusts
    #[arg(
        long,
        value_name = "FILE",
        env = "WGFLEET_CA_FILE",
        conflicts_with = "fingerprint"
    )]
    ca_file: Option<PathBuf>,
    /// The SHA-256 of the controller's own certificate, as it is logged at each start
    #[arg(long, value_name = "HEX", env = "WGFLEET_FINGERPRINT")]
    fingerprint: Option<Fingerprint>,
    /// How long to wait for an answer
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error(transparent)]
    Credentials(#[from] credentials::CredentialsError),
    #[error("{} {what}", path.display())]
    Authority { path: PathBuf, what: String },
    #[error("{} holds no readable certificate", path.display())]
    Certificate {
        path: PathBuf,
        source: reqwest::Error,
    },
    #[error(
        "{0} is not the address of a controller: it must begin with http:// or https:// and have no path"
    )]
    Url(Url),
    #[error("the connection cannot be set up")]
    Client(#[source] reqwest::Error),
    #[error("the connection cannot be encrypted")]
    Tls(#[source] rustls::Error),
    #[error("no runtime for the network")]
    Runtime(#[source] std::io::Error),
    #[error("no random bytes for a nonce")]
    Random(#[source] getrandom::Error),
    #[error("the body cannot be put into JSON")]
    Body(#[source] serde_json::Error),
    #[error("{url} cannot be reached")]
    Unreachable { url: Url, source: reqwest::Error },
    /// Somebody said no: the controller, if it is signed.
    #[error("{}{}", sentence(*status, problem), if *signed { "" } else { ", and nobody signed that" })]
    Refused {
        status: u16,
        problem: Problem,
        signed: bool,
    },
    #[error(
        "{url} gave an answer of status {status} that the controller did not sign: whether anything was done is unknown"
    )]
    Unsigned { url: Url, status: u16 },
    #[error("the answer is not JSON")]
    Answer(#[source] serde_json::Error),
}

impl ConnectionError {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } => Exit::Unreachable,
            _ => Exit::Failed,
        }
    }
}

/// A refusal in the form of RFC 9457, as far as it is one; the contract's own form says `error`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Problem {
    pub(super) title: Option<String>,
    #[serde(alias = "error")]
    pub(super) detail: Option<String>,
    /// What a program goes by, as in `allowed_ip_taken`.
    pub(super) code: Option<String>,
}

/// One request. The target is path and query, exactly as they are signed and sent.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) target: &'a str,
    pub(super) body: Option<&'a Value>,
    /// Such as `If-Match` and `Idempotency-Key`.
    pub(super) headers: &'a [(&'static str, String)],
}

/// An answer that is no refusal.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The version of what was asked for, to be sent back with `If-Match`.
    pub(super) etag: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null where there is none.
    pub(super) fn json(&self) -> Result<Value, ConnectionError> {
        match self.body.is_empty() {
            true => Ok(Value::Null),
            false => serde_json::from_slice(&self.body).map_err(ConnectionError::Answer),
        }
    }
}

/// A way to one controller.
pub(super) struct Connection {
    runtime: Runtime,
    client: Client,
    url: Url,
    credentials: Credentials,
}

impl Connection {
    pub(super) fn open(arguments: &ConnectionArguments) -> Result<Self, ConnectionError> {
        Self::open_within(arguments, Duration::from_secs(arguments.timeout))
    }

    /// A way on which nobody waits longer than `patience`, if the arguments say no less.
    pub(super) fn open_within(
        arguments: &ConnectionArguments,
        patience: Duration,
    ) -> Result<Self, ConnectionError> {
        let url = &arguments.url;
        if !["http", "https"].contains(&url.scheme()) || url.path() != "/" || url.query().is_some()
        {
            return Err(ConnectionError::Url(without_password(url)));
        }
        Ok(Self {
            credentials: Credentials::find(arguments.credentials.as_deref())?,
            client: client(
                arguments,
                patience.min(Duration::from_secs(arguments.timeout)),
            )?,
            url: without_password(url),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(ConnectionError::Runtime)?,
        })
    }

    /// Sends a signed request and waits for the answer.
    pub(super) fn call(&self, call: &Call<'_>) -> Result<Answer, ConnectionError> {
        let body = match call.body {
            Some(body) => serde_json::to_vec(body).map_err(ConnectionError::Body)?,
            None => Vec::new(),
        };
        let (request, signature) =
            self.request(call, body, clock::now().timestamp(), &fresh_nonce()?);
        let answer = self.runtime.block_on(async {
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            let etag = answer.headers().get(reqwest::header::ETAG);
            let etag = etag.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            let headers = answer.headers().clone();
            let body = answer.bytes().await?.to_vec();
            let secret = &self.credentials.secret;
            let proof = Proof::of(&headers, status, &body, secret, &signature);
            Ok((Answer { status, etag, body }, proof))
        });
        let (answer, proof) =
            answer.map_err(|source: reqwest::Error| ConnectionError::Unreachable {
                url: self.url.clone(),
                source: source.without_url(),
            })?;
        let status = answer.status;
        match ((200..300).contains(&status), proof) {
            (true, Proof::Signed) => Ok(answer),
            (false, Proof::Signed | Proof::Absent) => Err(ConnectionError::Refused {
                status,
                problem: problem(&answer.body),
                signed: proof == Proof::Signed,
            }),
            (_, Proof::Wrong) | (true, Proof::Absent) => Err(ConnectionError::Unsigned {
                url: self.url.clone(),
                status,
            }),
        }
    }

    fn request(
        &self,
        call: &Call<'_>,
        body: Vec<u8>,
        now: i64,
        nonce: &str,
    ) -> (reqwest::RequestBuilder, Signature) {
        let timestamp = now.to_string();
        let signature = Request {
            method: call.method.as_str(),
            target: call.target,
            body: &body,
            timestamp: &timestamp,
            nonce: Some(nonce),
        }
        .sign(&self.credentials.secret);
        let origin = self.url.as_str().trim_end_matches('/');
        let mut request = self
            .client
            .request(call.method.clone(), format!("{origin}{}", call.target))
            .header("X-Timestamp", timestamp)
            .header("X-Nonce", nonce)
            .header("X-Key-Id", &self.credentials.key_id)
            .header("X-Signature", signature.to_string())
            .header("Accept", "application/json");
        for (name, value) in call.headers {
            request = request.header(*name, value);
        }
        let request = match call.body {
            Some(_) => request
                .header("Content-Type", "application/json")
                .body(body),
            None => request,
        };
        (request, signature)
    }
}

fn client(arguments: &ConnectionArguments, patience: Duration) -> Result<Client, ConnectionError> {
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(patience);
    if arguments.url.scheme() == "http" {
        // Nobody shows a certificate, so a machine that trusts no authority will do.
        builder = builder.tls_certs_only([]);
    }
    if let Some(path) = &arguments.ca_file {
        let unreadable = |what| ConnectionError::Authority {
            path: path.clone(),
            what,
        };
        let pem = settings::read_public(path).map_err(unreadable)?;
        let authority =
            Certificate::from_pem_bundle(&pem).map_err(|source| ConnectionError::Certificate {
                path: path.clone(),
                source,
            })?;
        builder = builder.tls_certs_only(authority);
    }
    if let Some(fingerprint) = arguments.fingerprint {
        let tls = pinned::client_config(fingerprint).map_err(ConnectionError::Tls)?;
        builder = builder.tls_backend_preconfigured(tls);
    }
    builder.build().map_err(ConnectionError::Client)
}

fn without_password(url: &Url) -> Url {
    let mut origin = url.clone();
    let cut = origin
        .set_username("")
        .and_then(|()| origin.set_password(None));
    match cut {
        Ok(()) => origin,
        // A URL without a host has neither.
        Err(()) => url.clone(),
    }
}

fn fresh_nonce() -> Result<String, ConnectionError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(ConnectionError::Random)?;
    Ok(hex::encode(bytes))
}

/// What a refusal says; nothing where something else than the controller refused, such as a proxy.
fn problem(body: &[u8]) -> Problem {
    serde_json::from_slice(body).unwrap_or(Problem {
        title: None,
        detail: None,
        code: None,
    })
}

fn sentence(status: u16, problem: &Problem) -> String {
    let said = match (&problem.title, &problem.detail) {
        (Some(title), Some(detail)) => format!("{title}: {detail}"),
        (Some(said), None) | (None, Some(said)) => said.clone(),
        (None, None) => "the answer does not say why".to_owned(),
    };
    match &problem.code {
        Some(code) => format!("refused with status {status} ({code}): {said}"),
        None => format!("refused with status {status}: {said}"),
    }
}

#[cfg(test)]
mod tests;
